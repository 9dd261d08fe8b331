//! Proves a request as its platform would, where that takes an HMAC, a digest, an Ed25519 key or a word: with the signers of
//! [`senders`], and with those here for the platforms that only fuzzing plays in Rust. WeCom, WeLink, Google Chat and whatever is
//! encrypted are proved by the requests of the fixtures, or read without a proof.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use ed25519_dalek::{Signer, SigningKey};
use http::{HeaderName, HeaderValue};
use local::simulator::senders::{self, Header, SdkRequest, hmac_sha256};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starrocks_offboard::request::inbound::Inbound;

/// Sets a header.
pub(crate) fn set(inbound: &mut Inbound, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        inbound.headers.insert(HeaderName::from_static(name), value);
    }
}

/// Sets what a signer of [`senders`] returns.
fn set_all<const COUNT: usize>(inbound: &mut Inbound, headers: [Header; COUNT]) {
    for (name, value) in headers {
        set(inbound, name, &value);
    }
}

/// What a request is proved with.
struct Prover<'s> {
    secret: &'s toml::Value,
    seconds: i64,
    nonce: &'s str,
}

impl Prover<'_> {
    /// A part of the secret.
    fn of(&self, name: &str) -> Option<&str> {
        self.secret.get(name).and_then(toml::Value::as_str)
    }

    /// The time, as most platforms write it.
    fn at(&self) -> String {
        self.seconds.to_string()
    }
}

/// Proves the request with this secret at `seconds`; `None` for a kind that is proved in another way.
pub(crate) fn prove(kind: &str, secret: &toml::Value, seconds: i64, nonce: &str, inbound: &mut Inbound) -> Option<()> {
    let by = Prover { secret, seconds, nonce };
    match kind {
        "slack" | "mattermost" | "teams" | "discord" | "feishu" | "dingtalk" => chat(kind, &by, inbound),
        "api" if by.of("secret_key").is_some() => {
            access_key(by.of("access_key")?, by.of("secret_key")?, seconds, inbound)
        }
        "api" => bearer_token(&by, inbound),
        "http-signature" => http_signature(&by, inbound),
        _ => webhook(kind, &by, inbound),
    }
}

fn chat(kind: &str, by: &Prover<'_>, inbound: &mut Inbound) -> Option<()> {
    let (at, body) = (by.at(), inbound.body.clone());
    match kind {
        "slack" => set_all(inbound, senders::slack(by.of("secret")?, &at, &body)),
        "mattermost" => set(inbound, "authorization", &format!("Token {}", by.of("secret")?)),
        "teams" => {
            let key = STANDARD.decode(by.of("secret")?).ok()?;
            set(inbound, "authorization", &format!("HMAC {}", STANDARD.encode(hmac_sha256(&key, &[&body]))));
        }
        "discord" => {
            let key: [u8; 32] = hex::decode(by.of("private_key")?).ok()?.try_into().ok()?;
            let signature = SigningKey::from_bytes(&key).sign(&[at.as_bytes(), &body].concat());
            set(inbound, "x-signature-ed25519", &hex::encode(signature.to_bytes()));
            set(inbound, "x-signature-timestamp", &at);
        }
        "feishu" => {
            let signed = [at.as_bytes(), by.nonce.as_bytes(), by.of("encrypt_key")?.as_bytes(), &body].concat();
            set(inbound, "x-lark-request-timestamp", &at);
            set(inbound, "x-lark-request-nonce", by.nonce);
            set(inbound, "x-lark-signature", &hex::encode(Sha256::digest(signed)));
        }
        _ => {
            let (at, key) = (format!("{at}000"), by.of("secret")?.as_bytes());
            set(inbound, "sign", &STANDARD.encode(hmac_sha256(key, &[at.as_bytes(), b"\n", key])));
            set(inbound, "timestamp", &at);
        }
    }
    Some(())
}

fn webhook(kind: &str, by: &Prover<'_>, inbound: &mut Inbound) -> Option<()> {
    let body = inbound.body.clone();
    match kind {
        "standard-webhooks" => {
            set_all(inbound, senders::standard_webhooks(whsec(by)?, by.nonce, &by.at(), &body).ok()?);
        }
        "gitlab" => match whsec(by) {
            Some(secret) => set_all(inbound, senders::standard_webhooks(secret, by.nonce, &by.at(), &body).ok()?),
            None => set(inbound, "x-gitlab-token", by.of("secret")?),
        },
        "github" => set_all(inbound, [senders::github(by.of("secret")?, &body)]),
        "okta" => set(inbound, "authorization", by.of("secret")?),
        "cloudevents" | "scim" => set(inbound, "authorization", &format!("Bearer {}", by.of("secret")?)),
        "oneaccess" if by.of("encryption_key").is_none() => {
            set(inbound, "authorization", &format!("Bearer {}", by.of("token")?));
            // The body is the event and, behind a line break, the message; around it goes what is signed.
            let text = String::from_utf8(body.to_vec()).ok()?;
            let (event, data) = text.split_once('\n').unwrap_or(("DELETE_USER", &text));
            let (nonce, at) = (by.nonce, format!("{}000", by.seconds));
            let parts = [nonce, "&", &at, "&", event, "&", data].map(str::as_bytes);
            let tag = STANDARD.encode(hmac_sha256(by.of("signature_key")?.as_bytes(), &parts));
            let call = json!({"nonce": nonce, "timestamp": at, "eventType": event, "data": data, "signature": tag});
            inbound.body = Bytes::from(call.to_string());
        }
        _ => return None,
    }
    Some(())
}

/// The secret, if it is one of Standard Webhooks, signature `v1`.
fn whsec<'s>(by: &'s Prover<'_>) -> Option<&'s str> {
    by.of("secret").filter(|secret| secret.starts_with("whsec_"))
}

fn bearer_token(by: &Prover<'_>, inbound: &mut Inbound) -> Option<()> {
    let claims = json!({
        "iss": "https://login.example.com/realms/staff", "aud": "starrocks-offboard", "sub": "f:1b2c:dana",
        "iat": by.seconds - 10, "exp": by.seconds + 300, "groups": ["dba"], "jti": by.nonce,
    });
    let token = token(&seed(by.of("key")?)?, &json!({"alg": "EdDSA", "kid": "ed"}), &claims);
    set(inbound, "authorization", &format!("Bearer {token}"));
    Some(())
}

fn http_signature(by: &Prover<'_>, inbound: &mut Inbound) -> Option<()> {
    let of_body = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&inbound.body)));
    set(inbound, "content-digest", &of_body);
    let (key_id, at, nonce) = (by.of("key_id")?, by.seconds, by.nonce);
    let params = format!(
        r#"("@method" "@path" "@query" "@authority" "content-digest");created={at};keyid="{key_id}";nonce="{nonce}""#
    );
    let base = format!(
        "\"@method\": {}\n\"@path\": {}\n\"@query\": ?{}\n\"@authority\": {}\n\"content-digest\": {of_body}\n\"@signature-params\": {params}",
        inbound.method, inbound.path, inbound.query, inbound.host
    );
    let signature = SigningKey::from_bytes(&seed(by.of("private_key")?)?).sign(base.as_bytes());
    set(inbound, "signature-input", &format!("sig={params}"));
    set(inbound, "signature", &format!("sig=:{}:", STANDARD.encode(signature.to_bytes())));
    Some(())
}

/// Signs as a client of Huawei Cloud does, over every header; `None` for what no client can sign.
pub(crate) fn access_key(access_key: &str, secret_key: &str, seconds: i64, inbound: &mut Inbound) -> Option<()> {
    inbound.headers.remove("authorization");
    inbound.headers.remove("x-sdk-date");
    let target = format!("{}?{}", inbound.path, inbound.query);
    let headers = inbound.headers.iter().map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signed = SdkRequest {
        method: inbound.method.as_str(),
        target: &target,
        headers: headers.collect::<Option<_>>()?,
        host: &inbound.host,
        body: &inbound.body,
    };
    let proof = senders::sdk_hmac(&signed, access_key, secret_key, seconds);
    set_all(inbound, proof);
    Some(())
}

/// The private half in a PEM of an Ed25519 key: its last 32 bytes.
pub(crate) fn seed(pem: &str) -> Option<[u8; 32]> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(text).ok()?.last_chunk().copied()
}

/// A token of this key.
pub(crate) fn token(key: &[u8; 32], header: &Value, claims: &Value) -> String {
    token_of(key, header.to_string().as_bytes(), claims.to_string().as_bytes())
}

/// The same, of a header and claims that may be anything.
pub(crate) fn token_of(key: &[u8; 32], header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = SigningKey::from_bytes(key).sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}
