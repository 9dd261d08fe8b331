//! The outbound HTTP of the component: checked against `allowed_outbound_hosts` and sent as Spin does.
//!
//! Not supported: sockets, blocked networks, client certificates, a limit on connections, HTTP/2.

use std::sync::Arc;

use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::allowed_hosts::AllowedHosts;
use super::logs::Logs;
use super::outbound_client::OutboundClient;
use super::stand_ins::StandIns;

/// Checks and sends every outbound request of a component.
pub(super) struct Gate {
    pub(super) allowed: Arc<AllowedHosts>,
    pub(super) stand_ins: Arc<StandIns>,
    pub(super) client: OutboundClient,
    pub(super) logs: Logs,
}

/// The return type of wasmtime's hook: the response, and the future of the connection.
type Sending = Box<
    dyn Future<Output = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>>
        + Send,
>;

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Sending {
        if !self.allowed.allow(request.uri()) {
            let uri = request.uri();
            self.logs.line(&format!(
                "refused an outbound request: `{}://{}` is not in allowed_outbound_hosts of spin.toml",
                uri.scheme_str().unwrap_or("https"),
                uri.authority().map_or("", |authority| authority.as_str()),
            ));
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let (client, stand_in) = (self.client.clone(), self.stand_ins.find(request.uri()));
        Box::new(async move {
            let response = client.send(request, options.unwrap_or_default(), stand_in).await?;
            // The pool drives the connection.
            Ok((response, Box::new(async { Ok(()) }) as Box<_>))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::simulator::chat_platform::ChatPlatform;

    #[tokio::test]
    async fn what_is_allowed_under_its_real_name_goes_to_the_stand_in() {
        let platform = ChatPlatform::start().await.unwrap();
        for (allowed, status) in
            [("https://hooks.slack.com", Some(200)), (&platform.stand_in().1, None), ("http://hooks.slack.com", None)]
        {
            let mut gate = Gate {
                allowed: Arc::new(AllowedHosts::parse(&[allowed.to_owned()]).unwrap()),
                stand_ins: Arc::new(StandIns::parse(&BTreeMap::from([platform.stand_in()])).unwrap()),
                client: OutboundClient::new(),
                logs: Logs::captured(),
            };
            let body = Full::new(Bytes::from_static(b"{}")).map_err(|never: Infallible| match never {});
            let request = http::Request::post("https://hooks.slack.com/commands/1?a")
                .header("host", "hooks.slack.com")
                .body(body.boxed_unsync())
                .unwrap();
            let sent = Box::into_pin(gate.send_request(request, None, Box::new(async { Ok(()) }))).await;
            let answered = sent.ok().map(|(response, _)| response.status().as_u16());
            assert_eq!(answered, status, "{allowed}");
        }
        let [posted] = &platform.posted()[..] else { panic!("expected one message") };
        assert_eq!(posted.path, "/commands/1?a");
        assert_eq!(posted.headers["host"], "hooks.slack.com");
    }
}
