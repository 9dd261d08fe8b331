//! Claims and outcomes of concurrent requests that share a statement.

use futures_util::future::join_all;

use crate::gateway::{SUCCESS, app, ask, documented, memory, seconds, text};

/// The answers to requests that are under way at once, one for each account.
async fn at_once(user_names: &[String]) -> (Vec<String>, support::memory::Memory) {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.unwrap();
    host.gathers.set(true);
    for _ in user_names {
        host.will_answer(200, SUCCESS);
    }
    let asked =
        user_names.iter().map(|name| ask(&host, &app, documented(seconds(&host), &format!("user_name={name}"))));
    let answers = join_all(asked).await;
    let answers = answers.iter().map(|answer| format!("{} {}", answer.status().as_u16(), text(answer))).collect();
    (answers, host)
}

/// The brake is at twenty: none of those that share a statement sees the others of it, and still they are twenty in all.
#[tokio::test]
async fn a_brake_counts_those_that_are_claimed_together() {
    let names: Vec<String> = (0..48).map(|number| format!("user{number}")).collect();
    let (answers, host) = at_once(&names).await;
    assert!(host.batches.borrow().contains(&16), "{:?}", host.batches.borrow());
    let braked = answers.iter().filter(|answer| answer.starts_with("403") && answer.contains("brake-twenty-an-hour"));
    assert_eq!(braked.count(), 28, "{answers:#?}");
    assert_eq!(host.sent.borrow().len(), 20);
    let states = |state: &str| host.rows().iter().filter(|row| row.0 == state).count();
    assert_eq!((states("removed"), states("denied")), (20, 28));
    assert!(host.rows().iter().filter(|row| row.0 == "removed").all(|row| row.4 == 1), "{:?}", host.rows());
}

/// Copies of one delivery are one DELETE, whether they share a statement or not.
#[tokio::test]
async fn copies_of_a_delivery_are_claimed_once() {
    let names: Vec<String> = (0..12).map(|number| format!("user{}", number % 4)).collect();
    let (answers, host) = at_once(&names).await;
    assert_eq!(host.sent.borrow().len(), 4);
    assert_eq!(host.rows().len(), 4, "{:?}", host.rows());
    let (sent, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.starts_with("200"));
    assert!(sent.len() >= 4 && others.iter().all(|answer| answer.contains("OFFBOARD.40901")), "{answers:#?}");
}

/// A statement that fails fails for all that share it, and nothing is sent.
#[tokio::test]
async fn a_shared_statement_that_fails() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.unwrap();
    host.gathers.set(true);
    host.fails_at.set(host.statements.get() + 1);
    let asked = (0..3).map(|number| ask(&host, &app, documented(seconds(&host), &format!("user_name=user{number}"))));
    let answers: Vec<u16> = join_all(asked).await.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!((answers, host.sent.borrow().len()), (vec![503; 3], 0));
}
