//! Reads the files of `tests/fixtures`.

use std::fs;
use std::path::{Path, PathBuf};

use local::repository;
use serde::de::DeserializeOwned;

/// The files of a folder below `tests/fixtures`, by name.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = repository::root().join("tests/fixtures").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "`{}` is empty", folder.display());
    files
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> T {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
