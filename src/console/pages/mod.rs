//! The pages, one file each: a view, and a function that renders it.

pub mod accounts;
pub mod ask;
pub mod error;
pub mod frame;
pub mod policy;
pub mod removal;
pub mod removals;
pub mod signin;
pub mod waiting;
