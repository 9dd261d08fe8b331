//! `build`: builds and bakes the component.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::component::build;
use crate::operator_files::OperatorFiles;

/// The arguments of `build`.
#[derive(Args)]
pub struct Arguments {
    /// The folder of offboard.toml and the policies to bake, for an installation that keeps its own.
    #[arg(long, value_name = "DIR", requires = "output")]
    config: Option<PathBuf>,
    /// The file to write the baked component to, beside the one that spin.toml names.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Builds the component, bakes it with the files of `config/` or of the folder that the arguments name, and prints its path and
/// size.
///
/// # Errors
///
/// If it cannot be built or baked.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let built = build::component()?;
    let (path, bytes) = match arguments.output {
        Some(output) => {
            let files = OperatorFiles::read(arguments.config.as_deref())?;
            build::bake_file(&built.unbaked, &files.into(), &output)?;
            let written = output.metadata().with_context(|| format!("`{}` does not exist", output.display()))?;
            (output, written.len())
        }
        None => match built.not_baked {
            Some(why) => bail!("the component is built and not baked: {why}"),
            None => (built.path, built.bytes),
        },
    };
    println!("{} {bytes} bytes", path.display());
    Ok(())
}
