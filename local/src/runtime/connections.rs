//! The HTTP side: connections, and each request on its way to the component.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use super::instances::{Instances, Phase};
use super::traces::Traces;
use crate::manifest::Manifest;

/// Serves connections until the phase changes, and then those that are open to their end.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) handler: ProxyHandler<Instances>,
    pub(super) manifest: Arc<Manifest>,
    pub(super) traces: Option<Arc<Traces>>,
    pub(super) phase: watch::Receiver<Phase>,
}

impl Connections {
    pub(super) async fn accept(mut self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().serve(stream));
                    }
                    // Most likely no file descriptor is free; other connections will free some.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = connections.join_next() => {}
                _ = self.phase.changed() => break,
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// Serves one connection, from its first request to its last.
    async fn serve(mut self, stream: TcpStream) {
        // Nagle's algorithm would hold back the second piece of an answer for 40 ms.
        let _ = stream.set_nodelay(true);
        let service = hyper::service::service_fn(async |request: Request<Incoming>| {
            let span = self.traces.as_ref().map(|traces| traces.begin(&request));
            let response = respond(request, &self.handler, &self.manifest).await?;
            if let Some(span) = span {
                span.end(response.status());
            }
            Ok::<_, Infallible>(response)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            // A client that has closed its sending side still waits for the answer.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // Errors of a connection (broken off, not HTTP) are answered by hyper and seen by the client only.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = self.phase.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

async fn respond(
    mut request: Request<Incoming>,
    handler: &ProxyHandler<Instances>,
    manifest: &Manifest,
) -> Result<Response<WasiBody>, Infallible> {
    let Some(uri) = absolute_uri(&request) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    if !manifest.routes_to_component(uri.path()) {
        return Ok(empty(StatusCode::NOT_FOUND));
    }
    *request.uri_mut() = uri;
    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    Ok(match handler.handle((), request).await {
        Ok(response) => response,
        // A process that was killed answers nothing.
        Err(_) if handler.state().phase.has_changed().is_err() => std::future::pending().await,
        Err(error) => {
            handler.state().application.logs.line(&format!("the component failed to answer: {error:#}"));
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    })
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// Returns the URI of a request with scheme and authority, as Spin hands it over; `None` if the `Host` header is missing,
/// malformed, or contradicts the URI.
fn absolute_uri<B>(request: &Request<B>) -> Option<Uri> {
    let mut parts = request.uri().clone().into_parts();
    let host = match request.headers().get(HOST) {
        Some(host) => Some(Authority::try_from(host.as_bytes()).ok()?),
        None => None,
    };
    parts.authority = match (parts.authority, host) {
        (Some(authority), Some(host)) if authority != host => return None,
        (authority, host) => Some(authority.or(host)?),
    };
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_gets_its_authority_from_the_host_header() {
        for (uri, host, expected) in [
            ("/a?b", Some("example.com:81"), Some("http://example.com:81/a?b")),
            ("/a", None, None),
            ("/a", Some("no host"), None),
            ("http://example.com/a", None, Some("http://example.com/a")),
            ("http://example.com/a", Some("example.com"), Some("http://example.com/a")),
            ("http://example.com/a", Some("example.org"), None),
        ] {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            let got = absolute_uri(&request.body(()).unwrap()).map(|uri| uri.to_string());
            assert_eq!(got.as_deref(), expected, "{uri} {host:?}");
        }
    }
}
