//! A chat platform that receives follow-ups: an HTTP server that stands in for `https://hooks.slack.com`, which takes
//! the answer to a slash command that takes longer than Slack waits.
//!
//! Documented (<https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>): a POST of JSON to
//! the `response_url` of the command. Inferred from the incoming webhooks on the same host: 200 `ok`, and 400
//! `invalid_payload` for a body that is not JSON. Not simulated: TLS, the limit of five messages in 30 minutes to one
//! `response_url`, and the rules for the content of a message.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::wire::{self, Answer, Reply};

/// The origin that it stands in for.
pub const ORIGIN: &str = "https://hooks.slack.com";

const TEXT: &str = "text/plain";

/// A message that was posted.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The method: POST, or PATCH where a platform has a message changed.
    pub method: Method,
    /// The path, as it was on the wire.
    pub path: String,
    /// The headers, `Host` included.
    pub headers: HeaderMap,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl Posted {
    /// Returns the text as Slack would show it; empty if the message has none.
    #[must_use]
    pub fn text(&self) -> String {
        self.body["text"].as_str().map(unescaped).unwrap_or_default()
    }
}

/// Undoes the three escapes of Slack's text, as Slack does when it shows a message.
pub(crate) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A running stand-in. It stops when this is dropped.
pub struct ChatPlatform {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    posted: Vec<Posted>,
    planned: VecDeque<Answer>,
    published: BTreeMap<String, String>,
}

impl ChatPlatform {
    /// Starts to listen, on a free local port.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::default(), count: watch::Sender::new(0) });
        let handler = {
            let shared = shared.clone();
            move |request| std::future::ready(shared.receive(request))
        };
        let accepting = tokio::spawn(wire::serve(listener, handler)).abort_handle();
        Ok(Self { address, shared, accepting })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the entry for [`Options::stand_ins`](crate::runtime::options::Options::stand_ins).
    #[must_use]
    pub fn stand_in(&self) -> (String, String) {
        (ORIGIN.to_owned(), format!("http://{}", self.address))
    }

    /// Returns every message so far in the order of arrival.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.state().posted.clone()
    }

    /// Plans this answer for the next message that has no planned answer yet. The message counts as received all the same.
    pub fn on_next(&self, answer: Answer) {
        self.shared.state().planned.push_back(answer);
    }

    /// Answers a GET of this path with this JSON, as platforms do that publish their keys.
    pub fn publish(&self, path: &str, body: &str) {
        self.shared.state().published.insert(path.to_owned(), body.to_owned());
    }

    /// Waits until `count` messages, counted from the start, have arrived, and returns all messages.
    pub async fn received(&self, count: usize) -> Vec<Posted> {
        // Waiting cannot fail: the sender lives as long as it is borrowed here.
        let _ = self.shared.count.subscribe().wait_for(|arrived| *arrived >= count).await;
        self.posted()
    }
}

impl Drop for ChatPlatform {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive(&self, request: Request<Bytes>) -> Reply {
        if request.method() == Method::GET
            && let Some(body) = self.state().published.get(request.uri().path())
        {
            return Answer::http(StatusCode::OK, "application/json", body.clone()).into();
        }
        if ![Method::POST, Method::PATCH].contains(request.method()) {
            return Answer::http(StatusCode::METHOD_NOT_ALLOWED, TEXT, "").into();
        }
        let (head, body) = request.into_parts();
        let body: Option<Value> = serde_json::from_slice(&body).ok();
        let usual = match &body {
            Some(_) => Answer::http(StatusCode::OK, TEXT, "ok"),
            None => Answer::http(StatusCode::BAD_REQUEST, TEXT, "invalid_payload"),
        };
        let path = head.uri.path_and_query().map_or("*", |path| path.as_str()).to_owned();
        let mut state = self.state();
        state.posted.push(Posted { method: head.method, path, headers: head.headers, body: body.unwrap_or_default() });
        let answer = state.planned.pop_front().unwrap_or(usual);
        drop(state);
        self.count.send_modify(|count| *count += 1);
        answer.into()
    }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use http::header::LOCATION;
    use serde_json::json;

    use super::*;
    use crate::http_client::send;

    const PATH: &str = "/commands/T0001/demo/1";

    async fn post(channel: &ChatPlatform, body: &'static str) -> anyhow::Result<Response<Bytes>> {
        let request = Request::post(PATH).header("content-type", "application/json").body(Bytes::from(body)).unwrap();
        send(channel.address(), request).await
    }

    #[tokio::test]
    async fn what_is_posted_is_kept_and_answered_ok() {
        let channel = ChatPlatform::start().await.unwrap();
        let waiting = channel.received(2);
        let posting = async {
            for body in [r#"{"text":"a &lt;b&gt; &amp;lt;"}"#, r#"{"blocks":[]}"#] {
                let response = post(&channel, body).await.unwrap();
                assert_eq!((response.status(), response.body().as_ref()), (StatusCode::OK, &b"ok"[..]));
            }
        };
        let (posted, ()) = tokio::join!(waiting, posting);
        assert_eq!(posted.len(), 2);
        assert_eq!(posted[0].path, PATH);
        assert_eq!(posted[0].headers["content-type"], "application/json");
        assert_eq!(posted[0].headers["host"], channel.address().to_string());
        assert_eq!(posted[0].body, json!({ "text": "a &lt;b&gt; &amp;lt;" }));
        assert_eq!(posted[0].text(), "a <b> &lt;");
        assert_eq!(posted[1].text(), "");
    }

    #[tokio::test]
    async fn planned_answers_replace_the_usual_one() {
        let channel = ChatPlatform::start().await.unwrap();
        let mut redirect = Response::new(Bytes::new());
        *redirect.status_mut() = StatusCode::FOUND;
        redirect.headers_mut().insert(LOCATION, "http://169.254.169.254/".parse().unwrap());
        channel.on_next(Answer::Http(redirect));
        channel.on_next(Answer::http(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "down"));
        channel.on_next(Answer::hang_up());

        let redirected = post(&channel, "{}").await.unwrap();
        assert_eq!(redirected.status(), StatusCode::FOUND);
        assert_eq!(redirected.headers()[LOCATION], "http://169.254.169.254/");
        assert_eq!(post(&channel, "{}").await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(post(&channel, "{}").await.is_err());
        assert_eq!(post(&channel, "{}").await.unwrap().status(), StatusCode::OK);
        assert_eq!(channel.received(4).await.len(), 4);
    }

    #[tokio::test]
    async fn only_json_that_is_posted_is_a_message() {
        let channel = ChatPlatform::start().await.unwrap();
        let response = send(channel.address(), Request::get(PATH).body(Bytes::new()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(channel.posted().is_empty());

        let response = post(&channel, "text=hello").await.unwrap();
        assert_eq!((response.status(), response.body().as_ref()), (StatusCode::BAD_REQUEST, &b"invalid_payload"[..]));
        assert_eq!(channel.posted()[0].body, Value::Null);
    }
}
