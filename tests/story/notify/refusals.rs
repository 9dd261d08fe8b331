//! What becomes of a message that a platform does not take.

use std::time::Duration;

use super::shared::{Act, ERIN, Stage, app_with, target, variables};

fn states(stage: &Stage) -> Vec<String> {
    stage.outbox().into_iter().map(|(event, _, _, state)| format!("{event} {state}")).collect()
}

/// A refusal inside of a 200 is no delivery, and neither is a body that says nothing.
#[tokio::test]
async fn a_refusal_is_dead_and_said() {
    for (kind, body, why) in [
        ("slack", r#"{"ok":false,"error":"not_in_channel"}"#, "answered 200 with not_in_channel"),
        ("feishu", r#"{"code":19024}"#, "answered 200 with 19024"),
        ("dingtalk", r#"{"errcode":310000}"#, "answered 200 with 310000"),
        ("wecom", r#"{"errcode":93000}"#, "answered 200 with 93000"),
    ] {
        let (stage, app) = (Stage::new(&variables(kind)), app_with(&target("ops", kind, "")));
        stage.will([Act::Answer(200, None, body.into())]);
        let answer = stage.event(&app, "alice", "warehouse").await.unwrap();
        assert_eq!(answer.status().as_u16(), 409, "{kind}");
        assert_eq!(states(&stage), ["waiting dead"], "{kind}");
        let lines = stage.lines();
        assert!(lines.contains(&format!("to `ops` cannot be delivered: {why}")), "{lines}");
        assert!(!lines.contains("secret"), "{lines}");
    }
}

/// Not before what the platform asks for, and only a certain number of times.
#[tokio::test]
async fn what_was_not_taken_is_tried_again() {
    let (stage, app) = (Stage::new(&variables("slack")), app_with(&target("ops", "slack", "")));
    stage.will([Act::Answer(429, Some(300), "{}".into()), Act::Unreachable]);
    stage.event(&app, "alice", "warehouse").await.unwrap();
    assert_eq!(stage.job(&app, "remind").await.unwrap()["delivered"], 0);
    assert_eq!(stage.posted().len(), 1);
    stage.pass(Duration::from_secs(330));
    let summary = stage.job(&app, "remind").await.unwrap();
    assert_eq!((&summary["later"], &summary["delivered"]), (&1.into(), &0.into()));
    stage.pass(Duration::from_secs(100));
    assert_eq!(stage.job(&app, "remind").await.unwrap()["delivered"], 1);
    assert_eq!(states(&stage), ["waiting delivered"]);
    assert_eq!(stage.taken().len(), 1);
}

#[tokio::test]
async fn after_seven_hours_it_is_dead() {
    let (stage, app) =
        (Stage::new(&variables("slack-webhook")), app_with(&target("ops", "slack-webhook", "events = [\"unknown\"]")));
    stage.will((0..20).map(|_| Act::Unreachable));
    stage.memory.will_answer(500, "<html>");
    stage.memory.will_answer(500, "<html>");
    stage.event(&app, "alice", "analytics").await.unwrap();
    assert_eq!(stage.state("alice"), "unknown");
    for _ in 0..13 {
        assert_eq!(states(&stage), ["unknown waiting"]);
        stage.pass(Duration::from_secs(4400));
        stage.job(&app, "remind").await.unwrap();
    }
    assert_eq!(states(&stage), ["unknown dead"]);
    assert!(stage.lines().contains("not taken in 14 tries"), "{}", stage.lines());
}

/// No answer: sent again where the platform takes a message twice for one, and nowhere else.
#[tokio::test]
async fn a_time_out_is_unknown_or_repeated() {
    for (kind, repeated) in [
        ("slack", false),
        ("discord", false),
        ("teams", false),
        ("google-chat", true),
        ("standard-webhooks", true),
        ("pagerduty", true),
    ] {
        for act in [Act::TakeAndTimeOut, Act::TimeOut, Act::TakeAndKill, Act::Kill] {
            let (stage, app) = (Stage::new(&variables(kind)), app_with(&target("ops", kind, "events = [\"waiting\"]")));
            stage.will([act.clone()]);
            stage.event(&app, "alice", "warehouse").await;
            assert_eq!(stage.state("alice"), "awaiting-approval");
            for _ in 0..3 {
                stage.pass(Duration::from_secs(150));
                stage.job(&app, "remind").await.unwrap();
            }
            let taken = stage.taken();
            if repeated {
                assert_eq!(states(&stage), ["waiting delivered"], "{kind} {act:?}");
                assert!(!taken.is_empty());
            } else {
                assert_eq!(states(&stage), ["waiting unknown"], "{kind} {act:?}");
                assert!(taken.len() <= 1 && stage.posted().len() <= 1, "{kind} {act:?}");
                assert!(stage.lines().contains("may or may not have been delivered"), "{kind} {act:?}");
            }
        }
    }
}

/// The same message each time, for a system that knows it by its id.
#[tokio::test]
async fn a_repeated_webhook_has_one_id() {
    let (stage, app) = (
        Stage::new(&variables("standard-webhooks")),
        app_with(&target("ops", "standard-webhooks", "events = [\"waiting\"]")),
    );
    stage.will([Act::TakeAndTimeOut]);
    stage.event(&app, "alice", "warehouse").await.unwrap();
    stage.pass(Duration::from_secs(60));
    stage.job(&app, "remind").await.unwrap();
    let taken = stage.taken();
    let ids: Vec<_> = taken.iter().map(|post| post.headers["webhook-id"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_ne!(taken[0].headers["webhook-timestamp"], taken[1].headers["webhook-timestamp"]);
    assert_eq!(taken[0].body, taken[1].body);
}

#[tokio::test]
async fn what_is_not_set_is_said_and_waits_for_the_operator() {
    for (value, why) in [
        ("", "variable `u` is not set"),
        (
            "https://evil.example/services/T0/B0/x",
            "variable `u` has another form than expected; use the URL of an incoming webhook",
        ),
        ("xoxb-1", "variable `u` has another form than expected"),
    ] {
        let (stage, app) = (Stage::new(&[("u", value)]), app_with(&target("ops", "slack-webhook", "")));
        stage.event(&app, "alice", "warehouse").await.unwrap();
        assert_eq!((states(&stage), stage.posted().len()), (vec!["waiting waiting".to_owned()], 0));
        let lines = stage.lines();
        assert!(lines.contains(why) && !lines.contains("evil"), "{lines}");
    }
}

/// A message about what is not so any more is not sent, and neither is one to a target that is gone.
#[tokio::test]
async fn what_has_changed_is_not_told() {
    let (stage, app) = (Stage::new(&variables("slack")), app_with(&target("ops", "slack", "events = [\"waiting\"]")));
    stage.will([Act::Unreachable]);
    stage.event(&app, "alice", "warehouse").await.unwrap();
    stage.types(&app, ERIN, &format!("deny {}", stage.reference("alice"))).await.unwrap();
    stage.pass(Duration::from_secs(60));
    assert_eq!(stage.job(&app, "remind").await.unwrap()["superseded"], 1);

    stage.will([Act::Unreachable]);
    stage.event(&app, "bob", "warehouse").await.unwrap();
    stage.pass(Duration::from_secs(60));
    let other = app_with(&target("dba", "slack", "events = [\"decided\"]"));
    assert_eq!(stage.job(&other, "remind").await.unwrap()["dead"], 1);
    assert_eq!(states(&stage), ["waiting superseded", "waiting dead"]);
    assert!(stage.posted().is_empty());
}

/// A message that cannot be changed any more is followed by one that says the same.
#[tokio::test]
async fn a_message_that_is_gone_is_not_changed() {
    for (kind, gone) in [
        ("slack", Act::Answer(200, None, r#"{"ok":false,"error":"message_not_found"}"#.into())),
        ("discord", Act::Answer(404, None, r#"{"code":10008}"#.into())),
        ("mattermost", Act::Answer(404, None, r#"{"id":"app.post.get.app_error"}"#.into())),
    ] {
        let (stage, app) = (Stage::new(&variables(kind)), app_with(&target("ops", kind, "")));
        stage.event(&app, "alice", "warehouse").await.unwrap();
        stage.will([gone]);
        stage.types(&app, ERIN, &format!("deny {}", stage.reference("alice"))).await.unwrap();
        let posts = stage.posted();
        assert_eq!(posts.len(), 3, "{kind}: {posts:?}");
        assert_eq!((&posts[0].method, &posts[0].url), (&posts[2].method, &posts[2].url), "{kind}");
        assert_eq!(states(&stage), ["waiting delivered", "decided delivered"], "{kind}");
    }
}
