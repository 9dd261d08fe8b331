//! A request as it arrived, its body whole and within the limit.

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The method.
    pub method: Method,
    /// The path as on the wire, percent-encoded.
    pub path: String,
    /// The query as on the wire, without `?`; empty if there is none.
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

/// Why a body could not be read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than [`BODY_LIMIT`], whatever its Content-Length says.
    TooLarge,
    /// It ended early.
    CutShort,
}
