//! An HTTP/1.1 server for simulations: it answers by the rules of HTTP, or breaks them on purpose.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

/// The pause before each byte of [`Reply::Drip`].
const DRIP: Duration = Duration::from_millis(200);

/// An answer that a test plans instead of the usual one.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An HTTP answer. `Content-Length` is added, and by the simulated cloud `X-Request-Id` if it is missing.
    Http(Response<Bytes>),
    /// These bytes, unchanged; then the connection is closed.
    Raw(Bytes),
}

impl Answer {
    /// Returns an HTTP answer with a body of this type.
    pub fn http(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self::Http(response)
    }

    /// Returns an answer with a body that is shorter than its `Content-Length`, after which the connection is closed.
    pub fn cut_short(status: StatusCode, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            status.as_str(),
            status.canonical_reason().unwrap_or_default(),
            body.len() + 1000,
        );
        Self::Raw([head.as_bytes(), body].concat().into())
    }

    /// Returns an answer that closes the connection without sending a byte.
    pub fn hang_up() -> Self {
        Self::Raw(Bytes::new())
    }
}

/// How a request is answered, or not.
pub(crate) enum Reply {
    Http(Response<Bytes>),
    /// These bytes, then the connection is closed.
    Raw(Bytes),
    /// A TCP reset.
    Reset,
    /// No answer until the client closes the connection.
    Silence,
    /// The head at once, then a body that arrives byte by byte and never ends.
    Drip(Response<()>),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Http(response) => Self::Http(response),
            Answer::Raw(bytes) => Self::Raw(bytes),
        }
    }
}

/// Accepts connections and answers each request with the reply of `handler`. A request whose client has left is still
/// processed, as by real servers. Dropping this future ends the connections.
pub(crate) async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Bytes>) -> F + Clone + Send + Sync + Unpin + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error concerns one client's connection, not the listener, so the loop goes on.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, handler.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection.
async fn converse<H, F>(stream: TcpStream, handler: H)
where
    H: Fn(Request<Bytes>) -> F + Clone + Send + Sync + Unpin + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    // For speed only: without it, small answers wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let handler = handler.clone();
        Box::pin(exchange(request, handler))
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;

    // hyper writes nothing if a service fails, so a reply that is not HTTP is the error of the service, and is carried out
    // here.
    let error = ended.err();
    match error.as_ref().and_then(std::error::Error::source).and_then(|source| source.downcast_ref()) {
        Some(Cut::Raw(bytes)) => {
            let mut stream = connection.into_parts().io.into_inner();
            // The client may have left.
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        }
        Some(Cut::Reset) => {
            // Closing a socket with zero linger resets the connection.
            let _ = connection.into_parts().io.into_inner().set_zero_linger();
        }
        Some(Cut::BodyBrokeOff) | None => {}
    }
}

async fn exchange<H, F>(request: Request<Incoming>, handler: H) -> Result<Response<Either<Full<Bytes>, Drip>>, Cut>
where
    H: Fn(Request<Bytes>) -> F,
    F: Future<Output = Reply> + Send + 'static,
{
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut::BodyBrokeOff)?.to_bytes();
    // A separate task goes on after this connection ends.
    let reply = tokio::spawn(handler(Request::from_parts(head, body))).await;
    match reply.map_err(|_| Cut::Raw(Bytes::new()))? {
        Reply::Http(response) => Ok(response.map(|body| Either::Left(Full::new(body)))),
        Reply::Raw(bytes) => Err(Cut::Raw(bytes)),
        Reply::Reset => Err(Cut::Reset),
        // hyper drops this future when the client closes the connection.
        Reply::Silence => std::future::pending().await,
        Reply::Drip(response) => Ok(response.map(|()| Either::Right(Drip::new()))),
    }
}

/// Why a request gets no HTTP answer.
#[derive(Debug)]
enum Cut {
    Raw(Bytes),
    Reset,
    BodyBrokeOff,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw(_) => "a raw answer",
            Self::Reset => "a reset connection",
            Self::BodyBrokeOff => "the request's body broke off",
        })
    }
}

impl std::error::Error for Cut {}

/// An endless body of spaces, which could still become valid JSON.
struct Drip(Interval);

impl Drip {
    fn new() -> Self {
        let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + DRIP, DRIP);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(interval)
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_tick(context).map(|_| Some(Ok(Frame::data(Bytes::from_static(b" ")))))
    }
}
