//! The adversary's table, as far as the runtime has to fail, to change or to be looked into for it: what only a host in memory
//! can do. The rows that are a request and an answer are in `tests/support/src/adversary`, and run here, too.
//!
//! - `buttons`: who says yes, when, to what, and how often
//! - `follow_up`: addresses for an answer after the answer that are not the platform's
//! - `growth`: the largest inputs of each reader, whose work grows no faster than they do
//! - `leavers`: people whose names make other people's accounts
//! - `taurusdb`: what the cloud says that is not to be shown as it is
//! - `ledger`: a ledger that is gone, full, locked, or only to be read
//! - `proofs`: keys whose ids could be told apart, and teams that would outlive their token
//! - `rules`: configuration and policy that cannot be used, or that say nothing
//! - `changes`: configuration that is another one between two requests
//! - `words`: words of others, where people read them

mod buttons;
mod changes;
mod follow_up;
mod growth;
mod leavers;
mod ledger;
mod proofs;
mod rules;
pub(crate) mod shared;
mod table;
mod taurusdb;
mod words;
