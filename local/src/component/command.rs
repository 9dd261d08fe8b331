//! Runs other programs.

use std::io::IsTerminal;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// Returns a command without the environment variables that an outer cargo sets. With them, cargo would treat the same
/// build as a different one and repeat it whenever `cargo run`, `cargo test` and a shell take turns.
///
/// The variables that choose the toolchain stay: a program run by `cargo +1.95 run` builds with 1.95.
pub(super) fn clean_command(program: &str) -> Command {
    const NAMES: [&str; 17] = [
        "CARGO",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_CRATE_NAME",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_DIR",
        "CARGO_TARGET_TMPDIR",
        "LD_LIBRARY_PATH",
        "MAKEFLAGS",
        "OUT_DIR",
        "RUSTC",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTFLAGS",
        "RUST_RECURSION_COUNT",
    ];
    const PREFIXES: [&str; 4] = ["CARGO_BIN_", "CARGO_CFG_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if NAMES.contains(&&*text) || PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a long command: with its output in a terminal, with one line a minute elsewhere.
pub(super) fn run(command: &mut Command) -> anyhow::Result<()> {
    command.stdin(Stdio::null());
    if std::io::stderr().is_terminal() {
        // Standard output is for this program's own result.
        command.stdout(std::io::stderr());
        let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
        ensure!(status.success(), "{} failed with {status}", shown(command));
    } else {
        let name = shown(command);
        with_progress(&name, || output(command))?;
    }
    Ok(())
}

/// Prints a line each minute until `work` ends.
fn with_progress<R>(name: &str, work: impl FnOnce() -> R) -> R {
    let (finished, finish) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let start = Instant::now();
            while finish.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} is busy for {} s …", start.elapsed().as_secs());
            }
        });
        let result = work();
        drop(finished);
        result
    })
}

/// Runs a command and returns its standard output.
pub(super) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed with {}: {}", shown(command), output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Formats a command for a message.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_says_what_it_said() {
        let message = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err().to_string();
        assert!(message.contains("exit status: 3: why"), "{message}");
        let message = output(&mut Command::new("no-such-program-at-all")).unwrap_err().to_string();
        assert_eq!(message, "cannot run `no-such-program-at-all`");
    }
}
