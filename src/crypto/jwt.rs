//! Bearer tokens that an identity provider signed: JWTs (RFC 7519) in JWS compact serialization (RFC 7515), as OpenID
//! Connect ID tokens (<https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>) and OAuth access tokens
//! (RFC 9068) are. Pure: the token, the provider's keys, what is expected and the time are arguments.
//!
//! What RFC 8725 ("JSON Web Token Best Current Practices") warns of, and what is done about it:
//!
//! - the algorithm is the key's; the header's `alg` must say the same. `RS256`, `ES256` and `EdDSA` (RFC 7518 section 3.1,
//!   RFC 8037 section 3.1; `Ed25519` is its new name, RFC 9864), never `none`, and nothing with a shared secret, so that no
//!   public key is taken for one;
//! - the keys are the provider's set, never the token's: a header with `jwk`, `jku`, `x5u` or `x5c` is refused;
//! - `kid` is a text to compare and nothing else. For a token without one the keys of its algorithm are tried in turn, eight at
//!   most; so are keys that have no `kid` themselves, for a token with one that no key has;
//! - `crit` is refused, because no extension that it could name is supported here; `b64`, the unencoded payload of RFC 7797,
//!   is refused even if `crit` does not name it: otherwise an arbitrary text could pass for claims;
//! - `typ`, if present, is `JWT` or `at+jwt` (RFC 9068 section 2.1), so that no other kind of token passes for one of these; for
//!   an ID token `JWT` only ([`id_token`]);
//! - one token has one spelling: three segments of base64url without padding and without trailing bits, JSON in which no
//!   key appears twice;
//! - `iss`, `aud`, `exp` and `sub` are mandatory; `nbf`, `iat` and `azp` are checked if present.
//!
//! An access token that is bound to its holder's key (`cnf`, RFC 7800; DPoP, RFC 9449; mutual TLS, RFC 8705) is refused,
//! because presenting the token does not prove possession of the key.
//!
//! Not supported: encrypted tokens, opaque tokens and their introspection, groups below the top level of the claims, and
//! groups that the token only points to (`_claim_names`, OpenID Connect Core section 5.6.2; with Microsoft Entra also
//! `hasgroups`): such a token is refused, because a policy that forbids by group would not see the group.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use crate::crypto::jwks::{KeyMissing, KeySet, named};
use crate::crypto::unique_json;

/// The longest accepted token, in bytes: room for 200 group ids, the most that Microsoft Entra puts into one.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// How far the provider's clock may be ahead of the gateway's, in milliseconds. There is no tolerance for `exp`.
const SKEW: i64 = 60_000;

/// The longest `sub` that OpenID Connect Core section 2 allows.
const LONGEST_SUBJECT: usize = 255;

/// The values of `typ` of bearer tokens.
const BEARER_TYPES: &[&str] = &["jwt", "at+jwt"];

/// The values of `typ` of ID tokens: an access token for the same client is none.
const ID_TOKEN_TYPES: &[&str] = &["jwt"];

/// Header members that carry keys or say where to fetch them.
const KEYS_IN_THE_HEADER: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

type Object = Map<String, Value>;

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// It is not a JWT of the form that this module accepts.
    Malformed,
    /// Its algorithm is not supported, or is not its key's.
    Algorithm,
    /// The set has no key of the token's `kid`, or, without a `kid`, not exactly one key of its algorithm.
    UnknownKey,
    /// The signature does not verify under the key.
    Signature,
    /// It has expired (`exp`) or is not valid yet (`nbf`, `iat`).
    Expired,
    /// The claim is missing, malformed, or has another value than expected.
    Claim(&'static str),
}

/// Unverified parts of a token. Their only use is to choose the keys that the token is verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The claim `iss`.
    pub issuer: String,
    /// The header's `kid`.
    pub key_id: Option<String>,
}

/// Reads issuer and key id without verifying anything; `None` if the text is not a token.
pub fn peek(token: &str) -> Option<Peek> {
    let parts = Parts::of(token).ok()?;
    let header = parts.header().ok()?;
    let claims = object(&decoded(parts.payload).ok()?).ok()?;
    Some(Peek { issuer: claims.get("iss")?.as_str()?.to_owned(), key_id: key_id(&header).ok()?.map(str::to_owned) })
}

/// Returns the algorithm that a token says it is signed with, for a caller that accepts few of the supported ones; `None` if the
/// text is not a token. The signature decides whether it is.
pub fn algorithm(token: &str) -> Option<String> {
    Parts::of(token).ok()?.header().ok()?.get("alg")?.as_str().map(str::to_owned)
}

/// What the claims of a token must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The exact `iss`.
    pub issuer: &'a str,
    /// The accepted audiences: one of them is `aud`, or is in its list.
    pub audiences: &'a [String],
    /// The exact `azp`; `None` leaves the claim unchecked.
    pub authorized_party: Option<&'a str>,
    /// The name of the claim that lists the groups; with `None`, a token gives no groups.
    pub groups: Option<&'a str>,
}

/// The claims of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: the provider's id of the person or system.
    pub subject: String,
    /// The groups; empty if the token has no such claim.
    pub groups: Vec<String>,
    /// `jti`: the token's own id.
    pub id: Option<String>,
    /// `exp`: when the token ends, in milliseconds since 1970.
    pub ends: i64,
}

/// Verifies a token and returns its claims. No claim is read before the signature is verified.
///
/// # Errors
///
/// A [`TokenError`] if the token is malformed, its signature does not verify, it is not valid at `now`, or a claim is not the
/// expected one.
pub fn verify(token: &str, keys: &KeySet, expected: &Expected<'_>, now: DateTime<Utc>) -> Result<Claims, TokenError> {
    known_claims(&proved(token, keys, expected, now)?, expected)
}

/// Verifies an ID token (<https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>) that was issued for one
/// sign-in, and returns all of its claims. The client is its only audience: others are not trusted here.
///
/// # Errors
///
/// If one of the checks of [`verify`] fails, `nonce` is another one, or the token is for other clients too; the [`TokenError`]
/// names it.
pub fn id_token(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
    nonce: &str,
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, TokenError> {
    let claims = object(&signed(token, keys, ID_TOKEN_TYPES)?)?;
    fitting(&claims, expected, now)?;
    if claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() != 1) {
        return Err(TokenError::Claim("aud"));
    }
    let party = claims.get("azp").map(|party| party.as_str());
    if party.is_some_and(|party| !expected.audiences.iter().any(|client| party == Some(client))) {
        return Err(TokenError::Claim("azp"));
    }
    if !bool::from(text(&claims, "nonce")?.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(TokenError::Claim("nonce"));
    }
    known_claims(&claims, expected).map(|_| claims)
}

/// Returns the claim that names the person. `sub` stands beside it in any case ([`verify`] demands it); an address that its
/// provider has not verified names no one.
///
/// # Errors
///
/// [`TokenError::Claim`] if the claim is missing, is not printable ASCII of at most 255 bytes, or is an address with
/// `email_verified` false.
pub fn person(claims: &Map<String, Value>, name: &str) -> Result<String, TokenError> {
    const REFUSED: TokenError = TokenError::Claim("of the person");
    let is_unverified = |claim: &Value| matches!(claim, Value::Bool(false)) || claim.as_str() == Some("false");
    if name == "email" && claims.get("email_verified").is_some_and(is_unverified) {
        return Err(TokenError::Claim("email_verified"));
    }
    let id = claims.get(name).and_then(Value::as_str).ok_or(REFUSED)?;
    if is_id(id) { Ok(id.to_owned()) } else { Err(REFUSED) }
}

/// Verifies a token that needs no `sub`, because its issuer acts for itself, and returns all of its claims.
///
/// # Errors
///
/// If one of the checks of [`verify`] fails, except the one for `sub`; the [`TokenError`] names it.
pub fn proved(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, TokenError> {
    let claims = object(&signed(token, keys, BEARER_TYPES)?)?;
    fitting(&claims, expected, now)?;
    Ok(claims)
}

/// Verifies the signature of a token of one of these types, and returns the payload.
fn signed(token: &str, keys: &KeySet, types: &[&str]) -> Result<Vec<u8>, TokenError> {
    let parts = Parts::of(token)?;
    let header = parts.header()?;
    if ["crit", "b64"].iter().any(|name| header.contains_key(*name))
        || KEYS_IN_THE_HEADER.iter().any(|name| header.contains_key(*name))
    {
        return Err(TokenError::Malformed);
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(media_type)) if is_of_type(media_type, types) => {}
        Some(_) => return Err(TokenError::Malformed),
    }
    let algorithm = header.get("alg").and_then(Value::as_str).ok_or(TokenError::Malformed)?;
    let tried =
        keys.find(key_id(&header)?, named(algorithm).ok_or(TokenError::Algorithm)?).map_err(
            |missing| match missing {
                KeyMissing::Unknown => TokenError::UnknownKey,
                KeyMissing::OtherAlgorithm => TokenError::Algorithm,
            },
        )?;
    let (payload, signature) = (decoded(parts.payload)?, decoded(parts.signature)?);
    if tried.keys.iter().any(|key| key.verify(parts.signed.as_bytes(), &signature)) {
        return Ok(payload);
    }
    // A key that was not named may be one that the issuer has published since.
    Err(if tried.is_named { TokenError::Signature } else { TokenError::UnknownKey })
}

/// Whether `typ` is one of these. Media types are compared without case, and may leave out `application/` (RFC
/// 7515 section 4.1.9).
fn is_of_type(media_type: &str, types: &[&str]) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    types.contains(&media_type.strip_prefix("application/").unwrap_or(&media_type))
}

/// The three segments of a token, still encoded.
struct Parts<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// The first two, as they are signed.
    signed: &'t str,
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        Ok(Self { header, payload, signature, signed })
    }

    fn header(&self) -> Result<Object, TokenError> {
        object(&decoded(self.header)?)
    }
}

fn decoded(segment: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| TokenError::Malformed)
}

fn object(json: &[u8]) -> Result<Object, TokenError> {
    match unique_json::parse(json) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(TokenError::Malformed),
    }
}

fn key_id(header: &Object) -> Result<Option<&str>, TokenError> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(id)),
        Some(_) => Err(TokenError::Malformed),
    }
}

/// Checks that the token is meant for this gateway and valid at `now`.
fn fitting(claims: &Object, expected: &Expected<'_>, now: DateTime<Utc>) -> Result<(), TokenError> {
    if text(claims, "iss")? != expected.issuer {
        return Err(TokenError::Claim("iss"));
    }
    let audiences = match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience.clone()],
        Some(list) => strings(list).ok_or(TokenError::Claim("aud"))?,
        None => return Err(TokenError::Claim("aud")),
    };
    if !audiences.iter().any(|audience| expected.audiences.contains(audience)) {
        return Err(TokenError::Claim("aud"));
    }
    if expected.authorized_party.is_some_and(|party| text(claims, "azp") != Ok(party)) {
        return Err(TokenError::Claim("azp"));
    }
    if claims.contains_key("cnf") {
        return Err(TokenError::Claim("cnf"));
    }

    // In milliseconds, because a NumericDate may have a fraction.
    let now = now.timestamp_millis();
    let ends = date(claims, "exp")?.ok_or(TokenError::Claim("exp"))?;
    let begins = date(claims, "nbf")?.max(date(claims, "iat")?);
    if now >= ends || begins.is_some_and(|begins| begins > now.saturating_add(SKEW)) {
        return Err(TokenError::Expired);
    }
    Ok(())
}

/// Whether a text is an id of a person or system: printable ASCII without spaces at its ends, at most 255 bytes.
fn is_id(text: &str) -> bool {
    let is_printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    !text.is_empty() && text.len() <= LONGEST_SUBJECT && is_printable && text.trim() == text
}

/// Reads the claims that the gateway knows, of claims that [`proved`] or [`id_token`] returned.
///
/// # Errors
///
/// [`TokenError::Claim`] if one of them is missing or malformed.
pub(crate) fn known_claims(claims: &Object, expected: &Expected<'_>) -> Result<Claims, TokenError> {
    let subject = text(claims, "sub")?;
    if !is_id(subject) {
        return Err(TokenError::Claim("sub"));
    }
    let groups = expected.groups.map_or(Ok(Vec::new()), |name| groups(claims, name))?;
    let id = if claims.contains_key("jti") { Some(text(claims, "jti")?.to_owned()) } else { None };
    let ends = date(claims, "exp")?.ok_or(TokenError::Claim("exp"))?;
    Ok(Claims { subject: subject.to_owned(), groups, id, ends })
}

fn text<'a>(claims: &'a Object, name: &'static str) -> Result<&'a str, TokenError> {
    claims.get(name).and_then(Value::as_str).ok_or(TokenError::Claim(name))
}

fn strings(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn groups(claims: &Object, name: &str) -> Result<Vec<String>, TokenError> {
    // <https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/app-integration/get-signed-in-users-groups-in-access-token>
    let elsewhere =
        claims.get("_claim_names").is_some_and(|names| names.get(name).is_some()) || claims.contains_key("hasgroups");
    let groups = match claims.get(name) {
        _ if elsewhere => None,
        // Providers write null for no group, and one text for one.
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(group)) => Some(vec![group.clone()]),
        Some(list) => strings(list),
    };
    let good = |group: &String| !group.is_empty() && !group.chars().any(char::is_control);
    groups.filter(|groups| groups.iter().all(good)).ok_or(TokenError::Claim("groups"))
}

/// Reads a NumericDate (RFC 7519 section 2) in milliseconds; `None` if the claim is absent.
fn date(claims: &Object, name: &'static str) -> Result<Option<i64>, TokenError> {
    // Twelve digits, as everywhere in the gateway; a larger number is a mistake, such as milliseconds.
    const LATEST: i64 = 999_999_999_999;
    let Some(value) = claims.get(name) else { return Ok(None) };
    let millis = match (value.as_i64(), value.as_f64()) {
        (Some(seconds), _) if (0..=LATEST).contains(&seconds) => Some(seconds.saturating_mul(1000)),
        // A fraction of a millisecond is cut off: clocks are less precise than that.
        (None, Some(seconds)) if (0.0..=LATEST as f64).contains(&seconds) => Some((seconds * 1000.0) as i64),
        _ => None,
    };
    millis.map(Some).ok_or(TokenError::Claim(name))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use p256::ecdsa::signature::Signer;
    use rsa::Pkcs1v15Sign;
    use rsa::pkcs8::DecodePrivateKey;
    use serde_json::json;
    use sha2::{Digest, Sha256};

    use super::*;

    const NOW: i64 = 1_780_308_000;
    const ISSUER: &str = "https://login.example.com/";
    const AUDIENCE: &str = "https://offboard.example.com/";

    /// The private keys of the example provider.
    fn private(name: &str) -> String {
        let text = match name {
            "RS256" => include_str!("../../tests/fixtures/callers/api-token/rsa.toml"),
            "ES256" => include_str!("../../tests/fixtures/callers/api-token/p256.toml"),
            _ => include_str!("../../tests/fixtures/callers/api-token/caller.toml"),
        };
        let case: toml::Table = toml::from_str(text).unwrap();
        case["secret"]["key"].as_str().unwrap().trim_start().to_owned()
    }

    fn sign(name: &str, message: &[u8]) -> Vec<u8> {
        let pem = private(name);
        match name {
            "RS256" => rsa::PrivateKey::from_pkcs8_pem(&pem)
                .unwrap()
                .sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
                .unwrap(),
            "ES256" => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::SigningKey::from_pkcs8_pem(&pem).unwrap().sign(message);
                signature.to_bytes().to_vec()
            }
            _ => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&pem).unwrap();
                ed25519_dalek::Signer::sign(&key, message).to_bytes().to_vec()
            }
        }
    }

    static PROVIDER: LazyLock<KeySet> =
        LazyLock::new(|| KeySet::parse(include_bytes!("../../tests/fixtures/callers/api-token/jwks.json")).unwrap());

    fn kid(name: &str) -> &'static str {
        match name {
            "RS256" => "rsa",
            "ES256" => "ec",
            _ => "ed",
        }
    }

    fn segment(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A token of these texts, signed with the key of this algorithm.
    fn written(name: &str, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", segment(header), segment(payload));
        let signature = sign(name, signed.as_bytes());
        format!("{signed}.{}", segment(signature))
    }

    fn token(name: &str, header: Value, claims: &Value) -> String {
        written(name, &header.to_string(), &claims.to_string())
    }

    fn right_claims() -> Value {
        json!({
            "iss": ISSUER, "sub": "5ba552d67", "aud": [AUDIENCE, "https://other.example.com"], "azp": "portal",
            "iat": NOW, "nbf": NOW, "exp": NOW + 300, "jti": "n-1", "groups": ["dba", "staff"],
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = right_claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = right_claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn verified_at(token: &str, seconds: i64) -> Result<Claims, TokenError> {
        let audiences = [AUDIENCE.to_owned()];
        let expected = Expected {
            issuer: ISSUER,
            audiences: &audiences,
            authorized_party: Some("portal"),
            groups: Some("groups"),
        };
        verify(token, &PROVIDER, &expected, at(seconds))
    }

    fn verified(token: &str) -> Result<Claims, TokenError> {
        verified_at(token, NOW)
    }

    /// An Ed25519 token, the fastest to make, with these claims.
    fn claiming(claims: &Value) -> Result<Claims, TokenError> {
        verified(&token("EdDSA", json!({"alg": "EdDSA", "kid": "ed"}), claims))
    }

    #[test]
    fn every_algorithm_proves() {
        for name in ["RS256", "ES256", "EdDSA"] {
            let token = token(name, json!({"typ": "at+JWT", "alg": name, "kid": kid(name)}), &right_claims());
            let claims = verified(&token).unwrap();
            assert_eq!((claims.subject.as_str(), claims.id.as_deref()), ("5ba552d67", Some("n-1")), "{name}");
            assert_eq!(claims.groups, ["dba", "staff"], "{name}");
            assert_eq!(peek(&token).unwrap(), Peek { issuer: ISSUER.into(), key_id: Some(kid(name).into()) }, "{name}");
        }
        assert!(verified(&token("EdDSA", json!({"alg": "Ed25519", "kid": "ed"}), &right_claims())).is_ok());
        assert!(
            verified(&token("EdDSA", json!({"alg": "EdDSA"}), &right_claims())).is_ok(),
            "the only key of its kind"
        );
    }

    /// See `tests/fixtures/vectors`: those of JWS, of which this module takes only what has a public key.
    #[test]
    fn published_vectors() {
        let file: Value = serde_json::from_str(include_str!("../../tests/fixtures/vectors/callers.json")).unwrap();
        let mut ran = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let (scheme, id) = (vector["scheme"].as_str().unwrap(), vector["id"].as_str().unwrap());
            let Some(algorithm) = scheme.strip_prefix("jws-") else { continue };
            let set = json!({"keys": [vector["inputs"]["jwk"]]}).to_string();
            let token = vector["inputs"]["jws"].as_str().unwrap();
            let payload = match KeySet::parse(set.as_bytes()) {
                Ok(keys) => signed(token, &keys, BEARER_TYPES),
                Err(_) => Err(TokenError::UnknownKey),
            };
            let valid = vector["valid"].as_bool().unwrap() && algorithm != "hs256";
            assert_eq!(payload.is_ok(), valid, "{id}: {payload:?}");
            if let Ok(payload) = payload {
                assert_eq!(segment(&payload), token.split('.').nth(1).unwrap(), "{id}");
                assert_eq!(object(&payload), Err(TokenError::Malformed), "{id}: no vector's payload is JSON");
            }
            ran += 1;
        }
        assert_eq!(ran, 37);
    }

    #[test]
    fn the_header_chooses_nothing() {
        let set: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/callers/api-token/jwks.json")).unwrap();
        let own = set["keys"][0].clone();
        let with = |more: Value| {
            let mut header = json!({"alg": "EdDSA", "kid": "ed"});
            header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            verified(&token("EdDSA", header, &right_claims()))
        };
        assert!(with(json!({})).is_ok());
        for (header, why) in [
            (json!({"alg": "none"}), TokenError::Algorithm),
            (json!({"alg": "None"}), TokenError::Algorithm),
            (json!({"alg": ""}), TokenError::Algorithm),
            (json!({"alg": "HS256"}), TokenError::Algorithm),
            (json!({"alg": "RS512"}), TokenError::Algorithm),
            (json!({"alg": "PS256"}), TokenError::Algorithm),
            (json!({"alg": "eddsa"}), TokenError::Algorithm),
            // A supported algorithm, and not this key's.
            (json!({"alg": "ES256"}), TokenError::Algorithm),
            (json!({"alg": null}), TokenError::Malformed),
            (json!({"alg": ["EdDSA"]}), TokenError::Malformed),
            (json!({"kid": "ec"}), TokenError::Algorithm),
            (json!({"kid": "ed2"}), TokenError::UnknownKey),
            (json!({"kid": "ED"}), TokenError::UnknownKey),
            (json!({"kid": "../ed"}), TokenError::UnknownKey),
            (json!({"kid": "/dev/null"}), TokenError::UnknownKey),
            (json!({"kid": "ed' or '1'='1"}), TokenError::UnknownKey),
            (json!({"kid": ""}), TokenError::UnknownKey),
            (json!({"kid": null}), TokenError::Malformed),
            (json!({"kid": 1}), TokenError::Malformed),
            (json!({"jwk": own}), TokenError::Malformed),
            (json!({"jku": "https://login.example.com/keys"}), TokenError::Malformed),
            (json!({"x5u": "https://login.example.com/chain"}), TokenError::Malformed),
            (json!({"x5c": ["MIIB"]}), TokenError::Malformed),
            (json!({"crit": ["exp"]}), TokenError::Malformed),
            (json!({"crit": []}), TokenError::Malformed),
            (json!({"crit": ["b64"], "b64": false}), TokenError::Malformed),
            (json!({"b64": false}), TokenError::Malformed),
            (json!({"b64": true}), TokenError::Malformed),
            (json!({"typ": "dpop+jwt"}), TokenError::Malformed),
            (json!({"typ": "logout+jwt"}), TokenError::Malformed),
            (json!({"typ": ""}), TokenError::Malformed),
            (json!({"typ": 1}), TokenError::Malformed),
        ] {
            assert_eq!(with(header.clone()), Err(why), "{header}");
        }
        for header in [
            json!({"typ": "JWT"}),
            json!({"typ": "jwt"}),
            json!({"typ": "at+jwt"}),
            json!({"typ": "application/at+jwt"}),
            json!({"x5t": "dGhpcyBpcyBhIFNIQTEgdGVz", "something": {"else": true}}),
        ] {
            assert!(with(header.clone()).is_ok(), "{header}");
        }
    }

    /// The known attack: the public key, used as the secret of an HMAC.
    #[test]
    fn a_public_key_is_no_secret() {
        use hmac::{Hmac, KeyInit, Mac};
        let jwks = include_str!("../../tests/fixtures/callers/api-token/jwks.json");
        let set: Value = serde_json::from_str(jwks).unwrap();
        let n = set["keys"][2]["n"].as_str().unwrap();
        for key in [jwks.as_bytes(), n.as_bytes(), &URL_SAFE_NO_PAD.decode(n).unwrap()] {
            let header = segment(json!({"alg": "HS256", "kid": "rsa"}).to_string());
            let signed = format!("{header}.{}", segment(right_claims().to_string()));
            let tag = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(&signed).finalize().into_bytes();
            assert_eq!(verified(&format!("{signed}.{}", segment(tag))), Err(TokenError::Algorithm));
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        let right = token("EdDSA", json!({"alg": "EdDSA", "kid": "ed"}), &right_claims());
        assert!(verified(&right).is_ok());
        let [header, payload, signature] = right.split('.').collect::<Vec<_>>()[..] else { panic!("{right}") };
        // 64 bytes leave four bits of the last character unused: a lenient reader decodes 15 other characters alike.
        let last = signature.chars().last().unwrap();
        let other = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let leftover = other.chars().nth(other.find(last).unwrap() + 1).unwrap();
        let trailing = format!("{}{leftover}", &signature[..signature.len() - 1]);
        for (token, why) in [
            (format!("{header}.{payload}.{trailing}"), TokenError::Malformed),
            (format!("{header}.{payload}.{signature}=="), TokenError::Malformed),
            (format!("{header}={payload}.{signature}"), TokenError::Malformed),
            (format!("{header}.{payload}"), TokenError::Malformed),
            (format!("{header}.{payload}.{signature}."), TokenError::Malformed),
            (format!("{header}.{payload}.{signature}.{signature}"), TokenError::Malformed),
            (format!(".{header}.{payload}.{signature}"), TokenError::Malformed),
            (format!("{header}..{signature}"), TokenError::Signature),
            (format!("{header}.{payload}."), TokenError::Signature),
            (format!(".{payload}.{signature}"), TokenError::Malformed),
            (format!(" {right}"), TokenError::Malformed),
            (format!("{right}\n"), TokenError::Malformed),
            (right.replace('-', "+").replace('_', "/") + "+", TokenError::Malformed),
            (
                format!("{header}.{payload}.{}", segment(&URL_SAFE_NO_PAD.decode(signature).unwrap()[..63])),
                TokenError::Signature,
            ),
            (
                format!("{header}.{}.{signature}", segment(with("sub", json!("root")).to_string())),
                TokenError::Signature,
            ),
            (format!("{header}.{payload}.{}", "A".repeat(LONGEST_TOKEN)), TokenError::Malformed),
            (String::new(), TokenError::Malformed),
            ("..".into(), TokenError::Malformed),
        ] {
            assert_eq!(verified(&token), Err(why), "{token}");
        }
        let header = r#"{"alg":"EdDSA","kid":"ed"}"#;
        let claims = right_claims().to_string();
        for (header, claims) in [
            (r#"{"alg":"EdDSA","alg":"EdDSA","kid":"ed"}"#, claims.as_str()),
            (r#"{"alg":"none","\u0061lg":"EdDSA","kid":"ed"}"#, &claims),
            (r#"{"alg":"EdDSA","kid":"ed"} {}"#, &claims),
            (r#"["EdDSA"]"#, &claims),
            ("\u{feff}{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", &claims),
            (header, &claims.replacen("\"sub\"", "\"sub\":\"root\",\"sub\"", 1)),
            (header, &claims.replacen("\"exp\"", "\"x\":{\"y\":1,\"y\":2},\"exp\"", 1)),
            (header, "[]"),
            (header, "null"),
            (header, ""),
        ] {
            assert_eq!(verified(&written("EdDSA", header, claims)), Err(TokenError::Malformed), "{header} {claims}");
        }
    }

    #[test]
    fn claims_are_held_to() {
        for (name, value, right) in [
            ("iss", json!(ISSUER), true),
            ("iss", json!("https://login.example.com"), false),
            ("iss", json!("https://LOGIN.example.com/"), false),
            ("iss", json!([ISSUER]), false),
            ("iss", json!(""), false),
            ("aud", json!(AUDIENCE), true),
            ("aud", json!([AUDIENCE]), true),
            ("aud", json!("https://offboard.example.com"), false),
            ("aud", json!(["https://other.example.com"]), false),
            ("aud", json!([[AUDIENCE]]), false),
            ("aud", json!([AUDIENCE, 1]), false),
            ("aud", json!([]), false),
            ("aud", json!(null), false),
            ("aud", json!({AUDIENCE: true}), false),
            ("azp", json!("other"), false),
            ("azp", json!(["portal"]), false),
            ("exp", json!((NOW + 300).to_string()), false),
            ("exp", json!(null), false),
            ("exp", json!(-1), false),
            ("exp", json!(1e300), false),
            ("exp", json!((NOW + 300) * 1000), false),
            ("exp", json!(u64::MAX), false),
            ("nbf", json!("now"), false),
            ("iat", json!(true), false),
            ("sub", json!("auth0|5ba552d67"), true),
            ("sub", json!("repo:octo-org/octo-repo:environment:Production West"), true),
            ("sub", json!("x".repeat(255)), true),
            ("sub", json!("x".repeat(256)), false),
            ("sub", json!(""), false),
            ("sub", json!(" "), false),
            ("sub", json!(" alice"), false),
            ("sub", json!("alice\n"), false),
            ("sub", json!("al\u{0}ice"), false),
            ("sub", json!("аlice"), false),
            ("sub", json!(7), false),
            ("cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), false),
            ("jti", json!(1), false),
            ("groups", json!([]), true),
            ("groups", json!("dba"), true),
            ("groups", json!(["dba", 1]), false),
            ("groups", json!(["dba\u{7}"]), false),
            ("groups", json!([""]), false),
            ("groups", json!(null), true),
            ("groups", json!({"0": "dba"}), false),
            ("groups", json!(7), false),
            ("unknown", json!({"anything": [1.5]}), true),
        ] {
            let expected = if right { Ok(()) } else { Err(TokenError::Claim(name)) };
            assert_eq!(claiming(&with(name, value.clone())).map(|_| ()), expected, "{name}: {value}");
        }
        for name in ["iss", "aud", "azp", "exp", "sub"] {
            assert_eq!(claiming(&without(name)), Err(TokenError::Claim(name)), "{name}");
        }
        for name in ["nbf", "iat", "jti"] {
            assert!(claiming(&without(name)).is_ok(), "{name}");
        }
        assert_eq!(claiming(&without("groups")).unwrap().groups, Vec::<String>::new());
        // f21: one text is a list of one, and null is none.
        assert_eq!(claiming(&with("groups", json!("dba"))).unwrap().groups, ["dba"]);
        assert_eq!(claiming(&with("groups", json!(null))).unwrap().groups, Vec::<String>::new());
        for claims in [with("_claim_names", json!({"groups": "src1"})), with("hasgroups", json!(true))] {
            assert_eq!(claiming(&claims), Err(TokenError::Claim("groups")));
        }
        assert!(claiming(&with("_claim_names", json!({"address": "src1"}))).is_ok());
    }

    #[test]
    fn a_token_has_its_time() {
        let at = |name, value: Value| claiming(&with(name, value)).map(|_| ());
        for (name, value, right) in [
            ("exp", json!(NOW + 1), true),
            ("exp", json!(NOW), false),
            ("exp", json!(NOW - 1), false),
            ("exp", json!(NOW as f64 + 0.5), true),
            ("nbf", json!(NOW + 60), true),
            ("nbf", json!(NOW + 61), false),
            ("nbf", json!(NOW as f64 + 60.5), false),
            ("iat", json!(NOW + 60), true),
            ("iat", json!(NOW + 61), false),
            ("iat", json!(0), true),
        ] {
            assert_eq!(
                at(name, value.clone()),
                if right { Ok(()) } else { Err(TokenError::Expired) },
                "{name}: {value}"
            );
        }
        let token = token("EdDSA", json!({"alg": "EdDSA", "kid": "ed"}), &right_claims());
        for (seconds, right) in [(-61, false), (-60, true), (299, true), (300, false)] {
            assert_eq!(verified_at(&token, NOW + seconds).is_ok(), right, "{seconds}");
        }
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_expected() {
        let token = token("EdDSA", json!({"alg": "EdDSA", "kid": "ed"}), &without("azp"));
        let audiences = ["a".to_owned(), AUDIENCE.to_owned()];
        let expected = Expected { issuer: ISSUER, audiences: &audiences, authorized_party: None, groups: None };
        assert_eq!(verify(&token, &PROVIDER, &expected, at(NOW)).unwrap().groups, Vec::<String>::new());
        let no_audience = Expected { audiences: &[], ..expected };
        assert_eq!(verify(&token, &PROVIDER, &no_audience, at(NOW)), Err(TokenError::Claim("aud")));
    }

    /// Keys of the algorithm are tried in turn for a token that names none of the set's.
    #[test]
    fn f21_an_unnamed_key() {
        let claims = right_claims();
        let token = token("EdDSA", json!({"alg": "EdDSA"}), &claims);
        let set: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/callers/api-token/jwks.json")).unwrap();
        let mut other = set["keys"][0].clone();
        other["kid"] = json!("other");
        other["x"] = json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let mut unnamed = set["keys"][0].clone();
        unnamed.as_object_mut().unwrap().remove("kid");
        let payload = |keys: Value| {
            signed(&token, &KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap(), BEARER_TYPES)
                .map(|_| ())
        };
        assert_eq!(payload(json!([set["keys"][2], set["keys"][0]])), Ok(()));
        assert_eq!(payload(json!([unnamed])), Ok(()));
        assert_eq!(payload(json!([other, set["keys"][0]])), Ok(()));
        assert_eq!(payload(json!([other])), Err(TokenError::UnknownKey));
        assert_eq!(payload(json!([set["keys"][2]])), Err(TokenError::UnknownKey));
        // Not without end: a set of many keys is not tried to its last.
        let many = (0..9).map(|number| {
            let mut key = if number == 8 { set["keys"][0].clone() } else { other.clone() };
            key["kid"] = json!(number.to_string());
            key
        });
        assert_eq!(payload(many.collect()), Err(TokenError::UnknownKey));
        // A token that names its key, of a set whose keys have no names.
        let named = self::token("EdDSA", json!({"alg": "EdDSA", "kid": "ed"}), &claims);
        let of_no_name = |keys: Value| {
            signed(&named, &KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap(), BEARER_TYPES)
                .map(|_| ())
        };
        let mut bare = set["keys"][0].clone();
        for member in ["kid", "alg", "use"] {
            bare.as_object_mut().unwrap().remove(member);
        }
        bare["x5c"] = json!(["MIIB"]);
        assert_eq!(of_no_name(json!([bare])), Ok(()));
        // Where a key has the name, no other is tried.
        let mut ed = other.clone();
        ed["kid"] = json!("ed");
        assert_eq!(of_no_name(json!([ed, bare])), Err(TokenError::Signature));
    }

    #[test]
    fn a_peek_proves_nothing_and_breaks_nothing() {
        let unsigned = format!("{}.{}.", segment(r#"{"alg":"none"}"#), segment(r#"{"iss":"x"}"#));
        assert_eq!(peek(&unsigned), Some(Peek { issuer: "x".into(), key_id: None }));
        for token in ["", "a.b.c", "e30.e30.", &format!("e30.{}.x.y", segment(r#"{"iss":"x"}"#))] {
            assert_eq!(peek(token), None, "{token}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused(text in ".{0,200}") {
            proptest::prop_assert!(verified(&text).is_err());
            let _ = peek(&text);
        }

        /// Three decodable segments of arbitrary content.
        #[test]
        fn any_segments_are_refused(
            header in "\\{(\"(alg|kid|typ)\":\"(EdDSA|RS256|ES256|ed|rsa|ec|JWT)\",?){0,4}\\}",
            payload in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
            signature in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        ) {
            let token = format!("{}.{}.{}", segment(header), segment(payload), segment(signature));
            proptest::prop_assert!(verified(&token).is_err());
            let _ = peek(&token);
        }

        /// A valid token with one character changed.
        #[test]
        fn any_change_is_refused(place in 0_usize..1000, character in "[A-Za-z0-9._=-]") {
            static RIGHT: LazyLock<String> =
                LazyLock::new(|| token("EdDSA", json!({"alg": "EdDSA", "kid": "ed"}), &right_claims()));
            let right = RIGHT.clone();
            let place = place % right.len();
            let mut other = right.clone();
            other.replace_range(place..=place, &character);
            proptest::prop_assert_eq!(verified(&other).is_ok(), other == right);
        }

        #[test]
        fn any_bytes_are_a_key_set_or_not(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = KeySet::parse(&bytes);
        }
    }

    const NONCE: &str = "n-0S6_WzA2Mj";

    /// An ID token of the sign-in of [`NONCE`], with changes.
    fn of_sign_in(header: &Value, changes: &Value) -> Result<Map<String, Value>, TokenError> {
        let mut payload = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "f:1b2c:dana", "exp": NOW + 300, "iat": NOW, "nonce": NONCE,
        });
        for (name, value) in changes.as_object().unwrap() {
            payload[name] = value.clone();
            if value.is_null() {
                payload.as_object_mut().unwrap().remove(name);
            }
        }
        let mut head = json!({"alg": "ES256", "kid": "ec"});
        head.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&head), encoded(&payload));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign("ES256", signed.as_bytes())));
        let audiences = [AUDIENCE.to_owned()];
        let expected =
            Expected { issuer: ISSUER, audiences: &audiences, authorized_party: None, groups: Some("groups") };
        id_token(&token, &PROVIDER, &expected, NONCE, DateTime::from_timestamp(NOW, 0).unwrap())
    }

    #[test]
    fn an_id_token_is_of_one_sign_in_and_for_one_client() {
        for (header, changes) in
            [(json!({}), json!({})), (json!({"typ": "JWT"}), json!({"aud": [AUDIENCE], "azp": AUDIENCE}))]
        {
            assert_eq!(of_sign_in(&header, &changes).unwrap()["sub"], "f:1b2c:dana");
        }
        for (header, changes, expected) in [
            (json!({"typ": "at+jwt"}), json!({}), TokenError::Malformed),
            (json!({"typ": "logout+jwt"}), json!({}), TokenError::Malformed),
            (json!({"alg": "none"}), json!({}), TokenError::Algorithm),
            (json!({}), json!({"nonce": null}), TokenError::Claim("nonce")),
            (json!({}), json!({"nonce": "other"}), TokenError::Claim("nonce")),
            (json!({}), json!({"nonce": 1}), TokenError::Claim("nonce")),
            (json!({}), json!({"aud": [AUDIENCE, "other"]}), TokenError::Claim("aud")),
            (json!({}), json!({"aud": [AUDIENCE, AUDIENCE]}), TokenError::Claim("aud")),
            (json!({}), json!({"aud": "other"}), TokenError::Claim("aud")),
            (json!({}), json!({"azp": "other"}), TokenError::Claim("azp")),
            (json!({}), json!({"azp": 1}), TokenError::Claim("azp")),
            (json!({}), json!({"iss": "https://login.example.com"}), TokenError::Claim("iss")),
            (json!({}), json!({"sub": null}), TokenError::Claim("sub")),
            (json!({}), json!({"exp": NOW}), TokenError::Expired),
            (json!({}), json!({"iat": NOW + 61}), TokenError::Expired),
            // More groups than the token holds.
            (json!({}), json!({"_claim_names": {"groups": "src1"}}), TokenError::Claim("groups")),
        ] {
            assert_eq!(of_sign_in(&header, &changes), Err(expected), "{header} {changes}");
        }
    }

    #[test]
    fn the_claim_of_the_person() {
        let refused = Err(TokenError::Claim("of the person"));
        for (claims, name, expected) in [
            (json!({"sub": "a"}), "sub", Ok("a".to_owned())),
            (json!({"email": "dana@example.com"}), "email", Ok("dana@example.com".into())),
            (json!({"email": "dana@example.com", "email_verified": true}), "email", Ok("dana@example.com".into())),
            (json!({"email": "a@b", "email_verified": false}), "email", Err(TokenError::Claim("email_verified"))),
            (json!({"email": "a@b", "email_verified": "false"}), "email", Err(TokenError::Claim("email_verified"))),
            (json!({"email_verified": false, "sub": "a"}), "sub", Ok("a".into())),
            (json!({"oid": ["a"]}), "oid", refused.clone()),
            (json!({"oid": " a"}), "oid", refused.clone()),
            (json!({"oid": ""}), "oid", refused.clone()),
            (json!({"oid": "d\u{e4}na"}), "oid", refused.clone()),
            (json!({"oid": "a".repeat(256)}), "oid", refused.clone()),
            (json!({}), "oid", refused.clone()),
        ] {
            assert_eq!(person(claims.as_object().unwrap(), name), expected, "{claims} {name}");
        }
    }

    #[test]
    fn the_algorithm_that_a_token_names() {
        assert_eq!(algorithm("eyJhbGciOiJFUzI1NiJ9.e30.AA").as_deref(), Some("ES256"));
        for text in ["", "a.b", "e30.e30.AA", "eyJhbGciOjF9.e30.AA"] {
            assert_eq!(algorithm(text), None, "{text}");
        }
    }
}
