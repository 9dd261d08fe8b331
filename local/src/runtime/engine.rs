//! The engine and the compiled component: one of each in a process, for any number of runtimes, and one more of each for
//! runtimes with a meter.
//!
//! The machine code is kept on disk under the SHA-256 of the component and of the engine's settings that it depends on,
//! so that only a changed component is compiled.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Memory, MemoryType, PoolingAllocationConfig, Store};

use super::options::Options;
use crate::{repository, whole_file};

/// The number of compiled components that stay on disk: enough to switch between two branches, with what their tests and
/// benchmarks bake.
const KEPT: usize = 12;

/// How often the epoch advances, as in Spin.
const TICK: Duration = Duration::from_millis(10);

/// Which of the engines of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EngineKind {
    /// With Spin's settings.
    Spin,
    /// The same, and it counts the guest's instructions, which makes them slower.
    Metered,
}

impl EngineKind {
    /// Returns the kind that a runtime with these options needs.
    pub(super) fn of(options: &Options) -> Self {
        if options.meter.is_some() { Self::Metered } else { Self::Spin }
    }

    /// Returns this engine.
    pub(super) fn engine(self) -> anyhow::Result<&'static Engine> {
        static SPIN: OnceLock<Result<Engine, String>> = OnceLock::new();
        static METERED: OnceLock<Result<Engine, String>> = OnceLock::new();
        let engine = match self {
            Self::Spin => &SPIN,
            Self::Metered => &METERED,
        };
        engine
            .get_or_init(|| start(self).map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|message| anyhow::anyhow!("cannot start the engine: {message}"))
    }
}

/// Starts an engine, and the thread that advances its epoch.
fn start(kind: EngineKind) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true).epoch_interruption(true).consume_fuel(kind == EngineKind::Metered);
    if can_pool() {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    }
    let engine = Engine::new(&config)?;
    let weak = engine.weak();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match weak.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => break,
            }
        }
    });
    Ok(engine)
}

/// Returns Spin's numbers for the pool that instances come from.
fn pool() -> PoolingAllocationConfig {
    const INSTANCES: u32 = 1_000;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(2 * INSTANCES)
        .total_stacks(INSTANCES)
        .total_core_instances(4 * INSTANCES)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_tables_per_module(2)
        .max_memories_per_module(2)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(1 << 19);
    pool
}

/// Returns whether the address space for the pool can be reserved. Like Spin, reserves as much once, in one memory; where
/// that fails, each instance is allocated by itself.
fn can_pool() -> bool {
    const BITS: u32 = 42;
    static CAN_POOL: OnceLock<bool> = OnceLock::new();
    *CAN_POOL.get_or_init(|| {
        let mut config = Config::new();
        config.wasm_memory64(true).memory_reservation(1 << BITS);
        Engine::new(&config).is_ok_and(|engine| {
            // The maximum is in pages of 64 KiB.
            let memory = MemoryType::new64(0, Some(1 << (BITS - 16)));
            Memory::new(&mut Store::new(&engine, ()), memory).is_ok()
        })
    })
}

/// Compiles the component at `path`, or loads the machine code that an earlier process kept.
pub(super) fn compile(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
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
    // a process that can change the file can change this program, too. it is written as a whole, so never partial.
    Ok(unsafe { Component::deserialize_file(engine, file) }?)
}

fn keep(component: &Component, folder: &Path, file: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    whole_file::write(file, &component.serialize()?)?;

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
