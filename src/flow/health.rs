//! `GET /healthz`: whether the operator's files can be used.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::json;

use crate::app::App;
use crate::flow::secrets::of_wrong_form;
use crate::host::Host;
use crate::ledger::row::RemovalId;
use crate::reply::Rendered;
use crate::reply::response::{Facts, build};
use crate::request::inbound::Inbound;

/// Whether the request asks for it.
pub(super) fn is_asked(inbound: &Inbound) -> bool {
    inbound.path == "/healthz" && inbound.method == Method::GET
}

/// The versions of gateway, configuration and policies, or the reason why a file cannot be used; and the variables that hold no
/// secret of their caller's kind.
pub(super) async fn response<H: Host>(host: &H, app: Result<&App, &str>, id: &RemovalId) -> Response<Bytes> {
    let version = env!("CARGO_PKG_VERSION");
    let (status, body) = match app {
        Ok(app) => {
            let mut body = json!({"status": "ok", "version": version, "config": app.config.digest, "policy": app.policies.digest()});
            let wrong = of_wrong_form(host, &app.config).await;
            if let (false, Some(fields)) = (wrong.is_empty(), body.as_object_mut()) {
                fields.insert("unusable_secrets".into(), wrong.into());
            }
            (StatusCode::OK, body)
        }
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unusable", "version": version, "reason": reason}))
        }
    };
    build(Rendered::json(status, body.to_string()), &Facts { request_id: id.as_str(), ..Facts::default() })
}
