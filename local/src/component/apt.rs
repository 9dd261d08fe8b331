//! Installs Debian packages.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::command::{output, run};

/// Held while packages are installed: tests of one process that need different ones would fail for each other's lock.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Installs those of `packages` that are missing.
///
/// # Errors
///
/// If apt-get cannot install one of them.
pub fn install(packages: &[&str]) -> anyhow::Result<()> {
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing {} with apt-get …", missing.join(", "));
    // The package lists may be missing or outdated.
    apt_get("install", &missing).or_else(|_| {
        apt_get("update", &[])?;
        apt_get("install", &missing)
    })
}

/// Another program may be installing, such as unattended upgrades: it is waited for, in seconds.
const LOCK_TIMEOUT: &str = "DPkg::Lock::Timeout=600";

pub(super) fn is_installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["--show", "--showformat=${Status}", package]))
        .is_ok_and(|status| status == "install ok installed")
}

fn apt_get(action: &str, packages: &[&str]) -> anyhow::Result<()> {
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if is_root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", LOCK_TIMEOUT, action]);
    if !packages.is_empty() {
        command.args(["--yes", "--no-install-recommends"]).args(packages);
    }
    run(&mut command)
}
