//! `build`: builds and bakes the component for production.

use anyhow::bail;

use crate::component::build::{self, Profile};

/// Builds the component, bakes it with the files of `config/`, and prints its path and size.
///
/// # Errors
///
/// If it cannot be built or baked.
pub fn run() -> anyhow::Result<()> {
    let built = build::in_profile(Profile::Release)?;
    if let Some(why) = built.not_baked {
        bail!("the component is built and not baked: {why}");
    }
    println!("{} {} bytes", built.path.display(), built.bytes);
    Ok(())
}
