//! What a running provider shares between requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::options::{Client, IdentityProviderOptions, Person};
use super::signing::TokenKey;

/// How long a code can be redeemed.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// A provider: its options, its key, and what waits to be answered.
pub(super) struct Provider {
    pub(super) options: IdentityProviderOptions,
    /// `http://localhost:PORT`.
    pub(super) issuer: String,
    pub(super) key: TokenKey,
    pending: Mutex<Pending>,
}

/// What waits to be answered, by the random text that names it.
#[derive(Default)]
pub(super) struct Pending {
    /// Requests whose page is open.
    pub(super) interactions: BTreeMap<String, Authorization>,
    /// Sign-ins whose code was not redeemed yet.
    pub(super) codes: BTreeMap<String, Grant>,
}

/// A request for a sign-in that was found right.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) challenge: String,
    pub(super) scopes: Vec<String>,
}

/// A sign-in that a code stands for.
pub(super) struct Grant {
    pub(super) authorization: Authorization,
    pub(super) person: Person,
    pub(super) at: SystemTime,
}

impl Provider {
    pub(super) fn new(options: IdentityProviderOptions, issuer: String, key: TokenKey) -> Self {
        Self { options, issuer, key, pending: Mutex::default() }
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.options.clients.iter().find(|client| client.id == id)
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.options.clock)()
    }
}

/// Returns a random text of 128 bits, which cannot be guessed.
///
/// # Panics
///
/// If the operating system gives no random bytes, which ends the request that needs them.
pub(super) fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system's random bytes");
    hex::encode(bytes)
}
