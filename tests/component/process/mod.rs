//! The process: baked, operated by jobs and probes, without its ledger or its files, killed, under load, traced; and what it must not show.

mod baked;
pub(crate) mod crashes;
mod described;
mod failures;
mod operated;
mod secrets;
mod soak;
mod traces;
