//! The engine and the compiled component: one of each in a process, whatever number of runtimes.
//!
//! The machine code is kept on disk under the SHA-256 of the component and of everything in the engine's settings
//! that it depends on, so that only a changed component is ever compiled.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use anyhow::Context;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::component;

/// How many compiled components stay on disk: enough to go back and forth between two branches.
const KEPT: usize = 4;

/// The engine of this process.
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

/// Compiles the component at `path`, or takes what an earlier process compiled.
pub(crate) fn compile(path: &Path) -> anyhow::Result<Component> {
    let engine = engine()?;
    let wasm = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let folder = component::state_folder().join("compiled");
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
        .with_context(|| format!("`{}` is not a component that can be compiled", path.display()))?;
    eprintln!("compiled in {:.1} s", start.elapsed().as_secs_f64());
    if let Err(error) = keep(&component, &folder, &cached) {
        eprintln!("cannot keep the compiled component, the next start will compile again: {error:#}");
    }
    Ok(component)
}

fn key(engine: &Engine, wasm: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    hasher.0.update(wasm);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex::encode(hasher.0.finalize())
}

/// What the engine's settings are fed into; only the digest is read in the end.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[allow(unsafe_code, reason = "machine code from a file is trusted or not; there is no checking it")]
fn load(engine: &Engine, file: &Path) -> anyhow::Result<Component> {
    // SAFETY: the file was written by `keep`, under a name that nothing else has, in the folder that this
    // program itself was built in: who can change it can change the program. A whole file or none is there.
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
        // Another process may have been faster.
        let _ = std::fs::remove_file(old);
    }
    Ok(())
}
