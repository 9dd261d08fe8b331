//! A request to its end, and its response.

use std::cell::Cell;

use bytes::Bytes;
use http::Response;
use starrocks_offboard::app::App;
use starrocks_offboard::flow;
use starrocks_offboard::host::Host;
use starrocks_offboard::request::inbound::Inbound;

/// Handles a request of which the whole body was read, and returns its response when all work is done.
///
/// # Panics
///
/// If there is no response.
pub async fn answered<H: Host>(host: &H, app: Result<&App, &str>, inbound: Inbound) -> Response<Bytes> {
    let answer = Cell::new(None);
    flow::handle(host, app, inbound, None, |response| answer.set(Some(response))).await;
    answer.into_inner().expect("every request is answered")
}
