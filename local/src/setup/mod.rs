//! Sets up a caller: the lines of its `[[caller]]`, what spin.toml has to declare for it, its secrets as far as they are ours to
//! choose, and what to paste at its platform.
//!
//! [`recipes`] has what differs between the kinds: one file a kind, and one table of them ([`recipes::RECIPES`]). How a kind's secrets
//! and settings are written in offboard.toml is not repeated there: it is the shape of the kind
//! ([`CallerShape`](starrocks_offboard::config::caller_shape::CallerShape)). [`plan`] makes the new texts of both files and changes
//! nothing, [`page`] says what they are, [`paths`] writes them.
//!
//! Not supported: changing or removing a caller that exists; setting anything at a platform.

pub mod address;
pub mod inputs;
pub mod page;
pub mod paths;
pub mod plan;
pub mod recipe;
pub mod recipes;
pub mod secret;

mod offboard_toml;
mod spin_toml;
mod variables;
