//! Words of others: what cannot be seen is refused in what people write; what would be markup is none where people read it, on each
//! platform, in each listing, in the log and in what a spreadsheet opens.

use std::fs;

use local::repository;
use serde_json::{Value, json};
use starrocks_offboard::outcome::unseen::is_unseen;
use support::kind::Kind;
use support::platforms::Platforms;
use support::stage::{Posted, Stage};

use crate::adversary::buttons::{Who, gateway, id};
use crate::adversary::shared::{WITH_PEOPLE, answered, kinds_of, made, reference, state};
use crate::adversary::taurusdb::words;
use crate::audit::shared::list_as;
use crate::callers::kinds::InMemory;
use crate::gateway::text;

/// A reason that rings, links, hides and imitates, on one platform or the other.
const REASON: &str = "`x` <!channel> @everyone @all [pay](http://evil.example) <at id=all></at> <users/all> <b>b</b> ]]> **c** ~~d~~ ||e|| # f > g &amp;";

/// The subject of a token.
const SUBJECT: &str =
    "=cmd|'`/C`'!A0 <!channel> @everyone @all [pay](http://evil.example) <at id=all></at> <b> ]]> **c** ~~d~~ ||e||";

/// What shows nothing, or changes how its neighbours are shown.
const UNSEEN: [char; 7] = ['\u{202e}', '\u{2028}', '\u{2029}', '\u{2066}', '\u{200b}', '\u{e0041}', '\u{9b}'];

/// One says this; what people are shown, in the answer and after it.
async fn says(stage: &InMemory, kind: &Kind, who: Who, text: &str) -> String {
    let told = stage.posted(0).await.len();
    // A token for what is told later.
    let tokens = kind.later_answers.iter().cloned();
    stage.host.cloud.as_ref().unwrap().later_answers.borrow_mut().extend(tokens);
    let wire = made(stage, kind, |ask| {
        ask["say"]["user"] = id(kind, who).into();
        ask["say"]["text"] = typed(kind, text).into();
    });
    let reply = stage.send(&wire).await;
    let mut ask = kind.ask(&stage.host(), &format!("s{}", stage.host.now.get()));
    ask["now"] = (stage.host.now.get() / 1000).into();
    let body = if Platforms::encrypts(&kind.name) && kind.kind() == "wecom" {
        Platforms::open(&kind.name, &ask, &reply)
    } else {
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    let posted = stage.posted(0).await;
    let posted = posted.iter().skip(told).filter(|posted| !posted.body.contains("app_secret"));
    let posted = posted.map(|Posted { body, .. }| words(body)).collect::<String>();
    let mut shown = words(&body) + &posted;
    for [id, reference] in ids(stage) {
        shown = shown.replace(&reference, "{reference}").replace(&id, "{id}");
    }
    // So that a reader of the fixture sees it.
    shown.replace('\u{200b}', "{200b}").trim_end().to_owned() + "\n"
}

/// A text as the platform hands it on.
fn typed(kind: &Kind, text: &str) -> String {
    match kind.name.as_str() {
        "slack" => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        "wecom" => text.replace("]]>", "]]]]><![CDATA[>"),
        _ => text.to_owned(),
    }
}

/// The ids and references of all rows; none before the ledger is opened.
fn ids(stage: &InMemory) -> Vec<[String; 2]> {
    let sql = "SELECT id, coalesce(reference, id) FROM removals";
    stage.host.database.rows(sql, &[]).into_iter().map(|(id, reference)| [id, reference]).collect()
}

/// `tests/fixtures/words-of-others` has, for each platform, the exact texts of the card for approvers, the list of what waits, the
/// state of one, and the notice of a denial.
#[tokio::test]
async fn a10_words_of_others_are_no_markup_on_any_platform() {
    let mut failures = String::new();
    for kind in kinds_of(WITH_PEOPLE) {
        let (stage, _) = gateway(&kind).await;
        let mut seen = String::new();
        let mut card = says(&stage, &kind, Who::Asker, &format!("alice warehouse {REASON}")).await;
        let waiting = reference(&stage);
        if state(&stage) == "awaiting-confirmation" {
            seen += &format!("== asked back\n{card}");
            card = says(&stage, &kind, Who::Asker, &format!("confirm {waiting}")).await;
        }
        seen += &format!("== the card\n{card}");
        assert_eq!(state(&stage), "awaiting-approval", "{}: {seen}", kind.name);
        let by_reference = [waiting.as_str().into()];
        let sql = "SELECT reason FROM removals WHERE reference = ?1";
        let reason: String = stage.host.database.row(sql, &by_reference).unwrap();
        if reason != REASON {
            failures += &format!("{}: the reason is {reason}\n", kind.name);
        }
        // As if a person with such a subject had asked, in a portal.
        let of_row = |sql: &str| stage.host.database.execute(sql, &by_reference);
        of_row(&format!(
            "UPDATE removals SET caused_by = actor, actor = 'portal/{}' WHERE reference = ?1",
            SUBJECT.replace('\'', "''")
        ));
        for (idea, command) in [("what waits", "pending".to_owned()), ("the state", format!("status {waiting}"))] {
            seen += &format!("== {idea}\n{}", says(&stage, &kind, Who::Other, &command).await);
        }
        of_row("UPDATE removals SET actor = caused_by, caused_by = NULL WHERE reference = ?1");
        for (idea, command) in
            [("the denial", format!("deny {waiting} {REASON}")), ("the state then", format!("status {waiting}"))]
        {
            seen += &format!("== {idea}\n{}", says(&stage, &kind, Who::Other, &command).await);
        }
        assert_eq!((state(&stage).as_str(), stage.deletes()), ("rejected", 0), "{}", kind.name);
        for line in stage.log() {
            let is_read = !line.starts_with('{') || serde_json::from_str::<Value>(&line).is_ok();
            assert!(is_read && !line.chars().any(is_unseen), "{}: {line}", kind.name);
        }
        let file = repository::root().join(format!("tests/fixtures/words-of-others/{}.txt", kind.name));
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if seen != expected {
            failures += &format!("#### {} is not\n{expected}#### but\n{seen}", kind.name);
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// What people write has no character in it that others cannot see.
#[tokio::test]
async fn a10_what_cannot_be_seen_is_refused_in_what_people_write() {
    let mut failures = String::new();
    for kind in kinds_of(WITH_PEOPLE) {
        let (stage, _) = gateway(&kind).await;
        says(&stage, &kind, Who::Asker, "help").await;
        for unseen in UNSEEN {
            for (text, code) in [
                (format!("alice warehouse left{unseen}company"), "OFFBOARD.40010"),
                (format!("al{unseen}ice warehouse left"), "OFFBOARD.40004"),
            ] {
                let shown = says(&stage, &kind, Who::Asker, &text).await;
                let seen = (answered(&stage), state(&stage));
                if seen != (code.to_owned(), String::new()) || shown.contains(unseen) {
                    failures += &format!("{}: {text:?}: {seen:?}, not {code}: {shown}\n", kind.name);
                }
            }
        }
    }
    for kind in kinds_of(&["api-access-key", "api-token", "http-signature"]) {
        let stage = InMemory::open(kind.setup(false, &[])).await;
        for unseen in UNSEEN {
            let wire = made(&stage, &kind, |ask| ask["say"]["user_name"] = format!("al{unseen}ice").into());
            let reply = stage.send(&wire).await;
            let seen = (reply.status, reply.header("x-offboard-code").unwrap_or_default());
            if seen != (400, "OFFBOARD.40004") || String::from_utf8_lossy(&reply.body).contains(unseen) {
                failures += &format!("{}: an account with {unseen:?}: {seen:?}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// A token's subject may be any text of ASCII, and nothing else; its display name and its groups are shown nowhere.
#[tokio::test]
async fn a10_a_token_s_names_are_no_markup_either() {
    let kind = {
        let mut kind = kinds_of(&["api-token"]).remove(0);
        kind.caller = kind.caller.replacen("audience =", "groups = \"groups\"\naudience =", 1);
        kind
    };
    let stage = InMemory::open(kind.setup(false, &[])).await;
    for unseen in UNSEEN {
        let wire = made(&stage, &kind, |ask| ask["say"]["claims"] = json!({"sub": format!("da{unseen}na")}));
        let reply = stage.send(&wire).await;
        assert_eq!((reply.status, reply.header("x-offboard-code")), (401, Some("OFFBOARD.40108")), "{unseen:?}");
    }
    let groups = [format!("dba{}", '\u{202e}'), "<!channel> `x`\u{2028}".to_owned()];
    let wire = made(&stage, &kind, |ask| {
        ask["say"]["claims"] = json!({"sub": SUBJECT, "name": "Eve\u{202e} <!channel>", "groups": groups});
    });
    let reply = stage.send(&wire).await;
    assert_eq!((reply.status, reply.header("x-offboard-code")), (403, Some("OFFBOARD.40301")));
    assert_eq!(
        String::from_utf8_lossy(&reply.body),
        r#"{"error_code":"OFFBOARD.40301","error_msg":"no policy permits this removal; no removal was sent; ask a person who is permitted, or ask the operator to add a policy"}"#
    );
    let row = stage.rows().pop().unwrap();
    assert_eq!(row.actor, Some(format!("{}/{SUBJECT}", kind.caller_name())));
    for line in stage.log() {
        assert!(!line.chars().any(is_unseen) && !line.contains("Eve") && !line.contains("dba\\u202e"), "{line}");
    }
}

/// A line of the log, of JSON and of CSV is one line of characters that can be seen; a cell of CSV is no formula.
#[tokio::test]
async fn a10_exports_of_the_ledger_are_text() {
    let (host, app) = (crate::gateway::memory(), crate::gateway::app());
    app.ledger(&host).await.map(drop).unwrap();
    let sql = "INSERT INTO removals (id, state, asked_at, actor, instance, user_name, reason, policies, attempts, code, message)
        VALUES (?1, 'refused', 1780308000000, ?2, 'analytics', ?3, ?4, '', 0, ?5, ?6)";
    let rows = [
        ["=cmd|' /C calc'!A0", "@SUM(1+1)", "-2+3", "＝1+1", "+1\u{202e}a\u{2028}b\u{9b}c"],
        ["\tx", "\r=x", "\n=x", "＠x", "a\u{e0041}\u{200b}"],
    ];
    for (number, [actor, user_name, reason, code, message]) in rows.into_iter().enumerate() {
        let id = format!("019e000000000000000000000000000{number}");
        host.database.execute(sql, &[&id, actor, user_name, reason, code, message].map(Into::into));
    }
    let csv = list_as(&host, &app, "", Some("text/csv")).await;
    let body = text(&csv);
    for cell in [
        "\"'=cmd|' /C calc'!A0\"",
        "\"'@SUM(1+1)\"",
        "\"'-2+3\"",
        "\"'＝1+1\"",
        "\"'+1\\u{202e}a\\u{2028}b\\u{9b}c\"",
        "\"'\tx\"",
        "\"'\r=x\"",
        "\"'\n=x\"",
        "\"'＠x\"",
        "\"a\\u{e0041}\\u{200b}\"",
    ] {
        assert!(body.contains(&format!(",{cell},")), "{cell} is not in\n{body}");
    }
    let lines = list_as(&host, &app, "", Some("application/x-ndjson")).await;
    let lines = text(&lines);
    assert!(lines.contains(r"+1\u202ea\u2028b\u009bc") && lines.contains(r"a\udb40\udc41\u200b"), "{lines}");
    let read: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.iter().map(|row| row["message"].as_str().unwrap()).collect::<Vec<_>>(), [rows[1][4], rows[0][4]]);
}
