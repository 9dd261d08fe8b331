//! The ways in which the simulated cloud can be made to misbehave.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::iam::error;
use super::received::ReceivedRequest;
use super::refusal::{Refusal, json_response, refused};
use super::target::Target;
use super::wire::{Answer, Reply};

const JSON: &str = "application/json";

/// Bytes of a huge body.
const HUGE: usize = 10 << 20;

/// What happens to a request.
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
    /// 429 APIGW.0308, with the seconds in `Retry-After` if given.
    Throttled(Option<u64>),
    /// 409 with this code: another operation is running.
    Busy(String),
    /// 401 APIGW.0307.
    ExpiredToken,
    /// 401 APIGW.0301.
    Unauthorized,
    /// This status with an error body that was seen with it, and the seconds in `Retry-After` if given.
    Status(StatusCode, Option<u64>),
    /// This status with a page of HTML, as a proxy answers.
    Html(StatusCode),
    /// 200, and a body that is shorter than its `Content-Length`, without effect.
    Truncated,
    /// The effect, then the usual answer with half its body.
    TruncatedAfter,
    /// 200 and 10 MB, without effect.
    Huge,
    /// 200 at once, then a body of one byte every 200 ms that never ends, without effect.
    Drip,
    /// The effect, then the head of the usual answer at once, and a body as of [`Misbehaviour::Drip`].
    DripAfter,
    /// 200 `{"result":"MAYBE"}`, without effect.
    WrongJson,
    /// The same as [`Misbehaviour::ResetBefore`]: the target of a request is known only once the request was read, so
    /// the connection cannot be refused.
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

    /// Returns the reply to a request. `usual` is the usual answer, where the request had its effect.
    pub(super) fn reply(self, request: &ReceivedRequest, usual: Option<Response<Bytes>>) -> Reply {
        let usual = usual.unwrap_or_else(|| ok(br#"{"result":"SUCCESS"}"#));
        match self {
            Self::Latency(_) => Reply::Http(usual),
            Self::ResetBefore | Self::ResetAfter | Self::Down => Reply::Reset,
            Self::Hang | Self::HangAfter => Reply::Silence,
            Self::Throttled(seconds) => Reply::Http(with_retry_after(refused(&Refusal::Throttled, request), seconds)),
            Self::Busy(code) => Reply::Http(refused(&Refusal::Busy(code), request)),
            Self::ExpiredToken => Reply::Http(refused(&Refusal::TokenExpired, request)),
            Self::Unauthorized => {
                let why = "verify aksk signature fail, a rule says so".to_owned();
                Reply::Http(refused(&Refusal::Unauthenticated(why), request))
            }
            Self::Status(status, seconds) => Reply::Http(with_retry_after(with_status(status, request), seconds)),
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

fn ok(body: &[u8]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

fn with_retry_after(mut response: Response<Bytes>, seconds: Option<u64>) -> Response<Bytes> {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn with_status(status: StatusCode, request: &ReceivedRequest) -> Response<Bytes> {
    if Target::of(request) != Some(Target::Iam) {
        return refused(&Refusal::Status(status), request);
    }
    let (status, body) = error::own_shape(status, &status.canonical_reason().unwrap_or("Unknown"));
    json_response(status, &body)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Instant;

    use http::{Method, Request};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::super::fault::Fault;
    use super::super::server::Simulator;
    use super::super::testing::{Signing, USERS, body, delete, delete_request, said, start};
    use super::super::{demo, paths};
    use super::*;
    use crate::http_client::{send, send_bytes};

    fn rule(text: &str) -> Fault {
        text.parse().unwrap()
    }

    fn has_alice(simulator: &Simulator) -> bool {
        simulator.accounts(demo::INSTANCE_ID).contains("alice")
    }

    fn token_request() -> Request<Bytes> {
        Request::post(paths::TOKENS).body(Bytes::from_static(b"{}")).unwrap()
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
}
