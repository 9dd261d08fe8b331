//! Builds the component with the toolchain that this machine has.

pub mod apt;
pub mod build;
pub mod toolchain;

mod command;
mod debian;
