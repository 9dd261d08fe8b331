//! Tokens, for a user's password and for an agency.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::IamError;
use super::request::{AssumeRole, Body, Reference, Scope, User};
use crate::simulator::auth::authenticate;
use crate::simulator::cloud::{Cloud, Issued};
use crate::simulator::headers::SUBJECT_TOKEN;
use crate::simulator::received::ReceivedRequest;
use crate::simulator::refusal::json_response;

/// The number of SHA-256 digests in a token. They make about 3000 characters, as many as a real token has.
const DIGESTS: usize = 70;

/// The user or agency that a token is for.
struct Holder<'a> {
    name: String,
    domain_name: &'a str,
    domain_id: &'a str,
    projects: &'a [String],
}

/// Returns a new token, or the error of IAM.
pub(in crate::simulator) fn issue_token(cloud: &Cloud, request: &ReceivedRequest) -> Response<Bytes> {
    let (status, body, token) = match issue(cloud, request) {
        Ok((token, body)) => (StatusCode::CREATED, body, Some(token)),
        Err(error) => {
            let (status, body) = error.render();
            (status, body, None)
        }
    };
    let mut response = json_response(status, &body);
    if let Some(token) = token {
        let mut token = HeaderValue::from_str(&token).expect("base64");
        token.set_sensitive(true);
        response.headers_mut().insert(SUBJECT_TOKEN, token);
    }
    response
}

fn issue(cloud: &Cloud, request: &ReceivedRequest) -> Result<(String, Value), IamError> {
    let Body { auth } = serde_json::from_slice(&request.body).map_err(|_| IamError::BadBody)?;
    let methods: Vec<&str> = auth.identity.methods.iter().map(String::as_str).collect();
    let holder = match (&methods[..], &auth.identity.password, &auth.identity.assume_role) {
        (["password"], Some(password), _) => user(cloud, &password.user)?,
        (["assume_role"], _, Some(role)) => {
            authenticate(cloud, request).map_err(|_| IamError::Unauthenticated)?;
            agency(cloud, role)?
        }
        _ => return Err(IamError::BadBody),
    };
    let project = project(auth.scope.as_ref(), &holder)?;

    let issued_at = (cloud.options.clock)();
    let expires_at = issued_at + cloud.options.token_lifetime;
    let domain = json!({ "id": holder.domain_id, "name": holder.domain_name });
    let mut body = json!({
        "expires_at": timestamp(expires_at),
        "issued_at": timestamp(issued_at),
        "methods": methods,
        "roles": [],
        "user": { "name": holder.name, "id": user_id(&holder), "domain": domain },
    });
    match &project {
        Some(id) => body["project"] = json!({ "id": id, "name": id, "domain": domain }),
        None => body["domain"] = domain,
    }
    if !request.path_and_query().1.split('&').any(|parameter| parameter == "nocatalog=true") {
        body["catalog"] = json!([]);
    }
    // A request ID is unique, so the token is.
    let token = token_of(&request.request_id);
    cloud.state().tokens.insert(token.clone(), Issued { expires_at, project });
    Ok((token, json!({ "token": body })))
}

fn user<'a>(cloud: &'a Cloud, asked: &User) -> Result<Holder<'a>, IamError> {
    let user =
        cloud.options.users.iter().find(|user| {
            user.name == asked.name && user.domain == asked.domain.name && user.password == asked.password
        });
    // The error does not say which of the three was wrong.
    let user = user.ok_or(IamError::WrongPassword)?;
    Ok(Holder {
        name: user.name.clone(),
        domain_name: &user.domain,
        domain_id: &user.domain_id,
        projects: &user.projects,
    })
}

fn agency<'a>(cloud: &'a Cloud, asked: &AssumeRole) -> Result<Holder<'a>, IamError> {
    let domain = Reference { id: asked.domain_id.clone(), name: asked.domain_name.clone() };
    if domain.id.is_none() && domain.name.is_none() {
        return Err(IamError::BadBody);
    }
    let mut agencies = cloud.options.agencies.iter();
    let agency = agencies
        .find(|agency| agency.name == asked.agency_name && domain.means(&agency.domain_id, &agency.domain_name))
        .ok_or_else(|| IamError::NoSuchAgency(asked.agency_name.clone()))?;
    Ok(Holder {
        name: format!("{}/{}", agency.domain_name, agency.name),
        domain_name: &agency.domain_name,
        domain_id: &agency.domain_id,
        projects: &agency.projects,
    })
}

/// Returns the project that a token is requested for. `None` stands for the whole Huawei Cloud account, which a request
/// without a scope means, too.
fn project(scope: Option<&Scope>, holder: &Holder<'_>) -> Result<Option<String>, IamError> {
    match scope {
        None => Ok(None),
        Some(Scope { project: Some(asked), domain: None }) => {
            let project = holder.projects.iter().find(|id| asked.means(id, id));
            project.cloned().map(Some).ok_or(IamError::OutOfScope)
        }
        Some(Scope { project: None, domain: Some(asked) }) => {
            asked.means(holder.domain_id, holder.domain_name).then_some(None).ok_or(IamError::OutOfScope)
        }
        Some(_) => Err(IamError::BadBody),
    }
}

/// Formats a time as IAM does: `2026-01-16T08:30:00.000000Z`.
pub(super) fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn user_id(holder: &Holder<'_>) -> String {
    let mut id = hex::encode(Sha256::digest(format!("{}/{}", holder.domain_id, holder.name)));
    id.truncate(32);
    id
}

/// Returns a text that is as long as a real token and begins like one.
pub(super) fn token_of(seed: &str) -> String {
    let mut digest = Sha256::digest(seed);
    let mut bytes = Vec::new();
    for _ in 0..DIGESTS {
        bytes.extend_from_slice(&digest);
        digest = Sha256::digest(digest);
    }
    format!("MII{}", URL_SAFE_NO_PAD.encode(bytes))
}
