//! The demonstration, and the callers of config/offboard.toml that it plays: made-up secrets, and for each caller kind the
//! request that its platform would send, signed as the platform signs.
//!
//! [`show`] is `cargo run`; `cargo run -- send` uses the same callers. [`senders`](crate::simulator::senders) signs.
//!
//! Adding a caller kind: one file beside [`slack`], one line in [`callers::CALLERS`].

pub mod api;
pub mod callers;
pub mod demo_caller;
pub mod settings;
pub mod show;
pub mod slack;
pub mod standard_webhooks;

pub(crate) mod answer;
pub(crate) mod console;
pub(crate) mod page;

mod additions;
mod clock;
mod compare;
mod hints;
mod history;
mod scenes;
