//! The metrics of `GET /metrics`: their names are an interface. docs/operations.md says what each counts, docs/dashboard.json shows
//! them.

use crate::reply::exposition::{Metric, MetricType};

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, of_type: MetricType::Gauge, help }
}

/// Rows by state, instance and caller.
pub const REMOVALS: Metric =
    gauge("offboard_removals_31d", "Rows of the ledger whose request first came in the last 31 days.");

/// Rows that wait for a person.
pub const WAITING: Metric = gauge("offboard_waiting", "Requests that wait for a confirmation or an approval.");

/// How long the oldest of them has waited.
pub const WAITING_OLDEST: Metric =
    gauge("offboard_waiting_oldest_seconds", "How long the oldest request that waits has waited.");

/// Rows that only the account list can settle.
pub const UNKNOWN: Metric =
    gauge("offboard_unknown", "Removals that were sent and whose outcome is unknown, by instance.");

/// How long ago the oldest of them was asked.
pub const UNKNOWN_OLDEST: Metric =
    gauge("offboard_unknown_oldest_seconds", "How long ago the oldest removal of unknown outcome was requested.");

/// Requests that did not remove an account.
pub const REFUSALS: Metric = Metric {
    name: "offboard_refusals_total",
    of_type: MetricType::Counter,
    help: "Requests that did not remove an account, by code and by the policies that forbade them; from 0 at each 00:00 UTC.",
};

/// How long TaurusDB took.
pub const UPSTREAM: Metric = Metric {
    name: "offboard_upstream_seconds",
    of_type: MetricType::Histogram,
    help: "How long TaurusDB took for a removal with all attempts, out of the ledger's rows; from 0 at each 00:00 UTC.",
};

/// Messages of the outbox.
pub const MESSAGES: Metric = gauge(
    "offboard_messages",
    "Messages that wait to be told, and those of the last 31 days that are dead or may not have been delivered, by target.",
);

/// How long the oldest that waits has waited.
pub const MESSAGES_OLDEST: Metric = gauge(
    "offboard_messages_oldest_seconds",
    "How long the oldest message that waits to be told has waited, by target.",
);

/// Which gateway it is.
pub const BUILD_INFO: Metric =
    gauge("offboard_build_info", "1, with the version and the digests of configuration and policies.");

/// Where the ledger is.
pub const LEDGER_INFO: Metric = gauge("offboard_ledger_info", "1, with the kind of database that the ledger is in.");

/// All of them, in the order in which they are written.
pub const ALL: [Metric; 11] = [
    BUILD_INFO,
    LEDGER_INFO,
    REMOVALS,
    WAITING,
    WAITING_OLDEST,
    UNKNOWN,
    UNKNOWN_OLDEST,
    REFUSALS,
    UPSTREAM,
    MESSAGES,
    MESSAGES_OLDEST,
];
