//! Writes a file as a whole, so that readers and other writers of the same folder never see a part of it.

use std::fs::Permissions;
use std::io::{Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a new file may be used for; the process's umask takes from it.
const NEW: u32 = 0o666;

/// Writes `bytes` to the file, which need not exist, in a folder that does. A file keeps its permissions, and a link stays one.
///
/// # Errors
///
/// If a file in that folder cannot be written or renamed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    // A name of its own: the tests of one process compile several components at a time.
    let mut unfinished = tempfile::Builder::new().permissions(Permissions::from_mode(NEW)).tempfile_in(folder)?;
    unfinished.write_all(bytes)?;
    if let Ok(existing) = path.metadata() {
        unfinished.as_file().set_permissions(existing.permissions())?;
    }
    unfinished.as_file().sync_all()?;
    unfinished.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn writers_of_one_folder_do_not_mix_their_files() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8_u8 {
                let path = folder.path().join(writer.to_string());
                scope.spawn(move || {
                    for round in 0..20 {
                        let bytes = vec![writer; 100_000 + round];
                        write(&path, &bytes).unwrap();
                        assert!(fs::read(&path).unwrap() == bytes, "{writer} {round}");
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 8, "nothing is left behind");
    }

    #[test]
    fn a_file_keeps_its_permissions_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("spin.toml"));
        fs::write(&real, "before").unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        write(&link, b"after").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "after");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
