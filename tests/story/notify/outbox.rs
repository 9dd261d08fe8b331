//! Every order of failures: whatever a platform does and whenever a gateway stops, each message is delivered, or unknown and said, or dead
//! and said; and a platform that takes a message twice for two gets none twice.

use std::time::Duration;

use proptest::prelude::*;
use starrocks_offboard::app::App;

use super::shared::{Act, ERIN, Stage, app_with, target, variables};

#[derive(Debug, Clone)]
enum Step {
    /// HR asks for another account.
    Event,
    /// Erin decides about the oldest that waits.
    Decide(bool),
    /// A job, in the first or the second gateway.
    Remind(bool),
    /// Two jobs at once.
    RemindTwice,
    /// Seconds pass.
    Pass(u16),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Take),
        2 => Just(Act::TakeAndKill),
        2 => Just(Act::Kill),
        2 => Just(Act::TakeAndTimeOut),
        1 => Just(Act::TimeOut),
        2 => Just(Act::Unreachable),
        1 => (1_u64..100).prop_map(|seconds| Act::Answer(429, Some(seconds), "{}".into())),
        1 => Just(Act::Answer(503, None, String::new())),
        1 => Just(Act::Answer(200, None, "<html>".into())),
        1 => Just(Act::Answer(400, None, "invalid".into())),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Event),
        2 => any::<bool>().prop_map(Step::Decide),
        3 => any::<bool>().prop_map(Step::Remind),
        2 => Just(Step::RemindTwice),
        4 => (1_u16..1500).prop_map(Step::Pass),
    ]
}

/// Runs the steps in two gateways on one ledger.
async fn run(kind: &str, steps: &[Step], acts: Vec<Act>, yields: u64) -> Stage {
    let app = || app_with(&target("ops", kind, "events = [\"waiting\", \"reminder\", \"decided\"]"));
    let gateways: [App; 2] = [app(), app()];
    let stage = Stage::new(&variables(kind));
    stage.will(acts);
    stage.memory.yields.set(yields);
    let mut asked = 0;
    for step in steps {
        match step {
            Step::Event => {
                asked += 1;
                stage.event(&gateways[asked % 2], &format!("user_{asked}"), "warehouse").await;
            }
            Step::Decide(approve) => {
                let word = if *approve { "approve" } else { "deny" };
                let waiting =
                    "SELECT reference FROM removals WHERE state = 'awaiting-approval' ORDER BY asked_at, id LIMIT 1";
                let reference: Option<String> = stage.memory.database.row(waiting, &[]);
                if let Some(reference) = reference {
                    stage.types(&gateways[0], ERIN, &format!("{word} {reference}")).await;
                }
            }
            Step::Remind(second) => drop(stage.job(&gateways[usize::from(*second)], "remind").await),
            Step::RemindTwice => {
                tokio::join!(stage.job(&gateways[0], "remind"), stage.job(&gateways[1], "remind"));
            }
            Step::Pass(seconds) => stage.pass(Duration::from_secs(u64::from(*seconds))),
        }
    }
    // Nothing fails any more: what is left is told.
    stage.acts.borrow_mut().clear();
    for _ in 0..40 {
        stage.pass(Duration::from_secs(600));
        drop(stage.job(&gateways[0], "remind").await);
        if stage.outbox().iter().all(|(.., state)| state != "waiting") {
            break;
        }
    }
    stage
}

/// Of each removal that waited: how many posts about it were taken, and how many of its messages are delivered, and unknown.
fn of_removals(stage: &Stage) -> Vec<(usize, usize, usize)> {
    let sql = "SELECT r.id, r.reference,
        (SELECT count(*) FROM outbox o WHERE o.removal = r.id AND o.state = 'delivered'),
        (SELECT count(*) FROM outbox o WHERE o.removal = r.id AND o.state = 'unknown')
        FROM removals r WHERE r.reference IS NOT NULL";
    let taken: Vec<_> = stage.taken().iter().map(|post| post.body.to_string()).collect();
    let rows: Vec<(String, String, i64, i64)> = stage.memory.database.rows(sql, &[]);
    let read = rows.into_iter().map(|(id, reference, delivered, unknown)| {
        let about = taken.iter().filter(|body| body.contains(&id) || body.contains(&reference)).count();
        (about, usize::try_from(delivered).unwrap(), usize::try_from(unknown).unwrap())
    });
    read.collect()
}

fn check(kind: &str, stage: &Stage) -> Result<(), TestCaseError> {
    let outbox = stage.outbox();
    let lines = stage.lines();
    for (event, _, _, state) in &outbox {
        prop_assert!(["delivered", "unknown", "dead", "superseded"].contains(&state.as_str()), "{event} {state}");
    }
    let count = |wanted: &str| outbox.iter().filter(|(.., state)| state == wanted).count();
    prop_assert_eq!(lines.matches("may or may not have been delivered").count(), count("unknown"));
    prop_assert_eq!(lines.matches("cannot be delivered").count(), count("dead"));
    // Every request that waited was put into the outbox, and so was its end.
    let waited = stage.memory.database.count("removals WHERE reference IS NOT NULL");
    let ended = stage
        .memory
        .database
        .count("removals WHERE reference IS NOT NULL AND state NOT IN ('awaiting-approval', 'in-flight')");
    let events = |wanted: &str| outbox.iter().filter(|(event, ..)| event == wanted).count();
    prop_assert_eq!((events("waiting"), events("decided")), (waited, ended));
    // What is delivered was taken. Where the platform takes a message twice for two, none was taken twice: neither a delivered one nor
    // one that is unknown.
    let takes_twice = ["google-chat", "standard-webhooks"].contains(&kind);
    for (taken, delivered, unknown) in of_removals(stage) {
        prop_assert!(taken >= delivered, "{taken} {delivered}");
        prop_assert!(takes_twice || taken <= delivered + unknown, "{taken} {delivered} {unknown}");
        prop_assert!(!takes_twice || unknown == 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_delivered_or_said(
        kind in prop_oneof![Just("slack"), Just("google-chat"), Just("standard-webhooks"), Just("wecom")],
        steps in prop::collection::vec(any_step(), 1..25),
        acts in prop::collection::vec(any_act(), 0..30),
        yields in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stage = runtime.block_on(run(kind, &steps, acts, yields));
        check(kind, &stage)?;
    }
}
