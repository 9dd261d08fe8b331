//! What the suites in `tests/`, the targets in `fuzz/` and the benchmarks in `benches/` share. For development and tests, not for
//! production.
//!
//! - [`memory`]: the core's host in memory, for the story and the fuzz targets; [`database`] is its ledger, on SQLite or
//!   PostgreSQL, and [`on_postgres`] runs suites on the latter once more
//! - [`kind`], [`case`]: the folders of `tests/fixtures/callers`; [`platforms`] runs what plays the platforms, [`python`] installs the
//!   vendors' packages
//! - [`stage`]: what a suite implements so that [`run_cases`], [`refusals`], [`rotation`] and [`adversary`] can run on it: natively in
//!   memory (`tests/story`) and through the built component (`tests/component`)
//! - [`portals`]: the examples of docs/portals.md
//! - [`planned`]: answers of TaurusDB that a fixture plans
//! - [`postgres_proxy`]: what goes wrong between the gateway and PostgreSQL
//! - [`bench_files`], [`bench_host`]: the configuration and the host of the benchmarks; [`budget`]: what one removal costs
//!
//! Nothing here decides how the gateway behaves: what is expected stands in the fixtures and in the suites.

pub mod adversary;
pub mod answered;
pub mod bench_files;
pub mod bench_host;
pub mod budget;
pub mod case;
pub mod database;
pub mod kind;
pub mod memory;
pub mod on_postgres;
pub mod planned;
pub mod platforms;
pub mod portals;
pub mod postgres_ledger;
pub mod postgres_proxy;
pub mod python;
pub mod refusals;
pub mod rotation;
pub mod run_cases;
pub mod stage;

mod postgres_messages;
