//! The ledger: failing statements, other versions, rows of strangers.

mod batches;
mod failures;
mod on_postgres;
mod refusals;
mod versions;
