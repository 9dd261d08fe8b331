//! What the linker is told about the component, whichever way it is built.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A new instance gets memory whose first two megabytes Spin keeps in place; what lies beyond is faulted in page by page, for
    // each instance. With half of the usual stack the memory of a removal ends before that.
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=524288");
    }
}
