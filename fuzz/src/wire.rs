//! Requests and answers as text, much as HTTP/1.1 writes them, so that a corpus can be read and mutated.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri};
use starrocks_offboard::host::{Answered, SendError};
use starrocks_offboard::request::inbound::Inbound;

use crate::watched::Odd;

/// What a request is addressed to.
pub(crate) const HOST: &str = "localhost";

/// `METHOD target`, headers, an empty line, the body. `None` for what no runtime hands on.
pub(crate) fn inbound(text: &[u8]) -> Option<Inbound> {
    let (head, body) = halves(text);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = first.split_once(' ')?;
    let uri: Uri = target.parse().ok().filter(|_| target.starts_with('/'))?;
    Some(Inbound {
        method: Method::from_bytes(method.as_bytes()).ok()?,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        host: HOST.to_owned(),
        headers: headers(lines),
        body: Bytes::copy_from_slice(body),
    })
}

/// `STATUS`, or what kept an answer from coming, then as above. `milliseconds` and `effect` among the headers are how long it
/// takes, and whether what was asked is done all the same.
pub(crate) fn answer(text: &[u8]) -> Odd {
    let (head, body) = halves(text);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut headers = headers(lines);
    let number = |value: HeaderValue| value.to_str().ok()?.parse::<u64>().ok();
    let takes = Duration::from_millis(headers.remove("milliseconds").and_then(number).unwrap_or_default().min(60_000));
    let effect = headers.remove("effect").is_some();
    let why = || "why".to_owned();
    let result = match first.trim() {
        "not sent" => Err(SendError::NotSent(why())),
        "not allowed" => Err(SendError::NotAllowed(why())),
        "connect timed out" => Err(SendError::ConnectTimedOut(why())),
        "first byte timed out" => Err(SendError::FirstByteTimedOut(why())),
        "call timed out" => Err(SendError::CallTimedOut(why())),
        "broken" => Err(SendError::Broken(why())),
        status => {
            let (status, is_whole) = match status.strip_suffix('!') {
                Some(status) => (status, false),
                None => (status, true),
            };
            let status = status.parse::<u16>().ok().and_then(|status| http::StatusCode::from_u16(status).ok());
            let mut answer: Answered = Response::new(is_whole.then(|| Bytes::copy_from_slice(body)));
            *answer.status_mut() = status.unwrap_or(http::StatusCode::OK);
            *answer.headers_mut() = headers;
            Ok(answer)
        }
    };
    Odd { result, takes, effect }
}

/// The parts between lines of `%%`.
pub(crate) fn parts(text: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, b"\n%%\n") {
        parts.push(&rest[..at]);
        rest = &rest[at + 4..];
    }
    parts.push(rest);
    parts
}

pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    (!what.is_empty()).then(|| text.windows(what.len()).position(|window| window == what)).flatten()
}

fn halves(text: &[u8]) -> (&[u8], &[u8]) {
    match find(text, b"\n\n") {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, b""),
    }
}

/// Lines that are no headers are not there.
fn headers<'t>(lines: impl Iterator<Item = &'t [u8]>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.take(64) {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[at + 1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..at]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}
