//! A small HTTP/1.1 client for tests, the demonstration and people: one request, one connection.
//!
//! Not supported: TLS, redirects, keeping connections, timeouts for a request (tests have their own).

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long [`send_bytes`] waits for the other side to finish.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends `request` to `address` and reads the whole answer. `Host` is set when the request has none; its URI may be
/// a path or a whole URL, only the path and the query are sent.
///
/// # Errors
///
/// When nobody listens, or what comes back is not HTTP.
pub async fn send(address: SocketAddr, mut request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
    let stream = connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, and its error is the answer's.
    tokio::spawn(connection);
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(&address.to_string())?);
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse()?;
    *request.uri_mut() = path;
    let response = sender.send_request(request.map(Full::new)).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.context("the answer broke off")?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// Writes `bytes` as they are, says that no more will come, and reads until the other side closes: for requests
/// that no client would send.
///
/// # Errors
///
/// When nobody listens, the connection breaks, or nothing ends it within ten seconds.
pub async fn send_bytes(address: SocketAddr, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut stream = connect(address).await?;
    let exchange = async {
        stream.write_all(bytes).await?;
        stream.shutdown().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    };
    tokio::time::timeout(PATIENCE, exchange).await.with_context(|| format!("`{address}` did not end the connection"))?
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to `{address}`"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
