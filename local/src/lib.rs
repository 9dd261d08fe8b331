//! Runs the starrocks-offboard component on this machine, for development and tests. Production is Spin.
//!
//! [`component`] builds it, [`manifest`] reads spin.toml, [`runtime`] runs it on wasmtime with WASI and the Spin
//! interfaces that it imports, [`http`] talks to it; [`simulator`] and [`later`] are the cloud and Slack around it.
//! [`check`], [`explain`] and [`prepare`] are for whoever writes its configuration, and run nothing.

mod bindings;
mod engine;
mod outbound;
mod variables;

pub mod check;
pub mod component;
pub mod demo;
pub mod explain;
pub mod http;
pub mod later;
pub mod lint;
pub mod logs;
pub mod manifest;
pub mod prepare;
pub mod runtime;
pub mod simulator;
pub mod sqlite;
