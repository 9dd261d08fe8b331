//! Signatures by their published vectors, and what each platform's answers mean.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::*;
use crate::notify::verdict::Verdict;

#[test]
fn signatures() {
    assert_eq!(feishu::sign("1767225600", "demo-secret"), "3sA0RS755ItICMJpDV0qSS54Iw61qCrVP4vqREbXV94=");
    assert_eq!(dingtalk::sign("1767225600000", "SECdemo"), "obv1jKXupdCsRrmQyT6z59MdIICFujSKQJly1hcEYiE%3D");
    let body = r#"{"type":"removal.waiting","timestamp":"2026-01-01T00:00:00Z","data":{"reference":"r-7k2m"}}"#;
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let signed = standard_webhooks::sign(secret, "msg_r-7k2m_waiting", "1767225600", body);
    assert_eq!(signed.as_deref(), Some("v1,h+TsmmV9eif8EWgltPfcCF9k8NJNasS+LlvgD+YLnqE="));
    assert_eq!(standard_webhooks::sign("AAEC", "msg_1", "1767225600", body), None);
}

fn of_kind(kind: &str) -> &'static dyn NotifyPlatform {
    let variable = || "v".to_owned();
    platform_of(&match kind {
        "slack-webhook" => NotifyService::SlackWebhook { url: variable() },
        "slack" => NotifyService::Slack { token: variable(), channel: variable() },
        "mattermost-webhook" => NotifyService::MattermostWebhook { url: variable() },
        "mattermost" => NotifyService::Mattermost { server: variable(), token: variable(), channel: variable() },
        "teams" => NotifyService::Teams { url: variable() },
        "google-chat" => NotifyService::GoogleChat { url: variable() },
        "discord" => NotifyService::Discord { url: variable() },
        "feishu" => NotifyService::Feishu { url: variable(), secret: None },
        "dingtalk" => NotifyService::Dingtalk { url: variable(), secret: None },
        "wecom" => NotifyService::Wecom { url: variable() },
        "pagerduty" => NotifyService::Pagerduty { routing_key: variable(), server: variable() },
        "standard-webhooks" => NotifyService::StandardWebhooks { url: variable(), secrets: Vec::new() },
        "smn" => return &smn::Smn,
        other => panic!("{other}"),
    })
}

const ALL: [&str; 13] = [
    "slack-webhook",
    "slack",
    "mattermost-webhook",
    "mattermost",
    "teams",
    "google-chat",
    "discord",
    "feishu",
    "dingtalk",
    "wecom",
    "smn",
    "pagerduty",
    "standard-webhooks",
];

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Delivered(None) => "delivered".into(),
        Verdict::Delivered(Some(handle)) => match &handle.channel {
            None => format!("delivered {}", handle.id),
            Some(channel) => format!("delivered {channel} {}", handle.id),
        },
        Verdict::Retry(None, _) => "retry".into(),
        Verdict::Retry(Some(wait), _) => format!("retry {}", wait.as_millis()),
        Verdict::Refused(why) => format!("refused: {why}"),
        Verdict::Dead(why) => format!("dead: {why}"),
        Verdict::NoEarlier(why) => format!("no earlier: {why}"),
        Verdict::Unknown(_) => "unknown".into(),
    }
}

/// One row an answer: kind, status, `Retry-After`, body, verdict.
const ANSWERS: &str = include_str!("../../tests/fixtures/notify/answers.tsv");

#[test]
fn each_platform_s_answers_are_read() {
    let mut kinds = BTreeSet::new();
    for line in ANSWERS.lines().skip(1).filter(|line| !line.is_empty()) {
        let [kind, status, retry_after, body, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        kinds.insert(kind);
        let mut answer = http::Response::builder().status(status.parse::<u16>().unwrap());
        if !retry_after.is_empty() {
            answer = answer.header("retry-after", retry_after);
        }
        let answer = answer.body(Some(Bytes::from(body.to_owned()))).unwrap();
        assert_eq!(word(&of_kind(kind).verdict(&answer)), expected, "{line}");
    }
    assert_eq!(kinds, ALL.into());
}

/// What could not be read whole is no success but where the status alone says everything.
#[test]
fn an_answer_that_was_cut_short_is_no_success() {
    for kind in ALL.into_iter().filter(|kind| !["teams", "standard-webhooks"].contains(kind)) {
        let answer = http::Response::builder().status(200).body(None).unwrap();
        assert_eq!(word(&of_kind(kind).verdict(&answer)), "unknown", "{kind}");
    }
}

/// A code goes to the log; a sentence or an address of the platform's does not.
#[test]
fn only_codes_of_an_answer_are_said() {
    for (said, expected) in [
        ("no_service", "dead: answered 404 with no_service"),
        ("see https://hooks.slack.com/services/T0/B0/x", "refused: answered 404"),
        ("", "refused: answered 404"),
    ] {
        let answer = http::Response::builder().status(404).body(Some(Bytes::from(said.to_owned()))).unwrap();
        assert_eq!(word(&of_kind("slack-webhook").verdict(&answer)), expected);
    }
}

#[test]
fn which_may_be_sent_again_and_which_share_a_message() {
    let twice: Vec<_> = ALL.into_iter().filter(|kind| of_kind(kind).takes_twice()).collect();
    assert_eq!(twice, ["google-chat", "pagerduty", "standard-webhooks"]);
    let merges: Vec<_> = ALL.into_iter().filter(|kind| of_kind(kind).merges()).collect();
    assert_eq!(merges, ["dingtalk", "wecom"]);
}
