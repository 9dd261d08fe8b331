//! Proof by an access key that the operator issued: SDK-HMAC-SHA256, see [`sdk_hmac`].

use chrono::{DateTime, Utc};

use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp};
use crate::config::callers::Caller;
use crate::crypto::jwt;
use crate::crypto::sdk_hmac::{self, Authorization, Message, SignatureError};
use crate::request::error::RequestError;
use crate::request::headers::{header, required_header};
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;

const AUTHORIZATION: &str = "authorization";

/// Whether the request is signed with an access key.
pub(super) fn is_signed(inbound: &Inbound) -> bool {
    header(&inbound.headers, AUTHORIZATION)
        .is_ok_and(|value| value.is_some_and(|value| value.starts_with(sdk_hmac::ALGORITHM)))
}

/// Returns the id of the access key that the request names.
///
/// # Errors
///
/// [`ProofError::Missing`], [`ProofError::Doubled`] or [`ProofError::Malformed`] if `Authorization` cannot be read.
pub(super) fn id(inbound: &Inbound) -> Result<&str, ProofError> {
    authorization(inbound).map(|authorization| authorization.access)
}

fn authorization(inbound: &Inbound) -> Result<Authorization<'_>, ProofError> {
    let value = required_header(&inbound.headers, AUTHORIZATION)?;
    sdk_hmac::parse_authorization(value).map_err(|error| match error {
        // A token alone, as people paste it.
        SignatureError::Scheme if jwt::peek(value).is_some() => ProofError::SchemeWrong,
        error => refused(&error),
    })
}

/// Verifies the signature.
///
/// # Errors
///
/// [`ProofError`] if the signature does not match the request, or its time is out of range; also if the key is not the caller's or
/// its secret is not set, so that a stranger cannot tell these apart.
pub(super) fn verify(
    inbound: &Inbound,
    caller: &Caller,
    keys: &VerificationKeys,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let authorization = authorization(inbound)?;
    let key = keys.secrets.iter().find(|key| key.id.as_deref() == Some(authorization.access));
    let Some(key) = key else { return Err(refusal_without_key(inbound, now)) };
    let signed = verify_with(inbound, &authorization, key.secret.expose().as_bytes(), now)?;
    let delivery = DeliveryId::new(caller, &[authorization.access.as_bytes(), signed.as_bytes()]);
    Ok(Proof { key_id: Some(authorization.access.to_owned()), ..Proof::of(delivery) })
}

/// Returns why a request is refused whose access key is no caller's or has no secret: what it would be under a key that did not
/// sign it, after the same work.
pub(super) fn refusal_without_key(inbound: &Inbound, now: DateTime<Utc>) -> ProofError {
    /// Of the length that access keys have. It is no secret: what it signs is refused all the same.
    const OF_NO_CALLER: &[u8; 40] = &[0; 40];

    let verified = authorization(inbound).and_then(|given| verify_with(inbound, &given, OF_NO_CALLER, now));
    verified.err().unwrap_or(ProofError::Wrong)
}

/// Verifies the signature under a key; returns the signed text.
fn verify_with(
    inbound: &Inbound,
    authorization: &Authorization<'_>,
    key: &[u8],
    now: DateTime<Utc>,
) -> Result<String, ProofError> {
    let message = Message {
        method: inbound.method.as_str(),
        path: &inbound.path,
        query: &inbound.query,
        headers: &inbound.headers,
        host: &inbound.host,
        body: &inbound.body,
    };
    let verified = sdk_hmac::verify(&message, authorization, key).map_err(|error| refused(&error))?;
    check_timestamp(verified.date.timestamp(), now)?;
    Ok(verified.string_to_sign)
}

fn refused(error: &SignatureError) -> ProofError {
    match error {
        SignatureError::Mismatch => ProofError::Wrong,
        SignatureError::EmptySecret => ProofError::SecretUnset,
        SignatureError::Missing(header) if header == sdk_hmac::SDK_DATE => {
            ProofError::Missing { header: sdk_hmac::SDK_DATE }
        }
        SignatureError::Date => ProofError::Malformed { header: sdk_hmac::SDK_DATE },
        SignatureError::Doubled(header) => ProofError::Doubled { header: header.clone().into() },
        SignatureError::PercentEncoding(_)
        | SignatureError::EncodedSlash
        | SignatureError::Plus
        | SignatureError::NamelessParameter => RequestError::UrlMalformed.into(),
        // The rest: an `Authorization` value that no SDK writes, or a signature that covers too little.
        _ => ProofError::Malformed { header: AUTHORIZATION },
    }
}
