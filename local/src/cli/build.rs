//! `build`: builds the component.

use crate::component::build;

/// Builds the component, and prints its path and size.
///
/// # Errors
///
/// If it cannot be built.
pub fn run() -> anyhow::Result<()> {
    let built = build::component()?;
    println!("{} {} bytes", built.path.display(), built.bytes);
    Ok(())
}
