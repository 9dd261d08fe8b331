//! The bare forwarder.
#![cfg(target_family = "wasm")]

use bench_components::{Answer, failed, forward};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Answer {
    forward(request).await.unwrap_or_else(failed)
}
