//! What no input may do, as one function for each target: it takes bytes and panics when something is not as it has to be.
//!
//! libFuzzer drives these functions through the binaries in `fuzz_targets/`, which need the feature `libfuzzer`;
//! `tests/corpora.rs` gives them the files of `corpus/` and `regressions/`, with the pinned Rust and nothing else.
//!
//! - [`caller`]: a request of any caller kind, proved or not; [`chat`]: what people type
//! - [`upstream`]: what TaurusDB says; [`iam`]: what IAM and the issuers of keys say
//! - [`config`]: offboard.toml, the policy and its schema
//! - [`filter`]: SCIM's filters and the paths of its PATCH
//! - [`token`], [`signature`], [`strict`], [`search`]: the readers below
//! - [`story`]: several people, several requests, and what can go wrong between them
//!
//! The invariants of the whole are in `watched`: a runtime in memory that looks at each statement and each call.
//!
//! Not in here: `src/shell/` and the engine below it, which a native build does not have.

#![allow(clippy::expect_used, reason = "a finding is a panic")]

mod caller;
mod chat;
mod config;
mod filter;
mod iam;
mod kinds;
mod proof;
mod readers;
mod stories;
mod upstream;
mod watched;
mod wire;

pub use caller::caller;
pub use chat::chat;
pub use config::config;
pub use filter::filter;
pub use iam::iam;
pub use readers::{search, signature, strict, token};
pub use stories::story;
pub use upstream::upstream;

/// A target: what it is called, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 11] = [
    ("caller", caller),
    ("chat", chat),
    ("config", config),
    ("filter", filter),
    ("iam", iam),
    ("search", search),
    ("signature", signature),
    ("story", story),
    ("strict", strict),
    ("token", token),
    ("upstream", upstream),
];
