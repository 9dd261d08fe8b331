//! See `fuzz::filter`.
#![no_main]
#![allow(unsafe_code, reason = "libFuzzer's entry is not safe Rust")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::filter(data));
