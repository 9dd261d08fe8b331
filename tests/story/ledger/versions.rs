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

/// A database whose tables were not all made is finished by the next request, wherever the first one stopped.
#[tokio::test]
async fn a_database_that_was_not_finished_is_finished() {
    for fails_at in 0..50 {
        let host = memory();
        host.fails_at.set(fails_at);
        let opened = app().ledger(&host).await.is_ok();
        let statements = host.statements.get();
        host.fails_at.set(0);
        let app = app();
        host.will_answer(200, SUCCESS);
        assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200, "{fails_at}");
        let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
        assert_eq!(states, ["removed"], "{fails_at}");
        // The last attempts are those that no statement fails in.
        assert!(fails_at < 49 || (opened && statements < 49), "{statements}");
    }
}
