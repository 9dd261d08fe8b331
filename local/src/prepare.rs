//! `prepare`: the policies of a configuration in the form that a fresh instance of the component takes without parsing.
//!
//! What it means is in [`starrocks_offboard::policy`]; whether it is still right is said by [`crate::check`].

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use starrocks_offboard::app;
use starrocks_offboard::policy::prepared::PREPARED;

use crate::check::{Files, usual_folder};

/// Writes prepared.json into `folder`, or into the one that spin.toml mounts as `/config`.
///
/// # Errors
///
/// When the files there cannot be used, or the folder cannot be written to.
pub fn run(folder: Option<&Path>) -> anyhow::Result<()> {
    let files = Files::read(folder)?;
    let (_, policies) = app::load(&files.offboard, &files.policy, &files.schema).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow!("the configuration cannot be used:\n{}", errors.join("\n"))
    })?;
    let prepared = policies.prepare().map_err(|why| anyhow!("the policies cannot be written as JSON: {why}"))?;
    let path = folder.map_or_else(usual_folder, Path::to_owned).join(PREPARED);
    fs::write(&path, &prepared).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("{} {} bytes", path.display(), prepared.len());
    Ok(())
}
