//! Builds the component of spin.toml, and the examples of other packages as components.
//!
//! Cargo decides each time whether it has to build anything, and a component that was baked of the same is kept, so a call
//! is cheap when nothing changed.
//!
//! Not supported: building elsewhere than in this repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context, anyhow};
use starrocks_offboard::app::Texts;

use super::bake::bake;
use super::command::run;
use super::toolchain::{Choice, TARGET, Way, choose_toolchain};
use crate::manifest::Manifest;
use crate::operator_files::OperatorFiles;
use crate::repository::root;
use crate::whole_file;

/// The package of the component.
const PACKAGE: &str = "starrocks-offboard";

/// What Cargo makes of it, below the target's folder.
const CARGO_OUTPUT: &str = "release/starrocks_offboard.wasm";

/// A built component.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file that spin.toml names.
    pub path: PathBuf,
    /// What Cargo built: the same component without a configuration.
    pub unbaked: PathBuf,
    /// Why it was not baked, if it was not. The file is then what Cargo built, which parses its configuration itself.
    pub not_baked: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// The toolchain that built it.
    pub way: Way,
    /// How long cargo took; almost nothing if nothing had changed.
    pub seconds: f64,
}

/// Builds the component that spin.toml names and bakes it with the files of its folder, once in the life of this process.
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
    let unbaked = root().join("target").join(TARGET).join(CARGO_OUTPUT);
    let patience = if unbaked.exists() { "" } else { " (a few minutes the first time)" };
    let arguments = ["--package", PACKAGE, "--target", TARGET, "--release"];
    let (way, seconds) = cargo_build(&arguments, &format!("the component{patience}"))?;
    let path = manifest.component_path();
    let baked = OperatorFiles::read(None).and_then(|files| bake_file(&unbaked, &files.into(), &path));
    let not_baked = baked.err().map(|why| format!("{why:#}"));
    if let Some(why) = &not_baked {
        write(&path, &read(&unbaked)?)?;
        eprintln!("not baked, so each instance parses its configuration itself: {why}");
    }
    let bytes = path.metadata().with_context(|| format!("`{}` does not exist", path.display()))?.len();
    eprintln!("built {} in {seconds:.1} s, {} KiB", manifest.source.display(), bytes / 1024);
    Ok(Built { path, unbaked, not_baked, bytes, way, seconds })
}

/// Bakes the component `from` with these texts into the file `to`, unless that is the result already.
///
/// # Errors
///
/// If a file cannot be read or written, or [`bake`] fails.
pub fn bake_file(from: &Path, texts: &Texts, to: &Path) -> anyhow::Result<()> {
    let known = fs::read(to).ok();
    let baked = bake(&read(from)?, texts, known.clone())?;
    if known.as_ref() == Some(&baked) { Ok(()) } else { write(to, &baked) }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("the build succeeded, but `{}` cannot be read", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| whole_file::write(path, bytes))
        .with_context(|| format!("cannot write `{}`", path.display()))
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
