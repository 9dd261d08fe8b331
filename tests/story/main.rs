//! The whole flow on an in-memory host: no component, no network, milliseconds. `tests/component` has what a caller can observe of
//! the built component; here is what only a host that fails on command can show.
//!
//! - `removal`: from the request to the last message; dry runs, leavers
//! - `approvals`: what waits for a confirmation or an approval
//! - `audit`: who may read what became of a removal, in which form; the log
//! - `console`: who reads the console; what its pages show, as data, and to whom
//! - `ledger`: a ledger that fails, or of another version
//! - `production`: jobs, metrics, readiness, traces
//! - `notify`: who is told, and what becomes of each message
//! - `taurusdb`: what TaurusDB and IAM answer, and when they are asked again
//! - `callers`: the cases of the kinds; `differential` holds our signatures against the vendors' libraries
//! - `adversary`: attacks
//! - `allocations`: how much memory a test asks for
//! - `gateway`: the gateway and the demonstration's requests, for all of them

mod adversary;
mod allocations;
mod approvals;
mod audit;
mod callers;
mod console;
mod gateway;
mod ledger;
mod notify;
mod production;
mod removal;
mod taurusdb;
