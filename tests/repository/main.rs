//! What the files of this repository promise each other. Natively, without the component: seconds once it is compiled.
//!
//! - `directions`: which file of `src/` may import which
//! - `limits`: how long a function may be, and how many parameters it may have
//! - `manifest`: the variables of spin.toml
//! - `metrics`: what the dashboard shows and the alerts ask exists
//! - `deploy`, `template`: what runs the gateway on Kubernetes and by systemd, and what `spin new` lays down
//! - `kinds`: the page, the row and the cases of every caller kind
//! - `setup`: what the command prints for every kind, held to the platforms' own types
//! - `openapi`: docs/openapi.yaml has the routes, codes, states and keys of the sources
//! - `portals`: the examples of docs/portals.md are of the portals' own formats
//! - `readme`: the Chinese README has what the English one has

mod deploy;
mod directions;
mod kinds;
mod ledger_sql;
mod limits;
mod manifest;
mod metrics;
mod openapi;
mod portals;
mod readme;
mod setup;
mod sources;
mod template;

use std::fs;

use local::repository;

/// A file of this repository.
fn text_of(path: &str) -> String {
    fs::read_to_string(repository::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
