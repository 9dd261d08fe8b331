//! starrocks-offboard: the edge function that removes a StarRocks database account on Huawei Cloud TaurusDB when somebody
//! who may ask for it asks.
//!
//! The story, once:
//!
//! ```text
//! request ─► caller/*  ─► command ─► policy ─► ledger ─► taurusdb ─► ledger ─► caller/* ─► response
//!            who asked,   the one    may they  one row,  the signed  outcome   said in the
//!            proved       typed      do it     claimed   DELETE      recorded  asker's format
//!                         command              first
//! ```
//!
//! Read `removal` first: it is the story in code. Then:
//!
//! - `hearing`: who asked, proved, and what for; `told`: what every ending leaves behind; `later`: an outcome after the answer
//! - `outcome`: every way a request can end, and the one table to status, code and wording
//! - `caller`: the caller kinds, one file each; `strict`: their readers of outside bytes
//! - `leaving`: all accounts of somebody who leaves; `directory`: the people of identity systems that speak SCIM;
//!   `approval`: what waits for somebody's yes; `audit`: what became of removals, for whoever may look
//! - `jose`, `public_key`: bearer tokens and what verifies them; `published`: where the keys come from
//! - `command`, `account`, `search`: the typed command, and the typed search; `config`, `regions`: what the operator says
//! - `policy`: Cedar; the only maker of permits
//! - `check`: whether these files can be used, and what in them can hardly be meant; `diagnostic`: one such thing
//! - `ledger`: SQLite; the only maker of claims; `database`: its tables and their versions
//! - `taurusdb`: the DELETE, what became of it, tokens; `retry`, `budget`: how often, and for how long
//! - `host`: the one port; `app`: what an instance keeps; `shell`: Spin, in a build for wasm
//!
//! Directions: `shell → removal → {caller, policy, ledger, taurusdb} → {command, config, outcome}`. `caller` sees nothing of
//! `taurusdb` but its signature, `policy` sees neither HTTP nor SQL, and nothing but `shell` sees Spin.

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
pub mod crypto;
pub mod diagnostic;
pub mod flow;
pub mod host;
pub mod jwks_cache;
pub mod ledger;
mod operations;
pub mod outbound;
pub mod outcome;
pub mod policy;
pub mod reply;
pub mod request;
pub mod secret;
pub mod taurusdb;

#[cfg(target_family = "wasm")]
mod shell;
