//! `GET /openapi.yaml`: what the gateway answers to which request, for portals and for generators of clients.
//!
//! The document is part of the component, so that it describes the version that runs. It needs no proof: the repository has it, too.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{Response, StatusCode};
use sha2::{Digest, Sha256};

use crate::ledger::row::RemovalId;
use crate::reply::Rendered;
use crate::reply::response::{Facts, build};
use crate::request::inbound::Inbound;

const DOCUMENT: &str = include_str!("../../docs/openapi.yaml");

/// RFC 9512.
const YAML: &str = "application/yaml";

static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", hex::encode(Sha256::digest(DOCUMENT))));

/// The document, or that the client has it (RFC 9110, section 13.1.2).
pub(super) fn response(inbound: &Inbound, id: &RemovalId) -> Response<Bytes> {
    let known = inbound.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == *TAG
    });
    let mut rendered = match is_known {
        true => Rendered::of(YAML, StatusCode::NOT_MODIFIED, String::new()),
        false => Rendered::of(YAML, StatusCode::OK, DOCUMENT.to_owned()),
    };
    rendered.headers.push((ETAG, TAG.clone()));
    build(rendered, &Facts { request_id: id.as_str(), ..Facts::default() })
}
