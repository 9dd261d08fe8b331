//! The gateway's credentials for TaurusDB, read from Spin variables for each request that needs them, so that a rotation needs
//! no restart.

use crate::config::credentials::{Agency, AgencyBase, AkskVariables, CredentialSource, PasswordVariables};
use crate::host::Host;
use crate::secret::Secret;
use crate::taurusdb::error::CallError;

/// The credentials of an instance, with their values.
#[derive(Debug)]
pub(super) enum Credentials {
    /// An access key that signs each request.
    AkSk(AkSk),
    /// An IAM token that the operator sets and renews.
    Token(Secret),
    /// An IAM user, for whose password IAM issues tokens.
    Password(Password),
    /// An agency of another Huawei Cloud account, for which IAM issues tokens.
    Agency {
        /// The agency.
        agency: Agency,
        /// The credentials that the agency trusts.
        on: Base,
    },
}

/// An access key.
#[derive(Debug)]
pub(super) struct AkSk {
    /// The access key ID, which is public.
    pub(super) access_key: String,
    /// The secret access key.
    pub(super) secret_key: Secret,
    /// The security token, if the access key is temporary.
    pub(super) security_token: Option<Secret>,
}

/// An IAM user.
#[derive(Debug)]
pub(super) struct Password {
    /// The user's name.
    pub(super) user: String,
    /// The password.
    pub(super) password: Secret,
    /// The name of the Huawei Cloud account that the user belongs to.
    pub(super) domain: String,
}

/// The credentials that assume an agency.
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
    /// [`CallError::CredentialsUnset`] if a required variable is not set.
    pub(super) async fn read<H: Host>(host: &H, source: &CredentialSource) -> Result<Self, CallError> {
        Ok(match source {
            CredentialSource::Aksk(variables) => Self::AkSk(AkSk::read(host, variables).await?),
            CredentialSource::Token { token } => Self::Token(required(host, token).await?),
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

    /// Returns the secrets, which must not appear in logs and messages.
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
            access_key: required(host, &variables.access_key).await?.expose().to_owned(),
            secret_key: required(host, &variables.secret_key).await?,
            security_token: match &variables.security_token {
                Some(variable) => host.variable(variable).await.and_then(|token| token.trimmed()),
                None => None,
            },
        })
    }
}

impl Password {
    async fn read<H: Host>(host: &H, variables: &PasswordVariables) -> Result<Self, CallError> {
        Ok(Self {
            user: required(host, &variables.user).await?.expose().to_owned(),
            password: read(host, &variables.password, Secret::without_line_end).await?,
            domain: required(host, &variables.domain).await?.expose().to_owned(),
        })
    }
}

async fn required<H: Host>(host: &H, variable: &str) -> Result<Secret, CallError> {
    read(host, variable, Secret::trimmed).await
}

async fn read<H: Host>(
    host: &H,
    variable: &str,
    trim: impl FnOnce(&Secret) -> Option<Secret>,
) -> Result<Secret, CallError> {
    let value = host.variable(variable).await.and_then(|value| trim(&value));
    value.ok_or_else(|| {
        host.log(&format!("taurusdb: variable `{variable}` is not set"));
        CallError::CredentialsUnset
    })
}
