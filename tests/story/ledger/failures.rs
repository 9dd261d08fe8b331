//! A ledger that fails at any statement.

use crate::gateway::{SUCCESS, app, ask, documented, memory, seconds, text};

/// Whichever statement fails, nothing leaves without its row, and the asker hears the truth.
#[tokio::test]
async fn a_ledger_that_fails_at_any_statement() {
    let whole = {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        host.statements.get()
    };
    for fails_at in 1..=whole {
        let (host, app) = (memory(), app());
        host.fails_at.set(fails_at);
        host.will_answer(200, SUCCESS);
        let answer = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        let sent = host.sent.borrow().len();
        if [1, 3, 4, 5, whole].contains(&fails_at) {
            // A question that is not answered, two pragmas that are not taken, a table that is not there yet, and an outcome
            // that cannot be recorded.
            assert_eq!((answer.status().as_u16(), sent), (200, 1), "statement {fails_at}");
        } else {
            assert_eq!((answer.status().as_u16(), sent), (503, 0), "statement {fails_at}");
            assert!(text(&answer).contains("OFFBOARD.50301"));
        }
        if fails_at == whole {
            assert_eq!(host.rows()[0].0, "in-flight");
            let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
            assert_eq!((repeat.status().as_u16(), host.sent.borrow().len()), (409, 1));
        }
    }
}
