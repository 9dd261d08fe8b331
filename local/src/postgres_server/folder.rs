//! The temporary folder of a server: its data, which `initdb` makes.
//!
//! A process that ends cannot remove the folder of a server that it shares among its tests, so the next one does: a folder
//! whose lock is free belongs to a process that has ended.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::OWNER;
use super::account::Account;
use super::programs::Programs;

const PREFIX: &str = "starrocks-offboard-postgres-";
const LOCK: &str = "lock";

/// The folder of a server. Dropping it removes it.
#[derive(Debug)]
pub(super) struct DataFolder {
    folder: TempDir,
    _lock: File,
}

impl DataFolder {
    /// Makes the data of an empty server.
    pub(super) fn create(programs: &Programs, account: &Account) -> anyhow::Result<Self> {
        remove_leftovers(&std::env::temp_dir());
        let this = Self::empty().context("cannot make a temporary folder for PostgreSQL")?;
        fs::create_dir(this.data())?;
        account.own(&this.data())?;
        let mut initdb = account.command(&programs.initdb, this.path());
        initdb.arg("-D").arg(this.data()).args(["-A", "trust", "-U", OWNER, "-E", "UTF8", "--locale=C"]);
        let output = initdb.args(["--no-sync", "--no-instructions"]).output();
        let output = output.context("cannot run `initdb` by `setpriv` of Debian's package `util-linux`")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`initdb` failed with {}: {}", output.status, said.trim());
        Ok(this)
    }

    fn empty() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // It has its name once it is locked, so that no other process takes the folder for a leftover.
        let unnamed = folder.path().join("new-lock");
        let lock = File::create(&unnamed)?;
        lock.lock()?;
        fs::rename(unnamed, folder.path().join(LOCK))?;
        // The server's account has to enter it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path().join("data")
    }
}

/// Removes the folders of processes that have ended.
fn remove_leftovers(parent: &Path) {
    for entry in parent.read_dir().into_iter().flatten().flatten() {
        let folder = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
        {
            // It may belong to another user.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_without_an_owner_are_removed() {
        let parent = TempDir::new().unwrap();
        let make = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            (File::create(folder.join(LOCK)).unwrap(), folder)
        };
        let (left, leftover) = make(&format!("{PREFIX}a"));
        let (held, used) = make(&format!("{PREFIX}b"));
        let (_, other) = make("other");
        drop(left);
        held.lock().unwrap();
        remove_leftovers(parent.path());
        assert!(!leftover.exists() && used.exists() && other.exists());
    }
}
