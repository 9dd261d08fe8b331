//! Reminders, working hours and escalations, by a clock that is moved.

use std::time::Duration;

use super::shared::{ERIN, Stage, app_of, app_with, target, variables};

const MINUTE: Duration = Duration::from_secs(60);

/// Moves the clock a minute at a time, and runs the job each time. Returns the minutes at which something was sent.
async fn minutes(stage: &Stage, app: &starrocks_offboard::app::App, count: u32) -> Vec<u32> {
    let mut sent = Vec::new();
    for minute in 1..=count {
        stage.pass(MINUTE - Duration::from_secs(1));
        let before = stage.posted().len();
        stage.job(app, "remind").await.unwrap();
        sent.extend((before < stage.posted().len()).then_some(minute));
    }
    sent
}

#[tokio::test]
async fn reminders_come_after_a_quarter_and_twice_as_late_each_time() {
    let (stage, app) = (Stage::new(&variables("slack")), app_with(&target("ops", "slack", "")));
    stage.event(&app, "alice", "warehouse").await.unwrap();
    let sent = minutes(&stage, &app, 500).await;
    assert_eq!(sent.len(), 5, "{sent:?}");
    let (mut before, mut usual) = (0, 15);
    for at in sent {
        let waited = at - before;
        assert!((usual * 4 / 5..=usual * 6 / 5 + 1).contains(&waited), "{waited} of {usual}");
        (before, usual) = (at, usual * 2);
    }
    // In the thread of the first message.
    let posts = stage.posted();
    assert!(posts[1..].iter().all(|post| post.body["thread_ts"] == "1780308000.000000"), "{posts:?}");
}

#[tokio::test]
async fn reminders_stop_at_the_end() {
    for end in ["deny", "approve", "cancel", "expire"] {
        let (stage, app) = (Stage::new(&variables("slack")), app_with(&target("ops", "slack", "")));
        stage.has("alice");
        stage.types(&app, "U2CERLKJA", "alice warehouse left").await.unwrap();
        assert_eq!(minutes(&stage, &app, 20).await.len(), 1);
        let reference = stage.reference("alice");
        match end {
            "expire" => {
                stage.pass(Duration::from_secs(24 * 3600));
                stage.job(&app, "expire").await.unwrap();
            }
            "cancel" => drop(stage.types(&app, "U2CERLKJA", &format!("cancel {reference}")).await),
            word => drop(stage.types(&app, ERIN, &format!("{word} {reference}")).await),
        }
        let events: Vec<_> = stage.outbox().into_iter().map(|(event, ..)| event).collect();
        assert_eq!(events, ["waiting", "reminder", "decided"], "{end}");
        let posts = stage.posted();
        assert!(posts.last().unwrap().url.ends_with("chat.update"), "{end}");
        assert_eq!(minutes(&stage, &app, 200).await, [0; 0], "{end}");
    }
}

/// What is due at night is told in the morning, once.
#[tokio::test]
async fn reminders_keep_to_working_hours() {
    let hours = "working_hours = \"Mon-Fri 09:00-17:00\"";
    let (stage, app) = (
        Stage::new(&variables("slack")),
        app_of(&target("ops", "slack", hours), &[("expire_hours = 24", "expire_hours = 48")], &[]),
    );
    // The clock is at 10:00; the request comes at 16:50.
    stage.pass(Duration::from_secs(6 * 3600 + 50 * 60));
    stage.event(&app, "alice", "warehouse").await.unwrap();
    assert_eq!(stage.posted().len(), 1, "the first message waits for nothing");
    let sent = minutes(&stage, &app, 18 * 60).await;
    // From 16:50 to 09:00 are 970 minutes.
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!((970..=981).contains(&sent[0]), "{sent:?}");
}

#[tokio::test]
async fn escalation_adds_a_target_and_takes_none_away() {
    let tables = target("dba", "slack", "events = [\"waiting\", \"decided\"]")
        + &target("on-call", "standard-webhooks", "events = [\"waiting\", \"decided\"]\nafter = \"2h\"");
    let stage = Stage::new(&[
        ("t", "xoxb-secret"),
        ("u", "https://events.example.com/offboard"),
        ("s", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ]);
    let app = app_with(&tables);
    stage.event(&app, "alice", "warehouse").await.unwrap();
    stage.event(&app, "bob", "warehouse").await.unwrap();
    assert_eq!(stage.posted().len(), 2);
    // Decided before its time: the second target hears nothing of it.
    stage.types(&app, ERIN, &format!("deny {}", stage.reference("bob"))).await.unwrap();
    assert_eq!(stage.posted().len(), 3);
    stage.pass(Duration::from_secs(2 * 3600 - 60));
    assert_eq!(stage.job(&app, "remind").await.unwrap()["escalations"], 0);
    stage.pass(MINUTE);
    let summary = stage.job(&app, "remind").await.unwrap();
    assert_eq!((&summary["escalations"], &summary["delivered"]), (&1.into(), &1.into()));
    assert_eq!(stage.job(&app, "remind").await.unwrap()["escalations"], 0);
    assert_eq!(stage.posted().last().unwrap().body["type"], "removal.waiting");
    // Both hear of the end.
    stage.types(&app, ERIN, &format!("deny {}", stage.reference("alice"))).await.unwrap();
    let decided: Vec<_> =
        stage.outbox().into_iter().filter(|(event, ..)| event == "decided").map(|(_, target, ..)| target).collect();
    assert_eq!(decided, ["dba", "dba", "on-call"]);
}

/// Twenty a minute: several requests are one message, and none comes within four seconds of another.
#[tokio::test]
async fn requests_share_a_message_where_few_are_taken() {
    for kind in ["dingtalk", "wecom"] {
        let (stage, app) = (Stage::new(&variables(kind)), app_with(&target("ops", kind, "events = [\"waiting\"]")));
        for number in 0..12 {
            stage.event(&app, &format!("user_{number}"), "warehouse").await.unwrap();
        }
        let alone = stage.posted().len();
        assert!((2..=4).contains(&alone), "{kind}: {alone}");
        for _ in 0..3 {
            stage.pass(Duration::from_secs(5));
            stage.job(&app, "remind").await.unwrap();
        }
        assert!(stage.outbox().iter().all(|(_, _, _, state)| state == "delivered"), "{:?}", stage.outbox());
        let posts = stage.posted();
        assert!(posts.len() <= alone + 2, "{kind}: {}", posts.len());
        let all: String = posts.iter().map(|post| post.body.to_string()).collect();
        for number in 0..12 {
            let name = format!("user_{number}");
            let count = all.matches(&format!("{name} ")).count()
                + all.matches(&format!("{name}`")).count()
                + all.matches(&format!("{name} from")).count();
            assert!(count >= 1, "{kind}: {name} in {all}");
        }
    }
}

/// An alarm is told once an hour.
#[tokio::test]
async fn alarms_are_told_once_an_hour() {
    let brake = ("context.removals_last_hour >= 20", "context.removals_last_hour >= 1");
    let (stage, app) = (Stage::new(&variables("slack")), app_of(&target("ops", "slack", ""), &[], &[brake]));
    stage.has("alice");
    stage.event(&app, "alice", "analytics").await.unwrap();
    for number in 0..5 {
        stage.event(&app, &format!("user_{number}"), "analytics").await.unwrap();
    }
    assert_eq!(stage.posted().len(), 1, "{}", stage.lines());
    stage.pass(Duration::from_secs(3500));
    stage.has("bob");
    stage.event(&app, "user_8", "analytics").await.unwrap();
    assert_eq!(stage.posted().len(), 1);
    // The brake is free again, and hit again.
    stage.pass(Duration::from_secs(120));
    stage.event(&app, "bob", "analytics").await.unwrap();
    stage.event(&app, "user_9", "analytics").await.unwrap();
    assert_eq!(stage.posted().len(), 2);
}

/// Filters: by environment, instance and caller.
#[tokio::test]
async fn only_those_are_told_whom_it_concerns() {
    for (filter, told) in [
        ("environments = [\"production\"]", true),
        ("environments = [\"staging\"]", false),
        ("instances = [\"warehouse\"]", true),
        ("instances = [\"analytics\"]", false),
        ("callers = [\"hr\"]", true),
        ("callers = [\"portal\"]", false),
    ] {
        let (stage, app) = (Stage::new(&variables("slack")), app_with(&target("ops", "slack", filter)));
        stage.event(&app, "alice", "warehouse").await.unwrap();
        assert_eq!(stage.posted().len(), usize::from(told), "{filter}");
    }
}
