//! Each kind through the component, held to its platform's documentation by a stand-in: what people see, and what becomes of a message
//! that the platform refuses, puts off, or does not answer.

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::json;

use super::scene::{Scene, told};
use crate::harness::setup::Setup;

/// What a platform does with messages about one request, and what its answers mean. The names of answers are those of the stand-in.
struct Kind {
    name: &'static str,
    /// What is said of a request that waits, of one that was approved, and of one that was denied.
    says: [&'static str; 3],
    /// What people see of a request at the end, the reminder second: of each message the place of the one that it answers, and how often
    /// it was changed.
    seen: &'static [Seen],
    /// Whether the first message is changed when the request has ended, instead of a new one.
    changes: bool,
    /// Whether the platform takes a message twice for one.
    takes_twice: bool,
    /// Answers after which nothing is sent again, and what the log says of each.
    dead: &'static [(&'static str, &'static str)],
    /// Answers after which the message is sent again: not before so many seconds, and by then.
    later: &'static [(&'static str, [i64; 2])],
    /// The answer that the message to be changed is not there any more.
    without_earlier: Option<&'static str>,
}

type Seen = (Option<usize>, usize);

/// `Retry-After: 120`.
const ASKED: [i64; 2] = [120, 122];

/// 30 seconds, a fifth more or less.
const USUAL: [i64; 2] = [24, 37];

/// Ten minutes of silence.
const SILENT: [i64; 2] = [600, 602];

/// A new message each time.
const NEW: &[Seen] = &[(None, 0), (None, 0), (None, 0)];

const WORDS: Kind = Kind {
    name: "",
    says: ["Approval needed", "Removed", "Denied"],
    seen: NEW,
    changes: false,
    takes_twice: false,
    dead: &[],
    later: &[("too-often", ASKED), ("busy", USUAL)],
    without_earlier: None,
};

/// The first message is changed, and the reminder is in its thread.
const CHANGED: Kind = Kind { seen: &[(None, 1), (Some(0), 0)], changes: true, ..WORDS };

const KINDS: [Kind; 13] = [
    Kind {
        name: "slack-webhook",
        dead: &[
            ("invalid_payload", "answered 400 with invalid_payload"),
            ("no_service", "answered 404 with no_service"),
            ("channel_is_archived", "answered 410 with channel_is_archived"),
        ],
        ..WORDS
    },
    Kind {
        name: "slack",
        dead: &[
            ("token_revoked", "answered 200 with token_revoked"),
            ("not_in_channel", "answered 200 with not_in_channel"),
            ("is_archived", "answered 200 with is_archived"),
        ],
        without_earlier: Some("message_not_found"),
        ..CHANGED
    },
    Kind {
        name: "mattermost-webhook",
        dead: &[
            ("parse", "answered 400 with web.incoming_webhook.parse.app_error"),
            ("deleted", "answered 400 with web.incoming_webhook.invalid.app_error"),
        ],
        ..WORDS
    },
    Kind {
        name: "mattermost",
        dead: &[
            ("session_expired", "answered 401 with api.context.session_expired.app_error"),
            ("permissions", "answered 403 with api.context.permissions.app_error"),
        ],
        without_earlier: Some("post-gone"),
        ..CHANGED
    },
    Kind {
        name: "teams",
        dead: &[("invalid", "answered 400"), ("unauthorized", "answered 401"), ("deleted", "answered 404")],
        ..WORDS
    },
    Kind {
        name: "google-chat",
        seen: &[(None, 0), (Some(0), 0), (Some(0), 0)],
        takes_twice: true,
        dead: &[("invalid", "answered 400"), ("forbidden", "answered 403"), ("deleted", "answered 404")],
        ..WORDS
    },
    Kind {
        name: "discord",
        seen: &[(None, 1), (None, 0)],
        dead: &[
            ("invalid", "answered 400 with 50035"),
            ("wrong-token", "answered 401 with 50027"),
            ("deleted", "answered 404 with 10015"),
        ],
        without_earlier: Some("message-gone"),
        ..CHANGED
    },
    Kind {
        name: "feishu",
        dead: &[
            ("bad-request", "answered 200 with 9499"),
            ("token", "answered 200 with 19001"),
            ("sign", "answered 200 with 19021"),
            ("keyword", "answered 200 with 19024"),
        ],
        later: &[("too-often", USUAL), ("throttled", ASKED)],
        ..WORDS
    },
    Kind {
        name: "dingtalk",
        dead: &[
            ("invalid", "answered 200 with 40035"),
            ("token", "answered 200 with 300005"),
            ("security", "answered 200 with 310000"),
            ("stopped", "answered 200 with 400102"),
        ],
        later: &[("busy", USUAL), ("punished", SILENT)],
        ..WORDS
    },
    Kind {
        name: "wecom",
        dead: &[("invalid", "answered 200 with 40058"), ("key", "answered 200 with 93000")],
        later: &[("too-often", USUAL), ("busy", USUAL)],
        ..WORDS
    },
    Kind {
        name: "smn",
        dead: &[
            ("invalid", "answered 400 with SMN.0011"),
            ("forbidden", "answered 403 with SMN.00010012"),
            ("deleted", "answered 404 with SMN.0014"),
        ],
        ..WORDS
    },
    Kind {
        name: "pagerduty",
        says: ["Approval needed", "resolved", "resolved"],
        seen: &[(None, 1)],
        changes: true,
        takes_twice: true,
        dead: &[("invalid", "answered 400")],
        ..WORDS
    },
    Kind {
        name: "standard-webhooks",
        says: ["removal.waiting", r#""state": "removed""#, r#""state": "rejected""#],
        takes_twice: true,
        dead: &[("gone", "answered 410")],
        later: &[("too-often", ASKED), ("busy", USUAL), ("redirect", USUAL)],
        ..WORDS
    },
];

/// How many gateways run at once.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn each_platform_shows_what_it_is_told() {
    iter(&KINDS).for_each_concurrent(AT_ONCE, shows).await;
}

/// From the event to the decision, with and without a reminder between them. The event is answered while the platform is still busy with
/// the message about it.
async fn shows(kind: &Kind) {
    let scene = Scene::start(kind.name, None).await;
    let [waits, approved, denied] = kind.says;
    scene.leaves_while_the_platform_is_slow("alice").await;
    assert_eq!(scene.messages("alice"), told("waiting", "delivered"), "{}", kind.name);
    let seen = scene.platform.seen().await.messages;
    let [first] = seen.as_slice() else { panic!("{}: {seen:#?}", kind.name) };
    assert!(first.shows.contains(waits) && first.shows.contains("alice"), "{}: {first:#?}", kind.name);
    scene.is_decided("alice", "approve").await;
    let of_alice = outline(&scene, 0, kind, approved).await;
    let without_reminder = [&kind.seen[..1], kind.seen.get(2..).unwrap_or_default()].concat();
    assert_eq!(of_alice, without_reminder, "{}", kind.name);

    scene.leaves(&scene.gateway, "bob").await;
    scene.pass(19 * 60).await;
    let reminded = scene.remind().await;
    assert_eq!((&reminded["reminders"], &reminded["delivered"]), (&json!(1), &json!(1)), "{}", kind.name);
    scene.is_decided("bob", "deny").await;
    assert_eq!(outline(&scene, of_alice.len(), kind, denied).await, kind.seen, "{}", kind.name);

    // Where the message that was to be changed is gone, a new one says the same.
    let Some(gone) = kind.without_earlier else { return };
    scene.leaves(&scene.gateway, "carol").await;
    scene.platform.next(&[gone]).await;
    scene.is_decided("carol", "deny").await;
    let shown = scene.shown("carol").await;
    assert_eq!(shown.len(), 2, "{}: {shown:#?}", kind.name);
    assert!(shown[1].shows.contains(denied), "{}: {shown:#?}", kind.name);
}

/// What people see from this message on, whose last word is `end`.
async fn outline(scene: &Scene, from: usize, kind: &Kind, end: &str) -> Vec<Seen> {
    let seen = scene.platform.seen().await.messages.split_off(from);
    let last = if kind.changes { seen.first() } else { seen.last() };
    assert!(last.is_some_and(|message| message.shows.contains(end)), "{}: {seen:#?}", kind.name);
    seen.iter().map(|message| (message.thread.map(|thread| thread - from), message.edits)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_platform_s_refusals_and_delays_are_respected() {
    iter(&KINDS).for_each_concurrent(AT_ONCE, refuses).await;
}

async fn refuses(kind: &Kind) {
    let scene = Scene::start(kind.name, None).await;
    // Within the twelve minutes before the first reminder.
    for (number, (answer, [not_before, by])) in kind.later.iter().enumerate() {
        let (account, what) = (format!("later{number}"), format!("{} {answer}", kind.name));
        scene.platform.next(&[answer]).await;
        scene.leaves(&scene.gateway, &account).await;
        scene.assert_said("will be tried again: answered ");
        scene.pass(not_before - 1).await;
        scene.remind().await;
        assert_eq!(scene.sent(&account).await.len(), 1, "{what}");
        scene.pass(by - not_before + 1).await;
        scene.remind().await;
        assert_eq!((scene.sent(&account).await.len(), scene.shown(&account).await.len()), (2, 1), "{what}");
        assert_eq!(scene.messages(&account), told("waiting", "delivered"), "{what}");
    }
    for (number, (answer, why)) in kind.dead.iter().enumerate() {
        let (account, what) = (format!("dead{number}"), format!("{} {answer}", kind.name));
        scene.platform.next(&[answer]).await;
        scene.leaves(&scene.gateway, &account).await;
        assert_eq!(scene.messages(&account), told("waiting", "dead"), "{what}");
        scene.assert_said(&format!("cannot be delivered: {why}"));
        scene.remind().await;
        assert_eq!((scene.sent(&account).await.len(), scene.shown(&account).await.len()), (1, 0), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_an_answer_is_shown_once() {
    iter(&KINDS).for_each_concurrent(AT_ONCE, does_not_answer).await;
}

/// The platform takes the message; its connection breaks before it answers, or the time for an answer is over.
async fn does_not_answer(kind: &Kind) {
    let scene = Scene::start(kind.name, None).await;
    let usual = "early_answer_ms = 30000\n";
    let short = format!("{usual}connect_ms = 1000\nfirst_byte_ms = 1000\ncall_ms = 1500\n");
    scene.gateway.reconfigure("offboard.toml", usual, &short);
    let impatient = scene.gateway.another().await;
    for (account, act, gateway, why) in [
        ("broken", "hang-up", &scene.gateway, "the connection broke"),
        ("silent", "hold", &impatient, "the platform did not answer in time"),
    ] {
        let what = format!("{} {act}", kind.name);
        scene.platform.next(&[act]).await;
        scene.leaves(gateway, account).await;
        scene.platform.release().await;
        scene.assert_said(&match kind.takes_twice {
            true => format!("will be tried again: {why}"),
            false => format!("may or may not have been delivered, and is not sent again: {why}"),
        });
        scene.pass(USUAL[1]).await;
        scene.remind().await;
        let (state, sent) = if kind.takes_twice { ("delivered", 2) } else { ("unknown", 1) };
        assert_eq!(scene.messages(account), told("waiting", state), "{what}");
        assert_eq!((scene.sent(account).await.len(), scene.shown(account).await.len()), (sent, 1), "{what}");
    }
}

/// A platform takes nothing of a sender without its secret: the operator has set another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_the_platform_s_is_refused() {
    for (kind, variable, value, said) in [
        ("slack", "notify_token", "xoxb-other", "cannot be delivered: answered 200 with invalid_auth"),
        (
            "mattermost",
            "notify_token",
            "other",
            "cannot be delivered: answered 401 with api.context.session_expired.app_error",
        ),
        ("feishu", "notify_secret", "other", "cannot be delivered: answered 200 with 19021"),
        ("dingtalk", "notify_secret", "other", "cannot be delivered: answered 200 with 310000"),
        ("smn", "huaweicloud_secret_key", "other", "cannot be delivered: answered 401 with APIGW.0301"),
        ("pagerduty", "notify_token", "00000000000000000000000000000000", "cannot be delivered: answered 400"),
        ("standard-webhooks", "notify_secret", "whsec_b3RoZXI=", "will be tried again: answered 401"),
    ] {
        let scene = Scene::start_with(kind, None, Setup::default().variable(variable, value)).await;
        scene.leaves(&scene.gateway, "alice").await;
        scene.assert_said(said);
        let seen = scene.platform.all().await;
        assert_eq!((seen.messages.len(), seen.sent.len(), seen.problems.len()), (0, 1, 1), "{kind}: {seen:#?}");
    }
}
