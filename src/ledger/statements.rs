//! All statements of the ledger, for the test that prepares each on a real server.

use crate::ledger::{
    approvals, claims, departures, history, measures, outbox, people, postgres, query, refusals, retention, reviewed,
};

/// Every statement of the ledger that runs on PostgreSQL; all but the one that opens it run on SQLite, too.
pub(crate) const ALL: [&[&str]; 12] = [
    approvals::STATEMENTS,
    claims::STATEMENTS,
    departures::STATEMENTS,
    history::STATEMENTS,
    measures::STATEMENTS,
    outbox::STATEMENTS,
    people::STATEMENTS,
    postgres::STATEMENTS,
    query::STATEMENTS,
    refusals::STATEMENTS,
    retention::STATEMENTS,
    reviewed::STATEMENTS,
];
