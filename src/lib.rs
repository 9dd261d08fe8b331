//! starrocks-offboard: the edge function that removes a StarRocks database account on Huawei Cloud TaurusDB at an authorized
//! request.
//!
//! ```text
//! Inbound ─route─▶ Route ─authenticate─▶ Session ─parse─▶ Command
//!    ─dispatch─▶ RemovalRequest ─authorize─▶ Decision ─claim─▶ Claim
//!    ─execute─▶ Outcome ─▶ Report ─record─▶ row ─render─▶ Rendered ─▶ Response
//! ```
//!
//! Each arrow is one call, and each type is made by the arrow before it. Read [`flow`] and `operations::remove` first.
//!
//! Directions, held by a test that reads the imports:
//!
//! ```text
//! shell → flow → operations → app → {callers, console, policy, ledger, taurusdb, notify}
//!       → {request, reply, outcome, config, outbound} → {host, secret, crypto, diagnostic}
//! ```
//!
//! Two files never import each other in a circle, and nothing below imports anything above. Nothing but `shell` names Spin;
//! [`policy`] sees neither HTTP nor SQL; [`callers`] sees nothing of [`taurusdb`] and [`ledger`]. [`host`] is the only port: all
//! that is not a pure function of its arguments goes through it.
//!
//! `docs/architecture.md` has the code map, the invariants and a glossary.

// A trap in a shared WASI 0.3 instance kills its neighbours' requests too, so nothing here may panic on any input.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::panic,
        clippy::unreachable,
        clippy::arithmetic_side_effects
    )
)]

pub mod app;
pub mod callers;
pub mod config;
pub mod console;
pub mod crypto;
pub mod diagnostic;
pub mod flow;
pub mod host;
pub mod jwks_cache;
pub mod ledger;
pub mod notify;
pub mod operations;
pub mod outbound;
pub mod outcome;
pub mod policy;
pub mod provider_cache;
pub mod reply;
pub mod request;
pub mod secret;
pub mod taurusdb;

#[cfg(target_family = "wasm")]
mod shell;
