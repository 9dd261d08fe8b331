//! What OpenID Providers say of themselves, fetched and kept by an instance for an hour. It is needed to sign in and out only, so no
//! other instance is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request};

use crate::callers::console::provider::{LARGEST, Provider};
use crate::config::limits::Limits;
use crate::host::{Host, SendError};
use crate::outbound::budget::Budget;
use crate::outbound::retry::{self, OutOfTime};
use crate::outcome::{NotSent, Outcome};

/// How long a provider's word is used, in milliseconds.
const FRESH: i64 = 3_600_000;

/// The providers in an instance's memory, by issuer, and when each was asked.
#[derive(Debug, Default)]
pub struct ProviderCache(RefCell<BTreeMap<String, (Provider, i64)>>);

/// Why a provider cannot be used now. The log has the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProviderError {
    /// It does not answer as a provider does.
    Unavailable(String),
    /// An operator has to mend that: the runtime does not allow its host, or its answer does not fit the configuration.
    Unusable(String),
}

impl ProviderError {
    /// Writes the reason to the log, and returns what the person is told.
    pub(crate) fn logged<H: Host>(self, host: &H, issuer: &str) -> Outcome {
        let (outcome, why) = match self {
            Self::Unavailable(why) => (NotSent::ProviderUnavailable, why),
            Self::Unusable(why) => (NotSent::ProviderUnusable, why),
        };
        host.log(&format!("console: provider `{issuer}`: {why}"));
        outcome.into()
    }
}

impl From<OutOfTime> for ProviderError {
    fn from(error: OutOfTime) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<SendError> for ProviderError {
    fn from(error: SendError) -> Self {
        let why = format!("{error:?}");
        if matches!(error, SendError::NotAllowed(_)) { Self::Unusable(why) } else { Self::Unavailable(why) }
    }
}

impl ProviderCache {
    /// Returns what the provider of `issuer` says of itself.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if it cannot be fetched or used.
    pub(crate) async fn get<H: Host>(&self, host: &H, issuer: &str, limits: Limits) -> Result<Provider, ProviderError> {
        let now = host.now().timestamp_millis();
        let known = self.0.borrow().get(issuer).cloned();
        if let Some((provider, at)) = known
            && (0..FRESH).contains(&now.saturating_sub(at))
        {
            return Ok(provider);
        }
        let provider = fetch(host, issuer, limits).await?;
        self.0.borrow_mut().insert(issuer.to_owned(), (provider.clone(), now));
        Ok(provider)
    }
}

async fn fetch<H: Host>(host: &H, issuer: &str, limits: Limits) -> Result<Provider, ProviderError> {
    let budget = Budget::new(host.elapsed(), limits);
    let request = || {
        let mut request = Request::new(Bytes::new());
        let address = Provider::address(issuer).parse();
        *request.uri_mut() = address.map_err(|_| ProviderError::Unusable("`issuer` is no URL".into()))?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request)
    };
    let sent = retry::send::<H, ProviderError>(host, &budget, retry::CallSpec::new(LARGEST), request).await?;
    let answer = sent.answer?;
    if !answer.status().is_success() {
        return Err(ProviderError::Unavailable(format!("its configuration answered {}", answer.status().as_u16())));
    }
    let body = answer.into_body().unwrap_or_default();
    Provider::parse(&body, issuer).map_err(ProviderError::Unusable)
}
