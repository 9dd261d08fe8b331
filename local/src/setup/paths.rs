//! The files that are read and written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use starrocks_offboard::app::OFFBOARD;

use super::plan::Texts;
use crate::manifest::Manifest;
use crate::operator_files::{default_folder, spin_path};
use crate::whole_file;

/// The files of an installation.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The folder of offboard.toml and the policies.
    pub config: PathBuf,
    /// spin.toml
    pub spin: PathBuf,
}

impl Paths {
    /// Finds the files: those that are given, else those of this repository. Without a folder it is the one that spin.toml mounts.
    ///
    /// # Errors
    ///
    /// If the given spin.toml cannot be used, and so does not say where the folder is.
    pub fn new(config: Option<PathBuf>, spin: Option<PathBuf>) -> anyhow::Result<Self> {
        let config = match (config, &spin) {
            (Some(config), _) => config,
            (None, None) => default_folder(),
            (None, Some(spin)) => {
                let mounted = Manifest::read(spin)?.config_folder();
                mounted
                    .with_context(|| format!("`{}` mounts no folder as /config; add `--config DIR`", spin.display()))?
            }
        };
        Ok(Self { config, spin: spin.unwrap_or_else(spin_path) })
    }

    /// Reads the texts.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read.
    pub fn read(&self) -> anyhow::Result<Texts> {
        let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()));
        Ok(Texts { offboard: read(&self.offboard())?, spin: read(&self.spin)? })
    }

    /// Writes the texts that differ from `before`, each as a whole: a reader sees the old one or the new one. spin.toml comes first,
    /// because a variable that no caller names does no harm, and a caller whose variable is not declared stops the gateway.
    ///
    /// # Errors
    ///
    /// If one of them cannot be written.
    pub fn write(&self, before: &Texts, after: &Texts) -> anyhow::Result<()> {
        if after.spin != before.spin {
            replace(&self.spin, &after.spin)?;
        }
        if after.offboard != before.offboard {
            replace(&self.offboard(), &after.offboard)?;
        }
        Ok(())
    }

    fn offboard(&self) -> PathBuf {
        self.config.join(OFFBOARD)
    }
}

fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    whole_file::write(path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_change_is_not_written() {
        let paths = Paths::new(Some("/nowhere".into()), Some("/nowhere/spin.toml".into())).unwrap();
        let texts = Texts { offboard: "a".to_owned(), spin: "b".to_owned() };
        paths.write(&texts, &texts).unwrap();
        let changed = Texts { spin: "c".to_owned(), ..texts.clone() };
        assert_eq!(paths.write(&texts, &changed).unwrap_err().to_string(), "cannot write `/nowhere/spin.toml`");
        let changed = Texts { offboard: "c".to_owned(), ..texts.clone() };
        assert_eq!(paths.write(&texts, &changed).unwrap_err().to_string(), "cannot write `/nowhere/offboard.toml`");
    }

    #[test]
    fn the_folder_is_the_one_that_spin_toml_mounts() {
        let spin = spin_path();
        let paths = Paths::new(None, Some(spin.clone())).unwrap();
        assert_eq!((paths.config, paths.spin), (spin.parent().unwrap().join("config"), spin));
        let paths = Paths::new(None, None).unwrap();
        assert_eq!(paths.config, crate::repository::root().join("config"));
    }
}
