//! Callers: what each kind has to do, and what is refused of each.

mod adversary;
mod bad_input;
mod demo_callers;
pub(crate) mod kinds;
mod official_clients;
mod portals;
mod secret_rotation;
mod setup;
