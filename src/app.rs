//! What an instance keeps between requests: the parsed configuration and policies, whether the ledger is open, tokens of IAM
//! and fetched key sets.
//!
//! No other secret is kept: the host reads a variable when a request needs it, so that a rotation needs no restart.

use std::cell::RefCell;

use crate::callers;
use crate::config::Config;
use crate::config::masked::without_values;
use crate::diagnostic::{Diagnostic, Unusable, sort};
use crate::host::{Host, StoreError};
use crate::jwks_cache::{self, JwksCache};
use crate::ledger::{self, Ledger};
use crate::policy::Policies;
use crate::provider_cache::ProviderCache;
use crate::taurusdb::token_cache::{self, TokenCache};

/// The configuration file.
pub const OFFBOARD: &str = "offboard.toml";

/// Parses the three files of `config/`.
///
/// # Errors
///
/// All errors in them.
pub fn load(offboard: &str, policy: &str, schema: &str) -> Result<(Config, Policies), Vec<Diagnostic>> {
    match read(offboard, policy, schema) {
        (Some(config), Some(policies), _) => {
            let policies = policies.for_instances(config.instances());
            Ok((config, policies))
        }
        (.., mut diagnostics) => {
            diagnostics.retain(Diagnostic::is_error);
            Err(diagnostics)
        }
    }
}

/// Reads the three files as far as they can be used. The diagnostics are errors, and warnings of policy validation.
pub fn read(offboard: &str, policy: &str, schema: &str) -> (Option<Config>, Option<Policies>, Vec<Diagnostic>) {
    let (config, error) = match Config::parse(offboard, &callers::shapes()) {
        Ok(config) => (Some(config), None),
        Err(error) => (None, Some(Diagnostic::error(OFFBOARD, error.line, error.message))),
    };
    let (policies, of_policies) = Policies::check(policy, schema);
    let mut diagnostics: Vec<_> = error.into_iter().chain(of_policies).collect();
    sort(&mut diagnostics);
    (config, policies, diagnostics)
}

fn unusable(mut errors: Vec<Diagnostic>, offboard: &str) -> Unusable {
    for error in errors.iter_mut().filter(|error| error.file == OFFBOARD) {
        error.message = without_values(&error.message, offboard);
    }
    Unusable::new(&errors)
}

/// Configuration and policies, parsed once an instance.
#[derive(Debug)]
pub struct App {
    /// offboard.toml
    pub config: Config,
    /// policy.cedar and schema.cedarschema
    pub policies: Policies,
    /// Tokens for TaurusDB.
    pub tokens: TokenCache,
    /// Public keys of the issuers of callers' tokens.
    pub jwks: JwksCache,
    /// The identity provider of the console.
    pub providers: ProviderCache,
    /// What opening the ledger came to; `None` if the next request opens it.
    opened: RefCell<Option<Result<(), StoreError>>>,
}

impl App {
    /// Parses the three files of `config/`.
    ///
    /// # Errors
    ///
    /// Where their errors are, and what is wrong, without the values of offboard.toml.
    pub fn parse(offboard: &str, policy: &str, schema: &str) -> Result<Self, Unusable> {
        let (config, policies) = load(offboard, policy, schema).map_err(|errors| unusable(errors, offboard))?;
        Ok(Self {
            config,
            policies,
            tokens: TokenCache::default(),
            jwks: JwksCache::default(),
            providers: ProviderCache::default(),
            opened: RefCell::new(None),
        })
    }

    /// Opens the ledger, once an instance. If that fails, the next request tries again.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub async fn ledger<'a, H: Host>(&self, host: &'a H) -> Result<Ledger<'a, H>, StoreError> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => Ledger::open(host).await.map(|_| ()),
        };
        if opened.is_ok() {
            self.opened.replace(Some(Ok(())));
        }
        opened.map(|()| Ledger::opened(host))
    }

    /// Takes what [`Ledger::open`] came to before the app was there. An error is the next request's, and then it is tried again.
    pub fn ledger_was_opened(&self, opened: Result<(), StoreError>) {
        self.opened.replace(Some(opened));
    }
}

/// Returns every statement that an instance runs on PostgreSQL, in SQLite's words: for tests, which prepare each of them there.
pub fn statements() -> impl Iterator<Item = &'static str> {
    let of_caches = [jwks_cache::STATEMENTS, token_cache::STATEMENTS];
    ledger::statements::ALL.into_iter().chain(of_caches).flatten().copied()
}

/// The texts of the three files of `config/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// offboard.toml
    pub offboard: String,
    /// policy.cedar
    pub policy: String,
    /// schema.cedarschema
    pub schema: String,
}

/// An [`App`] that was parsed when the component was built, and the texts that it was parsed from.
///
/// Only parsing is done beforehand: no clock, file, variable or database is used, so the app has no token, no key set and no
/// opened ledger.
#[derive(Debug)]
pub struct Baked {
    texts: Texts,
    app: Option<App>,
}

impl Baked {
    /// Parses the three files.
    ///
    /// # Errors
    ///
    /// If [`App::parse`] fails.
    pub fn new(texts: Texts) -> Result<Self, Unusable> {
        let app = App::parse(&texts.offboard, &texts.policy, &texts.schema)?;
        Ok(Self { texts, app: Some(app) })
    }

    /// Hands out the app, once, if it was parsed from exactly these texts.
    pub fn take_for(&mut self, texts: &Texts) -> Option<App> {
        self.app.take_if(|_| self.texts == *texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Texts {
        Texts {
            offboard: include_str!("../config/offboard.toml").to_owned(),
            policy: include_str!("../config/policy.cedar").to_owned(),
            schema: include_str!("../config/schema.cedarschema").to_owned(),
        }
    }

    #[test]
    fn what_was_parsed_beforehand_is_for_exactly_its_texts_and_once() {
        let mut baked = Baked::new(texts()).unwrap();
        let changes: [fn(&mut Texts); 3] =
            [|texts| texts.offboard.push(' '), |texts| texts.policy.push('\n'), |texts| texts.schema.insert(0, ' ')];
        for change in changes {
            let mut others = texts();
            change(&mut others);
            assert!(baked.take_for(&others).is_none());
        }
        let app = baked.take_for(&texts()).unwrap();
        let parsed = App::parse(&texts().offboard, &texts().policy, &texts().schema).unwrap();
        assert_eq!((&app.config.digest, app.policies.digest()), (&parsed.config.digest, parsed.policies.digest()));
        // Warm is nothing else.
        assert_eq!(app.opened.take(), None);
        let (tokens, jwks) = (TokenCache::default(), JwksCache::default());
        assert_eq!(format!("{:?} {:?}", app.tokens, app.jwks), format!("{tokens:?} {jwks:?}"));
        assert!(baked.take_for(&texts()).is_none());
    }

    #[test]
    fn files_that_cannot_be_used_are_not_kept() {
        let texts = Texts { policy: "permit (principal".to_owned(), ..texts() };
        assert!(Baked::new(texts).unwrap_err().places.starts_with("policy.cedar"));
    }
}
