//! What both bench targets need: the configuration that they run under, and the core's runtime without a component.
#![allow(dead_code, reason = "each of them uses a part")]

pub(crate) mod config;
pub(crate) mod host;
