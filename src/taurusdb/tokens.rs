//! Which token a call needs, and where it comes from: the cache, or IAM.

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
    /// The token that a call needs; `None` if the call is signed, or its token is the operator's.
    pub(super) async fn token(&self, budget: &Budget) -> Result<Option<(Key<'_>, CachedToken)>, CallError> {
        let project = self.instance.project_id.as_str();
        let (key, held) = match &self.credentials {
            Credentials::AkSk(_) | Credentials::Token(_) => return Ok(None),
            Credentials::Password(user) => {
                let key = self.user_key(user, "project", project);
                let issue = async || self.issue(budget, &Identity::Password(user), &Scope::Project(project), &[]).await;
                let held = self.tokens.get(self.host, budget, &key, issue).await;
                (key, held)
            }
            Credentials::Agency { agency, on } => {
                let (secret, who) = match on {
                    Base::AkSk(key) => (&key.secret_key, ["aksk", &key.access_key, ""]),
                    Base::Password(user) => (&user.password, ["password", &user.user, &user.domain]),
                };
                let of = match &agency.domain {
                    Domain::Name(name) => ["name", name],
                    Domain::Id(id) => ["id", id],
                };
                let parts = [&["agency", &self.iam, project, &agency.name][..], &of, &who].concat();
                let key = Key::new(&parts, secret);
                let held = self.tokens.get(self.host, budget, &key, async || self.assume(budget, agency, on).await);
                let held = held.await;
                (key, held)
            }
        };
        match held {
            Ok(held) => Ok(Some((key, held))),
            Err(NoToken::Call(error)) => Err(error),
            Err(NoToken::ProofRefused) => Err(CallError::CredentialsRefused),
        }
    }

    /// A token of an agency; once more with a new token of the user who assumes it, if that was refused.
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
                    let held = self.tokens.get(self.host, budget, &key, issue).await?;
                    let identity = Identity::Agency { agency, proof: RequestAuth::Token(&held.token) };
                    match self.issue(budget, &identity, &scope, &[&held.token]).await {
                        Err(NoToken::ProofRefused) if !renewed => {
                            self.tokens.forget(self.host, &key, &held).await;
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
        more: &[&Secret],
    ) -> Result<Issued, NoToken> {
        let secrets: Vec<_> = self.credentials.secrets().chain(more.iter().copied()).collect();
        Iam { host: self.host, budget, endpoint: &self.iam }.issue(identity, scope, &secrets).await
    }
}
