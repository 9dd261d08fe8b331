//! Runs the starrocks-offboard component on this machine, for development and tests. Production is Spin.
//!
//! [`cli`] has the operator's commands, [`demo`] the demonstration, [`lint`] what `check` reports, [`setup`]
//! what `setup` makes. [`runtime`] runs the
//! component on wasmtime with WASI and the Spin interfaces that it imports, [`component`] builds and bakes it, [`manifest`] reads
//! spin.toml. [`simulator`] is the cloud and the chat platform around the component, [`http_client`] sends requests to
//! all of them. [`postgres_server`] is a PostgreSQL for tests, [`chromium`] a browser.
//!
//! Directions: cli → {demo, lint, setup} → {runtime, simulator} → component → manifest. Nothing imports anything above itself.

pub mod chromium;
pub mod cli;
pub mod component;
pub mod demo;
pub mod http_client;
pub mod lint;
pub mod manifest;
pub mod postgres_server;
pub mod repository;
pub mod runtime;
pub mod setup;
pub mod simulator;

mod operator_files;
mod whole_file;
mod words;
