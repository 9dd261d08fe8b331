//! An answer of the gateway, and what holds of every one.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use local::http_client as client;
use local::simulator::chat_platform::Posted;
use serde_json::Value;

use crate::harness::openapi::{Answered, Asked, assert_described};

/// A lookout for what never comes. Nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a request; what comes back is an answer of the gateway's, or the test fails.
pub(crate) async fn send(address: SocketAddr, request: http::Request<Bytes>) -> Answer {
    try_send(address, request).await.unwrap()
}

/// The same; an error when the process is gone before it has answered.
pub(crate) async fn try_send(address: SocketAddr, request: http::Request<Bytes>) -> anyhow::Result<Answer> {
    let answer = receive(address, request).await?;
    answer.assert_sound();
    Ok(answer)
}

/// Sends a request, and returns an answer of any form that docs/openapi.yaml has.
pub(crate) async fn receive(address: SocketAddr, request: http::Request<Bytes>) -> anyhow::Result<Answer> {
    let asked = Asked::of(request.method(), request.uri());
    let response = tokio::time::timeout(PATIENCE, client::send(address, request)).await.expect("an answer in time");
    let (parts, body) = response?.into_parts();
    let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
    assert_described(&asked, answer.as_answered());
    Ok(answer)
}

/// What `GET /removals/{id}` tells of a removal, each time.
const RECORD: [&str; 25] = [
    "actor",
    "approvals",
    "asked_at",
    "attempts",
    "caller",
    "caused_by",
    "code",
    "confirmed_by",
    "dry_run",
    "ended_at",
    "expires_at",
    "gateway",
    "id",
    "instance",
    "kind",
    "message",
    "milliseconds",
    "policies",
    "policy_set",
    "reason",
    "reference",
    "request_id",
    "state",
    "status",
    "user_name",
];

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads an answer to this request, with a Content-Length, from its bytes; what follows it is not looked at.
    pub(crate) fn parse(asked: Option<&Asked>, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, _) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        // Raw requests ask for it, so that the answer has an end.
        headers.remove("connection");
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        let body = bytes[head.len() + 4..][..length].to_vec().into();
        let answer = Self { status, headers, body };
        if let Some(asked) = asked {
            assert_described(asked, answer.as_answered());
        }
        answer.assert_sound();
        answer
    }

    pub(crate) fn as_answered(&self) -> Answered<'_> {
        Answered { status: self.status, headers: &self.headers, body: &self.body }
    }

    /// What holds of every answer of the gateway's: it says how long it is, what it is and which request it was, in JSON of
    /// one of the known forms, and carries no header of TaurusDB or a proxy.
    pub(crate) fn assert_sound(&self) {
        let known = [
            "allow",
            "content-length",
            "content-type",
            "date",
            "retry-after",
            "www-authenticate",
            "x-offboard-code",
            "x-offboard-confirmed-by",
            "x-offboard-ledger",
            "x-offboard-policy",
            "x-offboard-reference",
            "x-offboard-removal",
            "x-request-id",
        ];
        // The server ends a connection on which a body was refused by its length, and not read.
        let is_ended = |name: &HeaderName| self.status == 413 && name == "connection";
        for name in self.headers.keys().filter(|name| !is_ended(name)) {
            assert!(known.contains(&name.as_str()), "{self:?}");
            assert_eq!(self.headers.get_all(name).iter().count(), 1, "{self:?}");
        }
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert_eq!(self.header("content-length"), Some(self.body.len().to_string().as_str()), "{self:?}");
        assert!(self.header("x-request-id").is_some(), "{self:?}");

        let body = self.json();
        let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        match keys[..] {
            _ if keys == RECORD => assert_eq!(self.status, 200, "{self:?}"),
            ["result"] => assert_eq!((self.status, &body["result"]), (200, &"SUCCESS".into()), "{self:?}"),
            ["error_code", "error_msg"] => assert!(self.status >= 400, "{self:?}"),
            ["account", "policies", "result", "would"] => {
                assert_eq!((self.status, &body["result"]), (200, &"DRY_RUN".into()), "{self:?}");
            }
            ["approvals", "next"] | ["help"] => assert_eq!(self.status, 200, "{self:?}"),
            // The answer to a click: what people see is posted.
            [] => assert_eq!(self.status, 200, "{self:?}"),
            ["blocks", "response_type", "text"] => {
                // The approvers have to see what they are to approve.
                let seen_by = if self.code_header() == Some("OFFBOARD.40904") { "in_channel" } else { "ephemeral" };
                assert_eq!((self.status, &body["response_type"]), (200, &seen_by.into()), "{self:?}");
                // A notification shows what the message begins with.
                let first = body["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
                // A header has no markup: nothing is escaped in it, and no backticks keep a value apart from Chinese words.
                let unescaped = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                let plain = |text: &str| unescaped(text).replace(['`', ' '], "");
                let first = plain(first.lines().next().unwrap().trim_matches('*'));
                assert!(plain(&text_of(&body)).starts_with(&first), "{self:?}");
            }
            // /healthz, /readyz
            ["config", "policy", "status", "version"]
            | ["reason", "status", "version"]
            | ["ledger", "reason", "status", "version"] => return,
            _ if keys.contains(&"job") => assert_eq!(self.status, 200, "{self:?}"),
            _ => panic!("a body of unknown form: {self:?}"),
        }
        // What a kind answers by itself (`help`) has no outcome.
        let outcome = self.header("x-offboard-removal").map(|_| self.code());
        assert_eq!(self.header("x-offboard-code"), outcome.as_deref(), "{self:?}");
    }

    /// What was posted later, as if it had been the answer.
    pub(crate) fn posted(posted: &Posted) -> Self {
        Self { status: 200, headers: HeaderMap::new(), body: posted.body.to_string().into() }
    }

    fn code_header(&self) -> Option<&str> {
        self.header("x-offboard-code")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether it is said in words, for people.
    pub(crate) fn is_in_words(&self) -> bool {
        self.json().get("response_type").is_some()
    }

    /// The words, for people.
    pub(crate) fn text(&self) -> String {
        text_of(&self.json())
    }

    /// `SUCCESS` or the error code, whatever form it has. For an answer in words: the end of its small print.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        if let Some(result) = body.get("result") {
            return result.as_str().unwrap().into();
        }
        if let Some(code) = body.get("error_code") {
            return code.as_str().unwrap().into();
        }
        let blocks = body["blocks"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        let small_print = blocks.iter().find(|block| block["type"] == "context");
        let small_print = small_print.and_then(|block| block["elements"][0]["text"].as_str());
        let code = small_print.and_then(|text| text.rsplit(" · ").next());
        code.unwrap_or_else(|| panic!("no code in {self:?}")).into()
    }

    /// Whether it tells a person that the account was not there.
    pub(crate) fn was_not_there(&self) -> bool {
        self.is_in_words() && self.text().starts_with("ℹ️ ")
    }

    /// Whether its message is this one. What is said in words has sentences of its own, which the story suite looks at.
    pub(crate) fn says(&self, message: &str) -> bool {
        self.is_in_words() || self.json()["error_msg"] == message
    }
}

fn text_of(body: &Value) -> String {
    body["text"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// The status that a code of the gateway's own stands for: `OFFBOARD.<status><nn>`.
pub(crate) fn status_of(code: &str) -> u16 {
    match code.strip_prefix("OFFBOARD.") {
        Some(digits) => digits[..3].parse().unwrap(),
        None => panic!("{code} is not a code of the gateway's own"),
    }
}
