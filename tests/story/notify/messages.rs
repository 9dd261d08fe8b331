//! Every message of every platform, in both languages: `tests/fixtures/notify/messages/`. A change of one is meant, or is a mistake;
//! `BLESS=1` writes the files anew.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use local::repository;
use serde_json::{Value, json};

use super::shared::{ERIN, KINDS, Post, Stage, app_of, target, variables};

const LINK: (&str, &str) =
    ("expire_hours = 24", "link = \"https://offboard.example.com/console/removals/{reference}\"\nexpire_hours = 24");

/// What a post shows, with the headers that the platform reads.
fn shown(post: &Post) -> Value {
    let headers = ["authorization", "webhook-id", "webhook-timestamp", "webhook-signature", "x-sdk-date"];
    let headers = headers.into_iter().filter_map(|name| {
        let value = post.headers.get(name)?.to_str().ok()?;
        Some((name.to_owned(), Value::from(value)))
    });
    json!({
        "request": format!("{} {}", post.method, post.url),
        "headers": headers.collect::<serde_json::Map<_, _>>(),
        "body": post.body,
    })
}

/// Everything that a target of this kind is told of, by event.
async fn told(kind: &str, language: &str) -> Vec<(&'static str, Post)> {
    let caller = match kind {
        "slack" => "caller = \"slack\"\n",
        _ => "",
    };
    let more = format!("{caller}language = \"{language}\"");
    let brake = ("context.removals_last_hour >= 20", "context.removals_last_hour >= 2");
    let app = app_of(&target("ops", kind, &more), &[LINK], &[brake]);
    let stage = Stage::new(&variables(kind));
    let mut told = Vec::new();
    let mut newest = |event| {
        // A robot takes one message in four seconds.
        stage.pass(Duration::from_secs(5));
        let posts = stage.posted();
        assert_eq!(posts.len(), told.len() + 1, "{kind} {event}: {}", stage.lines());
        told.push((event, posts.last().unwrap().clone()));
    };

    stage.has("svc_report_old");
    stage.event(&app, "svc_report_old", "warehouse").await.unwrap();
    newest("waiting");
    stage.pass(Duration::from_secs(19 * 60));
    stage.job(&app, "remind").await.unwrap();
    newest("reminder");
    let reference = stage.reference("svc_report_old");
    stage.types(&app, ERIN, &format!("approve {reference}")).await.unwrap();
    assert_eq!(stage.state("svc_report_old"), "removed");
    newest("decided");

    stage.has("carol");
    stage.event(&app, "carol", "analytics").await.unwrap();
    assert_eq!(stage.state("carol"), "removed");
    stage.event(&app, "bob", "analytics").await.unwrap();
    assert_eq!(stage.state("bob"), "denied");
    newest("brake");

    stage.pass(Duration::from_secs(3600));
    stage
        .memory
        .will_answer(401, r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information"}"#);
    stage.event(&app, "erin", "analytics").await.unwrap();
    assert_eq!(stage.state("erin"), "refused-upstream");
    newest("refused-credentials");
    stage.memory.will_answer(500, "<html>");
    stage.memory.will_answer(500, "<html>");
    stage.event(&app, "dave", "analytics").await.unwrap();
    assert_eq!(stage.state("dave"), "unknown");
    newest("unknown");
    told
}

fn folder() -> PathBuf {
    repository::root().join("tests/fixtures/notify/messages")
}

#[tokio::test]
async fn every_message_of_every_platform() {
    for kind in KINDS {
        for language in ["en-us", "zh-cn"] {
            for (event, post) in told(kind, language).await {
                let file = folder().join(kind).join(format!("{event}.{language}.json"));
                let text = serde_json::to_string_pretty(&shown(&post)).unwrap() + "\n";
                if std::env::var_os("BLESS").is_some() {
                    fs::create_dir_all(file.parent().unwrap()).unwrap();
                    fs::write(&file, &text).unwrap();
                }
                let kept = fs::read_to_string(&file).unwrap_or_default();
                assert_eq!(kept, text, "{}", file.display());
            }
        }
    }
}

/// Words of others neither mention anybody nor are markup, whatever they are.
#[tokio::test]
async fn words_of_others_are_words() {
    let words = "<!channel> @all <@U1> <users/all> [a](https://evil.example) *b* `c` <at>d</at> & # e";
    for kind in KINDS {
        let app = app_of(&target("ops", kind, ""), &[LINK], &[]);
        let stage = Stage::new(&variables(kind));
        let typed = words.replace('&', "%26").replace('#', "%23");
        stage.types(&app, "U2CERLKJA", &format!("alice warehouse {typed}")).await.unwrap();
        let posts = stage.posted();
        let [post] = posts.as_slice() else { panic!("{kind}: {posts:?}\n{}", stage.lines()) };
        let body = post.body.to_string();
        // What is no markup there stays as it is: a mail, a card of plain texts, JSON for systems.
        let is_plain = ["feishu", "smn", "pagerduty", "standard-webhooks"].contains(&kind);
        // To Mattermost the others are words.
        let mentions = ["<!channel>", "<@U1>", "<users/all>", "<at>d"];
        for mention in &mentions[..if kind.starts_with("mattermost") { 2 } else { 4 }] {
            assert!(is_plain || !body.contains(mention), "{kind}: {mention} in {body}");
        }
        let has_links = ["mattermost-webhook", "mattermost", "teams", "discord", "dingtalk", "wecom"].contains(&kind);
        assert!(!has_links || !body.contains("[a](https://evil"), "{kind}: {body}");
        assert!(body.contains("alice"), "{kind}: {body}");
    }
}
