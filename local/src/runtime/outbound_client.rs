//! Sends outbound requests over connections that all instances of a runtime share, with the same client, time limits and
//! error codes as Spin.
//!
//! As there, `TCP_NODELAY` is not set, and the client names the `Host` by the URI.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Each time limit that a request does not set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// A client with its pool of connections. Clones share it.
#[derive(Clone)]
pub(super) struct OutboundClient(Client<Connector, WasiBody>);

impl OutboundClient {
    pub(super) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(Connector))
    }

    /// Sends a request, over a connection to `stand_in` if there is one.
    pub(super) async fn send(
        self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
        stand_in: Option<Authority>,
    ) -> Result<Response<WasiBody>, Error> {
        request.headers_mut().remove(HOST);
        let connecting = Connecting { timeout: options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT), stand_in };
        let responding = CONNECTING.scope(connecting, async move { self.0.request(request).await });
        let response = timeout(options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT), responding)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(|error| request_error(&error))?;
        let timeout = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(response.map(|body| ResponseBody { body: Some(body), sleep: None, timeout }.boxed_unsync()))
    }
}

fn request_error(error: &legacy::Error) -> Error {
    let cause = std::error::Error::source(error);
    match cause.and_then(|cause| cause.downcast_ref::<ConnectError>()) {
        Some(error) => error.to_wasi(),
        None => Error::HttpProtocolError,
    }
}

tokio::task_local! {
    /// Of the request that may need a new connection: the client has no parameter for it.
    static CONNECTING: Connecting;
}

/// How a connection is made.
#[derive(Clone)]
struct Connecting {
    timeout: Duration,
    stand_in: Option<Authority>,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy)]
enum ConnectError {
    Address,
    Refused,
    ServerName,
    Timeout,
    Tls,
    Uri,
}

impl ConnectError {
    fn to_wasi(self) -> Error {
        let dns = |rcode: &str| Error::DnsError { rcode: Some(rcode.to_owned()), info_code: Some(0) };
        match self {
            Self::Address => dns("address not available"),
            Self::Refused => Error::ConnectionRefused,
            Self::ServerName => dns("invalid dns name"),
            Self::Timeout => Error::ConnectionTimeout,
            Self::Tls => Error::TlsProtocolError,
            Self::Uri => Error::HttpRequestUriInvalid,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_wasi().fmt(f)
    }
}

impl std::error::Error for ConnectError {}

impl Connecting {
    async fn connect(self, uri: Uri) -> Result<Stream, ConnectError> {
        let authority = self.stand_in.as_ref().or(uri.authority()).ok_or(ConnectError::Uri)?;
        let is_tls = self.stand_in.is_none() && uri.scheme() == Some(&Scheme::HTTPS);
        let stream = self.connect_tcp(authority, if is_tls { 443 } else { 80 }).await?;
        if is_tls { connect_tls(&uri, stream).await } else { Ok(Stream(Box::new(stream))) }
    }

    async fn connect_tcp(&self, authority: &Authority, default_port: u16) -> Result<TcpStream, ConnectError> {
        let address = match authority.port() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:{default_port}"),
        };
        // Spin has no time limit for the name either.
        let addresses: Vec<_> = tokio::net::lookup_host(address).await.map_err(|_| ConnectError::Address)?.collect();
        let stream = timeout(self.timeout, TcpStream::connect(&*addresses)).await;
        stream.map_err(|_| ConnectError::Timeout)?.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrNotAvailable => ConnectError::Address,
            _ => ConnectError::Refused,
        })
    }
}

/// Returns a connector that trusts the certificate authorities of Mozilla.
pub(super) fn tls_connector() -> TlsConnector {
    static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    });
    TlsConnector::from(CONFIG.clone())
}

async fn connect_tls(uri: &Uri, stream: TcpStream) -> Result<Stream, ConnectError> {
    let name = ServerName::try_from(uri.host().unwrap_or_default()).map_err(|_| ConnectError::ServerName)?;
    let stream = tls_connector().connect(name.to_owned(), stream).await;
    Ok(Stream(Box::new(stream.map_err(|_| ConnectError::Tls)?)))
}

/// Makes connections as [`CONNECTING`] says.
#[derive(Clone)]
struct Connector;

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // Not inside the future: the client may finish it in a task of its own.
        let connecting = CONNECTING.get();
        Box::pin(async move { connecting.connect(uri).await.map(TokioIo::new) })
    }
}

/// What a connection is read from and written to.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection, with TLS or without.
struct Stream(Box<dyn Io>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

/// A response body whose pieces must not be further apart than the time limit.
struct ResponseBody {
    /// `None` after the time limit, which closes the connection at once.
    body: Option<Incoming>,
    sleep: Option<Pin<Box<Sleep>>>,
    timeout: Duration,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            self.sleep = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::Hyper)));
        }
        let timeout = self.timeout;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(sleep.as_mut().poll(context));
        self.body = None;
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::Empty;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;

    /// A server of one connection: it answers each request with the next of these, and then holds the connection open.
    async fn serve(answers: &'static [&'static str]) -> (Uri, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/path?query", listener.local_addr().unwrap()).parse().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut requests = Vec::new();
            for answer in answers {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0);
                }
                requests.push(String::from_utf8(request).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            // Until the client leaves: nothing more may come.
            assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
            requests
        });
        (uri, server)
    }

    fn request(uri: &Uri) -> Request<WasiBody> {
        let body = Empty::new().map_err(|never: Infallible| match never {});
        Request::delete(uri).header(HOST, "another.example.com").body(body.boxed_unsync()).unwrap()
    }

    async fn send(client: &OutboundClient, uri: &Uri, options: RequestOptions) -> Result<Response<WasiBody>, Error> {
        client.clone().send(request(uri), options, None).await
    }

    async fn text(response: Response<WasiBody>) -> Result<String, Error> {
        Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec()).unwrap())
    }

    fn limit(milliseconds: u64) -> Option<Duration> {
        Some(Duration::from_millis(milliseconds))
    }

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    #[tokio::test]
    async fn a_second_request_goes_over_the_same_connection() {
        let (uri, server) = serve(&[OK, OK]).await;
        let client = OutboundClient::new();
        for _ in 0..2 {
            let response = send(&client, &uri, RequestOptions::default()).await.unwrap();
            assert_eq!(text(response).await.unwrap(), "ok");
        }
        drop(client);
        let requests = server.await.unwrap();
        assert_eq!(requests.len(), 2);
        let host = format!("DELETE /path?query HTTP/1.1\r\nhost: {}\r\n", uri.authority().unwrap());
        assert!(requests.iter().all(|request| request.starts_with(&host)), "{requests:?}");
    }

    #[tokio::test]
    async fn a_stand_in_is_connected_to_under_the_real_name() {
        let (uri, server) = serve(&[OK]).await;
        let client = OutboundClient::new();
        let real = Uri::from_static("https://api.example.com/path");
        let sent = client.send(request(&real), RequestOptions::default(), uri.authority().cloned());
        drop(sent.await.unwrap());
        assert_eq!(server.await.unwrap(), ["DELETE /path HTTP/1.1\r\nhost: api.example.com\r\n\r\n"]);
    }

    #[tokio::test]
    async fn without_a_connection_the_error_says_why() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let client = OutboundClient::new();
        let refused = send(&client, &format!("http://{free}").parse().unwrap(), RequestOptions::default()).await;
        assert!(matches!(refused, Err(Error::ConnectionRefused)), "{refused:?}");
        let unknown = send(&client, &Uri::from_static("http://no-such-host.invalid"), RequestOptions::default()).await;
        let Err(Error::DnsError { rcode, info_code: Some(0) }) = unknown else { panic!("{unknown:?}") };
        assert_eq!(rcode.as_deref(), Some("address not available"));
    }

    #[tokio::test]
    async fn an_answer_that_does_not_begin_in_time() {
        let (uri, _server) = serve(&[""]).await;
        let options = RequestOptions { first_byte_timeout: limit(50), ..RequestOptions::default() };
        let late = send(&OutboundClient::new(), &uri, options).await;
        assert!(matches!(late, Err(Error::ConnectionReadTimeout)), "{late:?}");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_go_on_in_time() {
        let (uri, server) = serve(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart"]).await;
        let client = OutboundClient::new();
        let options = RequestOptions { between_bytes_timeout: limit(50), ..RequestOptions::default() };
        let late = text(send(&client, &uri, options).await.unwrap()).await;
        assert!(matches!(late, Err(Error::ConnectionReadTimeout)), "{late:?}");
        // The connection is closed, not kept for another request.
        assert_eq!(server.await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_answer_that_ends_before_it_is_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = tokio::spawn(async move {
            for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart", "HTTP/1.1 20"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let client = OutboundClient::new();
        let cut = text(send(&client, &uri, RequestOptions::default()).await.unwrap()).await;
        assert!(matches!(cut, Err(Error::Hyper(_))), "{cut:?}");
        let cut = send(&client, &uri, RequestOptions::default()).await;
        assert!(matches!(cut, Err(Error::HttpProtocolError)), "{cut:?}");
        server.await.unwrap();
    }
}
