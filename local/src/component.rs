//! Builds the component, with whatever this machine has to build it with.
//!
//! Three ways, tried in this order; one line says which was taken and why not the ones before it:
//!
//! 1. `installed`: the toolchain has the standard library of `wasm32-wasip2`. The build command of spin.toml, as it is.
//! 2. `rustup`: `rustup target add wasm32-wasip2`, then the same.
//! 3. `debian`: apt-get installs Debian's own Rust and its sources, and that compiles the standard library too.
//!
//! `OFFBOARD_BUILD=debian` (or `installed`, or `rustup`) tries that way only. Cargo decides each time whether anything
//! has to be built, so that a call is cheap when nothing changed.
//!
//! Not supported: building elsewhere than in this repository, other package managers than apt, cross-compiling hosts.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use anyhow::{Context, anyhow, bail, ensure};

use crate::manifest::Manifest;

const TARGET: &str = "wasm32-wasip2";

/// The environment variable that chooses a way.
const CHOICE: &str = "OFFBOARD_BUILD";

/// Debian's Rust, the sources of its standard library, its linker driver and its C library for WASI.
const DEBIAN_PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "wasi-libc"];

/// The component, built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How it was built.
    pub way: Way,
    /// How long cargo took; next to nothing when nothing had changed.
    pub seconds: f64,
}

/// A way to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The target's standard library is installed.
    Installed,
    /// rustup installs it.
    Rustup,
    /// Debian's packages compile it.
    Debian,
}

impl Way {
    /// All of them, in the order in which they are tried.
    const ALL: [Self; 3] = [Self::Installed, Self::Rustup, Self::Debian];

    fn named(name: &str) -> anyhow::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|way| way.to_string() == name)
            .with_context(|| format!("`{CHOICE}={name}` is none of `installed`, `rustup`, `debian`"))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "installed",
            Self::Rustup => "rustup",
            Self::Debian => "debian",
        })
    }
}

/// The folder of this repository, as it was when this program was compiled.
#[must_use]
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().unwrap_or(here).to_owned()
    })
}

/// The folder for what this program keeps between its runs.
#[must_use]
pub fn state_folder() -> PathBuf {
    root().join("target/offboard")
}

/// Builds the component that spin.toml names, once in the life of this process.
///
/// Several processes may do it at once: cargo's own lock lets one build and the others wait.
///
/// # Errors
///
/// When no way leads to a component; the message says why for each.
pub fn build() -> anyhow::Result<Built> {
    static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let manifest = Manifest::read(&root().join("spin.toml")).map_err(|error| format!("{error:#}"))?;
            build_once(&manifest).map_err(|error| format!("{error:#}"))
        })
        .clone()
        .map_err(|message| anyhow!(message))
}

fn build_once(manifest: &Manifest) -> anyhow::Result<Built> {
    let words: Vec<&str> = manifest.build_command.split_whitespace().collect();
    let ["cargo", "build", arguments @ ..] = &words[..] else {
        bail!("the build command in spin.toml is `{}`, expected `cargo build …`", manifest.build_command);
    };
    let path = manifest.component_path();
    let patience = if path.exists() { "" } else { " (a few minutes the first time)" };
    let (way, seconds) = cargo_build(arguments, &format!("the component{patience}"))?;
    let bytes =
        path.metadata().with_context(|| format!("the build succeeded, but `{}` is not there", path.display()))?.len();
    eprintln!("built {} in {seconds:.1} s, {} KiB", manifest.source.display(), bytes / 1024);
    Ok(Built { path, bytes, way, seconds })
}

/// Builds the examples of `package`, another member of this workspace, as components in the same ways, and returns the
/// folder that they are in.
///
/// # Errors
///
/// As [`build`].
pub fn build_examples(package: &str) -> anyhow::Result<PathBuf> {
    cargo_build(&["--package", package, "--examples", "--target", TARGET, "--release"], package)?;
    Ok(root().join("target").join(TARGET).join("release/examples"))
}

/// `cargo build` with these arguments, in the first way that is there, and how many seconds it took.
fn cargo_build(arguments: &[&str], what: &str) -> anyhow::Result<(Way, f64)> {
    let candidates = match std::env::var(CHOICE) {
        Ok(name) => vec![Way::named(&name)?],
        Err(_) => Way::ALL.to_vec(),
    };
    let Choice { way, refusals } = choose(&candidates, |way| match way {
        Way::Installed => standard_library_is_installed(),
        Way::Rustup => rustup_adds_the_target(candidates.len() > 1),
        Way::Debian => debian_installs_its_toolchain(),
    })?;
    let mut cargo = match way {
        Way::Installed | Way::Rustup => {
            let mut cargo = clean_command("cargo");
            cargo.arg("build");
            cargo
        }
        Way::Debian => {
            let mut cargo = clean_command("/usr/bin/cargo");
            let path = std::env::var("PATH").unwrap_or_default();
            cargo
                .args(["build", "-Zbuild-std=std,panic_abort"])
                // -Z on a stable toolchain, whose sources are of the very same version.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", "/usr/bin/rustc")
                .env("PATH", format!("/usr/bin:{path}"))
                .env("RUSTFLAGS", "-C link-self-contained=no -L native=/usr/lib/wasm32-wasi");
            cargo
        }
    };
    cargo.args(arguments).current_dir(root());
    let reasons: String = refusals.iter().map(|(way, why)| format!(", not `{way}`: {why}")).collect();
    eprintln!("building {what} by way `{way}`{reasons} …");
    let start = Instant::now();
    run(&mut cargo)?;
    Ok((way, start.elapsed().as_secs_f64()))
}

/// The way that is taken.
struct Choice {
    way: Way,
    /// Why not those before it.
    refusals: Vec<(Way, String)>,
}

/// The first of `candidates` that `prepare` can make ready, and why not those before it.
fn choose(candidates: &[Way], mut prepare: impl FnMut(Way) -> anyhow::Result<()>) -> anyhow::Result<Choice> {
    let mut refusals = Vec::new();
    for &way in candidates {
        match prepare(way) {
            Ok(()) => return Ok(Choice { way, refusals }),
            Err(why) => refusals.push((way, format!("{why:#}"))),
        }
    }
    let reasons: String = refusals.iter().map(|(way, why)| format!("\n  {way}: {why}")).collect();
    bail!(
        "cannot build for {TARGET}: install its standard library (`rustup target add {TARGET}`), or use a system with \
         apt{reasons}"
    )
}

fn standard_library_is_installed() -> anyhow::Result<()> {
    let output = output(clean_command("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    let folder = Path::new(output.trim());
    let has = |prefix: &str| {
        folder.read_dir().is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with(prefix)))
        })
    };
    ensure!(has("libcore") && has("libstd"), "the toolchain has no standard library of {TARGET}");
    Ok(())
}

fn rustup_adds_the_target(there_are_others: bool) -> anyhow::Result<()> {
    // A refusal may take rustup a minute of retries: it is remembered for as long as the other way stays ready.
    let refused = state_folder().join("rustup-refused");
    ensure!(
        !(there_are_others && refused.exists() && debian_is_ready().is_ok()),
        "rustup refused before (remove `{}` to ask it again)",
        refused.display()
    );
    eprintln!("asking rustup for {TARGET} …");
    let outcome =
        run(clean_command("rustup").args(["target", "add", TARGET])).and_then(|()| standard_library_is_installed());
    if outcome.is_err() {
        // Not being able to remember costs time, nothing else.
        let _ = std::fs::create_dir_all(state_folder());
        let _ = std::fs::write(&refused, "");
    }
    outcome
}

fn debian_installs_its_toolchain() -> anyhow::Result<()> {
    if debian_is_ready().is_ok() {
        return Ok(());
    }
    ensure!(Path::new("/usr/bin/apt-get").exists(), "this system has no apt-get");
    install(&DEBIAN_PACKAGES)?;
    // Its name is known only now that the link to it is there.
    install(&[&linker_package()?])?;
    debian_is_ready()
}

/// Has apt-get install those of `packages` that are missing.
///
/// # Errors
///
/// When one cannot be had.
pub fn install(packages: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing {} with apt-get …", missing.join(", "));
    // The lists of packages may be missing, or older than the archive.
    apt_get("install", &missing).or_else(|_| {
        apt_get("update", &[])?;
        apt_get("install", &missing)
    })
}

fn debian_is_ready() -> anyhow::Result<()> {
    let linker = linker_package()?;
    let missing: Vec<&str> =
        DEBIAN_PACKAGES.into_iter().chain([linker.as_str()]).filter(|package| !is_installed(package)).collect();
    ensure!(missing.is_empty(), "the packages {} are not installed", missing.join(", "));
    Ok(())
}

/// The package of the linker that `rust-lld` of rust-web-llvm stands for: `lld-22` as of 2026.
fn linker_package() -> anyhow::Result<String> {
    std::fs::read_link("/usr/bin/rust-lld")
        .ok()
        .and_then(|link| Some(link.file_name()?.to_str()?.to_owned()))
        .context("`/usr/bin/rust-lld` of the package rust-web-llvm is not there")
}

fn is_installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["--show", "--showformat=${Status}", package]))
        .is_ok_and(|status| status == "install ok installed")
}

fn apt_get(action: &str, packages: &[&str]) -> anyhow::Result<()> {
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if is_root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").arg(action);
    if !packages.is_empty() {
        command.args(["--yes", "--no-install-recommends"]).args(packages);
    }
    run(&mut command)
}

/// A command without what an outer cargo put into the environment: with it, cargo would take the same build for a
/// different one and do it anew whenever `cargo run`, `cargo test` and a shell take turns.
///
/// The choice of toolchain stays: what `cargo +1.95 run` runs builds with 1.95.
fn clean_command(program: &str) -> Command {
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

/// Runs a long command: before the eyes of a person in a terminal, with a line a minute elsewhere.
fn run(command: &mut Command) -> anyhow::Result<()> {
    command.stdin(Stdio::null());
    if std::io::stderr().is_terminal() {
        // Standard output is this program's own answer.
        command.stdout(std::io::stderr());
        let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
        ensure!(status.success(), "{} failed with {status}", shown(command));
    } else {
        let name = shown(command);
        with_signs_of_life(&name, || output(command))?;
    }
    Ok(())
}

/// Says each minute that `work` is still going on.
fn with_signs_of_life<R>(name: &str, work: impl FnOnce() -> R) -> R {
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

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed with {}: {}", shown(command), output.status, told.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which ways are tried when only `ready` ones can be prepared, and what comes of it.
    fn tried(ready: &[Way]) -> (Vec<Way>, anyhow::Result<Choice>) {
        let mut tried = Vec::new();
        let chosen = choose(&Way::ALL, |way| {
            tried.push(way);
            ensure!(ready.contains(&way), "no {way} here");
            Ok(())
        });
        (tried, chosen)
    }

    #[test]
    fn the_first_way_that_is_ready_is_taken_and_none_after_it_is_tried() {
        use Way::{Debian, Installed, Rustup};
        for (ready, expected) in [
            (&[Installed, Rustup, Debian][..], &[Installed][..]),
            (&[Rustup, Debian], &[Installed, Rustup]),
            (&[Debian], &[Installed, Rustup, Debian]),
        ] {
            let (tried, chosen) = tried(ready);
            assert_eq!(tried, expected);
            let Choice { way, refusals } = chosen.unwrap();
            assert_eq!(Some(&way), expected.last());
            assert_eq!(refusals.len(), expected.len() - 1);
        }
    }

    #[test]
    fn when_no_way_is_ready_the_error_gives_each_one_s_reason() {
        let (tried, chosen) = tried(&[]);
        assert_eq!(tried, Way::ALL);
        let message = chosen.err().unwrap().to_string();
        for way in Way::ALL {
            assert!(message.contains(&format!("\n  {way}: no {way} here")), "{message}");
        }
    }

    #[test]
    fn a_way_is_chosen_by_name() {
        for way in Way::ALL {
            assert_eq!(Way::named(&way.to_string()).unwrap(), way);
        }
        assert!(Way::named("apt").is_err());
    }

    #[test]
    fn a_command_that_fails_says_what_it_said() {
        let message = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err().to_string();
        assert!(message.contains("exit status: 3: why"), "{message}");
        let message = output(&mut Command::new("no-such-program-at-all")).unwrap_err().to_string();
        assert_eq!(message, "cannot run `no-such-program-at-all`");
    }
}
