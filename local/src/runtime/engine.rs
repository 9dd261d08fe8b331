//! The engine and the compiled component: one of each in a process, for any number of runtimes.
//!
//! The machine code is kept on disk under the SHA-256 of the component and of the engine's settings that it depends on,
//! so that only a changed component is compiled.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use anyhow::Context;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::repository;

/// The number of compiled components that stay on disk: enough to switch between two branches, with what their tests and
/// benchmarks bake.
const KEPT: usize = 12;

/// Returns the engine of this process.
pub(crate) fn engine() -> anyhow::Result<&'static Engine> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let mut config = Config::new();
            config.wasm_component_model_async(true);
            Engine::new(&config).map_err(|error| format!("{error:#}"))
        })
        .as_ref()
        .map_err(|message| anyhow::anyhow!("cannot start the engine: {message}"))
}

/// Compiles the component at `path`, or loads the machine code that an earlier process kept.
pub(crate) fn compile(path: &Path) -> anyhow::Result<Component> {
    let engine = engine()?;
    let wasm = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let folder = repository::state_folder().join("compiled");
    let cached = folder.join(format!("{}.cwasm", key(engine, &wasm)));
    if cached.exists() {
        match load(engine, &cached) {
            Ok(component) => return Ok(component),
            Err(error) => eprintln!("ignoring `{}`: {error:#}", cached.display()),
        }
    }

    eprintln!("compiling {} KiB of component to machine code …", wasm.len() / 1024);
    let start = Instant::now();
    let component = Component::from_binary(engine, &wasm)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("`{}` cannot be compiled as a component", path.display()))?;
    eprintln!("compiled in {:.1} s", start.elapsed().as_secs_f64());
    if let Err(error) = keep(&component, &folder, &cached) {
        eprintln!("cannot keep the compiled component, so the next start compiles again: {error:#}");
    }
    Ok(component)
}

fn key(engine: &Engine, wasm: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    hasher.0.update(wasm);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex::encode(hasher.0.finalize())
}

/// A hasher for the engine's settings. Only its digest is used, never `finish`.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[allow(unsafe_code, reason = "machine code from a file cannot be checked")]
fn load(engine: &Engine, file: &Path) -> anyhow::Result<Component> {
    // SAFETY: `keep` wrote the file, under a name that nothing else uses, into the folder that this program was built in:
    // a process that can change the file can change this program, too. `keep` renames, so the file is never partial.
    Ok(unsafe { Component::deserialize_file(engine, file) }?)
}

fn keep(component: &Component, folder: &Path, file: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!("{}.unfinished", std::process::id()));
    std::fs::write(&unfinished, component.serialize()?)?;
    std::fs::rename(&unfinished, file)?;

    let mut files: Vec<_> = folder
        .read_dir()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            Some((modified, entry.path()))
        })
        .collect();
    files.sort();
    for (_, old) in files.iter().rev().skip(KEPT) {
        // Another process may have removed it already.
        let _ = std::fs::remove_file(old);
    }
    Ok(())
}
