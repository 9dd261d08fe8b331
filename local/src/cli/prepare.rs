//! `prepare`: writes the policies in the form that a fresh instance of the component reads without parsing.
//!
//! [`starrocks_offboard::policy::prepared`] describes the form; `check` tells whether the file still belongs to the policies.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use starrocks_offboard::app;
use starrocks_offboard::policy::prepared::PREPARED;

use crate::operator_files::{OperatorFiles, default_folder};

/// The arguments of `prepare`.
#[derive(Args)]
pub struct Arguments {
    /// The folder of offboard.toml and the policies, instead of the folder that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
}

/// Writes prepared.json beside the policies.
///
/// # Errors
///
/// If the files cannot be used, or the folder cannot be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = arguments.config.as_deref();
    let files = OperatorFiles::read(folder)?;
    let (_, policies) = app::load(&files.offboard, &files.policy, &files.schema).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow!("the configuration cannot be used:\n{}", errors.join("\n"))
    })?;
    let prepared = policies.prepare().map_err(|why| anyhow!("the policies cannot be written as JSON: {why}"))?;
    let path = folder.map_or_else(default_folder, Path::to_owned).join(PREPARED);
    fs::write(&path, &prepared).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("{} {} bytes", path.display(), prepared.len());
    Ok(())
}
