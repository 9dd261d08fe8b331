//! Builds the component with the toolchain that this machine has, and bakes it.

pub mod apt;
pub mod bake;
pub mod build;
pub mod toolchain;

mod command;
mod debian;
