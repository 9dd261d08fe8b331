//! HTTP Message Signatures (RFC 9421), for clients that have a key pair and no SDK: the calls and the answers of kind
//! [`api`](super), proved by `Signature-Input` and `Signature`, and by `Content-Digest` (RFC 9530) for the body.
//!
//! RFC 9421 leaves these decisions to the application (section 3.2.1):
//!
//! - A request has one signature. A second one would need a rule which of them counts.
//! - It covers `@method`, `@path`, `@query` and `content-digest`, including the digest of an empty body. `@authority` and any field
//!   that appears once may be covered as well. What it does not cover is not believed.
//! - `created` is within 300 seconds, and `expires`, if present, is in the future. `keyid` is mandatory. `nonce` is up to the
//!   client: without one, the same request signed twice in one second is one request.
//! - The key decides the algorithm, and an `alg` that contradicts it is refused. `tag` names an application; this one has no tag,
//!   so a request with one is meant for another application and refused.
//! - The three fields are in the canonical form of RFC 9651, which section 4.1 requires of a signer: no key twice, no optional
//!   space.
//!
//! A key is one of `access_keys`: its `id` is the `keyid`, and its variable holds either a public key in PEM (`ed25519`,
//! section 3.3.6; `ecdsa-p256-sha256`, section 3.3.4), or the base64 of a shared key of 32 bytes or more (`hmac-sha256`,
//! section 3.3.3). A PEM text is not base64, so a public key cannot be mistaken for a shared one. The principal is
//! `{caller}/{keyid}`.
//!
//! A request with `Authorization` belongs to kind `api`.
//!
//! Not supported: RSA, P-384, parameters of components (`;sf`, `;key`, `;bs`, `;req`, `;tr`), `@target-uri` and `@scheme` (known
//! only to the proxy that terminates TLS before the gateway), `@request-target`, `@query-param`, `Accept-Signature`, signed
//! answers, digests other than SHA-256 and SHA-512.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, HOST};
use sfv::{BareItem, Dictionary, FieldType, InnerList, Item, ListEntry, Parser};
use sha2::{Digest, Sha256, Sha512};

use crate::callers::api::{ClaimedCaller, commands};
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape};
use crate::config::callers::Caller;
use crate::crypto::key_text::base64_key;
use crate::crypto::mac::hmac_sha256_is;
use crate::crypto::public_key::{Algorithm, PublicKey};
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::name::Name;
use crate::secret::Secret;

/// The kind's name in offboard.toml.
pub const NAME: &str = "http-signature";

pub(crate) struct HttpSignature;

impl CallerKind for HttpSignature {
    fn shape(&self) -> CallerShape {
        CallerShape { keys: KeyShape::AccessKeys { optional: false }, secret_form: form, ..CallerShape::hook(NAME) }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Documented
    }

    fn content_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let stated = Stated::read(inbound)?;
        let is_stated_key = |id: &Option<String>| id.as_ref() == Some(&stated.key_id);
        let key = keys.secrets.iter().find(|key| is_stated_key(&key.id)).and_then(|key| Verifier::of(&key.secret));
        let Some(key) = key else { return Err(stated.refusal_without_key(inbound, now)) };
        let base = stated.proved(inbound, &key, now)?;
        // Without the signature: ECDSA has two valid signatures for one request.
        let delivery = DeliveryId::new(caller, &[stated.key_id.as_bytes(), base.as_bytes()]);
        Ok(Proof { key_id: Some(stated.key_id), ..Proof::of(delivery) })
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        commands::parse(request, config)
    }
}

const INPUT: &str = "signature-input";

const SIGNATURE: &str = "signature";

const DIGEST: &str = "content-digest";

/// The components that a signature has to cover.
const COVERED: [&str; 4] = ["@method", "@path", "@query", DIGEST];

/// The most components of a signature. A request that covers all of its headers has fewer.
const MOST_COMPONENTS: usize = 64;

/// The longest structured field that is parsed, in bytes. Its members go into a hash map before they can be counted.
const LONGEST_FIELD: usize = 8 * 1024;

/// The minimum size of a shared key in bytes: the size of the HMAC (RFC 2104 section 3).
const SHORTEST_KEY: usize = 32;

const MALFORMED: ProofError = ProofError::Malformed { header: INPUT };

/// Whether the request is of this kind.
pub fn is_stated(inbound: &Inbound) -> bool {
    let has = |name| inbound.headers.contains_key(name);
    (has(INPUT) || has(SIGNATURE)) && !has(AUTHORIZATION.as_str())
}

/// Returns the caller and the key that the request names as its signer, not yet verified.
///
/// # Errors
///
/// [`ProofError::Missing`], [`ProofError::Doubled`] or [`ProofError::Malformed`] if the two fields cannot be read; if no caller has
/// keys, what the request would be refused for under a key that did not sign it.
pub fn identify_caller<'c>(
    inbound: &Inbound,
    config: &'c Config,
    now: DateTime<Utc>,
) -> Result<ClaimedCaller<'c>, ProofError> {
    let stated = Stated::read(inbound)?;
    ClaimedCaller::with_access_key(config, NAME, &stated.key_id).ok_or_else(|| stated.refusal_without_key(inbound, now))
}

/// The content of `Signature-Input` and `Signature`.
struct Stated {
    /// The names of the components, in order, each once.
    components: Vec<Name>,
    created: i64,
    expires: Option<i64>,
    key_id: String,
    algorithm: Option<String>,
    /// The value of `@signature-params`.
    params: String,
    signature: Vec<u8>,
}

impl Stated {
    fn read(inbound: &Inbound) -> Result<Self, ProofError> {
        let input = required_header(&inbound.headers, INPUT)?;
        let signature = required_header(&inbound.headers, SIGNATURE)?;
        let Some((label, ListEntry::InnerList(list))) = only(input) else { return Err(MALFORMED) };
        // The field is canonical, so its text equals the signed `@signature-params`.
        let params = input.strip_prefix(&label).and_then(|rest| rest.strip_prefix('=')).ok_or(MALFORMED)?.to_owned();
        let signature = match only(signature) {
            Some((same, ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), params })))
                if same == label && params.is_empty() =>
            {
                bytes
            }
            _ => return Err(ProofError::Malformed { header: SIGNATURE }),
        };
        Self::of(list, params, signature).ok_or(MALFORMED)
    }

    fn of(list: InnerList, params: String, signature: Vec<u8>) -> Option<Self> {
        if list.items.len() > MOST_COMPONENTS {
            return None;
        }
        let (mut components, mut known) = (Vec::new(), BTreeSet::new());
        for item in list.items {
            let BareItem::String(name) = item.bare_item else { return None };
            let name = Name::new(String::from(name));
            // A component may appear once (section 2), and its name is in lower case (section 2.1).
            if !item.params.is_empty()
                || name.as_str().bytes().any(|b| b.is_ascii_uppercase())
                || !known.insert(name.clone())
            {
                return None;
            }
            components.push(name);
        }
        if !COVERED.iter().all(|name| known.contains(&Name::new(*name))) {
            return None;
        }
        let (mut created, mut expires, mut key_id, mut algorithm) = (None, None, None, None);
        for (name, value) in list.params {
            match (name.as_str(), value) {
                ("created", BareItem::Integer(seconds)) => created = Some(i64::from(seconds)),
                ("expires", BareItem::Integer(seconds)) => expires = Some(i64::from(seconds)),
                ("keyid", BareItem::String(text)) => key_id = Some(String::from(text)),
                ("alg", BareItem::String(text)) => algorithm = Some(String::from(text)),
                ("nonce", BareItem::String(_)) => {}
                _ => return None,
            }
        }
        Some(Self { components, created: created?, expires, key_id: key_id?, algorithm, params, signature })
    }

    /// Verifies the request with this key, the cheap checks first; returns the signature base.
    ///
    /// # Errors
    ///
    /// [`ProofError`] if the request does not fit, its time is over, or the key did not sign it.
    fn proved(&self, inbound: &Inbound, key: &Verifier, now: DateTime<Utc>) -> Result<String, ProofError> {
        let digest = required_header(&inbound.headers, DIGEST)?;
        check_timestamp(self.created, now)?;
        if self.expires.is_some_and(|expires| now.timestamp() >= expires) {
            return Err(ProofError::Expired);
        }
        let is_of_body = digests(digest, &inbound.body).ok_or(ProofError::Malformed { header: DIGEST })?;
        let base = self.base(inbound)?;
        let has_its_algorithm = self.algorithm.as_ref().is_none_or(|algorithm| algorithm == key.algorithm());
        // In any case, so that the time does not tell of which algorithm the key is.
        let is_signed = key.verify(base.as_bytes(), &self.signature);
        if !has_its_algorithm || !is_signed || !is_of_body {
            return Err(ProofError::Wrong);
        }
        Ok(base)
    }

    /// Returns why the request is refused if its key is no caller's or has no usable secret: what it would be under a key that did
    /// not sign it, after the same work, so that a stranger cannot find out which keys exist.
    fn refusal_without_key(&self, inbound: &Inbound, now: DateTime<Utc>) -> ProofError {
        self.proved(inbound, &Verifier::of_no_caller(), now).err().unwrap_or(ProofError::Wrong)
    }

    /// Builds the signature base (section 2.5).
    fn base(&self, inbound: &Inbound) -> Result<String, ProofError> {
        let mut base = String::new();
        for name in &self.components {
            let name = name.as_str();
            let value = component(name, inbound)?;
            base += &format!("\"{name}\": {value}\n");
        }
        Ok(format!("{base}\"@signature-params\": {}", self.params))
    }
}

/// Returns the value of a component (sections 2.1 and 2.2).
fn component(name: &str, inbound: &Inbound) -> Result<String, ProofError> {
    Ok(match name {
        "@method" => inbound.method.as_str().to_owned(),
        // As sent: percent-encoded octets are not decoded.
        "@path" if inbound.path.is_empty() => "/".into(),
        "@path" => inbound.path.clone(),
        "@query" => format!("?{}", inbound.query),
        "@authority" => authority(&inbound.host),
        // The runtime owns this field, so its value is the host that the runtime reports.
        name if name == HOST.as_str() => inbound.host.clone(),
        name if name.starts_with('@') => return Err(MALFORMED),
        name => {
            let mut values = inbound.headers.get_all(name).iter();
            let value = values.next().ok_or(MALFORMED)?;
            if values.next().is_some() {
                return Err(ProofError::Doubled { header: name.to_owned().into() });
            }
            value.to_str().map_err(|_| MALFORMED)?.trim().to_owned()
        }
    })
}

/// Normalizes an authority: lower case, without the default port (section 2.2.3). Behind a proxy that terminates TLS the scheme is
/// unknown, so 443 and 80 are both removed; clients write neither.
fn authority(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let bare = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80"));
    bare.map(str::to_owned).unwrap_or(host)
}

/// Returns the only member of a Dictionary in canonical form; `None` if the field has another form or number of members.
fn only(field: &str) -> Option<(String, ListEntry)> {
    let dictionary = canonical(field)?;
    let mut members = dictionary.into_iter();
    let (name, member) = members.next()?;
    members.next().is_none().then(|| (name.as_str().to_owned(), member))
}

fn canonical(field: &str) -> Option<Dictionary> {
    if field.len() > LONGEST_FIELD {
        return None;
    }
    let dictionary: Dictionary = Parser::new(field).parse().ok()?;
    (dictionary.serialize()? == field).then_some(dictionary)
}

/// Whether every digest with a known algorithm matches the body (RFC 9530 section 2). `None` if the field is malformed or has no
/// digest with a known algorithm.
fn digests(field: &str, body: &[u8]) -> Option<bool> {
    let mut all_match = None;
    for (name, member) in canonical(field)? {
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(given), params }) = member else { return None };
        if !params.is_empty() {
            return None;
        }
        let same = match name.as_str() {
            "sha-256" => given == Sha256::digest(body).as_slice(),
            "sha-512" => given == Sha512::digest(body).as_slice(),
            _ => continue,
        };
        all_match = Some(all_match.unwrap_or(true) && same);
    }
    all_match
}

/// Checks the form of a key.
fn form(_: &str, secret: &Secret) -> Result<(), &'static str> {
    Verifier::of(secret).map(drop).ok_or("a public key in PEM (Ed25519 or P-256), or the base64 of 32 bytes or more")
}

enum Verifier {
    Public(PublicKey),
    Shared(Vec<u8>),
}

impl Verifier {
    /// Reads the key in the variable; `None` if it is not supported.
    fn of(secret: &Secret) -> Option<Self> {
        let text = secret.expose().trim();
        if text.starts_with("-----BEGIN") {
            let key = PublicKey::from_pem(text).ok()?;
            return (key.algorithm() != Algorithm::Rsa).then_some(Self::Public(key));
        }
        base64_key(text).filter(|key| key.len() >= SHORTEST_KEY).map(Self::Shared)
    }

    /// Returns the key for requests that name none of ours. It is no secret: what it signs is refused all the same.
    fn of_no_caller() -> Self {
        Self::Shared(vec![0; SHORTEST_KEY])
    }

    /// Public keys of no caller, one of each algorithm.
    fn public_of_no_caller() -> [Option<Self>; 2] {
        /// RFC 8032, section 7.1, test 1.
        const ED25519: &[u8; 32] = b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
        /// RFC 9421, appendix B.1.3.
        const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\nw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n-----END PUBLIC KEY-----\n";

        [PublicKey::ed25519(ED25519), PublicKey::from_pem(P256)].map(|key| key.ok().map(Self::Public))
    }

    /// Returns the name of the algorithm in the registry of section 6.2.2.
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Shared(_) => "hmac-sha256",
            Self::Public(key) => match key.algorithm() {
                Algorithm::Ed25519 => "ed25519",
                Algorithm::EcdsaP256 => "ecdsa-p256-sha256",
                Algorithm::Rsa => "rsa-v1_5-sha256",
            },
        }
    }

    /// Verifies a signature. One that is wrong is verified with keys of the other algorithms as well, to no effect, so that the time
    /// does not tell of which algorithm the key is, and so whether it exists.
    fn verify(&self, base: &[u8], signature: &[u8]) -> bool {
        let is_signed = self.verify_alone(base, signature);
        if !is_signed {
            let others = Self::public_of_no_caller().into_iter().flatten().chain([Self::of_no_caller()]);
            for other in others.filter(|other| other.algorithm() != self.algorithm()) {
                std::hint::black_box(other.verify_alone(base, signature));
            }
        }
        is_signed
    }

    fn verify_alone(&self, base: &[u8], signature: &[u8]) -> bool {
        #[cfg(test)]
        tests::VERIFIED.with_borrow_mut(|verified| verified.push(self.algorithm()));
        match self {
            Self::Public(key) => key.verify(base, signature),
            Self::Shared(key) => hmac_sha256_is(key, &[base], signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, Method};
    use serde_json::Value;

    use super::*;
    use crate::callers::proof::ActiveSecret;
    use crate::config::callers::SECRET;
    use crate::request::name::counted::assert_grows_with_its_input;

    thread_local! {
        /// With which algorithms a signature was verified.
        pub(super) static VERIFIED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }

    const NOW: i64 = 1_780_308_000;
    const SHARED: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    const PARAMS: &str =
        r#"("@method" "@path" "@query" "content-digest");created=1780308000;keyid="k";alg="hmac-sha256";nonce="n""#;

    fn inbound(method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Inbound {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        Inbound {
            method,
            path: path.into(),
            query: query.into(),
            host: "Example.com:443".into(),
            headers: map,
            body: Bytes::from(body.to_owned()),
        }
    }

    fn tag(key: &str, base: &str) -> String {
        use hmac::{Hmac, KeyInit, Mac};
        let mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(key).unwrap()).unwrap();
        STANDARD.encode(mac.chain_update(base).finalize().into_bytes())
    }

    fn verified(inbound: &Inbound) -> Result<Proof, ProofError> {
        let secret = Secret::new(SHARED.into()).unwrap();
        let keys = VerificationKeys {
            secrets: vec![ActiveSecret::new(Some("k".into()), vec![(SECRET, secret)]).unwrap()],
            published: None,
        };
        HttpSignature.verify(inbound, &Caller::new("ops", NAME), &keys, DateTime::from_timestamp(NOW, 0).unwrap())
    }

    /// Returns `DELETE /a%2Fb?c=d` with these fields.
    fn with(input: &str, signature: &str, digest: &str) -> Inbound {
        let headers = [(INPUT, input), (SIGNATURE, signature), (DIGEST, digest)];
        inbound(Method::DELETE, "/a%2Fb?c=d", &headers, "")
    }

    fn right_signature() -> String {
        let base = format!(
            "\"@method\": DELETE\n\"@path\": /a%2Fb\n\"@query\": ?c=d\n\"content-digest\": {EMPTY}\n\"@signature-params\": {PARAMS}"
        );
        tag(SHARED, &base)
    }

    /// See `tests/fixtures/vectors`: the bases and signatures of RFC 9421, appendix B.2, and a digest of RFC 9530.
    #[test]
    fn published_vectors() {
        let file: Value = serde_json::from_str(include_str!("../../../tests/fixtures/vectors/callers.json")).unwrap();
        let mut ran = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let (scheme, id) = (vector["scheme"].as_str().unwrap(), vector["id"].as_str().unwrap());
            let inputs = &vector["inputs"];
            let text = |name: &str| inputs[name].as_str().unwrap().to_owned();
            let secret = match scheme {
                "rfc9421-hmac-sha256" => text("shared_secret_base64"),
                "rfc9421-ecdsa-p256-sha256" => text("public_key_pem"),
                "rfc9421-ed25519" => {
                    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text("public_key_base64url"));
                    let der = [b"0*0\x05\x06\x03+ep\x03!\x00".as_slice(), &raw.unwrap()].concat();
                    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
                }
                "rfc9421-content-digest-sha512" => {
                    let (digest, body) = (vector["expected"].as_str().unwrap(), text("body"));
                    assert_eq!(digests(digest, body.as_bytes()), Some(true), "{id}");
                    assert_eq!(digests(digest, b""), Some(false), "{id}");
                    ran += 1;
                    continue;
                }
                _ => continue,
            };
            let input = text("signature_input");
            let (label, ListEntry::InnerList(list)) = only(&input).unwrap() else { panic!("{id}") };
            let params = input.strip_prefix(&format!("{label}=")).unwrap();
            // Two vectors sign answers, which have other components.
            if let Some(request) = inputs.get("request") {
                let headers: Vec<_> = request["headers"].as_object().unwrap().iter().collect();
                let headers: Vec<_> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
                let target = request["target"].as_str().unwrap();
                let request = inbound(Method::POST, target, &headers, request["body"].as_str().unwrap());
                let mut base = String::new();
                for item in list.items {
                    let BareItem::String(name) = item.bare_item else { panic!("{id}") };
                    base += &format!("\"{}\": {}\n", name.as_str(), component(name.as_str(), &request).unwrap());
                }
                base += &format!("\"@signature-params\": {params}");
                assert_eq!(base, text("signature_base"), "{id}");
            }
            let signature = STANDARD.decode(vector["expected"].as_str().unwrap()).unwrap();
            let key = Verifier::of(&Secret::new(secret).unwrap()).unwrap();
            assert_eq!(format!("rfc9421-{}", key.algorithm()), scheme, "{id}");
            assert!(key.verify(text("signature_base").as_bytes(), &signature), "{id}");
            ran += 1;
        }
        assert_eq!(ran, 5);
    }

    #[test]
    fn a4_components_are_bounded_and_compared_in_a_set() {
        let of = |count: usize| {
            let more = (0..count).map(|number| format!(" \"x{number}\"")).collect::<String>();
            let params = PARAMS.replacen("\"content-digest\"", &format!("\"content-digest\"{more}"), 1);
            Stated::read(&with(&format!("sig1={params}"), &format!("sig1=:{}:", right_signature()), EMPTY)).map(drop)
        };
        assert_eq!(of(9_000), Err(MALFORMED));
        assert_eq!(of(MOST_COMPONENTS - 3), Err(MALFORMED));
        assert_eq!(of(MOST_COMPONENTS - 4), Ok(()));
        assert_grows_with_its_input("a signature", |count| of(count - 4).unwrap(), MOST_COMPONENTS);
    }

    #[test]
    fn a_field_is_parsed_up_to_a_length() {
        let right = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(b"")));
        let of = |length: usize| format!("{right}, other=:{}:", "A".repeat(length - right.len() - ", other=::".len()));
        assert_eq!(digests(&of(LONGEST_FIELD), b""), Some(true));
        assert_eq!(digests(&of(LONGEST_FIELD + 4), b""), None);
    }

    #[test]
    fn the_signature_covers_the_request() {
        let (input, signature) = (format!("sig1={PARAMS}"), format!("sig1=:{}:", right_signature()));
        let right = || with(&input, &signature, EMPTY);
        assert!(verified(&right()).is_ok());
        let delivery = |inbound: &Inbound| verified(inbound).unwrap().delivery;
        // The client chooses the label, and it is not signed.
        let other_label = with(&format!("a={PARAMS}"), &signature.replace("sig1", "a"), EMPTY);
        assert_eq!(delivery(&right()), delivery(&other_label));
        for (what, other) in [
            ("method", Inbound { method: Method::GET, ..right() }),
            ("path", Inbound { path: "/a/b".into(), ..right() }),
            ("the path's spelling", Inbound { path: "/a%2fb".into(), ..right() }),
            ("query", Inbound { query: "c=e".into(), ..right() }),
            ("no query", Inbound { query: String::new(), ..right() }),
            ("body", Inbound { body: Bytes::from_static(b" "), ..right() }),
        ] {
            assert_eq!(verified(&other).unwrap_err(), ProofError::Wrong, "{what}");
        }
        // The digest matches the sent body, but differs from the signed digest.
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(b" ")));
        let forged = Inbound { body: Bytes::from_static(b" "), ..with(&input, &signature, &digest) };
        assert_eq!(verified(&forged).unwrap_err(), ProofError::Wrong);
    }

    #[test]
    fn fields_have_one_spelling() {
        let right = right_signature();
        let input = format!("sig1={PARAMS}");
        let signature = format!("sig1=:{right}:");
        for given in [
            input.replace("\" \"", "\"  \""),
            input.replace("(\"", "( \""),
            input.replace(";created", "; created"),
            input.replace("\"@method\"", "\"@METHOD\""),
            input.replace("\"@method\"", "@method"),
            input.replace("\"@method\"", "\"@method\";req"),
            input.replace("\"content-digest\"", "\"content-digest\";sf"),
            input.replace("\"@method\"", "\"@method\" \"@method\""),
            input.replace("1780308000", "1780308000.0"),
            input.replace("1780308000", "\"1780308000\""),
            input.replace("1780308000", "01780308000"),
            format!("{input};created=1780308000"),
            format!("{input};keyid=\"k\""),
            format!("{input};tag=\"offboard\""),
            format!("{input}, sig2={PARAMS}"),
            format!("{input}, sig1={PARAMS}"),
            format!("{input},"),
            input.replace("sig1=", "sig1"),
            input.replace("sig1=", "Sig1="),
            "sig1".into(),
            "sig1=1".into(),
            "sig1=()".into(),
            "=".into(),
            "(".repeat(4000),
        ] {
            assert_eq!(verified(&with(&given, &signature, EMPTY)).unwrap_err(), MALFORMED, "{given}");
        }
        for given in [
            signature.replace("sig1", "sig2"),
            format!("{signature};a=1"),
            format!("{signature}, sig2=:AA==:"),
            format!("{signature}, {signature}"),
            format!("sig1=\"{right}\""),
            format!("sig1=:{}:", right.trim_end_matches('=')),
            format!("sig1=:{right}"),
            right.clone(),
            ":".into(),
        ] {
            let malformed = ProofError::Malformed { header: SIGNATURE };
            assert_eq!(verified(&with(&input, &given, EMPTY)).unwrap_err(), malformed, "{given}");
        }
        for given in [
            EMPTY.replace("sha-256", "SHA-256"),
            EMPTY.replace("sha-256", "md5"),
            EMPTY.replace("=:", ""),
            EMPTY.replace('=', "= "),
            format!("{EMPTY}, {EMPTY}"),
            format!("{EMPTY};a"),
            "sha-256=1".into(),
            "unixsum=:AA==:".into(),
        ] {
            let malformed = ProofError::Malformed { header: DIGEST };
            assert_eq!(verified(&with(&input, &signature, &given)).unwrap_err(), malformed, "{given}");
        }
        for (given, right) in [
            (format!("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, {EMPTY}"), Some(true)),
            (format!("{EMPTY}, sha-512=:AA==:"), Some(false)),
            ("sha-256=::".into(), Some(false)),
        ] {
            assert_eq!(digests(&given, b""), right, "{given}");
        }
    }

    #[test]
    fn keys_of_three_kinds_and_no_other() {
        let of = |text: &str| Verifier::of(&Secret::new(text.to_owned()).unwrap()).map(|key| key.algorithm());
        assert_eq!(of(SHARED), Some("hmac-sha256"));
        let fixture: toml::Table =
            toml::from_str(include_str!("../../../tests/fixtures/callers/http-signature/caller.toml")).unwrap();
        let pem = fixture["variables"]["http_signature_secret"].as_str().unwrap();
        assert_eq!(of(pem), Some("ed25519"));
        let rsa = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtsQsUV8QpqrygsY+2+JC\n-----END PUBLIC KEY-----";
        for text in ["secret", "AA==", rsa, &pem.replace("PUBLIC", "PRIVATE"), &STANDARD.encode([7; 31]), "-----BEGIN"]
        {
            assert_eq!(of(text), None, "{text}");
        }
        // A public key in PEM is not a shared key.
        assert_ne!(of(pem), Some("hmac-sha256"));
    }

    /// Whichever key the request names, a wrong signature of any length is verified once with each algorithm.
    #[test]
    fn a9_a_wrong_signature_is_the_same_work_under_every_key_and_under_none() {
        let fixture: toml::Table =
            toml::from_str(include_str!("../../../tests/fixtures/callers/http-signature/caller.toml")).unwrap();
        let pem = |name: &str| fixture["variables"][name].as_str().unwrap().to_owned();
        let p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\nw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n-----END PUBLIC KEY-----\n";
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let params = PARAMS.replace(";alg=\"hmac-sha256\"", "");
        for length in [0, 32, 64, 100] {
            let signature = format!("sig1=:{}:", STANDARD.encode(vec![7; length]));
            let request = with(&format!("sig1={params}"), &signature, EMPTY);
            for secret in [Some(SHARED.to_owned()), Some(pem("http_signature_secret")), Some(p256.to_owned()), None] {
                let key = secret.clone().map(|secret| {
                    ActiveSecret::new(Some("k".into()), vec![(SECRET, Secret::new(secret).unwrap())]).unwrap()
                });
                let keys = VerificationKeys { secrets: key.into_iter().collect(), published: None };
                VERIFIED.take();
                let refused = HttpSignature.verify(&request, &Caller::new("ops", NAME), &keys, now);
                assert_eq!(refused.unwrap_err(), ProofError::Wrong);
                let mut verified = VERIFIED.take();
                verified.sort_unstable();
                assert_eq!(verified, ["ecdsa-p256-sha256", "ed25519", "hmac-sha256"], "{length}: {secret:?}");
            }
        }
        VERIFIED.take();
        assert!(verified(&with(&format!("sig1={PARAMS}"), &format!("sig1=:{}:", right_signature()), EMPTY)).is_ok());
        assert_eq!(VERIFIED.take(), ["hmac-sha256"]);
    }

    #[test]
    fn components() {
        let request = inbound(Method::GET, "", &[("x-a", " b \t"), ("x-c", "1"), ("x-c", "2"), ("x-d", "")], "");
        let value = |name| component(name, &request);
        assert_eq!(value("@path"), Ok("/".into()));
        assert_eq!(value("@query"), Ok("?".into()));
        assert_eq!(value("@authority"), Ok("example.com".into()));
        assert_eq!(value("host"), Ok("Example.com:443".into()));
        assert_eq!(value("x-a"), Ok("b".into()));
        assert_eq!(value("x-d"), Ok(String::new()));
        assert_eq!(value("x-c"), Err(ProofError::Doubled { header: "x-c".into() }));
        for name in ["", "x-e", "@", "@status", "@target-uri", "@signature-params", "a\"b", "a b"] {
            assert_eq!(value(name), Err(MALFORMED), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_fields_are_refused(input in "[ -~]{0,120}", signature in "[ -~]{0,80}", digest in "[ -~]{0,80}") {
            proptest::prop_assert!(verified(&with(&input, &signature, &digest)).is_err());
        }

        /// Parameters and components in any order and number; the proof depends on `Signature-Input`.
        #[test]
        fn any_input_is_refused(
            components in proptest::collection::vec("(@method|@path|@query|content-digest|x|@authority)", 0..7),
            parameters in proptest::collection::vec("(created=1780308000|keyid=\"k\"|expires=1|alg=\"x\"|a)", 0..5),
        ) {
            let components: Vec<_> = components.iter().map(|name| format!("\"{name}\"")).collect();
            let parameters: String = parameters.iter().map(|parameter| format!(";{parameter}")).collect();
            let input = format!("sig1=({}){parameters}", components.join(" "));
            let signature = format!("sig1=:{}:", right_signature());
            proptest::prop_assert!(verified(&with(&input, &signature, EMPTY)).is_err());
        }
    }
}
