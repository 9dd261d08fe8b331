//! The ledger: failing statements, other versions, rows of strangers.

mod failures;
mod refusals;
mod versions;
