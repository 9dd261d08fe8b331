//! Proof by an access key that the operator issued: SDK-HMAC-SHA256, see [`sdk_hmac`].

use chrono::{DateTime, Utc};

use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp};
use crate::config::callers::Caller;
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
    sdk_hmac::parse_authorization(required_header(&inbound.headers, AUTHORIZATION)?).map_err(|error| refused(&error))
}

/// Verifies the signature.
///
/// # Errors
///
/// [`ProofError`] if the key is not the caller's, the signature does not match the request, or its time is out of range.
pub(super) fn verify(
    inbound: &Inbound,
    caller: &Caller,
    keys: &VerificationKeys,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let authorization = authorization(inbound)?;
    let key =
        keys.secrets.iter().find(|key| key.id.as_deref() == Some(authorization.access)).ok_or(ProofError::Wrong)?;
    let message = Message {
        method: inbound.method.as_str(),
        path: &inbound.path,
        query: &inbound.query,
        headers: &inbound.headers,
        host: &inbound.host,
        body: &inbound.body,
    };
    let verified =
        sdk_hmac::verify(&message, &authorization, key.secret.expose().as_bytes()).map_err(|error| refused(&error))?;
    check_timestamp(verified.date.timestamp(), now)?;
    let delivery = DeliveryId::new(caller, &[authorization.access.as_bytes(), verified.string_to_sign.as_bytes()]);
    Ok(Proof { key_id: Some(authorization.access.to_owned()), ..Proof::of(delivery) })
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
