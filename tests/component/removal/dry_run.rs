//! Only what would happen: the whole way, and no DELETE.

use serde_json::json;

use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, Signature, Who};
use crate::harness::setup::Setup;

fn dry_run(user_name: &str) -> Ask {
    Ask { dry_run: true, ..Ask::to_remove(user_name) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_looks_and_sends_nothing() {
    for kind in Kind::ALL {
        for (ask, would, account, words) in [
            (
                dry_run("alice"),
                "remove",
                "present",
                "Dry run: `alice` would be removed from `analytics` at once\nNo removal was sent. The account exists.",
            ),
            (
                dry_run("nobody"),
                "remove",
                "absent",
                "Dry run: `nobody` would be removed from `analytics` at once\nNo removal was sent. The account does not exist.",
            ),
            (
                Ask { dry_run: true, ..Ask::on_production("alice") },
                "request-approval",
                "present",
                "Dry run: removing `alice` from `warehouse` would need 1 approval\nNo removal was sent. The account exists.",
            ),
            (
                dry_run("alice").by(Who::Stranger),
                "deny",
                "unknown",
                "Dry run: removing `alice` from `analytics` is not permitted\nNo removal was sent. The account list was not checked.",
            ),
        ] {
            // No requester is asked whether they mean it: there is nothing to mean.
            let gateway = Gateway::start(Setup { confirm: true, ..Setup::default() }.people()).await;
            let answer = gateway.ask(kind, &ask).await;
            assert_eq!((answer.status, answer.header("x-offboard-code")), (200, Some("DRY_RUN")), "{kind:?} {would}");
            if kind == Kind::Slack {
                assert_eq!(answer.text(), format!("ℹ️ {words}"));
            } else {
                let body = answer.json();
                assert_eq!((&body["would"], &body["account"]), (&json!(would), &json!(account)), "{kind:?}");
            }
            let row = gateway.row();
            assert_eq!((row.state.as_str(), row.dry_run, row.attempts), ("dry-run", true, 0));
            assert_eq!(gateway.deletes(), 0);
            let lists = gateway.simulator.requests().len();
            assert_eq!(lists, usize::from(would != "deny"), "{kind:?} {would}");
            assert!(gateway.has_account("alice"));
        }
    }
}

/// It tells too much to be had without proof.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_is_proved_like_any_other() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let answer = gateway.ask(kind, &Ask { signature: Signature::Wrong, ..dry_run("alice") }).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "OFFBOARD.40105"));
        assert_eq!(gateway.simulator.requests().len(), 0);
    }
}

/// And what was only asked about can still be asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_does_not_stand_for_the_removal() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        for _ in 0..2 {
            assert_eq!(gateway.ask(kind, &dry_run("alice")).await.header("x-offboard-code"), Some("DRY_RUN"));
        }
        assert_eq!(gateway.ask(kind, &Ask::default()).await.code(), "SUCCESS");
        let states: Vec<_> = gateway.rows().into_iter().map(|row| row.state).collect();
        assert_eq!(states, ["dry-run", "dry-run", "removed"]);
    }
}
