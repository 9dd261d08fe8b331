//! What TaurusDB says is text, whatever is in it: it mentions no person, links nowhere, and neither moves a terminal's cursor nor
//! brings a secret back.

use serde_json::Value;
use starrocks_offboard::outcome::unseen::is_unseen;
use support::kind::Kind;
use support::platforms::Platforms;
use support::stage::{Posted, Reply, Stage};

use crate::adversary::shared::{WITH_PEOPLE, kinds_of, made, reference, shown, state};
use crate::callers::kinds::InMemory;

/// More of one letter than any platform shows.
const TOO_LONG: &str = match std::str::from_utf8(&[b'x'; 30_000]) {
    Ok(text) => text,
    Err(_) => "",
};

/// What stands in the error message, and what may not be left of it, for these kinds; for all where none are named.
const MESSAGES: &[(&str, &str, &[&str], &[&str])] = &[
    ("a call to the channel", "<!channel> look", &["<!channel>"], &["slack"]),
    ("a call to everybody who is here", "<!here|here> look", &["<!here"], &["slack"]),
    ("a call to somebody", "<@U2CERLKJA> look", &["<@U2CERLKJA>"], &["slack", "discord"]),
    ("a call to a group", "<!subteam^S0|dba> look", &["<!subteam"], &["slack"]),
    ("a call to a role", "<@&42> look", &["<@&42>"], &["discord"]),
    ("a call to all people", "@all @channel @here look", &["@all", "@channel", "@here"], &["mattermost"]),
    ("a call to all users", "<users/all> look", &["<users/all>"], &["google-chat"]),
    ("a call in a tag", "<at>everybody</at> look", &["<at>"], &["teams"]),
    ("a call in WeCom's own form", "<@all> look", &["<@all>"], &["wecom", "wecom-bot"]),
    (
        "a link behind other words",
        "<https://evil.example|the console>",
        &["<https://evil.example|"],
        &["slack", "google-chat"],
    ),
    (
        "a link in Markdown",
        "[the console](https://evil.example)",
        &["](https"],
        &["discord", "mattermost", "wecom", "wecom-bot"],
    ),
    (
        "a picture in Markdown",
        "![x](https://evil.example/x.png)",
        &["](https"],
        &["discord", "mattermost", "wecom", "wecom-bot"],
    ),
    (
        "a link in HTML",
        "<a href=\"https://evil.example\">x</a>",
        &["<a href"],
        &["slack", "discord", "teams", "google-chat", "wecom", "wecom-bot"],
    ),
    (
        "a script",
        "<script>alert(1)</script>",
        &["<script>"],
        &["slack", "discord", "teams", "google-chat", "wecom", "wecom-bot"],
    ),
    (
        "a font",
        "<font color=\"info\">✅ Removed</font>",
        &["<font color=\"info\""],
        &["slack", "discord", "teams", "google-chat", "wecom", "wecom-bot"],
    ),
    ("the end of a CDATA section", "]]></Content><Content>x", &["</Content><Content>"], &["wecom"]),
    ("our own secret", "the key is upstream-secret!", &["upstream-secret"], &[]),
    ("our own secret, twice", "upstream-secretupstream-secret", &["upstream-secret"], &[]),
    ("a long text", "LONG", &[TOO_LONG], &[]),
    ("codes that clear a terminal", "\u{1b}[2J\u{1b}]0;root\u{7}", &[], &[]),
    ("codes that clear a terminal, of one byte", "\u{9b}2J", &["\u{9b}"], &[]),
    ("words that run backwards", "a\u{202e}b\u{2066}c", &["\u{202e}", "\u{2066}"], &[]),
    ("lines that are none to a program", "a\u{2028}b\u{85}c", &["\u{2028}", "\u{85}"], &[]),
    ("carriage returns", "refused\r\r\rdone", &[], &[]),
    ("a line that looks like the log's", "x\n{\"event\":\"removed\",\"by\":\"root\"}", &[], &[]),
];

/// Idea, status, headers, body, the code that is answered, the state that is kept.
type Answered = (&'static str, u16, &'static [(&'static str, &'static str)], &'static str, &'static str, &'static str);

/// What else comes back, for any kind: status, headers, body; and what is answered and kept.
const ANSWERS: &[Answered] = &[
    ("a redirect to elsewhere", 302, &[("location", "https://evil.example/")], "", "OFFBOARD.50204", "not-removed"),
    (
        "a redirect that keeps the method",
        307,
        &[("location", "https://evil.example/")],
        "",
        "OFFBOARD.50204",
        "not-removed",
    ),
    ("a redirect for good", 308, &[("location", "//evil.example/")], "", "OFFBOARD.50204", "not-removed"),
    (
        "a code that calls the channel",
        400,
        &[],
        r#"{"error_code":"<!channel>","error_msg":"x"}"#,
        "OFFBOARD.40090",
        "refused-upstream",
    ),
    (
        "a code with a line break",
        400,
        &[],
        r#"{"error_code":"DBS.1\r\nX-Evil: 1","error_msg":"x"}"#,
        "OFFBOARD.40090",
        "refused-upstream",
    ),
    (
        "a code that is long",
        400,
        &[],
        r#"{"error_code":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","error_msg":"x"}"#,
        "OFFBOARD.40090",
        "refused-upstream",
    ),
    (
        "a code of ours",
        400,
        &[],
        r#"{"error_code":"DBS.280001","error_msg":"OFFBOARD.40903"}"#,
        "DBS.280001",
        "refused-upstream",
    ),
    (
        "a code twice",
        400,
        &[],
        r#"{"error_code":"DBS.1","error_code":"DBS.2","error_msg":"x"}"#,
        "OFFBOARD.40090",
        "refused-upstream",
    ),
    ("success of another kind", 200, &[], r#"{"result":"success"}"#, "OFFBOARD.50204", "not-removed"),
    ("success in a list", 200, &[], r#"[{"result":"SUCCESS"}]"#, "OFFBOARD.50204", "not-removed"),
    ("success and a failure", 200, &[], r#"{"error_code":"DBS.1","error_msg":"x"}"#, "OFFBOARD.50204", "not-removed"),
    ("success twice", 200, &[], r#"{"result":"FAILED","result":"SUCCESS"}"#, "OFFBOARD.50204", "not-removed"),
    ("success behind a byte order mark", 200, &[], "\u{feff}{\"result\":\"SUCCESS\"}", "OFFBOARD.50204", "not-removed"),
    ("a status that is informational", 204, &[], "", "OFFBOARD.50204", "not-removed"),
    (
        "a long wait",
        429,
        &[("retry-after", "99999999999999999999")],
        r#"{"error_code":"APIGW.0308","error_msg":"x"}"#,
        "APIGW.0308",
        "not-removed",
    ),
    (
        "a negative wait",
        429,
        &[("retry-after", "-1")],
        r#"{"error_code":"APIGW.0308","error_msg":"x"}"#,
        "APIGW.0308",
        "not-removed",
    ),
    (
        "cookies and rights",
        400,
        &[("set-cookie", "a=b"), ("access-control-allow-origin", "*"), ("x-offboard-code", "SUCCESS")],
        r#"{"error_code":"DBS.280001","error_msg":"x"}"#,
        "DBS.280001",
        "refused-upstream",
    ),
    (
        "a request id with markup",
        400,
        &[("x-request-id", "a <!channel>")],
        r#"{"error_code":"DBS.280001","error_msg":"x"}"#,
        "DBS.280001",
        "refused-upstream",
    ),
    (
        "a request id that is our code",
        400,
        &[("x-request-id", "a:b")],
        r#"{"error_code":"DBS.280001","error_msg":"x"}"#,
        "DBS.280001",
        "refused-upstream",
    ),
    (
        "a request id that is enormous",
        400,
        &[("x-request-id", "LONG")],
        r#"{"error_code":"DBS.280001","error_msg":"x"}"#,
        "DBS.280001",
        "refused-upstream",
    ),
];

fn is_of(kind: &Kind, kinds: &[&str]) -> bool {
    kinds.is_empty() || kind.is(kinds)
}

pub(super) fn names() -> Vec<String> {
    let of = |kind: &Kind| -> Vec<String> {
        let messages = MESSAGES.iter().filter(|(.., kinds)| is_of(kind, kinds)).map(|(idea, ..)| *idea);
        messages
            .chain(ANSWERS.iter().map(|(idea, ..)| *idea))
            .map(|idea| format!("{}/upstream: {idea}", kind.name))
            .collect()
    };
    kinds_of(WITH_PEOPLE).iter().flat_map(of).collect()
}

/// A gateway that has fetched whatever it needs for a proof.
async fn ready(kind: &Kind) -> InMemory {
    let stage = InMemory::open(kind.setup(false, &[])).await;
    stage.send(&made(&stage, kind, |ask| ask["say"]["text"] = "help".into())).await;
    stage
}

/// Alice is removed, and this is TaurusDB's next answer; what people were shown, decrypted.
async fn removing(stage: &InMemory, kind: &Kind, answer: impl Fn(&InMemory)) -> (Reply, String) {
    stage.host.answers.borrow_mut().clear();
    // A token for what is told later, once more.
    let tokens = kind.later_answers.iter().cloned();
    stage.host.cloud.as_ref().unwrap().later_answers.borrow_mut().extend(tokens);
    if kind.name == "dingtalk" {
        stage.send(&made(stage, kind, |_| ())).await;
    }
    let told = stage.posted(0).await.len();
    answer(stage);
    let waiting = reference(stage);
    let change = |ask: &mut Value| {
        if !waiting.is_empty() {
            ask["say"]["text"] = format!("confirm {waiting}").into();
        }
    };
    let wire = made(stage, kind, change);
    let reply = stage.send(&wire).await;
    let mut ask = kind.ask(&stage.host(), &format!("s{}", stage.host.now.get()));
    ask["now"] = (stage.host.now.get() / 1000).into();
    let body = if Platforms::encrypts(&kind.name) && kind.kind() == "wecom" {
        Platforms::open(&kind.name, &ask, &reply)
    } else {
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    let posted = stage.posted(0).await;
    let posted = posted.iter().skip(told).map(|Posted { body, .. }| words(body)).collect::<String>();
    (reply, words(&body) + &posted)
}

/// Every text of JSON, as it reads; other text as it is.
pub(super) fn words(text: &str) -> String {
    fn collect(value: &Value, into: &mut String) {
        match value {
            Value::String(text) => match serde_json::from_str::<Value>(text) {
                // A card inside a text.
                Ok(inner @ Value::Object(_)) => collect(&inner, into),
                _ => *into += &format!("{text}\n"),
            },
            Value::Array(list) => list.iter().for_each(|item| collect(item, into)),
            Value::Object(fields) => fields.values().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
    match serde_json::from_str::<Value>(text) {
        Ok(json) => {
            let mut all = String::new();
            collect(&json, &mut all);
            all
        }
        Err(_) => text.to_owned(),
    }
}

#[tokio::test]
async fn what_taurusdb_says_is_only_shown() {
    let mut failures = String::new();
    for kind in kinds_of(WITH_PEOPLE) {
        let stage = ready(&kind).await;
        for (idea, message, absent, _) in MESSAGES.iter().filter(|(.., kinds)| is_of(&kind, kinds)) {
            let message = if *message == "LONG" { "x".repeat(60_000) } else { (*message).to_owned() };
            let body = serde_json::json!({"error_code": "DBS.280001", "error_msg": message}).to_string();
            let before = stage.deletes();
            let (reply, text) = removing(&stage, &kind, |stage| stage.host.will_answer(400, &body)).await;
            let mut wrong = Vec::new();
            if stage.deletes() != before + 1 || state(&stage) != "refused-upstream" || !text.contains("DBS.280001") {
                wrong.push(format!("{} DELETEs, {}: {text}", stage.deletes() - before, state(&stage)));
            }
            for part in *absent {
                if text.contains(part) {
                    wrong.push(format!("{} is in {}", &part[..part.len().min(40)], &text[..text.len().min(400)]));
                }
            }
            for line in stage.log() {
                if line.chars().any(is_unseen) || line.contains("upstream-secret") {
                    wrong.push(format!("the log has a line {line:?}"));
                }
            }
            let kept: Vec<Option<String>> = stage.host.database.rows("SELECT message FROM removals", &[]);
            if kept.iter().flatten().any(|kept| kept.contains("upstream-secret"))
                || shown(&reply).contains("upstream-secret")
            {
                wrong.push("our secret is kept or shown".into());
            }
            for wrong in wrong {
                failures += &format!("{}/upstream: {idea}: {wrong}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[tokio::test]
async fn what_taurusdb_answers_leads_nowhere() {
    let mut failures = String::new();
    for kind in kinds_of(WITH_PEOPLE) {
        let stage = ready(&kind).await;
        for (idea, status, headers, body, code, state_then) in ANSWERS {
            let long = "r".repeat(10_000);
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (*name, if *value == "LONG" { &long } else { *value })).collect();
            let line_up = |stage: &InMemory| {
                let mut answer = http::Response::builder().status(*status);
                for (name, value) in &headers {
                    answer = answer.header(*name, *value);
                }
                let answer = answer.body(Some(bytes::Bytes::from_static(body.as_bytes()))).unwrap();
                stage.host.answers.borrow_mut().push_back((Ok(answer), std::time::Duration::ZERO));
                if *status == 429 {
                    for _ in 0..3 {
                        let again = stage.host.answers.borrow()[0].0.as_ref().unwrap().clone();
                        stage.host.answers.borrow_mut().push_back((Ok(again), std::time::Duration::ZERO));
                    }
                }
                // Looked at where the outcome is unknown: the account is still there.
                stage.host.will_list(&["alice"]);
            };
            let (reply, text) = removing(&stage, &kind, line_up).await;
            let seen = (crate::adversary::shared::answered(&stage), state(&stage));
            let mut wrong = Vec::new();
            if seen != ((*code).to_owned(), (*state_then).to_owned()) {
                wrong.push(format!("{seen:?}, not {code} {state_then}"));
            }
            let sent = stage.host.sent.borrow();
            if sent.iter().any(|request| request.uri().host().is_some_and(|host| host.contains("evil"))) {
                wrong.push("it was followed".into());
            }
            let all = format!("{}{text}", shown(&reply));
            for part in ["evil", "<!channel>", "a=b", "access-control", "rrrrrrrrrr", "a:b", "99999999999"] {
                if all.contains(part) {
                    wrong.push(format!("{part} is in {}", &all[..all.len().min(500)]));
                }
            }
            for wrong in wrong {
                failures += &format!("{}/upstream: {idea}: {wrong}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
