//! What the examples share: a request is sent on as the documented DELETE, and its answer passed back. No proof, no
//! policy, no record, no limit on time or size: the least that anything in this place has to do.
#![cfg(target_family = "wasm")]

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt, Full};
use spin_sdk::http::Request;
use spin_sdk::variables;

/// An answer that is passed on whole.
pub type Answer = http::Response<Full<Bytes>>;

/// Reads the request to its end, sends the DELETE, and passes the answer back.
pub async fn forward(request: Request) -> Result<Answer, String> {
    let (parts, body) = request.into_parts();
    body.collect().await.map_err(|error| format!("{error:?}"))?;
    let endpoint = variables::get("taurusdb_endpoint").await.map_err(|error| error.to_string())?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let request = http::Request::delete(format!("{endpoint}{path}"))
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, "0")
        .body(Full::new(Bytes::new()))
        .map_err(|error| error.to_string())?;
    let answer = spin_sdk::http::send(request).await.map_err(|error| format!("{error:?}"))?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
    let mut answer = answer_of(parts.status, body);
    if let Some(kind) = parts.headers.get(CONTENT_TYPE) {
        answer.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    Ok(answer)
}

/// An answer with its length.
pub fn answer_of(status: http::StatusCode, body: Bytes) -> Answer {
    let length = HeaderValue::from(body.len());
    let mut answer = http::Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

/// What went wrong, told as a proxy tells it: the load driver reports every answer that it did not expect.
pub fn failed(why: String) -> Answer {
    answer_of(http::StatusCode::BAD_GATEWAY, why.into())
}
