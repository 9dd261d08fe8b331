//! What policy forbids to remove: not at once, not by a request, not with approvals.

use std::rc::Rc;

use proptest::prelude::*;
use serde_json::Value;
use starrocks_offboard::app::App;
use starrocks_offboard::ledger::Ledger;
use support::database::cases;
use support::memory::Memory;

use crate::approvals::shared::{DANA, ERIN, STRANGER, deletes, gateway_of, gateway_with, row_of, says};
use crate::gateway::{SUCCESS, memory};

const NOT_ALICE: &str = "@id(\"not-alice\") forbid (principal, action == Action::\"delete\", resource)
    when { resource.user_name == \"alice\" };";

const ONLY_APPROVED: &str = "@id(\"only-approved\") forbid (principal, action == Action::\"delete\", resource)
    when { resource.user_name == \"alice\" } unless { context.approved };";

/// A brake on two removals an hour, which approvals do not lift.
const BRAKE: &str = "@id(\"brake-two\") forbid (principal, action == Action::\"delete\", resource)
    when { context.removals_last_hour >= 2 };";

/// Dana asks, confirms, and Erin approves: what the last one reads.
async fn asked_and_approved(host: &Memory, app: &App, user_name: &str) -> String {
    let asked = says(host, app, DANA, &format!("{user_name} warehouse")).await;
    let reference = row_of(host, user_name).1;
    if reference.is_empty() {
        return asked;
    }
    says(host, app, DANA, &format!("confirm {reference}")).await;
    says(host, app, ERIN, &format!("approve {reference}")).await
}

/// What a person or the operator does in the property test.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Dana asks for an account's removal, from production or, where she may remove at once, from staging.
    Ask(usize, &'static str),
    /// A person decides about an account's newest request.
    Decide(usize, &'static str, &'static str),
    /// The operator writes other policies: the number of [`SETS`].
    Policy(usize),
    /// An hour and a bit go by, and whatever counts in it.
    Wait,
}

const ACCOUNTS: [&str; 2] = ["alice", "bob"];

/// Further policies, and the accounts whose removal they forbid: to everybody, and unless others approve.
const SETS: [(&str, &[&str], &[&str]); 4] = [
    ("", &[], &[]),
    (NOT_ALICE, &["alice"], &[]),
    (ONLY_APPROVED, &[], &["alice"]),
    ("@id(\"none\") forbid (principal, action == Action::\"delete\", resource);", &ACCOUNTS, &[]),
];

fn any_act() -> impl Strategy<Value = Act> {
    let decision = prop::sample::select(vec![
        (DANA, "confirm"),
        (DANA, "confirm"),
        (ERIN, "approve"),
        (ERIN, "approve"),
        (DANA, "approve"),
        (ERIN, "deny"),
    ]);
    let instance = prop::sample::select(vec!["warehouse", "warehouse", "analytics"]);
    prop_oneof![
        4 => (0_usize..2, instance).prop_map(|(account, instance)| Act::Ask(account, instance)),
        12 => (0_usize..2, decision).prop_map(|(account, (who, how))| Act::Decide(account, who, how)),
        3 => (0_usize..SETS.len()).prop_map(Act::Policy),
        1 => Just(Act::Wait),
    ]
}

thread_local! {
    /// A gateway of each set, made once: their policies take longer than a whole case.
    static APPS: [Rc<App>; 4] = SETS.map(|(more, ..)| Rc::new(gateway_of(more)));
}

async fn speak(set: usize, host: &Memory, who: &str, words: &str) -> String {
    let app = APPS.with(|apps| apps[set].clone());
    says(host, &app, who, words).await
}

/// What the newest request for an account waits under.
fn newest(host: &Memory, user_name: &str) -> Option<String> {
    let sql =
        "SELECT reference FROM removals WHERE user_name = ?1 AND reference IS NOT NULL ORDER BY rowid DESC LIMIT 1";
    host.database.row(sql, &[user_name.into()])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), ..ProptestConfig::default() })]

    /// No order of requests, decisions and changes of policy sends a DELETE for an account that a forbid covers at that moment;
    /// one that approvals lift needs the approval of another person.
    #[test]
    fn what_is_forbidden_is_not_removed(acts in prop::collection::vec(any_act(), 10..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let host = memory();
            Ledger::open(&host).await.map(drop).unwrap();
            let mut set = 0;
            for act in acts {
                host.answers.borrow_mut().clear();
                host.will_answer(200, SUCCESS);
                let before = host.sent.borrow().len();
                match act {
                    Act::Policy(number) => set = number,
                    Act::Wait => host.now.set(host.now.get() + 3_700_000),
                    Act::Ask(account, instance) => {
                        speak(set, &host, DANA, &format!("{} {instance}", ACCOUNTS[account])).await;
                    }
                    Act::Decide(account, who, how) => {
                        let Some(reference) = newest(&host, ACCOUNTS[account]) else { continue };
                        speak(set, &host, who, &format!("{how} {reference}")).await;
                    }
                }
                let (_, never, only_approved) = SETS[set];
                for request in &host.sent.borrow()[before..] {
                    let query = request.uri().query().unwrap_or_default();
                    let account = query.strip_prefix("user_name=").unwrap_or_default();
                    prop_assert!(ACCOUNTS.contains(&account), "{}", request.uri());
                    prop_assert!(!never.contains(&account), "{account} after {act:?}");
                    let approved = matches!(act, Act::Decide(_, ERIN, "approve"));
                    prop_assert!(approved || !only_approved.contains(&account), "{account} after {act:?}");
                }
            }
            Ok(())
        })?;
    }
}

fn columns(host: &Memory, user_name: &str) -> (String, String, Option<String>) {
    let sql = "SELECT state, policies, policy_set FROM removals WHERE user_name = ?1 ORDER BY rowid DESC LIMIT 1";
    host.database.row(sql, &[user_name.into()]).unwrap()
}

/// Case A1: who may request asks, and a colleague approves, although policy forbids to remove the account.
#[tokio::test]
async fn a_forbid_on_delete_cannot_be_approved_away() {
    let (host, app) = (memory(), gateway_of(NOT_ALICE));
    let denied = says(&host, &app, DANA, "alice warehouse").await;
    assert!(
        denied.starts_with("❌ Forbidden by policy: remove `alice` from `warehouse`")
            && denied.contains("`not-alice`")
            && denied.contains("OFFBOARD.40301"),
        "{denied}"
    );
    let set = Some(app.policies.digest().to_owned());
    assert_eq!(columns(&host, "alice"), ("denied".into(), "not-alice".into(), set));
    let dry = says(&host, &app, DANA, "alice warehouse --dry-run").await;
    assert!(dry.contains("not-alice"), "{dry}");
    // Another account of the same instance is requested and approved as ever.
    host.will_answer(200, SUCCESS);
    let removed = asked_and_approved(&host, &app, "bob").await;
    assert!(removed.contains("Removed `bob`"), "{removed}");
    assert_eq!(deletes(&host), 1);
}

/// The same where the forbid came while the request waited.
#[tokio::test]
async fn a_forbid_that_comes_later_ends_what_waits() {
    let (host, before) = (memory(), gateway_of(""));
    says(&host, &before, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &before, DANA, &format!("confirm {reference}")).await;
    assert_eq!(columns(&host, "alice").2, Some(before.policies.digest().to_owned()));
    let after = gateway_of(NOT_ALICE);
    let denied = says(&host, &after, ERIN, &format!("approve {reference}")).await;
    assert!(denied.contains("`not-alice`"), "{denied}");
    assert_ne!(before.policies.digest(), after.policies.digest());
    let set = Some(after.policies.digest().to_owned());
    assert_eq!((columns(&host, "alice"), deletes(&host)), (("denied".into(), "not-alice".into(), set), 0));
}

#[tokio::test]
async fn a_forbid_may_say_that_approvals_lift_it() {
    let (host, app) = (memory(), gateway_of(ONLY_APPROVED));
    host.will_answer(200, SUCCESS);
    let removed = asked_and_approved(&host, &app, "alice").await;
    assert!(removed.contains("Removed `alice`"), "{removed}");
    let set = Some(app.policies.digest().to_owned());
    assert_eq!(columns(&host, "alice"), ("removed".into(), "dba-approves,dba-asks-on-production".into(), set));
}

/// A brake without the exception counts for what others approve as well, at the moment of the last approval.
#[tokio::test]
async fn a_brake_without_an_exception_is_for_all() {
    let (host, app) = (memory(), gateway_of(BRAKE));
    for user_name in ["bob", "carol"] {
        host.will_answer(200, SUCCESS);
        asked_and_approved(&host, &app, user_name).await;
    }
    let denied = asked_and_approved(&host, &app, "dave").await;
    assert!(denied.contains("`brake-two`"), "{denied}");
    assert_eq!(deletes(&host), 2);
}

/// Case A6: the person who caused what a system asks for has no say in it, through none of their logins.
#[tokio::test]
async fn who_caused_a_request_neither_approves_nor_denies_it() {
    let erin =
        ("[[person]]", "[[person]]\nname = \"erin\"\nprincipals = [\"slack/U0ERIN\", \"portal/ERIN\"]\n\n[[person]]");
    let (host, app) = (memory(), gateway_with(&[erin]));
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &app, DANA, &format!("confirm {reference}")).await;
    host.database.execute("UPDATE removals SET caused_by = 'portal/ERIN' WHERE state = 'awaiting-approval'", &[]);
    for action in ["approve", "deny"] {
        let own = says(&host, &app, ERIN, &format!("{action} {reference}")).await;
        assert!(own.contains("OFFBOARD.40306"), "{own}");
    }
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-approval", 0));
    let row = says(&host, &app, ERIN, "pending").await;
    assert!(row.contains(&reference), "it is listed for the person who caused it: {row}");
    host.will_answer(200, SUCCESS);
    let removed = says(&host, &app, "U0FAY", &format!("approve {reference}")).await;
    assert!(removed.contains("Removed `alice`"), "{removed}");
    let lines = host.lines.borrow();
    let line: Value = lines.iter().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap();
    assert_eq!((&line["caused_by"], &line["event"]), (&"portal/ERIN".into(), &"removed".into()));
}

/// A click on what was carried out is answered from the row, although its instance or account is not configured any more.
#[tokio::test]
async fn a_late_click_is_answered_from_the_row() {
    let gone = ("name = \"warehouse\"", "name = \"warehouse-2\"");
    let protected = ("protected = [\"etl_*\"]", "protected = [\"ali*\"]");
    for change in [gone, protected] {
        let (host, app) = (memory(), gateway_with(&[]));
        host.will_answer(200, SUCCESS);
        asked_and_approved(&host, &app, "alice").await;
        let reference = row_of(&host, "alice").1;
        let now = gateway_with(&[change]);
        for (who, action) in
            [(ERIN, "approve"), ("U0FAY", "approve"), (ERIN, "deny"), (DANA, "cancel"), (DANA, "confirm")]
        {
            let late = says(&host, &now, who, &format!("{action} {reference}")).await;
            assert!(!late.contains("40907") && late.contains("Removed"), "{change:?} {who} {action}: {late}");
        }
        let stranger = says(&host, &now, STRANGER, &format!("approve {reference}")).await;
        assert!(stranger.contains("OFFBOARD.40304"), "{stranger}");
        assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));
    }
}

/// A policy that cannot be evaluated: its sum overflows.
const BROKEN: &str = "@id(\"broken\") forbid (principal, action, resource)
    when { 9223372036854775807 + context.hour > 0 };";

/// "No policy permits this" would send the requester to a person who cannot help.
#[tokio::test]
async fn a_denial_without_an_evaluation_says_so() {
    let is_said = |answer: &str| {
        assert!(answer.contains("could not be evaluated") && answer.contains("OFFBOARD.40301"), "{answer}");
        assert!(answer.contains("look at the log"), "{answer}");
    };
    let (host, broken) = (memory(), gateway_of(BROKEN));
    is_said(&says(&host, &broken, DANA, "alice analytics").await);

    // What waited before the policies broke, and the repeat of the same click.
    says(&host, &gateway_of(""), DANA, "bob analytics").await;
    let (_, reference) = row_of(&host, "bob");
    for _ in 0..2 {
        is_said(&says(&host, &broken, DANA, &format!("confirm {reference}")).await);
    }
    assert_eq!(deletes(&host), 0);
}
