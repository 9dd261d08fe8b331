//! Where PostgreSQL is installed.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::component::apt;

/// Debian's folder, with one folder a version.
const DEBIAN: &str = "/usr/lib/postgresql";

const NEEDED: &str =
    "tests with PostgreSQL need it: install Debian's package `postgresql`, or put `initdb` and `postgres` on the PATH";

/// The programs of one installation.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
}

impl Programs {
    /// Returns the programs of the newest version in Debian's folder, or those on the PATH. Installs Debian's package if
    /// there are none.
    pub(super) fn find_or_install() -> anyhow::Result<Self> {
        if let Some(programs) = Self::find() {
            return Ok(programs);
        }
        ensure!(Path::new("/usr/bin/apt-get").exists(), "{NEEDED}");
        apt::install(&["postgresql"]).context(NEEDED)?;
        Self::find().context(NEEDED)
    }

    fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        debian_folders().into_iter().chain(std::env::split_paths(&path)).find_map(|folder| {
            let programs = Self { initdb: folder.join("initdb"), postgres: folder.join("postgres") };
            (programs.initdb.is_file() && programs.postgres.is_file()).then_some(programs)
        })
    }
}

/// Returns the folders of Debian's versions, the newest first.
fn debian_folders() -> Vec<PathBuf> {
    let folders = Path::new(DEBIAN).read_dir().into_iter().flatten().flatten();
    let mut versions: Vec<u32> = folders.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable();
    versions.iter().rev().map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin")).collect()
}
