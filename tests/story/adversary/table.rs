//! The rows of `tests/support/src/adversary`, in memory, and the names of all rows.

use super::{buttons, changes, follow_up, leavers, ledger, rules, taurusdb};
use crate::callers::kinds::InMemory;

#[tokio::test]
async fn what_an_adversary_tries_comes_to_nothing() {
    support::adversary::run::<InMemory>(&[]).await;
}

/// The names of all rows: enough of them, and each once.
#[test]
fn every_row_has_a_name_of_its_own() {
    let mut names = support::adversary::names();
    for of in
        [buttons::names, changes::names, follow_up::names, leavers::names, rules::names, ledger::names, taurusdb::names]
    {
        names.extend(of());
    }
    assert_eq!(support::adversary::twice(&names), [""; 0]);
    let ideas = names.iter().filter_map(|name| name.split_once('/')).map(|(_, idea)| idea);
    let ideas: std::collections::BTreeSet<_> = ideas.collect();
    eprintln!("{} rows, {} ideas", names.len(), ideas.len());
    if std::env::var("KIND").is_err() {
        assert!(names.len() >= 120 && ideas.len() >= 60, "{} rows, {} ideas", names.len(), ideas.len());
    }
}
