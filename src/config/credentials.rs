//! `[[credentials]]` and `[taurusdb.agency]`: how the gateway proves itself to TaurusDB. Only the names of Spin variables are
//! known here, never their values.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// A way to authenticate to TaurusDB, and the Spin variables that hold its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// SDK-HMAC-SHA256 with an access key.
    Aksk(AkskVariables),
    /// A ready IAM token, which the gateway cannot renew.
    Token {
        /// The token's variable.
        token: String,
    },
    /// IAM tokens that are issued for a user's password.
    Password(PasswordVariables),
    /// IAM tokens that are issued for an agency of another Huawei Cloud account.
    Agency {
        /// The agency.
        agency: Agency,
        /// The credentials that the agency trusts.
        on: AgencyBase,
    },
}

/// The variables of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AkskVariables {
    /// The public half.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
    /// The security token of a temporary access key.
    pub security_token: Option<String>,
}

/// The variables of an IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordVariables {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The name of the Huawei Cloud account that the user belongs to.
    pub domain: String,
}

/// An agency of another Huawei Cloud account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// The agency's name.
    pub name: String,
    /// The Huawei Cloud account that owns the agency.
    pub domain: Domain,
}

/// A Huawei Cloud account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// By name.
    Name(String),
    /// By ID.
    Id(String),
}

/// The credentials that assume an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgencyBase {
    /// An access key.
    Aksk(AkskVariables),
    /// A user's password.
    Password(PasswordVariables),
}

impl CredentialSource {
    /// Returns the variable of the secret half.
    pub fn secret(&self) -> &str {
        match self {
            Self::Aksk(variables) | Self::Agency { on: AgencyBase::Aksk(variables), .. } => &variables.secret_key,
            Self::Password(variables) | Self::Agency { on: AgencyBase::Password(variables), .. } => &variables.password,
            Self::Token { token } => token,
        }
    }

    /// Whether tokens are fetched from IAM.
    pub fn uses_iam(&self) -> bool {
        matches!(self, Self::Password(_) | Self::Agency { .. })
    }

    /// Returns the variable of its secret.
    pub fn secret_variable(&self) -> &str {
        match self {
            Self::Aksk(AkskVariables { secret_key, .. }) => secret_key,
            Self::Token { token } => token,
            Self::Password(PasswordVariables { password, .. }) => password,
            Self::Agency { on: AgencyBase::Aksk(variables), .. } => &variables.secret_key,
            Self::Agency { on: AgencyBase::Password(variables), .. } => &variables.password,
        }
    }

    /// Returns the source of a kind that needs no table.
    fn builtin(kind: &str) -> Option<Self> {
        match kind {
            "aksk" => Some(Self::Aksk(AkskVariables {
                access_key: "huaweicloud_access_key".into(),
                secret_key: "huaweicloud_secret_key".into(),
                security_token: Some("huaweicloud_security_token".into()),
            })),
            "token" => Some(Self::Token { token: "huaweicloud_token".into() }),
            "password" => Some(Self::Password(PasswordVariables {
                user: "huaweicloud_user".into(),
                password: "huaweicloud_password".into(),
                domain: "huaweicloud_domain".into(),
            })),
            _ => None,
        }
    }
}

type SourcesByName = BTreeMap<String, Arc<CredentialSource>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialsTable {
    name: Spanned<String>,
    kind: Spanned<String>,
    agency: Option<AgencyTable>,
    pub(super) variables: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
}

impl CredentialsTable {
    fn read(&self, lines: &Lines<'_>, others: &SourcesByName) -> Result<CredentialSource, ConfigError> {
        let kind = self.kind.get_ref().as_str();
        let (mandatory, optional): (&[&str], &[&str]) = match kind {
            "aksk" => (&["access_key", "secret_key"], &["security_token"]),
            "token" => (&["token"], &[]),
            "password" => (&["user", "password", "domain"], &[]),
            "agency" => (&[], &[]),
            _ => {
                return Err(lines.wrong(
                    &self.kind,
                    format!("credentials.kind `{kind}` does not exist; use `aksk`, `token`, `password` or `agency`"),
                ));
            }
        };
        let misshapen = || self.misshapen(lines, mandatory);
        let given = self.variables.as_ref().map(|variables| variables.get_ref().keys().map(String::as_str));
        if given.into_iter().flatten().any(|key| !mandatory.contains(&key) && !optional.contains(&key)) {
            return Err(misshapen());
        }
        let variable = |key: &str| self.variable(lines, key);
        let required = |key: &str| variable(key)?.ok_or_else(misshapen);
        match (kind, &self.agency) {
            ("agency", Some(agency)) if self.variables.is_none() => agency.read(lines, others),
            ("aksk", None) => Ok(CredentialSource::Aksk(AkskVariables {
                access_key: required("access_key")?,
                secret_key: required("secret_key")?,
                security_token: variable("security_token")?,
            })),
            ("token", None) => Ok(CredentialSource::Token { token: required("token")? }),
            ("password", None) => Ok(CredentialSource::Password(PasswordVariables {
                user: required("user")?,
                password: required("password")?,
                domain: required("domain")?,
            })),
            _ => Err(misshapen()),
        }
    }

    fn variable(&self, lines: &Lines<'_>, key: &str) -> Result<Option<String>, ConfigError> {
        let value = self.variables.as_ref().and_then(|variables| variables.get_ref().get(key));
        value.map(|value| lines.variable(&format!("credentials.variables.{key}"), value)).transpose()
    }

    /// Makes the error for a table without the keys of its kind, or with other ones.
    fn misshapen(&self, lines: &Lines<'_>, mandatory: &[&str]) -> ConfigError {
        let kind = self.kind.get_ref();
        let shape = if kind == "agency" {
            "`agency = { name = \"…\", domain_name = \"…\", on = \"aksk\" }` and no `variables`".to_owned()
        } else {
            let named: Vec<_> = mandatory.iter().map(|key| format!("{key} = \"spin_variable\"")).collect();
            format!("`variables = {{ {} }}` and no `agency`", named.join(", "))
        };
        lines.wrong(&self.kind, format!("credentials of kind `{kind}` need {shape}"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgencyTable {
    name: Spanned<String>,
    domain_name: Option<String>,
    domain_id: Option<String>,
    on: Spanned<String>,
}

impl AgencyTable {
    fn read(&self, lines: &Lines<'_>, others: &SourcesByName) -> Result<CredentialSource, ConfigError> {
        let on = self.on.get_ref();
        let on = match others.get(on).map(|source| (**source).clone()) {
            Some(CredentialSource::Aksk(variables)) => AgencyBase::Aksk(variables),
            Some(CredentialSource::Password(variables)) => AgencyBase::Password(variables),
            _ => {
                return Err(lines.wrong(
                    &self.on,
                    format!("agency.on `{on}` does not exist or cannot assume an agency; use `aksk`, `password` or the name of a `[[credentials]]` table of one of these kinds"),
                ));
            }
        };
        let domain = match (&self.domain_name, &self.domain_id) {
            (Some(name), None) if !name.is_empty() => Domain::Name(name.clone()),
            (None, Some(id)) if !id.is_empty() => Domain::Id(id.clone()),
            _ => {
                return Err(lines.wrong(
                    &self.name,
                    "agency needs `domain_name` or `domain_id`, not both: the Huawei Cloud account that owns the agency",
                ));
            }
        };
        let name = self.name.get_ref();
        if name.is_empty() || name.len() > 256 {
            return Err(
                lines.wrong(&self.name, "agency.name is empty or longer than 256 bytes; write the agency's name")
            );
        }
        Ok(CredentialSource::Agency { agency: Agency { name: name.clone(), domain }, on })
    }
}

/// All configured and built-in credentials, by name.
pub(super) struct Sources {
    by_name: SourcesByName,
    /// The default that `[taurusdb]` names.
    pub(super) usual: Arc<CredentialSource>,
}

impl Sources {
    /// Reads all tables. `usual` and `agency` are those of `[taurusdb]`.
    pub(super) fn new(
        lines: &Lines<'_>,
        usual: &Spanned<String>,
        agency: Option<&AgencyTable>,
        tables: &[CredentialsTable],
    ) -> Result<Self, ConfigError> {
        let mut by_name = BTreeMap::new();
        for kind in ["aksk", "token", "password"] {
            by_name.extend(CredentialSource::builtin(kind).map(|source| (kind.to_owned(), Arc::new(source))));
        }
        // Agencies last: they refer to other credentials, which may follow them in the file.
        let (agencies, others): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.kind.get_ref() == "agency");
        for table in others.into_iter().chain(agencies) {
            let name = lines.name("credentials.name", &table.name)?;
            let source = table.read(lines, &by_name)?;
            if name == "agency" || by_name.insert(name.clone(), Arc::new(source)).is_some() {
                return Err(lines.wrong(
                    &table.name,
                    format!("credentials.name `{name}` is already used; choose another name (`aksk`, `token`, `password` and `agency` are reserved)"),
                ));
            }
        }
        if let Some(table) = agency {
            by_name.insert("agency".into(), Arc::new(table.read(lines, &by_name)?));
        }
        let usual = named(&by_name, lines, "taurusdb.credentials", usual)?;
        Ok(Self { by_name, usual })
    }

    /// Finds the credentials that `key` names.
    pub(super) fn named(
        &self,
        lines: &Lines<'_>,
        key: &str,
        value: &Spanned<String>,
    ) -> Result<Arc<CredentialSource>, ConfigError> {
        named(&self.by_name, lines, key, value)
    }
}

fn named(
    by_name: &SourcesByName,
    lines: &Lines<'_>,
    key: &str,
    value: &Spanned<String>,
) -> Result<Arc<CredentialSource>, ConfigError> {
    let name = value.get_ref();
    by_name.get(name).map(Arc::clone).ok_or_else(|| {
        lines.wrong(
            value,
            format!("{key} `{name}` does not exist; use `aksk`, `token`, `password`, `agency` (needs `[taurusdb.agency]`) or the name of a `[[credentials]]` table"),
        )
    })
}
