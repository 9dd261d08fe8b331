//! What an instance keeps between requests: the parsed configuration and policies, whether the ledger is open, and the
//! tokens that IAM gave.
//!
//! No other secret is kept: a variable is read for each request that needs it, so that a rotation needs no restart.

use std::cell::Cell;

use crate::callers;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, sort};
use crate::host::{Host, StoreError};
use crate::jwks_cache::JwksCache;
use crate::ledger::schema;
use crate::policy::Policies;
use crate::taurusdb::token_cache::TokenCache;

/// The file that this module says most about.
pub const OFFBOARD: &str = "offboard.toml";

/// Parses the files.
///
/// # Errors
///
/// All errors that there are.
pub fn load(offboard: &str, policy: &str, schema: &str) -> Result<(Config, Policies), Vec<Diagnostic>> {
    match read(offboard, policy, schema) {
        (Some(config), Some(policies), _) => Ok((config, policies)),
        (.., mut diagnostics) => {
            diagnostics.retain(Diagnostic::is_error);
            Err(diagnostics)
        }
    }
}

/// What can be read, and what is to be said of the rest.
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

/// Configuration and policies, parsed once an instance.
#[derive(Debug)]
pub struct App {
    /// offboard.toml
    pub config: Config,
    /// policy.cedar and schema.cedarschema
    pub policies: Policies,
    /// Tokens for TaurusDB.
    pub tokens: TokenCache,
    /// Public keys of whoever issues tokens to callers.
    pub published: JwksCache,
    ledger_is_open: Cell<bool>,
}

impl App {
    /// Parses the three files of `config/`.
    ///
    /// # Errors
    ///
    /// What is wrong with them, for the operator: every error that [`check`] finds.
    pub fn parse(offboard: &str, policy: &str, schema: &str) -> Result<Self, String> {
        let (config, policies) = load(offboard, policy, schema)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        Ok(Self::of(config, policies))
    }

    /// The same with policies that are parsed already.
    ///
    /// # Errors
    ///
    /// What is wrong with offboard.toml, for the operator.
    pub fn with(offboard: &str, policies: Policies) -> Result<Self, String> {
        let config = Config::parse(offboard, &callers::shapes()).map_err(|error| error.to_string())?;
        Ok(Self::of(config, policies))
    }

    fn of(config: Config, policies: Policies) -> Self {
        Self {
            config,
            policies,
            tokens: TokenCache::default(),
            published: JwksCache::default(),
            ledger_is_open: Cell::new(false),
        }
    }

    /// Opens the ledger once an instance; one that could not be opened is tried again by the next request.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub async fn open_ledger<H: Host>(&self, host: &H) -> Result<(), StoreError> {
        if !self.ledger_is_open.get() {
            schema::open(host).await?;
            self.ledger_is_open.set(true);
        }
        Ok(())
    }
}
