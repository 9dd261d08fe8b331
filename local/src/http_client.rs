//! A small HTTP/1.1 client for tests, the demonstration and `send`: one request, one connection.
//!
//! Not supported: TLS, redirects, keeping connections, timeouts of a request (tests have their own).

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

/// How long [`send_bytes`] waits for the server to close the connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends `request` to `address` and reads the whole answer. `Host` is set if the request has none; the URI may be a path
/// or a whole URL, of which only the path and the query are sent.
///
/// # Errors
///
/// If no server listens, or its answer is not HTTP.
pub async fn send(address: SocketAddr, mut request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
    let stream = connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // The task ends with the answer. Its errors show in the answer, too.
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

/// Writes `bytes` unchanged, closes the sending side, and reads until the server closes the connection: for requests that
/// no client would send.
///
/// # Errors
///
/// If no server listens, the connection breaks, or the server does not close it within ten seconds.
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
