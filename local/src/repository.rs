//! Where this repository is.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Returns the folder of this repository, as it was when this program was compiled.
#[must_use]
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().unwrap_or(here).to_owned()
    })
}

/// Returns the folder for the files that this program keeps between its runs.
#[must_use]
pub fn state_folder() -> PathBuf {
    root().join("target/offboard")
}
