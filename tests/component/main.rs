//! The built component, driven over HTTP through the local runtime, beside a simulated TaurusDB: what a caller can observe.
//!
//! - `callers`: the cases of the kinds, what is refused of every kind, the adversary's table, the vendors' own packages, secrets that
//!   are rotated
//! - `removal`: repeats, dry runs, policy, messages that follow the answer
//! - `approvals`: what waits for a confirmation or an approval
//! - `audit`: what became of a removal
//! - `taurusdb`: what TaurusDB and IAM answer, what they do wrong, and each time limit, really waited for
//! - `ledger`: its databases, what is lost on the way to them, and one that would forget
//! - `console`: people who sign in at a real OpenID Provider
//! - `budget`: what one removal may cost, counted
//! - `notify`: approvers who are told
//! - `process`: what the build parsed, no ledger, no configuration, a killed process, load and faults at once; what must not leak
//! - `harness`: the gateway that the suites start, and what they send to it

mod approvals;
mod audit;
mod budget;
mod callers;
mod console;
mod harness;
mod ledger;
mod notify;
mod process;
mod removal;
mod taurusdb;
