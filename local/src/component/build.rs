//! Builds the component of spin.toml, and the examples of other packages as components.
//!
//! Cargo decides each time whether it has to build anything, so a call is cheap when nothing changed.
//!
//! Not supported: building elsewhere than in this repository.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};

use super::command::run;
use super::toolchain::{Choice, TARGET, Way, choose_toolchain};
use crate::manifest::Manifest;
use crate::repository::root;

/// A built component.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The toolchain that built it.
    pub way: Way,
    /// How long cargo took; almost nothing if nothing had changed.
    pub seconds: f64,
}

/// Builds the component that spin.toml names, once in the life of this process.
///
/// Several processes may call it at the same time: cargo's own lock lets one build and the others wait.
///
/// # Errors
///
/// If spin.toml cannot be read, or no toolchain builds the component; the message has the reason of each.
pub fn component() -> anyhow::Result<Built> {
    static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let manifest = Manifest::read(&root().join("spin.toml")).map_err(|error| format!("{error:#}"))?;
            build_once(&manifest).map_err(|error| format!("{error:#}"))
        })
        .clone()
        .map_err(|message| anyhow!(message))
}

/// Builds the examples of `package`, another member of this workspace, as components, and returns their folder.
///
/// # Errors
///
/// If no toolchain can build components, or Cargo cannot be run or fails.
pub fn examples(package: &str) -> anyhow::Result<PathBuf> {
    cargo_build(&["--package", package, "--examples", "--target", TARGET, "--release"], package)?;
    Ok(root().join("target").join(TARGET).join("release/examples"))
}

fn build_once(manifest: &Manifest) -> anyhow::Result<Built> {
    let words: Vec<&str> = manifest.build_command.split_whitespace().collect();
    let ["cargo", "build", arguments @ ..] = &words[..] else {
        bail!("the build command in spin.toml is `{}`; write it as `cargo build …`", manifest.build_command);
    };
    let path = manifest.component_path();
    let patience = if path.exists() { "" } else { " (a few minutes the first time)" };
    let (way, seconds) = cargo_build(arguments, &format!("the component{patience}"))?;
    let bytes =
        path.metadata().with_context(|| format!("the build succeeded, but `{}` does not exist", path.display()))?.len();
    eprintln!("built {} in {seconds:.1} s, {} KiB", manifest.source.display(), bytes / 1024);
    Ok(Built { path, bytes, way, seconds })
}

/// Runs `cargo build` with these arguments. Returns the toolchain and the duration in seconds.
fn cargo_build(arguments: &[&str], what: &str) -> anyhow::Result<(Way, f64)> {
    let Choice { way, refusals } = choose_toolchain()?;
    let mut cargo = way.cargo_build();
    cargo.args(arguments).current_dir(root());
    let reasons: String = refusals.iter().map(|(way, why)| format!(", not `{way}`: {why}")).collect();
    eprintln!("building {what} by way `{way}`{reasons} …");
    let start = Instant::now();
    run(&mut cargo)?;
    Ok((way, start.elapsed().as_secs_f64()))
}
