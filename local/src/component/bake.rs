//! Bakes a component: runs its export `bake` with the texts of `config/`, and keeps the memory that it leaves behind as
//! the component's own. A fresh instance then has its configuration and policies parsed.
//!
//! The component opens nothing meanwhile. It has no folder and no environment here, its clocks and its output are watched,
//! the Spin interfaces trap, and a handle that is left open is an error: a handle would mean another thing, or nothing, in
//! the instances that begin with this memory. Random numbers are real ones, as the seeds of hash maps are made of them
//! (SECURITY.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use sha2::{Digest, Sha256};
use starrocks_offboard::app::Texts;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Instance, Lift, Linker, ResourceTable, ResourceType, WasmList};
use wasmtime::{Config, Engine, OptLevel, Store};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

/// The name of the custom section at the end of a baked component.
const SECTION: &str = "offboard-baked";

/// Changes when this file bakes in another way.
const VERSION: &str = concat!("1 ", env!("CARGO_PKG_VERSION"));

/// Bakes `wasm` with these texts. `known` is an earlier result, which is returned if it was made of the same.
///
/// # Errors
///
/// If the component has no export `bake`, opens something in it or cannot use the texts.
pub fn bake(wasm: &[u8], texts: &Texts, known: Option<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    let seal = section(&key(wasm, texts));
    if let Some(known) = known.filter(|known| known.ends_with(&seal)) {
        return Ok(known);
    }
    // A thread of its own, because the caller may be a task of a runtime already.
    let baked = std::thread::scope(|scope| {
        let baking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(snapshot(wasm, texts))
        });
        baking.join().map_err(|_| anyhow!("baking the component panicked"))?
    })?;
    Ok([baked, seal].concat())
}

/// Returns what a baked component is made of, as hexadecimal digits of a SHA-256.
fn key(wasm: &[u8], texts: &Texts) -> String {
    let mut hash = Sha256::new();
    for part in [VERSION.as_bytes(), wasm, texts.offboard.as_bytes(), texts.policy.as_bytes(), texts.schema.as_bytes()]
    {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Encodes a custom section with this text. Engines ignore it.
fn section(text: &str) -> Vec<u8> {
    // Each length is under 128, so that one byte of LEB128 holds it.
    let length = |text: &str| u8::try_from(text.len()).unwrap_or_default();
    [&[0, 1 + length(SECTION) + length(text), length(SECTION)], SECTION.as_bytes(), text.as_bytes()].concat()
}

async fn snapshot(wasm: &[u8], texts: &Texts) -> anyhow::Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.keep_init_func(true);
    let (context, instrumented) = wizer.instrument_component(wasm)?;

    let mut config = Config::new();
    // It runs once, for some milliseconds.
    config.wasm_component_model_async(true).cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, &instrumented)?;
    let linker = linker(&engine, &component)?;
    let mut store = Store::new(&engine, State::new());
    let instance = linker.instantiate_async(&mut store, &component).await?;

    let bake = instance
        .get_typed_func::<(&[&str],), (Result<(), String>,)>(&mut store, "bake")
        .map_err(anyhow::Error::from)
        .context("the component cannot be baked")?;
    let texts = [texts.offboard.as_str(), texts.policy.as_str(), texts.schema.as_str()];
    let (parsed,) = bake.call_async(&mut store, (texts.as_slice(),)).await?;
    parsed.map_err(|unusable| anyhow!("its configuration cannot be used: {unusable}"))?;
    store.data().ensure_untouched()?;
    Ok(wizer.snapshot_component(&context, &mut Baked { store: &mut store, instance }).await?)
}

/// Links WASI and HTTP as they are, and Spin's interfaces as traps.
///
/// `Linker::define_unknown_imports_as_traps` does not do: it would define those interfaces of WASI as well that the
/// component imports in an earlier version than wasmtime has.
fn linker(engine: &Engine, component: &Component) -> anyhow::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    for (interface, import) in component.component_type().imports(engine) {
        if interface.starts_with("wasi:") {
            continue;
        }
        let ComponentItem::ComponentInstance(items) = import.ty else {
            bail!("the component imports `{interface}`, which is not an interface");
        };
        let mut traps = linker.instance(interface)?;
        for (name, item) in items.exports(engine) {
            let called = format!("`{name}` of `{interface}` was called");
            match item.ty {
                ComponentItem::ComponentFunc(function) if function.async_() => {
                    traps.func_new_concurrent(name, move |_, _, _, _| {
                        let called = called.clone();
                        Box::pin(async move { Err(wasmtime::Error::msg(called)) })
                    })?;
                }
                ComponentItem::ComponentFunc(_) => {
                    traps.func_new(name, move |_, _, _, _| Err(wasmtime::Error::msg(called.clone())))?;
                }
                ComponentItem::Resource(_) => traps.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?,
                _ => {}
            }
        }
    }
    Ok(linker)
}

/// What the component can reach while it is baked: nothing.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    time: WatchedClock,
}

impl State {
    fn new() -> Self {
        let time = WatchedClock::default();
        Self {
            wasi: WasiCtx::builder().wall_clock(time.clone()).monotonic_clock(time.clone()).build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            time,
        }
    }

    fn ensure_untouched(&self) -> anyhow::Result<()> {
        ensure!(self.table.is_empty(), "the component opened something while it was baked, and has it open still");
        ensure!(!self.time.0.load(Ordering::Relaxed), "the component asked for the time while it was baked");
        Ok(())
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: default_hooks(), table: &mut self.table, ctx: &mut self.http }
    }
}

/// A clock that stands still, and knows whether it was read.
#[derive(Clone, Default)]
struct WatchedClock(Arc<AtomicBool>);

impl HostWallClock for WatchedClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0.store(true, Ordering::Relaxed);
        Duration::ZERO
    }
}

impl HostMonotonicClock for WatchedClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.store(true, Ordering::Relaxed);
        0
    }
}

/// An instance whose memory and globals are read, by the functions that [`Wizer::instrument_component`] added.
struct Baked<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
}

impl Baked<'_> {
    async fn call<R: Lift + 'static>(&mut self, interface: &str, name: &str) -> R {
        let call = async {
            let interface = self.instance.get_export_index(&mut *self.store, None, interface);
            let function = self.instance.get_export_index(&mut *self.store, interface.as_ref(), name);
            let function = function.with_context(|| format!("`{name}` is missing"))?;
            let function = self.instance.get_typed_func::<(), (R,)>(&mut *self.store, function)?;
            anyhow::Ok(function.call_async(&mut *self.store, ()).await?.0)
        };
        // The trait has no place for an error, and there is none: the functions are wizer's own and read what exists.
        call.await.expect("the instrumented component can be read")
    }
}

impl ComponentInstanceState for Baked<'_> {
    async fn call_func_ret_list_u8(&mut self, interface: &str, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let list: WasmList<u8> = self.call(interface, name).await;
        contents(list.as_le_slice(&*self.store));
    }

    async fn call_func_ret_s32(&mut self, interface: &str, name: &str) -> i32 {
        self.call(interface, name).await
    }

    async fn call_func_ret_s64(&mut self, interface: &str, name: &str) -> i64 {
        self.call(interface, name).await
    }

    async fn call_func_ret_f32(&mut self, interface: &str, name: &str) -> u32 {
        self.call::<f32>(interface, name).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, interface: &str, name: &str) -> u64 {
        self.call::<f64>(interface, name).await.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: [&str; 3]) -> Texts {
        let [offboard, policy, schema] = of.map(str::to_owned);
        Texts { offboard, policy, schema }
    }

    #[test]
    fn a_result_is_known_by_all_that_it_was_made_of() {
        let keys = [
            key(b"a", &texts(["b", "c", "d"])),
            key(b"", &texts(["b", "c", "d"])),
            key(b"a", &texts(["bc", "", "d"])),
            key(b"a", &texts(["b", "cd", ""])),
            key(b"ab", &texts(["", "c", "d"])),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(key), "{at}");
        }
        // Known by its end, and so not baked again: `a` is no component.
        let texts = texts(["b", "c", "d"]);
        let known = [b"baked".as_slice(), &section(&key(b"a", &texts))].concat();
        assert_eq!(bake(b"a", &texts, Some(known.clone())).unwrap(), known);
        assert!(bake(b"ab", &texts, Some(known)).is_err());
    }

    #[test]
    fn the_section_is_one_that_engines_skip() {
        let section = section(&key(b"", &texts(["", "", ""])));
        assert_eq!(
            (section[0], usize::from(section[1]), usize::from(section[2])),
            (0, section.len() - 2, SECTION.len())
        );
        let component = [b"\0asm\x0d\0\x01\0".as_slice(), &section].concat();
        let mut config = Config::new();
        config.wasm_component_model(true);
        assert!(Component::new(&Engine::new(&config).unwrap(), component).is_ok());
    }

    #[test]
    fn a_component_without_the_export_is_not_baked() {
        let error = bake(b"\0asm\x0d\0\x01\0", &texts(["", "", ""]), None).unwrap_err();
        assert!(format!("{error:#}").starts_with("the component cannot be baked"), "{error:#}");
    }
}
