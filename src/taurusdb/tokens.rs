//! The token that a call needs, from the cache or from IAM.

use crate::config::credentials::{Agency, Domain};
use crate::host::Host;
use crate::outbound::budget::Budget;
use crate::secret::Secret;
use crate::taurusdb::Taurusdb;
use crate::taurusdb::credentials::{Base, Credentials, Password};
use crate::taurusdb::error::CallError;
use crate::taurusdb::iam::{Iam, Identity, Issued, NoToken, Scope};
use crate::taurusdb::request::RequestAuth;
use crate::taurusdb::token_cache::{CachedToken, Key};

impl<H: Host> Taurusdb<'_, H> {
    /// Returns the token that a call needs; `None` if the call is signed, or the operator sets its token.
    ///
    /// # Errors
    ///
    /// - [`CallError::CredentialsRefused`] if IAM refuses the credentials
    /// - [`CallError::TokenUnavailable`] if IAM issues no token in time
    /// - the errors of [`Iam::issue`] if the request to IAM was not sent
    pub(super) async fn token(&self, budget: &Budget) -> Result<Option<(Key<'_>, CachedToken)>, CallError> {
        let project = self.instance.project_id.as_str();
        let (key, cached) = match &self.credentials {
            Credentials::AkSk(_) | Credentials::Token(_) => return Ok(None),
            Credentials::Password(user) => {
                let key = self.user_key(user, "project", project);
                let issue = async || self.issue(budget, &Identity::Password(user), &Scope::Project(project), &[]).await;
                let cached = self.tokens.get(self.host, budget, &key, issue).await;
                (key, cached)
            }
            Credentials::Agency { agency, on } => {
                let (secret, user) = match on {
                    Base::AkSk(key) => (&key.secret_key, ["aksk", &key.access_key, ""]),
                    Base::Password(user) => (&user.password, ["password", &user.user, &user.domain]),
                };
                let domain = match &agency.domain {
                    Domain::Name(name) => ["name", name],
                    Domain::Id(id) => ["id", id],
                };
                let parts = [&["agency", &self.iam, project, &agency.name][..], &domain, &user].concat();
                let key = Key::new(&parts, secret);
                let cached = self.tokens.get(self.host, budget, &key, async || self.assume(budget, agency, on).await);
                let cached = cached.await;
                (key, cached)
            }
        };
        match cached {
            Ok(cached) => Ok(Some((key, cached))),
            Err(NoToken::Call(error)) => Err(error),
            Err(NoToken::ProofRefused) => Err(CallError::CredentialsRefused),
        }
    }

    /// Requests a token for an agency, and once more with a new token of the user if IAM refused the user's token.
    async fn assume(&self, budget: &Budget, agency: &Agency, on: &Base) -> Result<Issued, NoToken> {
        let scope = Scope::Project(&self.instance.project_id);
        match on {
            Base::AkSk(key) => {
                let identity = Identity::Agency { agency, proof: RequestAuth::Signature(key) };
                self.issue(budget, &identity, &scope, &[]).await
            }
            Base::Password(user) => {
                let key = self.user_key(user, "domain", "");
                let own = Scope::Domain(&user.domain);
                let mut renewed = false;
                loop {
                    let issue = async || self.issue(budget, &Identity::Password(user), &own, &[]).await;
                    let cached = self.tokens.get(self.host, budget, &key, issue).await?;
                    let identity = Identity::Agency { agency, proof: RequestAuth::Token(&cached.token) };
                    match self.issue(budget, &identity, &scope, &[&cached.token]).await {
                        Err(NoToken::ProofRefused) if !renewed => {
                            self.tokens.forget(self.host, &key, &cached).await;
                            renewed = true;
                        }
                        issued => return issued,
                    }
                }
            }
        }
    }

    fn user_key<'u>(&self, user: &'u Password, scope: &str, id: &str) -> Key<'u> {
        Key::new(&["password", &self.iam, &user.user, &user.domain, scope, id], &user.password)
    }

    async fn issue(
        &self,
        budget: &Budget,
        identity: &Identity<'_>,
        scope: &Scope<'_>,
        secrets: &[&Secret],
    ) -> Result<Issued, NoToken> {
        let secrets: Vec<_> = self.credentials.secrets().chain(secrets.iter().copied()).collect();
        Iam { host: self.host, budget, endpoint: &self.iam }.issue(identity, scope, &secrets).await
    }
}
