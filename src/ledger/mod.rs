//! The ledger.

pub mod approvals;
pub mod claims;
pub mod export;
pub mod people;
pub mod query;
pub mod refusals;
pub mod row;
pub mod schema;
pub mod sql;
