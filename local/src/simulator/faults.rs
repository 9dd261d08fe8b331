//! The ways in which the simulated cloud can be made to misbehave, and the rules that say when.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Response, StatusCode};

use super::refusals::Refusal;
use super::wire::{Answer, Reply};
use super::{Seen, iam, is_users_path, json_response, refused};

const JSON: &str = "application/json";

/// What another operation on the instance is told by, where a rule says no other code.
const BUSY: &str = "DBS.200019";

/// Bytes of a huge body.
const HUGE: usize = 10 << 20;

/// The forms of a rule, and what each does.
const KINDS: [(&str, &str); 19] = [
    ("latency=DURATION", "the usual answer, after `3s` or `250ms`; the effect comes after the wait as well"),
    ("reset-before", "the connection is reset, without effect"),
    ("reset-after", "the effect, then the connection is reset"),
    ("hang", "never answered, without effect"),
    ("hang-after", "the effect, then never answered"),
    ("throttled[=SECONDS]", "429 APIGW.0308; with SECONDS, a Retry-After"),
    ("busy[=CODE]", "409 DBS.200019, or this code"),
    ("expired-token", "401 APIGW.0307"),
    ("unauthorized", "401 APIGW.0301"),
    ("status=NNN[,SECONDS]", "this status with an error body; with SECONDS, a Retry-After"),
    ("html[=NNN]", "502, or this status, with a page of HTML"),
    ("truncated", "200, and a body that ends too early, without effect"),
    ("truncated-after", "the effect, then the usual answer with a body that ends too early"),
    ("huge", "200 with a body of 10 MB, without effect"),
    ("drip", "200, and a body of one byte every 200 ms without an end, without effect"),
    ("drip-after", "the effect, then such a body"),
    ("wrong-json", "200 with JSON that means nothing, without effect"),
    ("down", "nobody is at home: every connection is reset, as by reset-before"),
    ("gone", "400 DBS.200824, the account does not exist, without effect"),
];

/// A rule: which requests fare how, and how many of them.
///
/// As text it is `[TARGET:]KIND[=VALUE][*TIMES]`: see [`Fault::grammar`].
#[derive(Debug, Clone)]
pub struct Fault {
    /// The requests it is about.
    pub on: Target,
    /// What becomes of them.
    pub what: Misbehaviour,
    /// How many of them it takes; `None` for all.
    pub times: Option<usize>,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// All of them, also to paths that there are not.
    Any,
    /// The deletion of an account.
    Delete,
    /// The list of accounts.
    List,
    /// A POST for a token.
    Iam,
}

impl Target {
    const ALL: [(&str, Self); 4] =
        [("any", Self::Any), ("delete", Self::Delete), ("list", Self::List), ("iam", Self::Iam)];

    /// What a request is, if it is anything. Its path decides, not whether the ids in it are right.
    pub(super) fn of(request: &Seen) -> Option<Self> {
        let (path, _) = request.path_and_query();
        match request.method {
            Method::POST if path == iam::PATH => Some(Self::Iam),
            Method::DELETE if is_users_path(path) => Some(Self::Delete),
            Method::GET if is_users_path(path) => Some(Self::List),
            _ => None,
        }
    }

    pub(super) fn covers(self, request: Option<Self>) -> bool {
        self == Self::Any || Some(self) == request
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, target)| *target).with_context(|| {
            format!("`{text}` is not a target; there are {}", list(Self::ALL.iter().map(|(name, _)| *name)))
        })
    }
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// The usual effect and answer, after this time.
    Latency(Duration),
    /// A TCP reset, without effect.
    ResetBefore,
    /// The effect, then a TCP reset.
    ResetAfter,
    /// No answer until the client leaves, without effect.
    Hang,
    /// The effect, then no answer until the client leaves.
    HangAfter,
    /// 429 APIGW.0308, with the seconds in `Retry-After` if there are any.
    Throttled(Option<u64>),
    /// 409 with this code: another operation is running.
    Busy(String),
    /// 401 APIGW.0307.
    ExpiredToken,
    /// 401 APIGW.0301.
    Unauthorized,
    /// This status with an error body as it is seen with it, and the seconds in `Retry-After` if there are any.
    Status(StatusCode, Option<u64>),
    /// This status with a page of HTML, as a proxy answers.
    Html(StatusCode),
    /// 200, and a body that promises more bytes than come, without effect.
    Truncated,
    /// The effect, then the usual answer with half its body.
    TruncatedAfter,
    /// 200 and 10 MB, without effect.
    Huge,
    /// 200 at once, then one byte every 200 ms without an end, without effect.
    Drip,
    /// The effect, then the head of the usual answer at once, and such a body.
    DripAfter,
    /// 200 `{"result":"MAYBE"}`, without effect.
    WrongJson,
    /// The same as [`Misbehaviour::ResetBefore`]: what a request is for is known only when it was read, so that no
    /// connection can be refused for its sake.
    Down,
    /// 400 DBS.200824, without effect.
    Gone,
    /// This answer, without effect.
    Answer(Answer),
    /// The effect, then this answer.
    AnswerAfter(Answer),
}

impl Misbehaviour {
    pub(super) fn has_effect(&self) -> bool {
        match self {
            Self::Latency(_)
            | Self::ResetAfter
            | Self::HangAfter
            | Self::TruncatedAfter
            | Self::DripAfter
            | Self::AnswerAfter(_) => true,
            Self::ResetBefore
            | Self::Hang
            | Self::Throttled(_)
            | Self::Busy(_)
            | Self::ExpiredToken
            | Self::Unauthorized
            | Self::Status(..)
            | Self::Html(_)
            | Self::Truncated
            | Self::Huge
            | Self::Drip
            | Self::WrongJson
            | Self::Down
            | Self::Gone
            | Self::Answer(_) => false,
        }
    }

    /// What it makes of a request; `usual` is what would have been answered, where there was an effect.
    pub(super) fn reply(self, request: &Seen, usual: Option<Response<Bytes>>) -> Reply {
        let usual = usual.unwrap_or_else(|| ok(br#"{"result":"SUCCESS"}"#));
        match self {
            Self::Latency(_) => Reply::Http(usual),
            Self::ResetBefore | Self::ResetAfter | Self::Down => Reply::Reset,
            Self::Hang | Self::HangAfter => Reply::Silence,
            Self::Throttled(seconds) => Reply::Http(later(refused(&Refusal::Throttled, request), seconds)),
            Self::Busy(code) => Reply::Http(refused(&Refusal::Busy(code), request)),
            Self::ExpiredToken => Reply::Http(refused(&Refusal::TokenExpired, request)),
            Self::Unauthorized => {
                let why = "verify aksk signature fail, a rule says so".to_owned();
                Reply::Http(refused(&Refusal::Unauthenticated(why), request))
            }
            Self::Status(status, seconds) => Reply::Http(later(with_status(status, request), seconds)),
            Self::Html(status) => {
                let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
                Answer::http(status, "text/html", body).into()
            }
            Self::Truncated | Self::TruncatedAfter => {
                let (half, _) = usual.body().split_at(usual.body().len() / 2);
                Answer::cut_short(usual.status(), half).into()
            }
            Self::Huge => Reply::Http(ok(&[br#"{"padding":""#, &vec![b'x'; HUGE][..], br#""}"#].concat())),
            Self::Drip | Self::DripAfter => Reply::Drip(usual.map(|_| ())),
            Self::WrongJson => Reply::Http(ok(br#"{"result":"MAYBE"}"#)),
            Self::Gone => Reply::Http(refused(&Refusal::NoSuchAccount, request)),
            Self::Answer(answer) | Self::AnswerAfter(answer) => answer.into(),
        }
    }
}

/// What the first rule that fits has to say of a request.
pub(super) fn take(faults: &mut [Fault], request: Option<Target>) -> Option<Misbehaviour> {
    let fault = faults.iter_mut().find(|fault| fault.on.covers(request) && fault.times != Some(0))?;
    if let Some(times) = &mut fault.times {
        *times -= 1;
    }
    Some(fault.what.clone())
}

fn ok(body: &[u8]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

fn later(mut response: Response<Bytes>, seconds: Option<u64>) -> Response<Bytes> {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn with_status(status: StatusCode, request: &Seen) -> Response<Bytes> {
    if Target::of(request) != Some(Target::Iam) {
        return refused(&Refusal::Status(status), request);
    }
    let (status, body) = iam::error(status, &status.canonical_reason().unwrap_or("Unknown"));
    json_response(status, &body)
}

impl Fault {
    /// The grammar of rules, for people.
    #[must_use]
    pub fn grammar() -> String {
        let width = KINDS.iter().map(|(form, _)| form.len()).max().unwrap_or_default();
        let kinds: Vec<String> = KINDS.iter().map(|(form, what)| format!("  {form:<width$}  {what}")).collect();
        format!(
            "[TARGET:]KIND[=VALUE][*TIMES]\n\n\
             TARGET is {}, or delete when left out. TIMES is how many requests fare so, or all when left out.\n\
             Of several rules, the first that fits and is not used up counts. KIND is one of\n{}",
            list(Target::ALL.iter().map(|(name, _)| *name)),
            kinds.join("\n"),
        )
    }
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (on, rest) = match text.split_once(':') {
            Some((target, rest)) => (target.parse()?, rest),
            None => (Target::Delete, text),
        };
        let (rest, times) = match rest.rsplit_once('*') {
            Some((rest, times)) => {
                let number = times.parse().ok().filter(|times| *times > 0);
                (rest, Some(number.with_context(|| format!("`*{times}` is not how often; expected as `*2`"))?))
            }
            None => (rest, None),
        };
        let (kind, value) = match rest.split_once('=') {
            Some((kind, value)) => (kind, Some(value)),
            None => (rest, None),
        };
        Ok(Self { on, what: misbehaviour(kind, value)?, times })
    }
}

fn misbehaviour(kind: &str, value: Option<&str>) -> anyhow::Result<Misbehaviour> {
    let what = match (kind, value) {
        ("latency", Some(value)) => return Ok(Misbehaviour::Latency(duration(value)?)),
        ("throttled", Some(value)) => return Ok(Misbehaviour::Throttled(Some(seconds(value)?))),
        ("busy", Some(code)) => return busy(code),
        ("status", Some(value)) => return with_seconds(value),
        ("html", Some(value)) => return Ok(Misbehaviour::Html(status(value)?)),
        ("throttled", None) => Misbehaviour::Throttled(None),
        ("busy", None) => Misbehaviour::Busy(BUSY.to_owned()),
        ("html", None) => Misbehaviour::Html(StatusCode::BAD_GATEWAY),
        ("latency" | "status", None) => bail!("`{kind}` needs a value: {}", form(kind)),
        ("reset-before", _) => Misbehaviour::ResetBefore,
        ("reset-after", _) => Misbehaviour::ResetAfter,
        ("hang", _) => Misbehaviour::Hang,
        ("hang-after", _) => Misbehaviour::HangAfter,
        ("expired-token", _) => Misbehaviour::ExpiredToken,
        ("unauthorized", _) => Misbehaviour::Unauthorized,
        ("truncated", _) => Misbehaviour::Truncated,
        ("truncated-after", _) => Misbehaviour::TruncatedAfter,
        ("huge", _) => Misbehaviour::Huge,
        ("drip", _) => Misbehaviour::Drip,
        ("drip-after", _) => Misbehaviour::DripAfter,
        ("wrong-json", _) => Misbehaviour::WrongJson,
        ("down", _) => Misbehaviour::Down,
        ("gone", _) => Misbehaviour::Gone,
        _ => bail!("`{kind}` is not a fault; there are {}", list(KINDS.iter().map(|(form, _)| *form))),
    };
    ensure!(value.is_none(), "`{kind}` takes no value");
    Ok(what)
}

fn busy(code: &str) -> anyhow::Result<Misbehaviour> {
    ensure!(!code.is_empty(), "`busy=` has no code; expected as `{BUSY}`");
    Ok(Misbehaviour::Busy(code.to_owned()))
}

fn with_seconds(value: &str) -> anyhow::Result<Misbehaviour> {
    Ok(match value.split_once(',') {
        Some((number, after)) => Misbehaviour::Status(status(number)?, Some(seconds(after)?)),
        None => Misbehaviour::Status(status(value)?, None),
    })
}

fn status(text: &str) -> anyhow::Result<StatusCode> {
    let status = text.parse().ok().filter(|status| (200..600).contains(&StatusCode::as_u16(status)));
    status.with_context(|| format!("`{text}` is not a status; expected 200 to 599"))
}

fn seconds(text: &str) -> anyhow::Result<u64> {
    text.parse().ok().with_context(|| format!("`{text}` is not a number of seconds"))
}

fn duration(text: &str) -> anyhow::Result<Duration> {
    let (number, milliseconds) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => ("", 0),
    };
    let number = number.parse::<u32>().ok();
    let number = number.with_context(|| format!("`{text}` is not a duration; expected as `3s` or `250ms`"))?;
    Ok(Duration::from_millis(u64::from(number) * milliseconds))
}

/// How a kind is written, with its value.
fn form(kind: &str) -> &'static str {
    let mut forms = KINDS.iter().map(|(form, _)| *form);
    forms.find(|form| form.split(['=', '[']).next() == Some(kind)).unwrap_or_default()
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Instant;

    use http::Request;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::super::tests::{Signing, USERS, body, delete, delete_request, said, start};
    use super::super::{Simulator, demo};
    use super::*;
    use crate::http::{send, send_bytes};

    fn rule(text: &str) -> Fault {
        text.parse().unwrap()
    }

    fn has_alice(simulator: &Simulator) -> bool {
        simulator.accounts(demo::INSTANCE_ID).contains("alice")
    }

    fn token_request() -> Request<Bytes> {
        Request::post(iam::PATH).body(Bytes::from_static(b"{}")).unwrap()
    }

    fn list_request(simulator: &Simulator) -> Request<Bytes> {
        Signing::default().request(simulator, Method::GET, USERS)
    }

    /// What a client can tell of it.
    async fn outcome(simulator: &Simulator, request: Request<Bytes>) -> String {
        match send(simulator.address(), request).await {
            Ok(response) => {
                let after = response.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap());
                let after = after.map(|seconds| format!(" after {seconds}")).unwrap_or_default();
                format!("{}{after}", said(&response))
            }
            Err(error) => {
                let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
                let was_reset = causes.any(|error| error.kind() == io::ErrorKind::ConnectionReset);
                if was_reset { "reset" } else { "broken off" }.to_owned()
            }
        }
    }

    #[tokio::test]
    async fn each_fault_shows() {
        for (text, expected, still_there) in [
            ("reset-before", "reset", true),
            ("reset-after", "reset", false),
            ("down", "reset", true),
            ("throttled", "429 APIGW.0308", true),
            ("throttled=7", "429 APIGW.0308 after 7", true),
            ("busy", "409 DBS.200019", true),
            ("busy=DBS.200047", "409 DBS.200047", true),
            ("expired-token", "401 APIGW.0307", true),
            ("unauthorized", "401 APIGW.0301", true),
            ("status=500", "500 DBS.200005", true),
            ("status=503,2", "503 DBS.200005 after 2", true),
            ("status=403", "403 DBS.200010", true),
            ("status=418", "418 DBS.280001", true),
            ("truncated", "broken off", true),
            ("truncated-after", "broken off", false),
            ("wrong-json", "200 MAYBE", true),
            ("gone", "400 DBS.200824", true),
            ("latency=1ms", "200 SUCCESS", false),
        ] {
            let simulator = start().await;
            simulator.fault(rule(text));
            assert_eq!(outcome(&simulator, delete_request(&simulator, "alice")).await, expected, "{text}");
            assert_eq!(has_alice(&simulator), still_there, "{text}");
            simulator.finished(1).await;

            let status = simulator.requests()[0].status.map(|status| status.as_str().to_owned());
            let is_http = !["reset", "broken off"].contains(&expected);
            assert_eq!(status.as_deref(), is_http.then(|| &expected[..3]), "{text}");
        }
    }

    #[tokio::test]
    async fn latency_is_at_least_what_the_rule_says() {
        let simulator = start().await;
        simulator.fault(rule("latency=60ms*1"));
        let start = Instant::now();
        assert_eq!(said(&delete(&simulator, "alice").await), "200 SUCCESS");
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test]
    async fn what_hangs_is_not_answered() {
        for (text, still_there) in [("hang", true), ("hang-after", false)] {
            let simulator = start().await;
            simulator.fault(rule(text));
            let client = tokio::spawn(send(simulator.address(), delete_request(&simulator, "alice")));
            simulator.finished(1).await;
            assert_eq!(has_alice(&simulator), still_there, "{text}");
            // That nothing comes can only be shown for a while.
            let answer = tokio::time::timeout(Duration::from_millis(50), client).await;
            assert!(answer.is_err(), "{answer:?}");
            assert!(simulator.requests()[0].status.is_none());
        }
    }

    #[tokio::test]
    async fn what_hangs_ends_when_the_client_leaves() {
        let simulator = start().await;
        simulator.fault(rule("any:hang"));
        let answer = send_bytes(simulator.address(), b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(answer.is_empty());
        simulator.finished(1).await;
    }

    #[tokio::test]
    async fn a_page_of_html() {
        let simulator = start().await;
        simulator.fault(rule("html*1"));
        simulator.fault(rule("html=504"));
        let bad_gateway = delete(&simulator, "alice").await;
        assert_eq!(bad_gateway.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(bad_gateway.headers()[CONTENT_TYPE], "text/html");
        let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
        assert_eq!(bad_gateway.body(), page);
        assert_eq!(delete(&simulator, "alice").await.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(has_alice(&simulator));
    }

    #[tokio::test]
    async fn a_huge_body() {
        let simulator = start().await;
        simulator.fault(rule("huge"));
        let response = delete(&simulator, "alice").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(body(&response)["padding"].as_str().unwrap().len(), 10 << 20);
        assert!(has_alice(&simulator));
    }

    /// A connection on which the deletion of alice was asked for, and nothing read yet.
    async fn asked(simulator: &Simulator) -> TcpStream {
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        let proof = demo::TOKEN;
        let head = format!("DELETE {USERS}?user_name=alice HTTP/1.1\r\nhost: x\r\nx-auth-token: {proof}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    #[tokio::test]
    async fn half_a_body() {
        for text in ["any:truncated", "any:truncated-after"] {
            let simulator = start().await;
            simulator.fault(rule(text));
            let mut answer = String::new();
            asked(&simulator).await.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.contains("\r\ncontent-length: 1010\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\n{\"result\":"), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_body_that_drips_has_no_end() {
        for (text, still_there) in [("drip", true), ("drip-after", false)] {
            let simulator = start().await;
            simulator.fault(rule(text));
            let started = Instant::now();
            let mut stream = asked(&simulator).await;
            let mut came = Vec::new();
            while !came.ends_with(b"\r\n\r\n1\r\n \r\n1\r\n \r\n") {
                assert_ne!(stream.read_buf(&mut came).await.unwrap(), 0, "{}", String::from_utf8_lossy(&came));
            }
            assert!(started.elapsed() >= Duration::from_millis(400));
            assert!(came.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&came));
            assert_eq!(has_alice(&simulator), still_there, "{text}");
            assert_eq!(simulator.requests()[0].status, Some(StatusCode::OK));
        }
    }

    #[tokio::test]
    async fn answers_of_a_test_are_faults_too() {
        let simulator = start().await;
        let answer = Answer::http(StatusCode::IM_A_TEAPOT, JSON, "{}");
        for (what, still_there) in
            [(Misbehaviour::Answer(answer.clone()), true), (Misbehaviour::AnswerAfter(answer), false)]
        {
            simulator.fault(Fault { on: Target::Delete, what, times: Some(1) });
            assert_eq!(said(&delete(&simulator, "alice").await), "418 ");
            assert_eq!(has_alice(&simulator), still_there);
        }
    }

    #[tokio::test]
    async fn rules_are_for_their_target_as_often_as_they_say() {
        let simulator = start().await;
        for text in ["iam:status=503*1", "list:gone", "busy*2", "any:throttled*1"] {
            simulator.fault(rule(text));
        }
        let delete = || delete_request(&simulator, "nobody");
        let iam = send(simulator.address(), token_request()).await.unwrap();
        let expected = serde_json::json!({
            "error": { "code": 503, "message": "Service Unavailable", "title": "Service Unavailable" },
        });
        assert_eq!(body(&iam), expected);
        assert_eq!(outcome(&simulator, list_request(&simulator)).await, "400 DBS.200824");
        assert_eq!(outcome(&simulator, delete()).await, "409 DBS.200019");
        // It goes before the rules, and uses none up.
        simulator.on_next(Answer::http(StatusCode::IM_A_TEAPOT, JSON, "{}"));
        assert_eq!(outcome(&simulator, delete()).await, "418 ");
        assert_eq!(outcome(&simulator, delete()).await, "409 DBS.200019");
        assert_eq!(outcome(&simulator, delete()).await, "429 APIGW.0308");
        assert_eq!(outcome(&simulator, delete()).await, "400 DBS.200824");
        assert_eq!(outcome(&simulator, token_request()).await, "400 IAM.0011");
        assert_eq!(outcome(&simulator, list_request(&simulator)).await, "400 DBS.200824");
        assert_eq!(simulator.token_calls(), 2);

        simulator.clear_faults();
        assert_eq!(outcome(&simulator, list_request(&simulator)).await, "200 ");
    }

    #[tokio::test]
    async fn a_token_that_nobody_got_is_issued_all_the_same() {
        let simulator = start().await;
        simulator.fault(rule("iam:reset-after"));
        assert_eq!(outcome(&simulator, token_request()).await, "reset");
        assert_eq!(simulator.token_calls(), 1);
    }

    #[test]
    fn rules_as_text() {
        for (text, expected) in [
            ("latency=3s", "Fault { on: Delete, what: Latency(3s), times: None }"),
            ("iam:latency=250ms*2", "Fault { on: Iam, what: Latency(250ms), times: Some(2) }"),
            ("list:reset-before", "Fault { on: List, what: ResetBefore, times: None }"),
            ("any:reset-after*1", "Fault { on: Any, what: ResetAfter, times: Some(1) }"),
            ("delete:hang", "Fault { on: Delete, what: Hang, times: None }"),
            ("hang-after", "Fault { on: Delete, what: HangAfter, times: None }"),
            ("throttled", "Fault { on: Delete, what: Throttled(None), times: None }"),
            ("throttled=30", "Fault { on: Delete, what: Throttled(Some(30)), times: None }"),
            ("busy", "Fault { on: Delete, what: Busy(\"DBS.200019\"), times: None }"),
            ("busy=DBS.280406*3", "Fault { on: Delete, what: Busy(\"DBS.280406\"), times: Some(3) }"),
            ("expired-token*1", "Fault { on: Delete, what: ExpiredToken, times: Some(1) }"),
            ("unauthorized", "Fault { on: Delete, what: Unauthorized, times: None }"),
            ("status=503", "Fault { on: Delete, what: Status(503, None), times: None }"),
            ("status=429,5*1", "Fault { on: Delete, what: Status(429, Some(5)), times: Some(1) }"),
            ("html", "Fault { on: Delete, what: Html(502), times: None }"),
            ("html=504", "Fault { on: Delete, what: Html(504), times: None }"),
            ("truncated", "Fault { on: Delete, what: Truncated, times: None }"),
            ("truncated-after", "Fault { on: Delete, what: TruncatedAfter, times: None }"),
            ("huge", "Fault { on: Delete, what: Huge, times: None }"),
            ("drip", "Fault { on: Delete, what: Drip, times: None }"),
            ("drip-after", "Fault { on: Delete, what: DripAfter, times: None }"),
            ("wrong-json", "Fault { on: Delete, what: WrongJson, times: None }"),
            ("any:down", "Fault { on: Any, what: Down, times: None }"),
            ("gone", "Fault { on: Delete, what: Gone, times: None }"),
        ] {
            assert_eq!(format!("{:?}", rule(text)), expected, "{text}");
        }
    }

    #[test]
    fn wrong_rules_are_told_what_there_is() {
        for (text, expected) in [
            ("create:hang", "`create` is not a target; there are `any`, `delete`, `list`, `iam`"),
            (":hang", "`` is not a target; there are `any`, `delete`, `list`, `iam`"),
            ("hang=3", "`hang` takes no value"),
            ("latency", "`latency` needs a value: latency=DURATION"),
            ("status*2", "`status` needs a value: status=NNN[,SECONDS]"),
            ("latency=3", "`3` is not a duration; expected as `3s` or `250ms`"),
            ("latency=-3s", "`-3s` is not a duration; expected as `3s` or `250ms`"),
            ("latency=s", "`s` is not a duration; expected as `3s` or `250ms`"),
            ("throttled=soon", "`soon` is not a number of seconds"),
            ("busy=", "`busy=` has no code; expected as `DBS.200019`"),
            ("status=abc", "`abc` is not a status; expected 200 to 599"),
            ("status=100", "`100` is not a status; expected 200 to 599"),
            ("html=600", "`600` is not a status; expected 200 to 599"),
            ("status=503,", "`` is not a number of seconds"),
            ("hang*0", "`*0` is not how often; expected as `*2`"),
            ("hang*", "`*` is not how often; expected as `*2`"),
            ("hang*x", "`*x` is not how often; expected as `*2`"),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), expected, "{text}");
        }
        for text in ["", "explode", "Hang"] {
            let message = text.parse::<Fault>().unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("`{text}` is not a fault; there are `latency=DURATION`, `")),
                "{message}"
            );
            assert!(message.ends_with(", `gone`"), "{message}");
        }
    }

    #[test]
    fn what_the_grammar_lists_can_be_written() {
        let grammar = Fault::grammar();
        for (form, what) in KINDS {
            assert!(grammar.contains(form) && grammar.contains(what), "{form}");
            let text = form.replace("DURATION", "3s").replace("NNN", "500");
            let required = text.split('[').next().unwrap();
            rule(required);
            rule(&text.replace("SECONDS", "1").replace("CODE", "DBS.200047").replace(['[', ']'], ""));
        }
    }
}
