//! A request as it arrived.

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request as it came, its body whole and within the limit.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The method.
    pub method: Method,
    /// The path as on the wire, percent-encoded.
    pub path: String,
    /// The query as on the wire, without `?`; empty when there is none.
    pub query: String,
    /// The authority that the client addressed, as it wrote it.
    pub host: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The raw body.
    pub body: Bytes,
}

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Why a body was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is over [`BODY_LIMIT`], whatever its Content-Length says.
    TooLarge,
    /// It ended early.
    CutShort,
}
