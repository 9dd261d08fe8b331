//! The toolchain that builds the component: the first of three ways that this machine can take.
//!
//! 1. `installed`: the toolchain has the standard library of `wasm32-wasip2`. The build command of spin.toml, unchanged.
//! 2. `rustup`: `rustup target add wasm32-wasip2`, then the same.
//! 3. `debian`: apt-get installs Debian's own Rust and its sources, which compiles the standard library, too.
//!
//! `OFFBOARD_BUILD=debian` (or `installed`, or `rustup`) tries that way only.
//!
//! Not supported: package managers other than apt, cross-compiling hosts.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::command::{clean_command, output, run};
use super::debian;
use crate::repository::state_folder;

pub(super) const TARGET: &str = "wasm32-wasip2";

/// The environment variable that chooses a way.
const CHOICE: &str = "OFFBOARD_BUILD";

/// A way to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The standard library of the target is installed.
    Installed,
    /// rustup installs it.
    Rustup,
    /// Debian's packages compile it.
    Debian,
}

impl Way {
    /// All of them, in the order in which they are tried.
    const ALL: [Self; 3] = [Self::Installed, Self::Rustup, Self::Debian];

    fn named(name: &str) -> anyhow::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|way| way.to_string() == name)
            .with_context(|| format!("`{CHOICE}={name}` is not a way to build; use `installed`, `rustup` or `debian`"))
    }

    /// Returns `cargo build` of this toolchain.
    pub(super) fn cargo_build(self) -> Command {
        match self {
            Self::Installed | Self::Rustup => {
                let mut cargo = clean_command("cargo");
                cargo.arg("build");
                cargo
            }
            Self::Debian => debian::cargo_build(),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "installed",
            Self::Rustup => "rustup",
            Self::Debian => "debian",
        })
    }
}

/// The first way that is ready.
pub(super) struct Choice {
    pub(super) way: Way,
    /// The ways before it, with the reasons against each.
    pub(super) refusals: Vec<(Way, String)>,
}

/// Makes ready and returns the first way that this machine can take.
pub(super) fn choose_toolchain() -> anyhow::Result<Choice> {
    let candidates = match std::env::var(CHOICE) {
        Ok(name) => vec![Way::named(&name)?],
        Err(_) => Way::ALL.to_vec(),
    };
    choose(&candidates, |way| match way {
        Way::Installed => standard_library_is_installed(),
        Way::Rustup => rustup_adds_the_target(candidates.len() > 1),
        Way::Debian => debian::install_toolchain(),
    })
}

/// Returns the first of `candidates` that `prepare` can make ready.
fn choose(candidates: &[Way], mut prepare: impl FnMut(Way) -> anyhow::Result<()>) -> anyhow::Result<Choice> {
    let mut refusals = Vec::new();
    for &way in candidates {
        match prepare(way) {
            Ok(()) => return Ok(Choice { way, refusals }),
            Err(why) => refusals.push((way, format!("{why:#}"))),
        }
    }
    let reasons: String = refusals.iter().map(|(way, why)| format!("\n  {way}: {why}")).collect();
    bail!(
        "cannot build for {TARGET}; install its standard library (`rustup target add {TARGET}`), or use a system with \
         apt{reasons}"
    )
}

fn standard_library_is_installed() -> anyhow::Result<()> {
    let output = output(clean_command("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    let folder = Path::new(output.trim());
    let has = |prefix: &str| {
        folder.read_dir().is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with(prefix)))
        })
    };
    ensure!(has("libcore") && has("libstd"), "the toolchain has no standard library of {TARGET}");
    Ok(())
}

fn rustup_adds_the_target(has_alternatives: bool) -> anyhow::Result<()> {
    // Rustup may retry for a minute before it fails, so the failure is remembered while the other way stays ready.
    let refused = state_folder().join("rustup-refused");
    ensure!(
        !(has_alternatives && refused.exists() && debian::check_ready().is_ok()),
        "rustup failed before (remove `{}` to try it again)",
        refused.display()
    );
    eprintln!("asking rustup for {TARGET} …");
    let outcome =
        run(clean_command("rustup").args(["target", "add", TARGET])).and_then(|()| standard_library_is_installed());
    if outcome.is_err() {
        // Best effort: without the file, rustup is only asked again.
        let _ = std::fs::create_dir_all(state_folder());
        let _ = std::fs::write(&refused, "");
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the ways that are tried if only `ready` ones can be prepared, and the choice.
    fn tried(ready: &[Way]) -> (Vec<Way>, anyhow::Result<Choice>) {
        let mut tried = Vec::new();
        let chosen = choose(&Way::ALL, |way| {
            tried.push(way);
            ensure!(ready.contains(&way), "no {way} here");
            Ok(())
        });
        (tried, chosen)
    }

    #[test]
    fn the_first_way_that_is_ready_is_taken_and_none_after_it_is_tried() {
        use Way::{Debian, Installed, Rustup};
        for (ready, expected) in [
            (&[Installed, Rustup, Debian][..], &[Installed][..]),
            (&[Rustup, Debian], &[Installed, Rustup]),
            (&[Debian], &[Installed, Rustup, Debian]),
        ] {
            let (tried, chosen) = tried(ready);
            assert_eq!(tried, expected);
            let Choice { way, refusals } = chosen.unwrap();
            assert_eq!(Some(&way), expected.last());
            assert_eq!(refusals.len(), expected.len() - 1);
        }
    }

    #[test]
    fn when_no_way_is_ready_the_error_gives_each_one_s_reason() {
        let (tried, chosen) = tried(&[]);
        assert_eq!(tried, Way::ALL);
        let message = chosen.err().unwrap().to_string();
        for way in Way::ALL {
            assert!(message.contains(&format!("\n  {way}: no {way} here")), "{message}");
        }
    }

    #[test]
    fn a_way_is_chosen_by_name() {
        for way in Way::ALL {
            assert_eq!(Way::named(&way.to_string()).unwrap(), way);
        }
        assert!(Way::named("apt").is_err());
    }
}
