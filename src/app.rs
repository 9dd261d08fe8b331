//! What an instance keeps between requests: the parsed configuration and policies, whether the ledger is open, tokens of IAM
//! and fetched key sets.
//!
//! No other secret is kept: a variable is read for each request that needs it, so that a rotation needs no restart.

use std::cell::Cell;

use crate::callers;
use crate::config::Config;
use crate::config::masked::without_values;
use crate::diagnostic::{Diagnostic, Unusable, sort};
use crate::host::{Host, StoreError};
use crate::jwks_cache::JwksCache;
use crate::ledger::Ledger;
use crate::policy::Policies;
use crate::taurusdb::token_cache::TokenCache;

/// The configuration file.
pub const OFFBOARD: &str = "offboard.toml";

/// Parses the three files of `config/`.
///
/// # Errors
///
/// All errors in them.
pub fn load(offboard: &str, policy: &str, schema: &str) -> Result<(Config, Policies), Vec<Diagnostic>> {
    match read(offboard, policy, schema) {
        (Some(config), Some(policies), _) => Ok((config, policies)),
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
    ledger_is_open: Cell<bool>,
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
            ledger_is_open: Cell::new(false),
        })
    }

    /// Opens the ledger, once an instance. If that fails, the next request tries again.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub async fn ledger<'a, H: Host>(&self, host: &'a H) -> Result<Ledger<'a, H>, StoreError> {
        if self.ledger_is_open.get() {
            return Ok(Ledger::opened(host));
        }
        let ledger = Ledger::open(host).await?;
        self.ledger_is_open.set(true);
        Ok(ledger)
    }
}
