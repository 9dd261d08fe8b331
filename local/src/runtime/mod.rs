//! Runs the component behind HTTP on this machine: for development and tests. Production is Spin.
//!
//! To the component it behaves as Spin does: instances are reused and shared by concurrent requests
//! ([`Reuse`](options::Reuse)) and come from the same pool, spin.toml determines the paths, variables, files, hosts and
//! databases, the URI of a request is absolute with the `Host` header as its authority (and that header is not among the
//! headers then), outbound connections and those to PostgreSQL are shared by all instances, a statement of SQL returns its rows
//! while it runs, each write to standard error is a log record, and a trap is an empty 500.
//!
//! Not supported: inbound TLS, HTTP/2, Spin's `spin-*` request headers, limits on memory or time (a guest that never
//! returns to its host is not interrupted), Spin's environment variables for its engine, components of the 0.2 HTTP
//! interface, telemetry.

pub mod database;
pub mod logs;
pub mod meter;
pub mod options;
pub mod server;

pub(crate) mod allowed_hosts;
pub(crate) mod postgres_pool;

mod bindings;
mod call_sites;
mod connections;
mod engine;
mod instance;
mod instances;
mod limits;
mod outbound;
mod outbound_client;
mod postgres;
mod postgres_errors;
mod postgres_tls;
mod postgres_values;
mod row_stream;
mod sqlite;
mod stand_ins;
mod traces;
mod variables;
