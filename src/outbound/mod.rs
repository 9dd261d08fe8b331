//! Calls to other systems: how often, and for how long.

pub mod budget;
pub mod retry;
