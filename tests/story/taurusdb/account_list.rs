//! An outcome that TaurusDB does not state is read from the account list.

use starrocks_offboard::host::SendError;

use crate::gateway::{SUCCESS, app, ask, documented, header, memory, seconds, text};
use crate::taurusdb::shared::{HTML, failure, newest, remove_alice, row};

/// No answer, or none that can be used: the account list says what the removal did.
#[tokio::test]
async fn an_unknown_outcome_is_settled_by_the_list() {
    let unknown: [(u16, &str, &str); 6] = [
        (0, "", "OFFBOARD.50202"),
        (200, r#"{"result":"MAYBE"}"#, "OFFBOARD.50202"),
        (202, "", "OFFBOARD.50202"),
        (502, HTML, "OFFBOARD.50290"),
        (502, r#"{"error_code":"APIGW.0613","error_msg":"words of TaurusDB"}"#, "APIGW.0613"),
        (504, r#"{"error_code":"APIGW.0201","error_msg":"words of TaurusDB"}"#, "APIGW.0201"),
    ];
    for (status, body, code) in unknown {
        for listed in [Some(&["alice2"][..]), Some(&["alice"]), None] {
            let (host, app) = (memory(), app());
            match status {
                0 => host.will_fail(SendError::Broken("reset".into())),
                status => host.will_answer(status, body),
            }
            match listed {
                Some(names) => host.will_list(names),
                None => host.will_answer(500, HTML),
            }
            let answer = remove_alice(&host, &app).await;
            let expected = match listed {
                Some(["alice2"]) => row("removed", "SUCCESS", 1, Some("account-list")),
                Some(_) => row("not-removed", "OFFBOARD.50204", 1, Some("account-list")),
                None => row("unknown", code, 1, None),
            };
            assert_eq!(newest(&host), expected, "{status} {body} {listed:?}");
            assert_eq!(host.methods(), ["DELETE", "GET"]);
            assert_eq!(header(&answer, "x-offboard-confirmed-by"), expected.3.as_deref());
            if expected.0 == "removed" {
                assert_eq!(text(&answer), SUCCESS);
            }
            let list = host.sent.borrow()[1].uri().to_string();
            assert!(list.ends_with("/starrocks/users?limit=100&offset=0&user_name=alice"), "{list}");

            // The same delivery again never sends a second DELETE of what may have been done.
            if expected.0 != "not-removed" {
                if listed.is_none() {
                    host.will_list(&[]);
                }
                let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
                assert_eq!(text(&repeat), SUCCESS);
                assert_eq!(newest(&host), row("removed", "SUCCESS", 1, Some("account-list")));
                assert_eq!(host.methods().iter().filter(|method| *method == "DELETE").count(), 1);
                assert_eq!(header(&repeat, "x-offboard-confirmed-by"), Some("account-list"));
            }
        }
    }
}

#[tokio::test]
async fn the_list_is_read_page_by_page() {
    let names: Vec<String> = (0..250).map(|number| format!("alice_{number:03}")).collect();
    let page = |range: std::ops::Range<usize>, total: usize| {
        let users: Vec<_> = names[range].iter().map(|name| serde_json::json!({"user_name": name})).collect();
        serde_json::json!({"user_details": users, "total_count": total}).to_string()
    };
    let (host, app) = (memory(), app());
    host.will_fail(SendError::Broken("reset".into()));
    // It changes during the first reading.
    host.will_answer(200, &page(0..100, 250));
    host.will_answer(200, &page(101..201, 249));
    for range in [0..100, 100..200, 200..250] {
        host.will_answer(200, &page(range, 250));
    }
    remove_alice(&host, &app).await;
    assert_eq!(newest(&host), row("removed", "SUCCESS", 1, Some("account-list")));
    let offsets: Vec<_> =
        host.sent.borrow()[1..].iter().map(|request| request.uri().query().unwrap().to_owned()).collect();
    let offset = |number| format!("limit=100&offset={number}&user_name=alice");
    assert_eq!(offsets, [0, 100, 0, 100, 200].map(offset));
}

#[tokio::test]
async fn an_account_that_was_not_there() {
    for (listed, state) in
        [(Some(&[][..]), "already-gone"), (None, "already-gone"), (Some(&["alice"][..]), "refused-upstream")]
    {
        let (host, app) = (memory(), app());
        host.will_answer(400, &failure("DBS.200824"));
        match listed {
            Some(names) => host.will_list(names),
            None => host.will_answer(500, HTML),
        }
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (400, failure("DBS.200824")));
        assert_eq!(newest(&host), row(state, "DBS.200824", 1, None));
    }
}

/// A request for the same account, by any requester, settles the unknown outcome of an earlier one, before it changes the list.
#[tokio::test]
async fn a_later_request_settles_an_earlier_one() {
    let (host, app) = (memory(), app());
    host.will_fail(SendError::Broken("reset".into()));
    host.will_answer(500, HTML);
    remove_alice(&host, &app).await;
    assert_eq!(newest(&host).0, "unknown");

    host.will_list(&["alice"]);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(host.methods(), ["DELETE", "GET", "GET", "DELETE"]);
    let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
    assert_eq!(states, ["not-removed", "removed"]);
}

/// The instance that carried it out is gone. As long as it could still be there, a repeat waits; after that, the list says what was done.
#[tokio::test]
async fn a_removal_that_was_left_in_flight() {
    for (listed, expected) in [
        (Some(&[][..]), row("removed", "SUCCESS", 1, Some("account-list"))),
        (Some(&["alice"][..]), row("not-removed", "OFFBOARD.50204", 1, Some("account-list"))),
        (None, row("unknown", "OFFBOARD.50202", 1, None)),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        remove_alice(&host, &app).await;
        let delivery = documented(seconds(&host), "user_name=alice");
        let left =
            "UPDATE removals SET state = 'in-flight', status = NULL, code = NULL, message = NULL, ended_at = NULL";
        host.database.execute(left, &[]);

        host.now.set(host.now.get() + 34_999);
        let early = ask(&host, &app, delivery.clone()).await;
        assert_eq!((early.status().as_u16(), header(&early, "retry-after")), (409, Some("1")));

        host.now.set(host.now.get() + 1);
        match listed {
            Some(names) => host.will_list(names),
            None => host.will_answer(500, HTML),
        }
        let answer = ask(&host, &app, delivery).await;
        assert_eq!(newest(&host), expected);
        assert_eq!(answer.status().as_u16(), if expected.0 == "removed" { 200 } else { 502 });
        assert_eq!(host.methods(), ["DELETE", "GET"]);
    }
}

/// A repeat that cannot be sent changes nothing in the row of a removal that was: its DELETE may still take effect.
#[tokio::test]
async fn a_repeat_that_is_not_sent_leaves_the_row_of_what_was() {
    let (mut host, app) = (memory(), app());
    let delivery = documented(seconds(&host), "user_name=alice");
    host.will_fail(SendError::Broken("reset".into()));
    host.will_list(&["alice"]);
    ask(&host, &app, delivery.clone()).await;
    assert_eq!(newest(&host), row("not-removed", "OFFBOARD.50204", 1, Some("account-list")));

    host.variables.remove("huaweicloud_secret_key");
    let answer = ask(&host, &app, delivery).await;
    assert!(text(&answer).contains("OFFBOARD.50303"), "{}", text(&answer));
    assert_eq!(host.rows().len(), 1);
    assert_eq!(newest(&host), row("not-removed", "OFFBOARD.50204", 1, Some("account-list")));
}
