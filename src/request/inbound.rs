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

/// The largest body of a request about one account, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The largest body of directories, in bytes: they put pictures into a person, and many people's events into a request.
pub const DIRECTORY_BODY_LIMIT: usize = 1024 * 1024;

/// Why a body could not be read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than this many bytes, whatever its Content-Length says.
    TooLarge(usize),
    /// It ended early.
    CutShort,
}
