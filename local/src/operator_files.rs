//! The files that an operator writes, and the folder they are in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use starrocks_offboard::app::Texts;

use crate::manifest::Manifest;
use crate::repository;

/// The name of the file that describes the application to Spin.
pub(crate) const SPIN: &str = "spin.toml";

/// offboard.toml, the policies and their schema.
#[derive(Debug, Clone)]
pub(crate) struct OperatorFiles {
    pub(crate) offboard: String,
    pub(crate) policy: String,
    pub(crate) schema: String,
}

impl OperatorFiles {
    /// Reads the files in `folder`, or in the folder that spin.toml mounts as `/config`.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read.
    pub(crate) fn read(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = folder.map_or_else(default_folder, Path::to_owned);
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        Ok(Self {
            offboard: read("offboard.toml")?,
            policy: read("policy.cedar")?,
            schema: read("schema.cedarschema")?,
        })
    }
}

impl From<OperatorFiles> for Texts {
    fn from(OperatorFiles { offboard, policy, schema }: OperatorFiles) -> Self {
        Self { offboard, policy, schema }
    }
}

/// Returns the path of spin.toml.
pub(crate) fn spin_path() -> PathBuf {
    repository::root().join(SPIN)
}

/// Returns the folder that spin.toml mounts as `/config`. If spin.toml cannot be read, returns the repository's own, so
/// that `check` can report spin.toml together with the other files.
pub(crate) fn default_folder() -> PathBuf {
    let manifest = Manifest::read(&spin_path()).ok();
    let mounted = manifest.and_then(|manifest| manifest.config_folder());
    mounted.unwrap_or_else(|| repository::root().join("config"))
}
