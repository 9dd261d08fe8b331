//! What the tests of the simulation share: a simulator on a fixed clock, and signed requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response};
use serde_json::Value;
use starrocks_offboard::crypto::sdk_hmac::{self, Message};

use super::demo;
use super::options::SimulatorOptions;
use super::server::Simulator;
use crate::http_client::send;

pub(super) const DATE: &str = "20260115T083000Z";
pub(super) const USERS: &str =
    "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";

/// 2026-01-15T08:30:00Z
pub(super) fn half_past_eight() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_768_465_800)
}

pub(super) async fn start() -> Simulator {
    start_with(|_| ()).await
}

pub(super) async fn start_with(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
    let mut options = SimulatorOptions { clock: Arc::new(half_past_eight), ..SimulatorOptions::demo() };
    change(&mut options);
    Simulator::start(options).await.unwrap()
}

/// The parts of a signature. The default is a right one.
pub(super) struct Signing<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) date: &'a str,
    pub(super) signed: &'a [(&'static str, &'a str)],
    pub(super) unsigned: &'a [(&'static str, &'a str)],
    /// The body that is signed. None is sent.
    pub(super) body: &'a [u8],
}

impl Default for Signing<'_> {
    fn default() -> Self {
        let (access_key, secret_key) = (demo::ACCESS_KEY, demo::SECRET_KEY);
        Self { access_key, secret_key, date: DATE, signed: &[], unsigned: &[], body: b"" }
    }
}

impl Signing<'_> {
    pub(super) fn request(&self, simulator: &Simulator, method: Method, path_and_query: &str) -> Request<Bytes> {
        let mut headers = HeaderMap::new();
        headers.insert(sdk_hmac::SDK_DATE, self.date.parse().unwrap());
        for &(name, value) in self.signed {
            headers.append(name, value.parse().unwrap());
        }
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let host = simulator.address().to_string();
        let message = Message { method: method.as_str(), path, query, headers: &headers, host: &host, body: self.body };
        let authorization = sdk_hmac::sign(&message, self.access_key, self.secret_key.as_bytes(), self.date).unwrap();
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        for &(name, value) in self.unsigned {
            headers.append(name, value.parse().unwrap());
        }
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = path_and_query.parse().unwrap();
        *request.headers_mut() = headers;
        request
    }
}

pub(super) fn delete_request(simulator: &Simulator, user_name: &str) -> Request<Bytes> {
    Signing::default().request(simulator, Method::DELETE, &format!("{USERS}?user_name={user_name}"))
}

pub(super) async fn delete(simulator: &Simulator, user_name: &str) -> Response<Bytes> {
    send(simulator.address(), delete_request(simulator, user_name)).await.unwrap()
}

pub(super) fn with_headers(method: Method, path_and_query: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path_and_query);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).unwrap()
}

pub(super) fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Returns the status and the error code in one line.
pub(super) fn said(response: &Response<Bytes>) -> String {
    let body = body(response);
    let said = body["error_code"].as_str().or(body["result"].as_str()).unwrap_or_default();
    format!("{} {said}", response.status().as_u16())
}
