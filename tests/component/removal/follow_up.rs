//! Slack waits for three seconds: what takes longer is acknowledged, and the outcome follows at Slack's own URL, once, whatever
//! that says to it.

use bytes::Bytes;
use http::StatusCode;
use local::http_client as client;
use local::simulator::server::Hold;
use local::simulator::target::Target;
use local::simulator::wire::Answer as Told;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{Answer, PATIENCE};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, Wire};
use crate::harness::setup::Setup;

/// As soon as it can be told from at once.
const EARLY: &str = "early_answer_ms = 50";

const WAIT: &str = "⏳ Request received: `alice` on `analytics`\nThe result follows here.";

fn slack(gateway: &Gateway, ask: &Ask) -> Wire {
    ask.wire(Kind::Slack, &gateway.address.to_string(), gateway.now())
}

/// A gateway whose Slack was told to wait, because TaurusDB takes its time.
async fn acknowledged(setup: Setup) -> (Gateway, Hold, Wire) {
    let gateway = Gateway::start(setup.limits(EARLY)).await;
    let hold = gateway.simulator.hold_only(Target::Delete);
    let wire = slack(&gateway, &Ask::default());
    let early = gateway.send(wire.request()).await;
    assert_eq!((early.status, early.text().as_str()), (200, WAIT));
    assert_eq!(early.header("x-offboard-code"), None);
    assert!(gateway.later.posted().is_empty());
    (gateway, hold, wire)
}

fn without_its_id(text: &str) -> &str {
    text.split("`status ").next().unwrap()
}

/// What is said later is what would have been said at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_long_is_acknowledged_and_told_later() {
    let endings = [
        (&[][..], "SUCCESS", "removed"),
        (&["unauthorized"], "APIGW.0301", "refused-upstream"),
        (&["reset-after"], "SUCCESS", "removed"),
        (&["reset-after", "list:down"], "OFFBOARD.50202", "unknown"),
        (&["gone", "list:down"], "DBS.200824", "already-gone"),
    ];
    for (faults, code, state) in endings {
        let setup = || faults.iter().fold(Setup::default(), |setup, fault| setup.fault(fault));
        let (gateway, hold, wire) = acknowledged(setup()).await;
        timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
        assert_eq!(gateway.states(), [("alice".into(), "in-flight".into())]);
        hold.release();
        let posted = timeout(PATIENCE, gateway.later.received(1)).await.expect("the outcome in time");

        let at_once = Gateway::start(setup()).await;
        let usual = at_once.ask(Kind::Slack, &Ask::default()).await;
        let text = posted[0].body["text"].as_str().unwrap();
        assert_eq!(without_its_id(text), without_its_id(&usual.text()));
        assert_eq!(usual.code(), code);
        assert_eq!(posted[0].body["response_type"], "ephemeral");
        assert_eq!(posted[0].body["blocks"][0]["text"]["text"], text.lines().next().unwrap().replace('`', ""));
        let row = gateway.row();
        assert_eq!((row.state.as_str(), row.code.as_deref()), (state, Some(code)));
        let ids = [Some(row.id.as_str()), row.request_id.as_deref()];
        let small_print = posted[0].body["blocks"].as_array().unwrap().last().unwrap().to_string();
        assert!(ids.into_iter().flatten().all(|id| small_print.contains(id)), "{small_print}");

        assert_eq!(posted[0].path, "/commands/1234/5678");
        let mut names: Vec<_> = posted[0].headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "content-type", "host", "user-agent"]);
        assert_eq!(
            (&posted[0].headers["host"], &posted[0].headers["content-type"]),
            (&"hooks.slack.com".parse().unwrap(), &"application/json".parse().unwrap())
        );

        let lines = gateway.request_lines();
        let [line] = &lines[..] else { panic!("{lines:#?}") };
        assert_eq!((&line["late"], &line["code"]), (&true.into(), &code.into()));

        // Slack does not repeat commands; a sender that does is answered from the row, or by the list that could not be read.
        if state != "unknown" {
            let again = gateway.send(wire.request()).await;
            assert_eq!(without_its_id(&again.text()), without_its_id(text));
        }
        assert_eq!((gateway.deletes(), gateway.later.posted().len()), (1, 1));
    }
}

/// In the language of the answer.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_acknowledged_in_chinese() {
    let gateway = Gateway::start(Setup::default().limits(EARLY)).await;
    let hold = gateway.simulator.hold_only(Target::Delete);
    let early = gateway.ask(Kind::Slack, &Ask { language: Some("zh-cn".into()), ..Ask::default() }).await;
    assert_eq!(early.text(), "⏳ 已收到申请：`analytics` 上的账号 `alice`\n结果将在此处显示。");
    hold.release();
    let posted = timeout(PATIENCE, gateway.later.received(1)).await.expect("the outcome in time");
    assert!(posted[0].text().starts_with("✅ 已从 `analytics` 删除账号 `alice`"), "{:?}", posted[0]);
}

/// Nothing is posted that was answered: what is quick, what is refused, what is no removal, and what is not Slack's.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_at_once_is_not_told_again() {
    let mut gateway = Gateway::start(Setup::default()).await;
    assert_eq!(gateway.ask(Kind::Slack, &Ask::default()).await.code(), "SUCCESS");
    assert_eq!(gateway.ask(Kind::Slack, &Ask::to_remove("root")).await.code(), "OFFBOARD.40302");
    let help = gateway.ask(Kind::Slack, &Ask { text: Some("help".into()), ..Ask::default() }).await;
    assert!(help.text().starts_with("Remove a StarRocks account"));
    gateway.stop().await;
    assert!(gateway.later.posted().is_empty());

    // The others are told no later than they wait.
    for kind in [Kind::StandardWebhooks, Kind::Api] {
        let mut gateway = Gateway::start(Setup::default().limits(EARLY).fault("latency=300ms")).await;
        assert_eq!(gateway.ask(kind, &Ask::default()).await.code(), "SUCCESS");
        gateway.stop().await;
        assert!(gateway.later.posted().is_empty());
    }
}

/// A URL that Slack signed, and that is not Slack's: the answer waits, and nothing goes there. TaurusDB takes six times as long
/// as Slack's patience here.
#[tokio::test(flavor = "multi_thread")]
async fn only_slack_is_told_later() {
    let mut running = JoinSet::new();
    for url in [
        "{later}/commands/1234/5678",
        "http://hooks.slack.com/commands/1234/5678",
        "https://hooks.slack.com.evil.example/commands/1234/5678",
        "https://hooks.slack.com@evil.example/commands/1234/5678",
        "https://hooks.slack.com:8443/commands/1234/5678",
        "https://evil.example/https://hooks.slack.com/commands/1234/5678",
        "hooks.slack.com/commands/1234/5678",
        "",
    ] {
        running.spawn(async move {
            let mut gateway = Gateway::start(Setup::default().limits(EARLY).fault("latency=300ms")).await;
            let response_url = url.replace("{later}", &gateway.later.stand_in().1);
            let answer = gateway.ask(Kind::Slack, &Ask { response_url, ..Ask::default() }).await;
            assert_eq!(answer.code(), "SUCCESS", "{url}");
            gateway.stop().await;
            assert!(gateway.later.posted().is_empty(), "{url}");
            let refused = gateway.logs.lines().iter().any(|line| line.contains("refused an outbound request"));
            assert!(!refused, "{url}");
            assert_eq!(gateway.request_lines()[0]["late"], false);
        });
    }
    running.join_all().await;
}

fn redirect(location: &str) -> Told {
    let moved = http::Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header("location", location);
    Told::Http(moved.body(Bytes::new()).unwrap())
}

fn status(status: StatusCode) -> Told {
    Told::http(status, "text/plain", "no")
}

/// What Slack says to it changes nothing: a redirect is not followed, an error not repeated; the log says so, and the ledger has
/// the outcome all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_channel_that_fails() {
    for (answer, said) in [
        (redirect("{later}/elsewhere"), "the platform answered 307"),
        (redirect("{simulator}/v3/auth/tokens"), "the platform answered 307"),
        (status(StatusCode::INTERNAL_SERVER_ERROR), "the platform answered 500"),
        (status(StatusCode::NOT_FOUND), "the platform answered 404"),
        (Told::http(StatusCode::NOT_FOUND, "text/plain", "used_url"), "the platform answered 404 with used_url"),
        (
            Told::http(StatusCode::OK, "application/json", r#"{"ok":false,"error":"no_text"}"#),
            "the platform answered 200 and refused it with no_text",
        ),
        (
            Told::http(StatusCode::OK, "text/html", "<html>"),
            "the platform answered 200 in a form that it does not document",
        ),
        (Told::hang_up(), "Broken("),
    ] {
        let (mut gateway, hold, _) = acknowledged(Setup::default()).await;
        let answer = match answer {
            Told::Http(mut response) => {
                if let Some(location) = response.headers_mut().get_mut("location") {
                    let text = location.to_str().unwrap().replace("{later}", &gateway.later.stand_in().1);
                    *location = text.replace("{simulator}", &gateway.simulator.endpoint()).parse().unwrap();
                }
                Told::Http(response)
            }
            raw => raw,
        };
        gateway.later.on_next(answer);
        hold.release();
        timeout(PATIENCE, gateway.later.received(1)).await.expect("the outcome in time");
        gateway.stop().await;
        assert_eq!((gateway.later.posted().len(), gateway.simulator.requests().len()), (1, 1), "{said}");
        let row = gateway.row();
        assert_eq!(row.state, "removed", "{said}");
        let line = format!("later: the result of removal {} could not be delivered: {said}", row.id);
        let lines = gateway.logs.lines();
        assert!(lines.iter().any(|logged| logged.starts_with(&line)), "{line} {lines:#?}");
    }
}

/// Slack limits how often it is posted to.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_channel_that_is_throttled_is_told_again() {
    let (mut gateway, hold, _) = acknowledged(Setup::default()).await;
    gateway.later.on_next(status(StatusCode::TOO_MANY_REQUESTS));
    hold.release();
    let posted = timeout(PATIENCE, gateway.later.received(2)).await.expect("both in time");
    assert_eq!(posted[0].body, posted[1].body);
    gateway.stop().await;
    assert!(!gateway.logs.lines().iter().any(|line| line.contains("could not be delivered")));
    assert_eq!(gateway.deletes(), 1);
}

/// A deployment ends the process in good order, while no requester waits for an answer any more.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_finished_before_the_process_ends() {
    let (mut gateway, hold, _) = acknowledged(Setup::default()).await;
    timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
    let address = gateway.address;
    let gone = async move {
        let health = || http::Request::get("/healthz").body(Bytes::new()).unwrap();
        while client::send(address, health()).await.is_ok() {}
        // It takes no requests any more, and still waits for this one.
        hold.release();
    };
    timeout(PATIENCE, async { tokio::join!(gateway.stop(), gone) }).await.expect("an end in time");
    assert_eq!(gateway.states(), [("alice".into(), "removed".into())]);
    let posted = gateway.later.posted();
    assert_eq!(posted.len(), 1);
    assert!(posted[0].text().starts_with("✅ Removed `alice` from `analytics`"), "{posted:?}");
    assert!(!gateway.logs.lines().iter().any(|line| line.contains("still busy")));
}

/// A requester who waits for many at once gets each one's outcome, once.
#[tokio::test(flavor = "multi_thread")]
async fn many_are_acknowledged_and_each_is_told_its_own() {
    let gateway = Gateway::start(Setup::default().limits(EARLY)).await;
    let hold = gateway.simulator.hold_only(Target::Delete);
    let names = ["alice", "bob", "carol", "dave"];
    let asks = names.map(|name| Ask {
        response_url: format!("https://hooks.slack.com/commands/1234/{name}"),
        ..Ask::to_remove(name)
    });
    let [a, b, c, d] = &asks;
    let ask = |ask| gateway.ask(Kind::Slack, ask);
    let (a, b, c, d): (Answer, Answer, Answer, Answer) = tokio::join!(ask(a), ask(b), ask(c), ask(d));
    for (name, early) in names.into_iter().zip([a, b, c, d]) {
        assert_eq!(early.text(), WAIT.replace("alice", name));
    }
    hold.release();
    let mut told: Vec<_> = timeout(PATIENCE, gateway.later.received(4))
        .await
        .expect("all outcomes in time")
        .into_iter()
        .map(|posted| (posted.path.clone(), posted.text().contains(posted.path.rsplit('/').next().unwrap())))
        .collect();
    told.sort();
    assert_eq!(told, names.map(|name| (format!("/commands/1234/{name}"), true)));
}
