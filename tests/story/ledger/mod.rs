//! The ledger: failing statements, other versions, rows of strangers.

mod batches;
mod failures;
mod refusals;
mod versions;
