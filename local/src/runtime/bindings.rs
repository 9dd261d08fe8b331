//! The host side of the Spin interfaces in `wit/spin.wit`.

#![allow(missing_docs, unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "runtime",
    imports: { default: trappable },
    with: {
        "spin:postgres/postgres.connection": crate::runtime::postgres_pool::PostgresConnection,
        "spin:sqlite/sqlite.connection": crate::runtime::database::Connection,
    },
});
