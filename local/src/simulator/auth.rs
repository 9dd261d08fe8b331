//! How a request proves itself: by a signature of an access key, or by a token.

use std::fmt;
use std::time::UNIX_EPOCH;

use http::header::{AUTHORIZATION, HOST};
use starrocks_offboard::crypto::sdk_hmac::{self, Message};

use super::refusals::Refusal;
use super::{AUTH_TOKEN, SECURITY_TOKEN, Seen, Shared};

/// Seconds that a signature's date may differ from the clock, either way.
const CLOCK_SKEW: u64 = 15 * 60;

/// Where a proof opens doors.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Access {
    Everywhere,
    Project(String),
    /// A token of a whole account: for IAM itself, and for no project.
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

impl Shared {
    pub(super) fn authenticate(&self, request: &Seen) -> Result<Access, Refusal> {
        let header = |name: &str| {
            let value = request.headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| !value.is_empty())
        };
        let wrong = |why: &dyn fmt::Display| Refusal::Unauthenticated(format!("verify aksk signature fail, {why}"));

        let Some(authorization) = header(AUTHORIZATION.as_str()) else {
            return match header(AUTH_TOKEN) {
                Some(token) => self.access_of(token),
                None => Err(Refusal::Unauthenticated("x-auth-token not found".to_owned())),
            };
        };
        let authorization = sdk_hmac::parse_authorization(authorization).map_err(|error| wrong(&error))?;
        let key = self.options.access_keys.iter().find(|key| key.id == authorization.access).ok_or_else(|| {
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
        let verified =
            sdk_hmac::verify(&message, &authorization, key.secret.as_bytes()).map_err(|error| wrong(&error))?;

        let now = (self.options.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
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

    fn access_of(&self, token: &str) -> Result<Access, Refusal> {
        if self.options.tokens.iter().any(|known| known == token) {
            return Ok(Access::Everywhere);
        }
        let state = self.state();
        match state.tokens.get(token) {
            None => Err(Refusal::Unauthenticated("decrypt token fail".to_owned())),
            Some(issued) if issued.expires_at <= (self.options.clock)() => Err(Refusal::TokenExpired),
            Some(issued) => Ok(issued.project.clone().map_or(Access::NoProject, Access::Project)),
        }
    }
}
