//! The Spin interfaces of `wit/spin.wit`, as the host side of them.

#![allow(missing_docs, unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "runtime",
    imports: { default: trappable },
    with: { "spin:sqlite/sqlite.connection": crate::sqlite::Connection },
});
