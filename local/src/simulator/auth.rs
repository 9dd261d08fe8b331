//! How TaurusDB and IAM authenticate a request: by the signature of an access key, or by a token.

use std::fmt;
use std::time::UNIX_EPOCH;

use http::header::{AUTHORIZATION, HOST};
use starrocks_offboard::crypto::sdk_hmac::{self, Message};

use super::cloud::Cloud;
use super::headers::{AUTH_TOKEN, SECURITY_TOKEN};
use super::received::ReceivedRequest;
use super::refusal::Refusal;

/// Seconds that the date of a signature may be before or after the clock.
const CLOCK_SKEW: u64 = 15 * 60;

/// What a signature or a token gives access to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Access {
    Everywhere,
    Project(String),
    /// A token of a whole Huawei Cloud account: accepted by IAM, and for no project.
    NoProject,
}

impl Access {
    pub(super) fn covers(&self, project_id: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Project(id) => id == project_id,
            Self::NoProject => false,
        }
    }
}

/// Returns what the signature or the token of a request gives access to.
pub(super) fn authenticate(cloud: &Cloud, request: &ReceivedRequest) -> Result<Access, Refusal> {
    let header = |name: &str| {
        let value = request.headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| !value.is_empty())
    };
    let wrong = |why: &dyn fmt::Display| Refusal::Unauthenticated(format!("verify aksk signature fail, {why}"));

    let Some(authorization) = header(AUTHORIZATION.as_str()) else {
        return match header(AUTH_TOKEN) {
            Some(token) => access_of(cloud, token),
            None => Err(Refusal::Unauthenticated("x-auth-token not found".to_owned())),
        };
    };
    let authorization = sdk_hmac::parse_authorization(authorization).map_err(|error| wrong(&error))?;
    let key = cloud.options.access_keys.iter().find(|key| key.id == authorization.access).ok_or_else(|| {
        let id = authorization.access;
        Refusal::Unauthenticated(format!("Get secretKey failed,ak:{id},err:ak not exist"))
    })?;
    let (path, query) = request.path_and_query();
    let message = Message {
        method: request.method.as_str(),
        path,
        query,
        headers: &request.headers,
        host: header(HOST.as_str()).unwrap_or_default(),
        body: &request.body,
    };
    let verified = sdk_hmac::verify(&message, &authorization, key.secret.as_bytes()).map_err(|error| wrong(&error))?;

    let now = (cloud.options.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if verified.date.timestamp().abs_diff(now.cast_signed()) > CLOCK_SKEW {
        return Err(wrong(&"the date is more than 15 minutes away"));
    }
    let is_signed = authorization.signed_headers.contains(&SECURITY_TOKEN);
    match (&key.security_token, header(SECURITY_TOKEN)) {
        (None, None) => Ok(Access::Everywhere),
        (Some(expected), Some(token)) if token == expected && is_signed => Ok(Access::Everywhere),
        _ => Err(wrong(&"the security token is not that of the access key, or not signed")),
    }
}

/// Returns what a token gives access to.
fn access_of(cloud: &Cloud, token: &str) -> Result<Access, Refusal> {
    if cloud.options.tokens.iter().any(|known| known == token) {
        return Ok(Access::Everywhere);
    }
    let state = cloud.state();
    match state.tokens.get(token) {
        None => Err(Refusal::Unauthenticated("decrypt token fail".to_owned())),
        Some(issued) if issued.expires_at <= (cloud.options.clock)() => Err(Refusal::TokenExpired),
        Some(issued) => Ok(issued.project.clone().map_or(Access::NoProject, Access::Project)),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::super::demo;
    use super::super::headers::REQUEST_ID;
    use super::super::options::SimulatorOptions;
    use super::super::testing::{DATE, Signing, USERS, body, delete_request, said, start, start_with, with_headers};
    use crate::http_client::send;

    #[tokio::test]
    async fn signatures() {
        let simulator = start().await;
        let uri = format!("{USERS}?user_name=nobody");
        let signing = Signing::default;
        let passed = "400 DBS.200824";
        let refused = "401 APIGW.0301";
        for (signing, expected) in [
            (signing(), passed),
            (Signing { signed: &[("x-project-id", demo::PROJECT_ID), ("x-language", "en-us")], ..signing() }, passed),
            (Signing { date: "20260115T081500Z", ..signing() }, passed),
            (Signing { date: "20260115T084500Z", ..signing() }, passed),
            (Signing { date: "20260115T081459Z", ..signing() }, refused),
            (Signing { date: "20260115T084501Z", ..signing() }, refused),
            (Signing { access_key: "HPUAUNKNOWN", ..signing() }, refused),
            (Signing { secret_key: "another", ..signing() }, refused),
            (Signing { unsigned: &[("x-sdk-date", DATE)], ..signing() }, refused),
            (Signing { signed: &[("x-security-token", "surplus")], ..signing() }, refused),
        ] {
            let response = send(simulator.address(), signing.request(&simulator, Method::DELETE, &uri)).await.unwrap();
            assert_eq!(said(&response), expected, "{}", signing.date);
            if expected == refused {
                let body = body(&response);
                let text = body["error_msg"].as_str().unwrap();
                assert!(text.starts_with("Incorrect IAM authentication information: "), "{text}");
                assert_eq!(body["request_id"], response.headers()[REQUEST_ID].to_str().unwrap());
            }
        }

        let mut request = delete_request(&simulator, "nobody");
        *request.uri_mut() = format!("{USERS}?user_name=alice").parse().unwrap();
        assert_eq!(said(&send(simulator.address(), request).await.unwrap()), refused);
        assert!(simulator.accounts(demo::INSTANCE_ID).contains("alice"));
    }

    #[tokio::test]
    async fn temporary_keys_need_their_token_signed() {
        let temporary = |options: &mut SimulatorOptions| {
            options.access_keys[0].security_token = Some("temporary".to_owned());
        };
        let simulator = start_with(temporary).await;
        let uri = format!("{USERS}?user_name=nobody");
        let token = &[("x-security-token", "temporary")][..];
        let other = &[("x-security-token", "another")][..];
        for (signed, unsigned, expected) in [
            (token, &[][..], "400 DBS.200824"),
            (other, &[], "401 APIGW.0301"),
            (&[], token, "401 APIGW.0301"),
            (&[], &[], "401 APIGW.0301"),
        ] {
            let signing = Signing { signed, unsigned, ..Signing::default() };
            let response = send(simulator.address(), signing.request(&simulator, Method::DELETE, &uri)).await.unwrap();
            assert_eq!(said(&response), expected, "{signed:?} {unsigned:?}");
        }
    }

    #[tokio::test]
    async fn tokens() {
        let simulator = start().await;
        let uri = format!("{USERS}?user_name=nobody");
        for (headers, expected) in [
            (&[("x-auth-token", demo::TOKEN)][..], "400 DBS.200824"),
            (&[("x-auth-token", demo::TOKEN), ("authorization", "")], "400 DBS.200824"),
            (&[("x-auth-token", demo::TOKEN), ("authorization", "Bearer x")], "401 APIGW.0301"),
            (&[("x-auth-token", "another")], "401 APIGW.0301"),
            (&[("x-auth-token", "")], "401 APIGW.0301"),
            (&[], "401 APIGW.0301"),
        ] {
            let request = with_headers(Method::DELETE, &uri, headers);
            assert_eq!(said(&send(simulator.address(), request).await.unwrap()), expected, "{headers:?}");
        }
    }
}
