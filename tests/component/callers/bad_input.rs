//! What must be refused, each with its own code and an audit row, before anything reaches TaurusDB: for every kind of caller
//! that it applies to.
//!
//! `tests/fixtures/bad-input` holds what a request can say; here is what only bytes can.

use local::http_client as client;
use serde::Deserialize;

use crate::harness::agreement::assert_agreement;
use crate::harness::answer::{Answer, status_of};
use crate::harness::fixtures::{files, read};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, Wire, users};
use crate::harness::setup::Setup;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What is wrong with it, or why it is refused.
    about: String,
    #[serde(default)]
    setup: Setup,
    #[serde(default)]
    request: Ask,
    /// The kinds of caller that can send it.
    #[serde(default = "every_kind")]
    kinds: Vec<Kind>,
    code: String,
    /// Whether it proves who asks, so that the row names them.
    #[serde(default)]
    actor: bool,
    #[serde(default)]
    allow: Option<String>,
}

fn every_kind() -> Vec<Kind> {
    Kind::ALL.into()
}

/// A platform is answered in its own form once it has proved to be itself, and not before.
fn is_before_proof(code: &str) -> bool {
    code.starts_with("OFFBOARD.401")
        || ["40008", "40012", "40401", "40402", "40501", "41301"].contains(&code.trim_start_matches("OFFBOARD."))
}

/// The answer has this code, in the form and with the status that the caller understands.
fn assert_refused(kind: Kind, answer: &Answer, code: &str) {
    assert_eq!(answer.code(), code, "{kind:?} {answer:#?}");
    let in_words = kind == Kind::Slack && !is_before_proof(code);
    assert_eq!(answer.is_in_words(), in_words, "{kind:?} {answer:#?}");
    let status = if in_words { 200 } else { status_of(code) };
    assert_eq!(answer.status, status, "{kind:?} {answer:#?}");
}

/// Nothing was sent, and the only row says that it was refused.
fn assert_audited(gateway: &Gateway, kind: Kind, answer: &Answer, actor: bool) {
    assert_eq!(gateway.simulator.requests().len(), 0);
    let row = gateway.row();
    assert_agreement(gateway, answer, &row);
    assert_eq!((row.state.as_str(), row.attempts), ("refused", 0), "{row:#?}");
    assert_eq!(row.status, Some(status_of(&answer.code())), "{row:#?}");
    assert_eq!(row.delivery, None, "{row:#?}");
    assert_eq!(row.actor.as_deref(), actor.then(|| kind.principal()), "{row:#?}");
}

/// The gateway that refused something takes the next request as if nothing had been.
async fn assert_serves_on(gateway: &Gateway, kind: Kind) {
    let answer = gateway.ask(kind, &Ask::default()).await;
    assert_eq!((answer.code().as_str(), gateway.deletes()), ("SUCCESS", 1), "{kind:?} {answer:#?}");
    assert!(!gateway.has_account("alice"));
}

async fn check(case: Case, kind: Kind) {
    let gateway = Gateway::start(case.setup.clone()).await;
    let answer = gateway.ask(kind, &case.request).await;
    assert_refused(kind, &answer, &case.code);
    assert_eq!(answer.header("allow"), case.allow.as_deref());
    assert_audited(&gateway, kind, &answer, case.actor);
    if case.setup.variables.is_empty() && case.setup.replace.is_empty() {
        assert_serves_on(&gateway, kind).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_refused_for_every_kind() {
    let mut failures = String::new();
    for file in files("bad-input") {
        for case in read::<Cases>(&file).case {
            for kind in case.kinds.clone() {
                let title = format!("{kind:?} {}: {}", case.name, case.about);
                // In a task, so that the case of an assertion is named, and the others are tried.
                if tokio::spawn(check(case.clone(), kind)).await.is_err() {
                    failures += &format!("\n{title}");
                }
            }
        }
    }
    assert!(failures.is_empty(), "failed, see above:{failures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_seconds_either_way_are_taken_and_a_moment_more_is_not() {
    for kind in Kind::ALL {
        for (skew, milliseconds, code) in [
            (-300, 0, "SUCCESS"),
            (300, 0, "SUCCESS"),
            (-301, 0, "OFFBOARD.40104"),
            (301, 0, "OFFBOARD.40104"),
            (-300, 1, "OFFBOARD.40104"),
        ] {
            let gateway = Gateway::start(Setup::default()).await;
            gateway.advance(milliseconds);
            let answer = gateway.ask(kind, &Ask { clock_skew: skew, ..Ask::default() }).await;
            assert_eq!(answer.code(), code, "{kind:?} {skew} {milliseconds}");
            assert_eq!(gateway.deletes(), usize::from(code == "SUCCESS"));
            assert_eq!(gateway.row().code.as_deref(), Some(code));
        }
    }
}

/// How a request says how long its body is.
#[derive(Debug, Clone, Copy)]
enum Framing {
    /// Content-Length, and it is right.
    Length,
    Chunked,
    /// A Content-Length that is wrong.
    FalseLength(usize),
}

fn framed(wire: &Wire, host: &str, framing: Framing) -> Vec<u8> {
    let head = wire.head(host);
    let length = |length: usize| [format!("{head}Content-Length: {length}\r\n\r\n").as_bytes(), &wire.body].concat();
    match framing {
        Framing::Length => length(wire.body.len()),
        Framing::FalseLength(claimed) => length(claimed),
        Framing::Chunked => {
            let mut bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
            for chunk in wire.body.chunks(10_000) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            bytes
        }
    }
}

/// A right request whose body is padded to this many bytes with something harmless.
fn of_size(kind: Kind, gateway: &Gateway, size: usize) -> Wire {
    let padded = |padding: usize| {
        let (host, padding) = (gateway.address.to_string(), "x".repeat(padding));
        let usual = String::from_utf8(Ask::default().wire(kind, &host, gateway.now()).body).unwrap();
        let body = match kind {
            Kind::Slack => format!("{usual}&padding={padding}"),
            Kind::StandardWebhooks => format!("{{\"padding\":\"{padding}\",{}", &usual[1..]),
            Kind::Api => padding,
        };
        Ask { body: Some(body), ..Ask::default() }.wire(kind, &host, gateway.now())
    };
    padded(size - padded(0).body.len())
}

const LIMIT: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_64_kib_is_refused_however_its_length_is_told() {
    for kind in Kind::ALL {
        for (size, framing, code) in [
            (LIMIT, Framing::Length, "SUCCESS"),
            (LIMIT, Framing::Chunked, "SUCCESS"),
            (LIMIT + 1, Framing::Length, "OFFBOARD.41301"),
            (LIMIT + 1, Framing::Chunked, "OFFBOARD.41301"),
            (LIMIT + 1, Framing::FalseLength(LIMIT + 2), "OFFBOARD.41301"),
            (5 * LIMIT, Framing::Length, "OFFBOARD.41301"),
            (5 * LIMIT, Framing::Chunked, "OFFBOARD.41301"),
            (5 * LIMIT, Framing::FalseLength(usize::MAX >> 1), "OFFBOARD.41301"),
            // What stands after the length that was claimed is not part of the body, so the signature is of another one.
            (5 * LIMIT, Framing::FalseLength(LIMIT), "OFFBOARD.40105"),
        ] {
            let gateway = Gateway::start(Setup::default()).await;
            let wire = of_size(kind, &gateway, size);
            let answer = gateway.send_bytes(&framed(&wire, &gateway.address.to_string(), framing)).await;
            let what = format!("{kind:?} {size} {framing:?}");
            assert_eq!(answer.code(), code, "{what} {answer:#?}");
            if code == "SUCCESS" {
                assert_eq!(gateway.deletes(), 1, "{what}");
            } else {
                assert_refused(kind, &answer, code);
                assert_audited(&gateway, kind, &answer, false);
                assert_serves_on(&gateway, kind).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_early_is_refused() {
    for kind in Kind::ALL {
        for body in ["Content-Length: 500\r\n\r\nuser_id=U2CERLKJA", "Transfer-Encoding: chunked\r\n\r\n5\r\nalice\r\n"]
        {
            let gateway = Gateway::start(Setup::default()).await;
            let host = gateway.address.to_string();
            let head = Ask::default().wire(kind, &host, gateway.now()).head(&host);
            let answer = gateway.send_bytes((head + body).as_bytes()).await;
            assert_refused(kind, &answer, "OFFBOARD.40012");
            assert_audited(&gateway, kind, &answer, false);
            assert_serves_on(&gateway, kind).await;
        }
    }
}

/// 100,000 levels do not fit into 64 KiB; as many as do are refused by the reader of JSON, and the instance lives on.
#[tokio::test(flavor = "multi_thread")]
async fn json_of_great_depth_is_refused_and_the_instance_serves_on() {
    for (body, code, message) in [
        ("[".repeat(100_000), "OFFBOARD.41301", "the request body is larger than 64 KiB; send a smaller one"),
        (
            "[".repeat(LIMIT),
            "OFFBOARD.40001",
            "the request body cannot be parsed: it is nested more than 128 levels deep",
        ),
        (
            format!("{{\"type\":\"account.delete\",\"data\":{}", "{\"a\":".repeat(10_000)),
            "OFFBOARD.40001",
            "the request body cannot be parsed: it is nested more than 128 levels deep",
        ),
    ] {
        let kind = Kind::StandardWebhooks;
        let gateway = Gateway::start(Setup::default()).await;
        let answer = gateway.ask(kind, &Ask { body: Some(body), ..Ask::default() }).await;
        assert_refused(kind, &answer, code);
        assert!(answer.says(message), "{answer:#?}");
        assert_audited(&gateway, kind, &answer, code != "OFFBOARD.41301");
        assert_serves_on(&gateway, kind).await;
    }
}

/// What HTTP itself does not allow does not get as far as the component.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_has_no_effect() {
    let gateway = Gateway::start(Setup::default()).await;
    let host = gateway.address.to_string();
    let mut signed = Ask::default().wire(Kind::Api, &host, gateway.now());
    let good = signed.head(&host) + "\r\n";
    signed.target = format!("{}?user_name=alice", users("\u{1}", "x"));
    for bytes in [
        // A line break in the URL ends it.
        good.replace("user_name=alice", "user_name=al\r\nice"),
        good.replace("user_name=alice", "user_name=al ice"),
        good.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
        good.replace("DELETE ", "DELETE\t"),
        signed.head(&host) + "\r\n",
    ] {
        let answer = client::send_bytes(gateway.address, bytes.as_bytes()).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{bytes:?}\n{answer:?}");
    }
    assert_eq!((gateway.deletes(), gateway.rows().len()), (0, 0));
    assert_serves_on(&gateway, Kind::Api).await;
}
