//! A ledger of another version of the gateway.

use crate::gateway::{SUCCESS, app, ask, documented, memory, seconds};
use crate::taurusdb::shared::remove_alice;

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_left_alone() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    host.database.execute("INSERT INTO ledger (version) VALUES (6)", []).unwrap();
    let fresh = self::app();
    let answer = ask(&host, &fresh, documented(seconds(&host) + 1, "user_name=bob")).await;
    assert_eq!((answer.status().as_u16(), host.sent.borrow().len(), host.rows().len()), (503, 1, 1));
}

/// A ledger of an earlier version goes on to be used and loses nothing, wherever the first attempt to bring it up to date broke
/// off.
#[tokio::test]
async fn a_ledger_of_an_earlier_version_is_brought_up_to_date() {
    for version in [
        include_str!("../../fixtures/ledger/version-1.sql"),
        include_str!("../../fixtures/ledger/version-2.sql"),
        include_str!("../../fixtures/ledger/version-3.sql"),
        include_str!("../../fixtures/ledger/version-4.sql"),
    ] {
        for fails_at in 0..50 {
            let host = memory();
            host.database.execute_batch(version).unwrap();
            host.fails_at.set(fails_at);
            let opened = app().ledger(&host).await.is_ok();
            let statements = host.statements.get();
            host.fails_at.set(0);
            let app = app();
            host.will_list(&["alice"]);
            host.will_answer(200, SUCCESS);
            assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200, "{fails_at}");
            let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
            assert_eq!(states, ["removed", "not-removed", "removed"], "{fails_at}");
            // The last attempts are those that no statement fails in.
            assert!(fails_at < 49 || (opened && statements < 49), "{statements}");
        }
    }
}
