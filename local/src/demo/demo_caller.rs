//! A caller that this machine plays, and a request of it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use starrocks_offboard::config::Config;

/// A caller of config/offboard.toml, and how to play it.
pub struct DemoCaller {
    /// The name in offboard.toml.
    pub name: &'static str,
    /// The kind in offboard.toml.
    pub kind: &'static str,
    /// The ID of the requester that the platform would prove. `None` if the caller acts under its own name.
    pub id: Option<&'static str>,
    /// The Spin variable with the secret.
    pub variable: &'static str,
    /// The secret in the demonstration.
    pub secret: &'static str,
    /// How a request of this caller is authenticated, in words.
    pub proof: &'static str,
    /// The form of [`DemoRequest::text`], in words.
    pub grammar: &'static str,
    pub(super) request: fn(&DemoRequest<'_>) -> anyhow::Result<Request<Bytes>>,
}

/// The content of a request, and everything that its signature depends on.
pub struct DemoRequest<'a> {
    /// The text, in the caller's [`grammar`](DemoCaller::grammar).
    pub text: &'a str,
    /// The name of the instance, for callers whose text does not contain it.
    pub instance: &'a str,
    /// The configuration with the IDs of the instance.
    pub config: &'a Config,
    /// The ID of the requester, for callers with people or access keys.
    pub id: &'a str,
    /// The secret that signs the request.
    pub secret: &'a str,
    /// The `Host` that the request is sent to.
    pub host: &'a str,
    /// The time of signing.
    pub now: DateTime<Utc>,
    /// Makes the request different from the one before, where the platform does so.
    pub nonce: u64,
}

impl DemoCaller {
    /// Returns the principal in policies for a requester with this ID.
    #[must_use]
    pub fn principal(&self, id: &str) -> String {
        match self.id {
            Some(_) => format!("{}/{id}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Returns the signed request, `Host` included; its URI is a path.
    ///
    /// # Errors
    ///
    /// If the text does not follow the caller's grammar, or the secret cannot sign.
    pub fn request(&self, content: &DemoRequest<'_>) -> anyhow::Result<Request<Bytes>> {
        (self.request)(content)
    }

    /// Returns the name of the environment variable from which Spin takes the secret.
    pub(crate) fn environment_name(&self) -> String {
        format!("SPIN_VARIABLE_{}", self.variable.to_uppercase())
    }

    /// Returns the secret in the environment, if one is set.
    pub(crate) fn secret_in_environment(&self) -> Option<String> {
        std::env::var(self.environment_name()).ok()
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Returns a random number. The standard library takes its seed for hash maps from the system, which is random enough for
/// an ID and needs no further crate.
pub(crate) fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}
