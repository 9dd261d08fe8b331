//! Policy as an operator meets it: through the whole component. What Cedar itself decides is tested in `src/policy/`.

use support::planned::Planned;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{PATIENCE, send};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, INSTANCE, Kind};
use crate::harness::row::Row;
use crate::harness::setup::Setup;

/// With a token, because its validity does not depend on the clocks of these tests.
fn with_token() -> Setup {
    Setup::default()
        .replace("offboard.toml", "credentials = \"aksk\"", "credentials = \"token\"")
        .variable("huaweicloud_token", local::simulator::demo::TOKEN)
}

fn numbered(number: usize) -> Ask {
    Ask { webhook_id: format!("msg_{number}"), ..Ask::to_remove(&format!("user_{number}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brake_lets_twenty_an_hour_pass() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(with_token()).await;
        for number in 1..=22 {
            gateway.simulator.add_account(INSTANCE, &format!("user_{number}"));
        }
        // Refused ones do not count.
        for number in 31..=32 {
            assert_eq!(gateway.ask(kind, &numbered(number)).await.code(), "DBS.200824");
            gateway.advance(1);
        }
        for number in 1..=20 {
            gateway.advance(1000);
            let answer = gateway.ask(kind, &numbered(number)).await;
            assert_eq!(answer.code(), "SUCCESS", "{number}");
            assert_eq!(answer.header("x-offboard-policy"), Some("dba-removes-on-staging"));
        }

        gateway.advance(1000);
        let braked = gateway.ask(kind, &numbered(21)).await;
        assert_eq!(braked.code(), "OFFBOARD.40301");
        assert_eq!(braked.header("x-offboard-policy"), Some("brake-twenty-an-hour"));
        assert!(
            braked.says(
                "this removal is forbidden by policy `brake-twenty-an-hour`; no removal was sent; ask the operator"
            ),
            "{braked:#?}"
        );
        assert_eq!(gateway.deletes(), 22);
        let row = gateway.rows().pop().unwrap();
        assert_eq!((row.state.as_str(), row.policies.as_str()), ("denied", "brake-twenty-an-hour"));
        assert_eq!(row.actor.as_deref(), Some(kind.principal()));

        // Others are not braked by it.
        let other = Kind::ALL.into_iter().find(|other| *other != kind).unwrap();
        assert_eq!(gateway.ask(other, &Ask::default()).await.code(), "SUCCESS");

        // An hour after the first of the twenty there is room for one, and no sooner.
        gateway.advance(3_600_000 - 20_000 - 1);
        let too_soon = Ask { webhook_id: "msg_41".into(), ..numbered(21) };
        assert_eq!(gateway.ask(kind, &too_soon).await.code(), "OFFBOARD.40301");
        gateway.advance(1);
        let late_enough = Ask { webhook_id: "msg_42".into(), ..numbered(22) };
        assert_eq!(gateway.ask(kind, &late_enough).await.code(), "SUCCESS");
    }
}

/// Forty requests that have all counted before any of them was claimed are not forty removals.
#[tokio::test(flavor = "multi_thread")]
async fn the_brake_holds_for_requests_at_once() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let (host, now) = (gateway.address.to_string(), gateway.now());
        let hold = gateway.simulator.hold();
        let mut requests = JoinSet::new();
        for number in 1..=40 {
            gateway.simulator.add_account(INSTANCE, &format!("user_{number}"));
            requests.spawn(send(gateway.address, numbered(number).wire(kind, &host, now).request()));
        }
        let mut next = async || {
            let answer = timeout(PATIENCE, requests.join_next()).await;
            answer.unwrap_or_else(|_| panic!("{} DELETEs left", gateway.deletes())).unwrap().unwrap()
        };
        for _ in 0..20 {
            let denied = next().await;
            assert_eq!(denied.code(), "OFFBOARD.40301");
            assert_eq!(denied.header("x-offboard-policy"), Some("brake-twenty-an-hour"));
        }
        hold.release();
        for _ in 0..20 {
            assert_eq!(next().await.code(), "SUCCESS");
        }
        assert_eq!(gateway.deletes(), 20);
        gateway.settled().await;
        let rows = gateway.rows();
        let with = |state: &str, policies: &str, attempts| {
            let like = |row: &&Row| row.state == state && row.policies == policies && row.attempts == attempts;
            rows.iter().filter(like).count()
        };
        assert_eq!(with("removed", "dba-removes-on-staging", 1), 20, "{rows:#?}");
        assert_eq!(with("denied", "brake-twenty-an-hour", 0), 20, "{rows:#?}");
    }
}

/// The brake counts what may have happened, too: the DELETE whose outcome is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn the_brake_counts_unknown_outcomes() {
    let brake = "context.removals_last_hour >= 20";
    let setup = Setup {
        upstream: vec![Planned { hang_up: true, ..Planned::default() }],
        ..Setup::default().replace("policy.cedar", brake, "context.removals_last_hour >= 1").fault("list:down")
    };
    let gateway = Gateway::start(setup).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50202");
    gateway.advance(1000);
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.40301");
}

/// A brake for an instance holds for every requester.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_its_own_count() {
    let brake = "context.removals_last_hour >= 20";
    let gateway =
        Gateway::start(Setup::default().replace("policy.cedar", brake, "context.instance_removals_last_hour >= 1"))
            .await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "SUCCESS");
    assert_eq!(gateway.ask(Kind::Slack, &Ask::to_remove("bob")).await.code(), "OFFBOARD.40301");
}
