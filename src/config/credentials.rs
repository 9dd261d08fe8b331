//! `[[credentials]]`: what proves the gateway to TaurusDB.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::config::TaurusdbTable;
use crate::config::lines::{ConfigError, Lines};

/// How the gateway proves itself to TaurusDB, and which Spin variables hold what that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// SDK-HMAC-SHA256 with an access key.
    Aksk(AkskVariables),
    /// A ready IAM token, which nothing renews.
    Token {
        /// The token's variable.
        token: String,
    },
    /// Tokens that IAM gives for a user's password.
    Password(PasswordVariables),
    /// Tokens that IAM gives to whoever another account's agency trusts.
    Agency {
        /// The agency.
        agency: Agency,
        /// What proves that the agency trusts us.
        on: AgencyBase,
    },
}

/// The variables of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AkskVariables {
    /// Its public half.
    pub access_key: String,
    /// Its secret half.
    pub secret_key: String,
    /// The token of a temporary one.
    pub security_token: Option<String>,
}

/// The variables of an IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordVariables {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The name of the account that the user belongs to.
    pub domain: String,
}

/// An agency of another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its name.
    pub name: String,
    /// The account that it belongs to.
    pub domain: Domain,
}

/// An account of Huawei Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// By name.
    Name(String),
    /// By id.
    Id(String),
}

/// What an agency is assumed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgencyBase {
    /// An access key.
    Aksk(AkskVariables),
    /// A user's password.
    Password(PasswordVariables),
}

impl CredentialSource {
    /// Whether tokens have to be fetched from IAM.
    pub fn uses_iam(&self) -> bool {
        matches!(self, Self::Password(_) | Self::Agency { .. })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialsTable {
    name: Spanned<String>,
    kind: Spanned<String>,
    agency: Option<AgencyTable>,
    pub(crate) variables: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgencyTable {
    name: Spanned<String>,
    domain_name: Option<String>,
    domain_id: Option<String>,
    on: Spanned<String>,
}

/// The credentials that there are, by name.
pub(crate) struct Sources {
    by_name: BTreeMap<String, Arc<CredentialSource>>,
    /// What `[taurusdb]` says.
    pub(crate) usual: Arc<CredentialSource>,
}

impl Sources {
    /// The variables of the kinds that need no table, and of what `[taurusdb.agency]` builds on.
    fn builtin(kind: &str) -> Option<CredentialSource> {
        match kind {
            "aksk" => Some(CredentialSource::Aksk(AkskVariables {
                access_key: "huaweicloud_access_key".into(),
                secret_key: "huaweicloud_secret_key".into(),
                security_token: Some("huaweicloud_security_token".into()),
            })),
            "token" => Some(CredentialSource::Token { token: "huaweicloud_token".into() }),
            "password" => Some(CredentialSource::Password(PasswordVariables {
                user: "huaweicloud_user".into(),
                password: "huaweicloud_password".into(),
                domain: "huaweicloud_domain".into(),
            })),
            _ => None,
        }
    }

    pub(crate) fn new(
        lines: &Lines<'_>,
        taurusdb: &TaurusdbTable,
        tables: &[CredentialsTable],
    ) -> Result<Self, ConfigError> {
        let mut by_name = BTreeMap::new();
        for kind in ["aksk", "token", "password"] {
            by_name.extend(Self::builtin(kind).map(|source| (kind.to_owned(), Arc::new(source))));
        }
        // Agencies last: they build on the others, wherever those stand in the file.
        let (agencies, others): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.kind.get_ref() == "agency");
        for table in others.into_iter().chain(agencies) {
            let name = lines.name("credentials.name", &table.name)?;
            let source = Self::read(lines, table, &by_name)?;
            if name == "agency" || by_name.insert(name.clone(), Arc::new(source)).is_some() {
                return Err(lines.wrong(
                    &table.name,
                    format!("credentials.name `{name}` is taken; expected a name of its own, other than `aksk`, `token`, `password` and `agency`"),
                ));
            }
        }
        if let Some(table) = &taurusdb.agency {
            by_name.insert("agency".into(), Arc::new(Self::agency(lines, table, &by_name)?));
        }
        let mut sources = Self { by_name, usual: Arc::new(CredentialSource::Token { token: String::new() }) };
        sources.usual = sources.named(lines, "taurusdb.credentials", &taurusdb.credentials)?;
        Ok(sources)
    }

    pub(crate) fn named(
        &self,
        lines: &Lines<'_>,
        key: &str,
        value: &Spanned<String>,
    ) -> Result<Arc<CredentialSource>, ConfigError> {
        let name = value.get_ref();
        self.by_name.get(name).map(Arc::clone).ok_or_else(|| {
            lines.wrong(value, format!("{key} `{name}` is not known; expected `aksk`, `token`, `password`, `agency` (with a table `[taurusdb.agency]`) or the name of a `[[credentials]]` table"))
        })
    }

    fn read(
        lines: &Lines<'_>,
        table: &CredentialsTable,
        others: &BTreeMap<String, Arc<CredentialSource>>,
    ) -> Result<CredentialSource, ConfigError> {
        let kind = table.kind.get_ref().as_str();
        let (mandatory, optional): (&[&str], &[&str]) = match kind {
            "aksk" => (&["access_key", "secret_key"], &["security_token"]),
            "token" => (&["token"], &[]),
            "password" => (&["user", "password", "domain"], &[]),
            "agency" => (&[], &[]),
            _ => {
                return Err(lines.wrong(
                    &table.kind,
                    format!("credentials.kind `{kind}` is not known; expected `aksk`, `token`, `password` or `agency`"),
                ));
            }
        };
        let shape = || match kind {
            "agency" => "`agency = { name = \"…\", domain_name = \"…\", on = \"aksk\" }` and no `variables`".to_owned(),
            _ => {
                let named: Vec<_> = mandatory.iter().map(|key| format!("{key} = \"spin_variable\"")).collect();
                format!("`variables = {{ {} }}` and no `agency`", named.join(", "))
            }
        };
        let misshapen = || lines.wrong(&table.kind, format!("credentials of kind `{kind}` need {}", shape()));
        let variable = |key: &str| -> Result<Option<String>, ConfigError> {
            let value = table.variables.as_ref().and_then(|variables| variables.get_ref().get(key));
            value.map(|value| lines.variable(&format!("credentials.variables.{key}"), value)).transpose()
        };
        let required = |key: &str| variable(key)?.ok_or_else(misshapen);
        let given = table.variables.as_ref().map(|variables| variables.get_ref().keys().map(String::as_str));
        if given.into_iter().flatten().any(|key| !mandatory.contains(&key) && !optional.contains(&key)) {
            return Err(misshapen());
        }
        match (kind, &table.agency) {
            ("agency", Some(agency)) if table.variables.is_none() => Self::agency(lines, agency, others),
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

    fn agency(
        lines: &Lines<'_>,
        table: &AgencyTable,
        others: &BTreeMap<String, Arc<CredentialSource>>,
    ) -> Result<CredentialSource, ConfigError> {
        let on = table.on.get_ref();
        let on = match others.get(on).map(|source| (**source).clone()) {
            Some(CredentialSource::Aksk(variables)) => AgencyBase::Aksk(variables),
            Some(CredentialSource::Password(variables)) => AgencyBase::Password(variables),
            _ => {
                return Err(lines.wrong(
                    &table.on,
                    format!("agency.on `{on}` is not known; expected `aksk`, `password` or the name of a `[[credentials]]` table of one of these kinds"),
                ));
            }
        };
        let domain = match (&table.domain_name, &table.domain_id) {
            (Some(name), None) if !name.is_empty() => Domain::Name(name.clone()),
            (None, Some(id)) if !id.is_empty() => Domain::Id(id.clone()),
            _ => {
                return Err(lines.wrong(
                    &table.name,
                    "agency needs either `domain_name` or `domain_id`: the account that the agency belongs to",
                ));
            }
        };
        let name = table.name.get_ref();
        if name.is_empty() || name.len() > 256 {
            return Err(lines.wrong(&table.name, "agency.name is empty or overlong; expected the agency's name"));
        }
        Ok(CredentialSource::Agency { agency: Agency { name: name.clone(), domain }, on })
    }
}
