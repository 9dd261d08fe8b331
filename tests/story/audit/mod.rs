//! Reading the audit trail, and the log, which is its copy.

mod accounts;
mod any_rows;
mod forms;
mod get_removal;
mod log;
mod permissions;
mod search;
pub(crate) mod shared;
