//! The ledger: failing statements, the statements on PostgreSQL, other versions, rows of strangers.

mod batches;
mod failures;
mod on_postgres;
mod refusals;
mod statements;
mod versions;
