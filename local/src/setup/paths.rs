//! The files that are read and written.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use starrocks_offboard::app::OFFBOARD;
use tempfile::NamedTempFile;

use super::plan::Texts;
use crate::manifest::Manifest;
use crate::operator_files::{default_folder, spin_path};

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

/// Replaces the text of a file, and keeps its permissions. A link stays one.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let replaced = || -> std::io::Result<()> {
        let path = path.canonicalize()?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut unfinished = NamedTempFile::new_in(folder)?;
        unfinished.write_all(text.as_bytes())?;
        unfinished.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        unfinished.as_file().sync_all()?;
        unfinished.persist(&path)?;
        Ok(())
    };
    replaced().with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_text_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("spin.toml"));
        fs::write(&real, "before").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        replace(&link, "after").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "after");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(files(folder.path()), ["real.toml", "spin.toml"]);
    }

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
