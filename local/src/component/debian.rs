//! Debian's Rust, for machines where rustup cannot add the target.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::apt::{install, is_installed};
use super::command::clean_command;

/// Debian's Rust, the sources of its standard library, its linker driver and its C library for WASI.
const PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "wasi-libc"];

pub(super) fn install_toolchain() -> anyhow::Result<()> {
    if check_ready().is_ok() {
        return Ok(());
    }
    ensure!(Path::new("/usr/bin/apt-get").exists(), "this system has no apt-get");
    install(&PACKAGES)?;
    // The link that tells its name exists only now.
    install(&[&linker_package()?])?;
    check_ready()
}

pub(super) fn check_ready() -> anyhow::Result<()> {
    let linker = linker_package()?;
    let missing: Vec<&str> =
        PACKAGES.into_iter().chain([linker.as_str()]).filter(|package| !is_installed(package)).collect();
    ensure!(missing.is_empty(), "the packages {} are not installed", missing.join(", "));
    Ok(())
}

/// Returns the package of the linker that `rust-lld` of rust-web-llvm links to: `lld-22` as of 2026.
fn linker_package() -> anyhow::Result<String> {
    std::fs::read_link("/usr/bin/rust-lld")
        .ok()
        .and_then(|link| Some(link.file_name()?.to_str()?.to_owned()))
        .context("`/usr/bin/rust-lld` of the package rust-web-llvm is missing")
}

/// Returns `cargo build` of Debian's toolchain, with what it needs to compile the standard library.
pub(super) fn cargo_build() -> Command {
    let mut cargo = clean_command("/usr/bin/cargo");
    let path = std::env::var("PATH").unwrap_or_default();
    cargo
        .args(["build", "-Zbuild-std=std,panic_abort"])
        // Allows -Z on a stable toolchain. The sources of the standard library are of the same version.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", "/usr/bin/rustc")
        .env("PATH", format!("/usr/bin:{path}"))
        .env("RUSTFLAGS", "-C link-self-contained=no -L native=/usr/lib/wasm32-wasi");
    cargo
}
