//! Answers without doing anything: what an instance costs that has nothing to set up.
#![cfg(target_family = "wasm")]

use bench_components::{Answer, answer_of};
use bytes::Bytes;
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(_request: Request) -> Answer {
    answer_of(http::StatusCode::OK, Bytes::from_static(b"hello"))
}
