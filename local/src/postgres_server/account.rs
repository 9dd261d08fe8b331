//! The account that PostgreSQL runs as: it refuses to run as root.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// The accounts that root chooses from, the better one first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An account of this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// The user of this process.
    Own,
    /// Another one, because this process is root's.
    Other { user: u32, group: u32 },
}

impl Account {
    pub(super) fn choose() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read `/etc/passwd`")?;
        CANDIDATES
            .iter()
            .find_map(|name| Self::named(name, &accounts))
            .context("PostgreSQL does not run as root; add an account `postgres` or `nobody`")
    }

    /// Returns the account of this name in the text of `/etc/passwd`.
    fn named(name: &str, accounts: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_it = fields.next() == Some(name);
            let (user, group) = (fields.nth(1)?, fields.next()?);
            is_it.then_some(Self::Other { user: user.parse().ok()?, group: group.parse().ok()? })
        })
    }

    /// Returns a command that runs the program as this account, in this folder. It is interrupted when the thread that
    /// started it ends.
    pub(super) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if let Self::Other { user, group } = self {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
        }
        // Nothing that is set for another server applies to this one.
        let settings = std::env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").arg(program).current_dir(folder);
        command
    }

    /// Makes the account the owner of a folder.
    pub(super) fn own(self, folder: &Path) -> anyhow::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group } => chown(folder, Some(user), Some(group))
                .with_context(|| format!("cannot change the owner of `{}`", folder.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgres2:x:5:6::/:\nbroken\npostgres:x:107:114::/:/bin/sh\n";
        assert_eq!(Account::named("postgres", accounts), Some(Account::Other { user: 107, group: 114 }));
        assert_eq!(Account::named("nobody", accounts), None);
    }
}
