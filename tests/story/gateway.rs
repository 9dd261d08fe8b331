//! The gateway on the in-memory host, the demonstration's requests to it, and what is read of its answers.

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use local::simulator::senders::{self, SdkRequest};
use starrocks_offboard::app::App;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered;
use support::memory::Memory;

pub(crate) const SUCCESS: &str = r#"{"result":"SUCCESS"}"#;
pub(crate) const SECRETS: [&str; 4] =
    ["slack-secret-7f3a", "upstream-secret-51cc", "security-token-90ab", "portal-secret-e2d1"];
pub(crate) const DOCUMENTED: &str =
    "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";

pub(crate) fn app() -> App {
    gateway_with(&[])
}

/// The demonstration's gateway, with changes to offboard.toml and without confirmation.
pub(crate) fn gateway_with(changes: &[(&str, &str)]) -> App {
    let mut offboard =
        include_str!("../../config/offboard.toml").replace("kind = \"slack\"", "confirm = false\nkind = \"slack\"");
    for (from, to) in changes {
        assert!(offboard.contains(from), "{from}");
        offboard = offboard.replacen(from, to, 1);
    }
    let policy = include_str!("../../config/policy.cedar");
    App::parse(&offboard, policy, include_str!("../../config/schema.cedarschema")).unwrap()
}

pub(crate) fn memory() -> Memory {
    Memory::new(&[
        ("slack_signing_secret", SECRETS[0]),
        ("huaweicloud_access_key", "AK"),
        ("huaweicloud_secret_key", SECRETS[1]),
        ("huaweicloud_security_token", SECRETS[2]),
        ("portal_secret_key", SECRETS[3]),
        ("taurusdb_endpoint", ""),
    ])
}

/// A slash command, signed at `seconds`.
pub(crate) fn slash(seconds: i64, text: &str) -> Inbound {
    slash_with(seconds, text, "")
}

/// The same, with more fields in its form.
pub(crate) fn slash_with(seconds: i64, text: &str, more: &str) -> Inbound {
    slash_as("U2CERLKJA", seconds, text, more)
}

/// The same, by another person.
pub(crate) fn slash_as(user_id: &str, seconds: i64, text: &str, more: &str) -> Inbound {
    let text = text.replace(' ', "+");
    slack(seconds, format!("command=%2Foffboard&user_id={user_id}&trigger_id=1.2.a&text={text}{more}"))
}

/// A form of Slack's, signed at `seconds`.
pub(crate) fn slack(seconds: i64, body: String) -> Inbound {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    for (name, value) in senders::slack(SECRETS[0], &seconds.to_string(), body.as_bytes()) {
        headers.insert(name, value.parse().unwrap());
    }
    Inbound {
        method: Method::POST,
        path: "/hooks/slack".into(),
        query: String::new(),
        host: "localhost".into(),
        headers,
        body: body.into(),
    }
}

/// The documented DELETE, signed with the portal's key at `seconds`.
pub(crate) fn documented(seconds: i64, query: &str) -> Inbound {
    portal(seconds, Method::DELETE, DOCUMENTED, query)
}

/// Any request that the portal signs.
pub(crate) fn portal(seconds: i64, method: Method, path: &str, query: &str) -> Inbound {
    portal_with(seconds, method, path, query, "")
}

/// The same, with a body.
pub(crate) fn portal_with(seconds: i64, method: Method, path: &str, query: &str, body: &str) -> Inbound {
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let signed = SdkRequest {
        method: method.as_str(),
        target: &target,
        headers: Vec::new(),
        host: "localhost",
        body: body.as_bytes(),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in senders::sdk_hmac(&signed, "HPUAPORTALKEY0000001", SECRETS[3], seconds) {
        headers.insert(name, value.parse().unwrap());
    }
    Inbound {
        method,
        path: path.into(),
        query: query.into(),
        host: "localhost".into(),
        headers,
        body: Bytes::from(body.to_owned()),
    }
}

pub(crate) async fn ask(host: &Memory, app: &App, inbound: Inbound) -> Response<Bytes> {
    answered(host, Ok(app), inbound).await
}

pub(crate) fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

pub(crate) fn seconds(host: &Memory) -> i64 {
    host.now.get() / 1000
}

pub(crate) fn header<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}
