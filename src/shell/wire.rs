//! Requests and responses as `wasi:http` has them.
//!
//! The SDK's conversions copy the header map, read bodies by 16 KiB and make a stream and a task also for a body that is empty.
//! Each of that is a call of the runtime, or several: here a request that has no body opens no stream.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    self, ErrorCode, HeaderError, Headers, Request, RequestOptions, Response, Trailers,
};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::host::{Answered, Limits, SendError};
use crate::request::inbound::{BodyError, Inbound};
use crate::shell::log::write_line;

/// How much of a body of unknown length is read at once, in bytes.
const CHUNK: usize = 4 * 1024;

/// Reads a request without its body.
pub(super) fn head(request: &Request) -> Inbound {
    let target = request.get_path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let headers = header_map(request.get_headers().copy_all());
    let host = match request.get_authority() {
        Some(authority) => authority,
        None => headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned(),
    };
    Inbound {
        method: method(request.get_method()),
        path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        query: query.to_owned(),
        host,
        headers,
        body: Bytes::new(),
    }
}

/// Reads the body of a request. `limit` returns the largest one that is read, in bytes.
pub(super) async fn with_body(
    inbound: Inbound,
    request: Request,
    limit: impl FnOnce(&Inbound) -> usize,
) -> (Inbound, Option<BodyError>) {
    let expected = content_length(&inbound.headers);
    if expected == Some(0) {
        return (inbound, None);
    }
    let limit = limit(&inbound);
    let (_received, reader) = wit_future::new(|| Ok(()));
    let (contents, trailers) = Request::consume_body(request, reader);
    match whole(contents, trailers, expected, limit).await {
        Ok(body) => (Inbound { body, ..inbound }, None),
        Err(BodyEnd::TooLarge) => (inbound, Some(BodyError::TooLarge(limit))),
        Err(BodyEnd::CutShort) => (inbound, Some(BodyError::CutShort)),
    }
}

/// Makes the response. Its body is written by a task of its own, because the runtime reads it after this response is returned.
pub(super) fn response(response: http::Response<Bytes>) -> Response {
    let (parts, body) = response.into_parts();
    // Each field was made by `reply` or is one of TaurusDB's that may be passed on.
    let headers = fields(&parts.headers).unwrap_or_else(|_| Headers::new());
    let (finished, trailers) = wit_future::new(|| Ok(None));
    let (contents, writer) = contents(&body);
    let (response, _transmitted) = Response::new(headers, contents, trailers);
    if parts.status != StatusCode::OK {
        // The runtime takes every status that `http` knows.
        let _ = response.set_status_code(parts.status.as_u16());
    }
    if let Some(writer) = writer {
        spawn(async move {
            write(writer, body).await;
            let _ = finished.write(Ok(None)).await;
        });
    }
    response
}

/// Sends a request, and reads the answer to its end.
pub(super) async fn call(request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
    let (parts, body) = request.into_parts();
    let (finished, trailers) = wit_future::new(|| Ok(None));
    let (contents, writer) = contents(&body);
    let headers = fields(&parts.headers).map_err(|error| SendError::NotAllowed(format!("{error:?}")))?;
    let (outgoing, _transmitted) = Request::new(headers, contents, trailers, Some(options(limits)));
    address(&outgoing, &parts.method, &parts.uri).map_err(|code| failure(&code))?;
    let answered = match writer {
        None => client::send(outgoing).await,
        Some(writer) => {
            let written = async {
                write(writer, body).await;
                let _ = finished.write(Ok(None)).await;
            };
            join(client::send(outgoing), written).await.0
        }
    };
    let response = answered.map_err(|code| failure(&code))?;
    let mut answer = http::Response::new(None);
    *answer.status_mut() = StatusCode::from_u16(response.get_status_code()).unwrap_or_default();
    *answer.headers_mut() = header_map(response.get_headers().copy_all());
    let expected = content_length(answer.headers());
    *answer.body_mut() = match expected {
        Some(0) => Some(Bytes::new()),
        _ => {
            let (_received, reader) = wit_future::new(|| Ok(()));
            let (contents, trailers) = Response::consume_body(response, reader);
            whole(contents, trailers, expected, limits.answer).await.ok()
        }
    };
    Ok(answer)
}

/// Why a body is not whole.
enum BodyEnd {
    TooLarge,
    CutShort,
}

/// Reads a body to its end. A body of which the length is known has ended when all of it was read: the runtime does not give
/// more of it.
async fn whole(
    mut contents: StreamReader<u8>,
    trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    expected: Option<usize>,
    limit: usize,
) -> Result<Bytes, BodyEnd> {
    if expected.is_some_and(|expected| expected > limit) {
        return Err(BodyEnd::TooLarge);
    }
    let mut body = Vec::with_capacity(expected.unwrap_or(CHUNK));
    loop {
        if body.len() == body.capacity() {
            body.reserve(CHUNK);
        }
        let (result, read) = contents.read(body).await;
        body = read;
        if body.len() > limit {
            return Err(BodyEnd::TooLarge);
        }
        match result {
            StreamResult::Complete(_) if expected == Some(body.len()) => return Ok(body.into()),
            StreamResult::Complete(_) => {}
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    match trailers.await {
        Ok(_) => Ok(body.into()),
        Err(_) => Err(BodyEnd::CutShort),
    }
}

/// The stream of a body, and what writes it; neither for an empty one.
fn contents(body: &Bytes) -> (Option<StreamReader<u8>>, Option<StreamWriter<u8>>) {
    if body.is_empty() {
        return (None, None);
    }
    let (writer, reader) = wit_stream::new();
    (Some(reader), Some(writer))
}

async fn write(mut writer: StreamWriter<u8>, body: Bytes) {
    // What is left was not wanted: the other side answered, or has gone.
    let _ = writer.write_all(body.into()).await;
}

fn options(limits: Limits) -> RequestOptions {
    let options = RequestOptions::new();
    let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).ok();
    // A runtime that does not support a limit reports it here; `Host::send` enforces the limit of the whole call.
    for limited in [
        options.set_connect_timeout(nanoseconds(limits.connect)),
        options.set_first_byte_timeout(nanoseconds(limits.first_byte)),
    ] {
        if limited.is_err() {
            write_line("the runtime does not take a time limit");
        }
    }
    options
}

fn address(request: &Request, method: &Method, uri: &Uri) -> Result<(), ErrorCode> {
    request.set_method(&method.into()).map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(uri.scheme().map(Into::into).as_ref()).map_err(invalid)?;
    request.set_authority(uri.authority().map(|authority| authority.as_str())).map_err(invalid)?;
    request.set_path_with_query(uri.path_and_query().map(|target| target.as_str())).map_err(invalid)
}

/// The fields of a message. The runtime writes `Host` itself, and takes every name and value that `http` takes.
fn fields(headers: &HeaderMap) -> Result<Headers, HeaderError> {
    let list: Vec<_> = headers
        .iter()
        .filter(|(name, _)| **name != HOST)
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    Headers::from_list(&list)
}

/// The runtime has checked names and values by the same rules.
fn header_map(list: Vec<(String, Vec<u8>)>) -> HeaderMap {
    let field = |(name, value): (String, Vec<u8>)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?))
    };
    let mut headers = HeaderMap::with_capacity(list.len());
    for (name, value) in list.into_iter().filter_map(field) {
        headers.append(name, value);
    }
    headers
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn method(method: types::Method) -> Method {
    // The runtime has no method that `http` does not take.
    method.try_into().unwrap_or(Method::OPTIONS)
}

/// Returns the kind of an error from the runtime. An error that does not prove that nothing was sent counts as sent.
fn failure(code: &ErrorCode) -> SendError {
    let text = format!("{code:?}");
    match code {
        ErrorCode::DnsTimeout | ErrorCode::ConnectionTimeout => SendError::ConnectTimedOut(text),
        ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError => SendError::NotSent(text),
        ErrorCode::DestinationIpProhibited
        | ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid => SendError::NotAllowed(text),
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            SendError::FirstByteTimedOut(text)
        }
        _ => SendError::Broken(text),
    }
}
