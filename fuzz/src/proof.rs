//! Proves a request as its platform would, where that takes an HMAC, a digest or a word. The others (WeCom, WeLink, Google
//! Chat, whatever is encrypted) are proved by the fixtures' own requests, and read without a proof.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use chrono::DateTime;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starrocks_offboard::crypto::sdk_hmac;
use starrocks_offboard::request::inbound::Inbound;

/// HMAC-SHA256.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// Sets a header.
pub(crate) fn set(inbound: &mut Inbound, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        inbound.headers.insert(HeaderName::from_static(name), value);
    }
}

/// Proves it with this secret at `seconds`; `None` for a kind that is proved in another way.
pub(crate) fn prove(kind: &str, secret: &toml::Value, seconds: i64, nonce: &str, inbound: &mut Inbound) -> Option<()> {
    let of = |name: &str| secret.get(name).and_then(toml::Value::as_str);
    let (at, body) = (seconds.to_string(), inbound.body.clone());
    match kind {
        "slack" => {
            let tag = hmac(of("secret")?.as_bytes(), &[b"v0:", at.as_bytes(), b":", &body]);
            set(inbound, "x-slack-request-timestamp", &at);
            set(inbound, "x-slack-signature", &format!("v0={}", hex::encode(tag)));
        }
        "mattermost" => set(inbound, "authorization", &format!("Token {}", of("secret")?)),
        "teams" => {
            let key = STANDARD.decode(of("secret")?).ok()?;
            set(inbound, "authorization", &format!("HMAC {}", STANDARD.encode(hmac(&key, &[&body]))));
        }
        "discord" => {
            let key: [u8; 32] = hex::decode(of("private_key")?).ok()?.try_into().ok()?;
            let signature = SigningKey::from_bytes(&key).sign(&[at.as_bytes(), &body].concat());
            set(inbound, "x-signature-ed25519", &hex::encode(signature.to_bytes()));
            set(inbound, "x-signature-timestamp", &at);
        }
        "feishu" => {
            let signed = [at.as_bytes(), nonce.as_bytes(), of("encrypt_key")?.as_bytes(), &body].concat();
            set(inbound, "x-lark-request-timestamp", &at);
            set(inbound, "x-lark-request-nonce", nonce);
            set(inbound, "x-lark-signature", &hex::encode(Sha256::digest(signed)));
        }
        "dingtalk" => {
            let (at, key) = (format!("{at}000"), of("secret")?.as_bytes());
            set(inbound, "sign", &STANDARD.encode(hmac(key, &[at.as_bytes(), b"\n", key])));
            set(inbound, "timestamp", &at);
        }
        "standard-webhooks" => webhook(of("secret")?, &at, nonce, inbound)?,
        "gitlab" => match of("secret")? {
            shared if shared.starts_with("whsec_") => webhook(shared, &at, nonce, inbound)?,
            token => set(inbound, "x-gitlab-token", token),
        },
        "github" => {
            let tag = hmac(of("secret")?.as_bytes(), &[&body]);
            set(inbound, "x-hub-signature-256", &format!("sha256={}", hex::encode(tag)));
        }
        "okta" => set(inbound, "authorization", of("secret")?),
        "cloudevents" | "scim" => set(inbound, "authorization", &format!("Bearer {}", of("secret")?)),
        "oneaccess" if of("encryption_key").is_none() => {
            set(inbound, "authorization", &format!("Bearer {}", of("token")?));
            // The body is the event and, behind a line break, the message; around it goes what is signed.
            let text = String::from_utf8(body.to_vec()).ok()?;
            let (event, data) = text.split_once('\n').unwrap_or(("DELETE_USER", &text));
            let at = format!("{at}000");
            let parts = [nonce, "&", &at, "&", event, "&", data].map(str::as_bytes);
            let tag = STANDARD.encode(hmac(of("signature_key")?.as_bytes(), &parts));
            let call = json!({"nonce": nonce, "timestamp": at, "eventType": event, "data": data, "signature": tag});
            inbound.body = Bytes::from(call.to_string());
        }
        "api" if of("secret_key").is_some() => access_key(of("access_key")?, of("secret_key")?, seconds, inbound)?,
        "api" => {
            let key = seed(of("key")?)?;
            let claims = json!({
                "iss": "https://login.example.com/realms/staff", "aud": "starrocks-offboard", "sub": "f:1b2c:dana",
                "iat": seconds - 10, "exp": seconds + 300, "groups": ["dba"], "jti": nonce,
            });
            set(
                inbound,
                "authorization",
                &format!("Bearer {}", token(&key, &json!({"alg": "EdDSA", "kid": "ed"}), &claims)),
            );
        }
        "http-signature" => {
            let of_body = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&body)));
            set(inbound, "content-digest", &of_body);
            let key_id = of("key_id")?;
            let params = format!(
                r#"("@method" "@path" "@query" "@authority" "content-digest");created={at};keyid="{key_id}";nonce="{nonce}""#
            );
            let base = format!(
                "\"@method\": {}\n\"@path\": {}\n\"@query\": ?{}\n\"@authority\": {}\n\"content-digest\": {of_body}\n\"@signature-params\": {params}",
                inbound.method, inbound.path, inbound.query, inbound.host
            );
            let signature = SigningKey::from_bytes(&seed(of("private_key")?)?).sign(base.as_bytes());
            set(inbound, "signature-input", &format!("sig={params}"));
            set(inbound, "signature", &format!("sig=:{}:", STANDARD.encode(signature.to_bytes())));
        }
        _ => return None,
    }
    Some(())
}

fn webhook(secret: &str, at: &str, nonce: &str, inbound: &mut Inbound) -> Option<()> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let tag = hmac(&key, &[nonce.as_bytes(), b".", at.as_bytes(), b".", &inbound.body]);
    set(inbound, "webhook-id", nonce);
    set(inbound, "webhook-timestamp", at);
    set(inbound, "webhook-signature", &format!("v1,{}", STANDARD.encode(tag)));
    Some(())
}

/// Signs as an SDK of Huawei Cloud does; `None` for what no SDK can sign.
pub(crate) fn access_key(access_key: &str, secret_key: &str, seconds: i64, inbound: &mut Inbound) -> Option<()> {
    let date = sdk_hmac::sdk_date(DateTime::from_timestamp(seconds, 0)?);
    set(inbound, sdk_hmac::SDK_DATE, &date);
    inbound.headers.remove("authorization");
    let method = inbound.method.clone();
    let message = sdk_hmac::Message {
        method: method.as_str(),
        path: &inbound.path,
        query: &inbound.query,
        headers: &inbound.headers,
        host: &inbound.host,
        body: &inbound.body,
    };
    let authorization = sdk_hmac::sign(&message, access_key, secret_key.as_bytes(), &date).ok()?;
    set(inbound, "authorization", &authorization);
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
