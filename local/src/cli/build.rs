//! `build`: builds and bakes the component.

use anyhow::bail;

use crate::component::build;

/// Builds the component, bakes it with the files of `config/`, and prints its path and size.
///
/// # Errors
///
/// If it cannot be built or baked.
pub fn run() -> anyhow::Result<()> {
    let built = build::component()?;
    if let Some(why) = built.not_baked {
        bail!("the component is built and not baked: {why}");
    }
    println!("{} {} bytes", built.path.display(), built.bytes);
    Ok(())
}
