//! The operator's commands, one file each: its arguments and what it does. Each prints its own result.

pub mod build;
pub mod check;
pub mod explain;
pub mod send;
pub mod serve;
pub mod setup;

mod ask;
mod explain_page;
mod variable;
