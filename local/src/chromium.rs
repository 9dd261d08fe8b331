//! Chromium for tests: the one of this machine, or else Debian's package.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::component::apt;

/// What it is called, Debian's name first.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

const NEEDED: &str = "tests in a browser need one: install Debian's package `chromium`, or put `chromium` on the PATH";

/// Returns the path of Chromium. Installs Debian's package if there is none.
///
/// # Errors
///
/// If Chromium is not on this machine and Debian's package cannot be installed.
pub fn find_or_install() -> anyhow::Result<PathBuf> {
    if let Some(chromium) = find() {
        return Ok(chromium);
    }
    ensure!(Path::new("/usr/bin/apt-get").exists(), "{NEEDED}");
    apt::install(&["chromium"]).context(NEEDED)?;
    find().context(NEEDED)
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::iter::once(PathBuf::from("/usr/bin")).chain(std::env::split_paths(&path)).collect();
    let all = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|program| program.is_file())
}
