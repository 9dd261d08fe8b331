//! The gateway's own credentials: read from Spin variables for each request that needs them, so that a rotation needs no
//! restart.

use crate::config::credentials::{Agency, AgencyBase, AkskVariables, CredentialSource, PasswordVariables};
use crate::host::Host;
use crate::secret::Secret;
use crate::taurusdb::error::CallError;

/// How the gateway proves itself to TaurusDB.
#[derive(Debug)]
pub(super) enum Credentials {
    /// Each request is signed.
    AkSk(AkSk),
    /// A ready IAM token.
    Token(Secret),
    /// Tokens for a user's password.
    Password(Password),
    /// Tokens for another account's agency.
    Agency {
        /// The agency.
        agency: Agency,
        /// What it is assumed with.
        on: Base,
    },
}

/// An access key.
#[derive(Debug)]
pub(super) struct AkSk {
    /// Its public half.
    pub(super) access_key: String,
    /// Its secret half.
    pub(super) secret_key: Secret,
    /// The token of a temporary one.
    pub(super) security_token: Option<Secret>,
}

/// An IAM user.
#[derive(Debug)]
pub(super) struct Password {
    /// The user's name.
    pub(super) user: String,
    /// The password.
    pub(super) password: Secret,
    /// The account's name.
    pub(super) domain: String,
}

/// What an agency is assumed with.
#[derive(Debug)]
pub(super) enum Base {
    /// An access key.
    AkSk(AkSk),
    /// A user's password.
    Password(Password),
}

impl Credentials {
    /// Reads the variables that the source names.
    ///
    /// # Errors
    ///
    /// [`CallError::CredentialsUnset`]
    pub(super) async fn read<H: Host>(host: &H, source: &CredentialSource) -> Result<Self, CallError> {
        Ok(match source {
            CredentialSource::Aksk(variables) => Self::AkSk(AkSk::read(host, variables).await?),
            CredentialSource::Token { token } => Self::Token(set(host, token).await?),
            CredentialSource::Password(variables) => Self::Password(Password::read(host, variables).await?),
            CredentialSource::Agency { agency, on } => Self::Agency {
                agency: agency.clone(),
                on: match on {
                    AgencyBase::Aksk(variables) => Base::AkSk(AkSk::read(host, variables).await?),
                    AgencyBase::Password(variables) => Base::Password(Password::read(host, variables).await?),
                },
            },
        })
    }

    /// What may not be seen.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let secrets = match self {
            Self::Token(token) => [Some(token), None],
            Self::AkSk(key) | Self::Agency { on: Base::AkSk(key), .. } => {
                [Some(&key.secret_key), key.security_token.as_ref()]
            }
            Self::Password(user) | Self::Agency { on: Base::Password(user), .. } => [Some(&user.password), None],
        };
        secrets.into_iter().flatten()
    }
}

impl AkSk {
    async fn read<H: Host>(host: &H, variables: &AkskVariables) -> Result<Self, CallError> {
        Ok(Self {
            access_key: set(host, &variables.access_key).await?.expose().to_owned(),
            secret_key: set(host, &variables.secret_key).await?,
            security_token: match &variables.security_token {
                Some(variable) => host.variable(variable).await,
                None => None,
            },
        })
    }
}

impl Password {
    async fn read<H: Host>(host: &H, variables: &PasswordVariables) -> Result<Self, CallError> {
        Ok(Self {
            user: set(host, &variables.user).await?.expose().to_owned(),
            password: set(host, &variables.password).await?,
            domain: set(host, &variables.domain).await?.expose().to_owned(),
        })
    }
}

async fn set<H: Host>(host: &H, variable: &str) -> Result<Secret, CallError> {
    let value = host.variable(variable).await;
    value.ok_or_else(|| {
        host.log(&format!("taurusdb: variable `{variable}` is not set"));
        CallError::CredentialsUnset
    })
}
