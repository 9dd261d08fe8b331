//! Python, with the packages of `tests/python/requirements.txt`: installed once, below `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use local::repository;
use sha2::{Digest, Sha256};

/// Where the scripts are.
pub fn scripts() -> PathBuf {
    repository::root().join("tests/python")
}

/// The virtual environment's Python, with the packages of `requirements.txt`.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let requirements = scripts().join("requirements.txt");
        let digest = hex::encode(Sha256::digest(fs::read(&requirements).unwrap()));
        let folder = repository::root().join("target/python").join(&digest[..12]);
        let python = folder.join("bin/python");
        // Written last, so that an installation that was interrupted is made anew.
        let complete = folder.join("complete");
        if !complete.exists() {
            eprintln!("installing the official clients into {} …", folder.display());
            let run = |command: &mut Command| {
                let output = command.output().unwrap_or_else(|error| {
                    panic!("{command:?}: {error}; the official clients need python3 with its venv module and pip")
                });
                assert!(
                    output.status.success(),
                    "{command:?} failed; the official clients need python3 with its venv module (Debian: python3-venv) and a package index\n{}{}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr),
                );
            };
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
            let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
            run(Command::new(&python).args(install).arg(&requirements));
            fs::write(complete, "").unwrap();
        }
        python
    })
}

/// Node.js, and the scripts of `tests/node` beside their packages: installed once, below `target/`.
pub fn javascript() -> (PathBuf, PathBuf) {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let bin = python().parent().expect("it is in a folder").to_owned();
    let folder = FOLDER.get_or_init(|| {
        let source = repository::root().join("tests/node");
        let digest = hex::encode(Sha256::digest(fs::read(source.join("package-lock.json")).unwrap()));
        let folder = repository::root().join("target/node").join(&digest[..12]);
        fs::create_dir_all(&folder).unwrap();
        let files = fs::read_dir(&source).unwrap().map(Result::unwrap);
        for file in files.filter(|file| file.path().is_file()) {
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
        let complete = folder.join("complete");
        if !complete.exists() {
            eprintln!("installing the JavaScript clients into {} …", folder.display());
            let path = std::env::join_paths([bin.clone(), "/usr/bin".into(), "/bin".into()]).unwrap();
            let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
            let output =
                Command::new(bin.join("npm")).args(install).current_dir(&folder).env("PATH", path).output().unwrap();
            assert!(output.status.success(), "npm: {}", String::from_utf8_lossy(&output.stderr));
            fs::write(complete, "").unwrap();
        }
        folder
    });
    (bin.join("node"), folder.clone())
}
