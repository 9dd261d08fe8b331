//! Slack waits for three seconds: what takes longer is acknowledged, and the outcome follows.

use std::time::Duration;

use starrocks_offboard::host::SendError;
use support::answered::answered;

use crate::gateway::{DOCUMENTED, SUCCESS, app, memory, seconds, slash_with, text};
use crate::taurusdb::shared::{logged, newest, row, sent_header};

/// Slack waits for three seconds: what takes longer is acknowledged, and the outcome follows at the URL that Slack signed.
#[tokio::test]
async fn what_takes_longer_than_slack_waits_follows_later() {
    let url = "https://hooks.slack.com/commands/T0001/1/abc";
    let encoded = url.replace(':', "%3A").replace('/', "%2F");
    for (takes, fields, is_late) in [
        (9, format!("&response_url={encoded}"), true),
        (0, format!("&response_url={encoded}"), false),
        (9, String::new(), false),
        (9, "&response_url=https%3A%2F%2Fevil.example%2Fhooks.slack.com".to_owned(), false),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        host.which_takes(Duration::from_secs(takes));
        if is_late {
            host.will_answer(200, "ok");
        }
        let inbound = slash_with(seconds(&host), "alice analytics", &fields);
        let answer = text(&answered(&host, Ok(&app), inbound).await);
        let said = "Removed `alice` from `analytics`";
        assert_eq!(answer.contains(said), !is_late, "{takes} {fields} {answer}");
        assert_eq!(newest(&host), row("removed", "SUCCESS", 1, None));
        let sent = host.sent.borrow();
        assert_eq!(sent.len(), if is_late { 2 } else { 1 });
        assert_eq!(sent[0].uri().path(), DOCUMENTED);
        assert!(logged(&host, &format!(r#""late":{is_late}"#)));
        if is_late {
            assert!(
                answer.contains("⏳ Request received: `alice` on `analytics`\\nThe result follows here."),
                "{answer}"
            );
            assert_eq!((sent[1].method().as_str(), sent[1].uri().to_string().as_str()), ("POST", url));
            let told: serde_json::Value = serde_json::from_slice(sent[1].body()).unwrap();
            assert!(told["text"].as_str().unwrap().contains(said), "{told}");
            assert_eq!(sent_header(&sent[1], "content-length"), Some(sent[1].body().len().to_string()));
        }
    }
}

/// Platforms refuse a message inside a 200: the log says with which code, and not where it was sent.
#[tokio::test]
async fn a_refusal_inside_a_success_is_in_the_log() {
    for (body, says) in [
        (r#"{"ok":false,"error":"no_text"}"#, "the platform answered 200 and refused it with no_text"),
        ("<html>", "the platform answered 200 in a form that it does not document"),
        (
            r#"{"ok":false,"error":"https://hooks.slack.com/x"}"#,
            "the platform answered 200 in a form that it does not document",
        ),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        host.which_takes(Duration::from_secs(3));
        host.will_answer(200, body);
        let encoded = "https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0001%2F1";
        let inbound = slash_with(seconds(&host), "alice analytics", &format!("&response_url={encoded}"));
        answered(&host, Ok(&app), inbound).await;
        assert_eq!(newest(&host), row("removed", "SUCCESS", 1, None));
        let said: Vec<String> = host.lines.borrow().iter().filter(|line| line.starts_with("later:")).cloned().collect();
        let [line] = said.as_slice() else { panic!("{said:?}") };
        assert!(
            line.ends_with(&format!("could not be delivered: {says}")) && !line.contains("hooks.slack.com"),
            "{line}"
        );
    }
}

/// When it cannot be told later, the log says so, and the ledger has it all the same.
#[tokio::test]
async fn a_later_channel_that_fails() {
    for (status, says) in [(302, "the platform answered 302"), (500, "the platform answered 500"), (0, "Broken")] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        host.which_takes(Duration::from_secs(3));
        match status {
            0 => host.will_fail(SendError::Broken("reset".into())),
            status => host.will_answer_with(status, &[("location", "https://evil.example/")], ""),
        }
        let fields = "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1";
        answered(&host, Ok(&app), slash_with(seconds(&host), "alice analytics", fields)).await;
        assert_eq!(newest(&host), row("removed", "SUCCESS", 1, None));
        assert!(logged(&host, "later: the result of removal ") && logged(&host, says), "{:?}", host.lines.borrow());
        assert_eq!(host.sent.borrow().len(), 2);
    }
}
