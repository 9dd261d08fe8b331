//! Signs requests as the platforms do: Slack, senders of Standard Webhooks, GitHub, clients of Huawei Cloud.
//!
//! `offboard send`, the tests, the fuzz targets and the benchmarks sign with these functions. They are written from the platforms'
//! documentation and without the component's verifiers (`starrocks_offboard::crypto`, `starrocks_offboard::callers`), so that the
//! component is not judged by its own code; they must stay so. Secret, time and content are arguments.
//!
//! Not here: the platforms whose requests only tests make, which are in Python (`tests/fixtures/callers/*/platform.py`), and
//! verification.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

/// What percent-encoding leaves as it is: the unreserved characters of RFC 3986.
pub const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A header that a signer sets: its name in lower case, and its value.
pub type Header = (&'static str, String);

/// Returns the HMAC-SHA256 of the concatenated parts.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Returns the headers by which Slack proves a request:
/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
#[must_use]
pub fn slack(secret: &str, timestamp: &str, body: &[u8]) -> [Header; 2] {
    let tag = hmac_sha256(secret.as_bytes(), &[b"v0:", timestamp.as_bytes(), b":", body]);
    [("x-slack-request-timestamp", timestamp.to_owned()), ("x-slack-signature", format!("v0={}", hex::encode(tag)))]
}

/// Returns the headers by which a sender of Standard Webhooks proves a request, signature `v1`:
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
///
/// # Errors
///
/// If the secret is not base64 after `whsec_`.
pub fn standard_webhooks(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> anyhow::Result<[Header; 3]> {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(text).ok().context("the webhook secret is not valid; write `whsec_` and base64")?;
    let tag = hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_owned()),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(tag))),
    ])
}

/// Returns the header by which GitHub proves a request:
/// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>
#[must_use]
pub fn github(secret: &str, body: &[u8]) -> Header {
    ("x-hub-signature-256", format!("sha256={}", hex::encode(hmac_sha256(secret.as_bytes(), &[body]))))
}

/// A request that a client of Huawei Cloud signs.
pub struct SdkRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// Path and query, as they go on the wire.
    pub target: &'a str,
    /// The headers that the signature covers, beside `Host` and `X-Sdk-Date`.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The header `Host`.
    pub host: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// Returns the headers by which a client of Huawei Cloud proves a request, algorithm SDK-HMAC-SHA256:
/// <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html>
///
/// `seconds` is the time of signing, since 1970.
#[must_use]
pub fn sdk_hmac(request: &SdkRequest<'_>, access_key: &str, secret: &str, seconds: i64) -> [Header; 2] {
    let date = DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string();
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
    headers.push(("host".to_owned(), request.host));
    headers.push(("x-sdk-date".to_owned(), &date));
    headers.sort();
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
    let mut path: String = path.split('/').skip(1).map(|segment| format!("/{}", recoded(segment))).collect();
    if !path.ends_with('/') {
        path.push('/');
    }
    let mut parameters: Vec<_> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| format!("{}={}", recoded(name), recoded(value)))
        .collect();
    parameters.sort();
    let digest = hex::encode(Sha256::digest(request.body));
    let canonical = format!("{}\n{path}\n{}\n{lines}\n{names}\n{digest}", request.method, parameters.join("&"));
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", hex::encode(Sha256::digest(canonical)));
    let signature = hex::encode(hmac_sha256(secret.as_bytes(), &[to_sign.as_bytes()]));
    let authorization = format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}");
    [("x-sdk-date", date), ("authorization", authorization)]
}

/// The text percent-decoded and encoded again, so that every spelling becomes one.
fn recoded(text: &str) -> String {
    percent_encode(&percent_decode_str(text).collect::<Vec<_>>(), ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::NaiveDateTime;
    use serde_json::Value;

    use super::*;
    use crate::repository;

    /// The example of Slack's documentation, from slackapi/python-slack-sdk,
    /// tests/slack_sdk/signature/test_signature_verifier.py at ae87985e.
    #[test]
    fn the_documented_example_of_slack() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let [timestamp, signature] = slack("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.as_bytes());
        assert_eq!(timestamp, ("x-slack-request-timestamp", "1531420618".to_owned()));
        assert_eq!(
            signature,
            ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503".to_owned())
        );
    }

    /// From standard-webhooks/standard-webhooks, libraries/javascript/src/webhook.test.ts at b2fa7b87.
    #[test]
    fn the_published_example_of_standard_webhooks() {
        let [_, _, signature] = standard_webhooks(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(signature, ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()));
    }

    #[test]
    fn a_secret_that_is_not_base64_signs_nothing() {
        assert!(standard_webhooks("whsec_*", "a", "1", b"").is_err());
    }

    /// The example of "Testing the webhook payload validation" on the page that [`github`] links.
    #[test]
    fn the_documented_example_of_github() {
        let (_, signature) = github("It's a Secret to Everybody", b"Hello, World!");
        assert_eq!(signature, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }

    /// What the official Python SDK signs: `tests/fixtures/signing`.
    #[test]
    fn the_official_sdk_signs_the_same() {
        let mut count = 0;
        for entry in fs::read_dir(repository::root().join("tests/fixtures/signing")).unwrap() {
            let folder = entry.unwrap().path();
            let Ok(request) = fs::read_to_string(folder.join("request.json")) else { continue };
            let request: Value = serde_json::from_str(&request).unwrap();
            let text = |name: &str| request[name].as_str().unwrap();
            let mut headers: Vec<(&str, &str)> = request["headers"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            let date = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("x-sdk-date")).unwrap();
            let (_, date) = headers.remove(date);
            let seconds = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").unwrap().and_utc().timestamp();
            let [_, (_, authorization)] = sdk_hmac(
                &SdkRequest {
                    method: text("method"),
                    target: text("uri"),
                    headers,
                    host: text("host"),
                    body: text("body").as_bytes(),
                },
                text("access_key"),
                text("secret_key"),
                seconds,
            );
            let expected = fs::read_to_string(folder.join("authorization.txt")).unwrap();
            assert_eq!(authorization, expected, "{}", folder.display());
            count += 1;
        }
        assert!(count > 5, "{count} cases");
    }
}
