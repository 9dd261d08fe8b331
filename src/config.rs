//! `config/offboard.toml`: what an operator says about instances, teams, callers and accounts, as types that cannot be
//! wrong.
//!
//! A file that is not right is refused whole, with the line, the key and what was expected; unknown keys are errors.
//! Secrets are not in the file: it names Spin variables, and [`Secret`] is what their values become.
//!
//! This module knows no HTTP, no SQL and no caller kind: the kinds that there are come in as an argument.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::FixedOffset;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::account::AccountRules;
use crate::finding;
use crate::outcome::{Language, Outcome};
use crate::regions;

mod callers;
pub mod leavers;
mod places;

use callers::CallerTable;
pub use callers::{BodyFields, Caller, EVENT, Key, KeyShape, KindShape, Part, SECRET, Setting};
use leavers::{Leavers, LeaversTable};
pub use places::{CallerPlaces, InstancePlaces, Placed, Places, TeamPlaces};

/// The largest offboard.toml that is read, in bytes: room for ten thousand instances.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// The longest time limit, in milliseconds: Spin's own for an outbound call.
const LONGEST_LIMIT: u64 = 600_000;

/// A value that may not be seen: its Debug is redacted and it has no Display.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret from a variable's value; `None` when it is empty, because an empty key proves nothing.
    pub fn new(value: String) -> Option<Self> {
        (!value.is_empty()).then_some(Self(value))
    }

    /// The bytes, for the one computation that needs them.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// What is wrong with offboard.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// The key and what was expected.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "offboard.toml, line {line}: {}", self.message),
            None => write!(f, "offboard.toml: {}", self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

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

/// How long things may take, and how often they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From there until the first byte of an answer.
    pub first_byte: Duration,
    /// One call, to the last byte of its answer.
    pub call: Duration,
    /// A request and everything that it needs, from its arrival to its answer.
    pub total: Duration,
    /// How often a call is sent at most, where it is safe to send it again.
    pub attempts: u32,
    /// When a chat platform that does not wait is told that the outcome will follow.
    pub early_answer: Duration,
}

/// Somebody with more than one way to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The operator's name for them.
    pub name: String,
    /// The StarRocks accounts that are their own.
    pub accounts: Vec<String>,
}

/// How requests are approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How long a request waits for it.
    pub expire: Duration,
    /// How many people have to approve, by environment; one where nothing is said.
    required: BTreeMap<String, u32>,
}

impl Approvals {
    /// How many people have to approve a removal in this environment.
    pub fn required(&self, environment: &str) -> u32 {
        self.required.get(environment).copied().unwrap_or(1)
    }
}

/// A TaurusDB instance that accounts may be removed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// What people call it.
    pub name: String,
    /// 32 letters and digits.
    pub project_id: String,
    /// 32 letters and digits, `in`, two digits.
    pub instance_id: String,
    /// The region's name; empty when only an endpoint is given.
    pub region: String,
    /// `https://host[:port]`, the region's or the operator's own.
    pub endpoint: String,
    /// `staging`, `production`: the operator's word, for policies.
    pub environment: String,
    /// How to prove oneself to it.
    pub credentials: Arc<CredentialSource>,
}

impl Instance {
    /// Which one it is to TaurusDB, whatever people call it and wherever it is reached.
    pub fn place(&self) -> String {
        format!("{}/{}", self.project_id, self.instance_id)
    }
}

/// offboard.toml, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long things may take.
    pub limits: Limits,
    /// Who has to say yes to what somebody may only ask for.
    pub approvals: Approvals,
    /// What policies take for the hour and the weekday, in seconds east of UTC.
    pub utc_offset: FixedOffset,
    /// The language of answers when the caller asks for none.
    pub language: Language,
    /// Which account names may be asked for.
    pub accounts: AccountRules,
    /// The first 12 hexadecimal digits of the file's SHA-256, to tell one configuration from another.
    pub digest: String,
    instances: Vec<Instance>,
    by_name: BTreeMap<String, usize>,
    by_ids: BTreeMap<(String, String), usize>,
    teams: BTreeMap<String, Vec<String>>,
    /// By principal.
    people: BTreeMap<String, Arc<Person>>,
    callers: BTreeMap<String, Caller>,
    /// Which accounts are those of somebody who leaves; `None` when nobody said.
    pub leavers: Option<Leavers>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    taurusdb: TaurusdbTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    credentials: Vec<CredentialsTable>,
    #[serde(default)]
    instance: Vec<InstanceTable>,
    #[serde(default)]
    team: Vec<TeamTable>,
    #[serde(default)]
    person: Vec<PersonTable>,
    #[serde(default)]
    approvals: ApprovalsTable,
    leavers: Option<LeaversTable>,
    #[serde(default)]
    caller: Vec<CallerTable>,
    #[serde(default)]
    accounts: AccountsTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaurusdbTable {
    credentials: Spanned<String>,
    agency: Option<AgencyTable>,
    language: Option<Spanned<String>>,
    utc_offset: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonTable {
    name: Spanned<String>,
    principals: Vec<Spanned<String>>,
    #[serde(default)]
    accounts: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ApprovalsTable {
    expire_hours: Option<Spanned<u64>>,
    required: BTreeMap<String, Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsTable {
    name: Spanned<String>,
    kind: Spanned<String>,
    agency: Option<AgencyTable>,
    variables: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyTable {
    name: Spanned<String>,
    domain_name: Option<String>,
    domain_id: Option<String>,
    on: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    connect_ms: Option<Spanned<u64>>,
    first_byte_ms: Option<Spanned<u64>>,
    call_ms: Option<Spanned<u64>>,
    total_ms: Option<Spanned<u64>>,
    attempts: Option<Spanned<u64>>,
    early_answer_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceTable {
    name: Spanned<String>,
    project_id: Spanned<String>,
    instance_id: Spanned<String>,
    region: Option<Spanned<String>>,
    endpoint: Option<Spanned<String>>,
    environment: Spanned<String>,
    credentials: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamTable {
    name: Spanned<String>,
    members: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AccountsTable {
    protected: Vec<String>,
    unusual: Vec<String>,
}

/// Turns a place in the file into an error that names its line.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn of(&self, offset: usize) -> usize {
        finding::line_at(self.0, offset)
    }

    fn wrong<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> ConfigError {
        ConfigError { line: Some(self.of(value.span().start)), message: message.into() }
    }

    fn name(&self, key: &str, value: &Spanned<String>) -> Result<String, ConfigError> {
        let name = value.get_ref();
        let good = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if good {
            Ok(name.clone())
        } else {
            Err(self.wrong(value, format!("{key} `{name}` is not valid; expected 1 to 64 of A-Z a-z 0-9 `-` `_` `.`")))
        }
    }

    fn language(&self, key: &str, value: &Option<Spanned<String>>) -> Result<Option<Language>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        let language = Language::parse(value.get_ref());
        language.map(Some).ok_or_else(|| {
            self.wrong(value, format!("{key} `{}` is not known; expected `en-us` or `zh-cn`", value.get_ref()))
        })
    }

    fn variable(&self, key: &str, value: &Spanned<String>) -> Result<String, ConfigError> {
        self.variable_at(key, value.span().start, value.get_ref())
    }

    fn variable_at(&self, key: &str, offset: usize, name: &str) -> Result<String, ConfigError> {
        // Spin's own rule for variable names; a secret pasted here instead of a name is refused without being shown.
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            Ok(name.to_owned())
        } else {
            Err(ConfigError {
                line: Some(self.of(offset)),
                message: format!(
                    "{key} is not the name of a Spin variable; expected lowercase letters, digits and `_`, and the secret itself in the variable"
                ),
            })
        }
    }
}

/// The credentials that there are, by name.
struct Sources {
    by_name: BTreeMap<String, Arc<CredentialSource>>,
    /// What `[taurusdb]` says.
    usual: Arc<CredentialSource>,
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

    fn new(lines: &Lines<'_>, taurusdb: &TaurusdbTable, tables: &[CredentialsTable]) -> Result<Self, ConfigError> {
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

    fn named(
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

/// Reads `[limits]`; what is left out has its default.
fn limits(lines: &Lines<'_>, table: &LimitsTable) -> Result<Limits, ConfigError> {
    let read = |key: &str, value: &Option<Spanned<u64>>, default: u64, most: u64| match value {
        None => Ok(default),
        Some(value) if (1..=most).contains(value.get_ref()) => Ok(*value.get_ref()),
        Some(value) => {
            Err(lines.wrong(value, format!("limits.{key} `{}` is not valid; expected 1 to {most}", value.get_ref())))
        }
    };
    let milliseconds = |key: &str, value: &Option<Spanned<u64>>, default: u64| {
        read(key, value, default, LONGEST_LIMIT).map(Duration::from_millis)
    };
    let limits = Limits {
        connect: milliseconds("connect_ms", &table.connect_ms, 3_000)?,
        first_byte: milliseconds("first_byte_ms", &table.first_byte_ms, 15_000)?,
        call: milliseconds("call_ms", &table.call_ms, 20_000)?,
        total: milliseconds("total_ms", &table.total_ms, 30_000)?,
        attempts: u32::try_from(read("attempts", &table.attempts, 4, 10)?).unwrap_or(1),
        early_answer: milliseconds("early_answer_ms", &table.early_answer_ms, 2_000)?,
    };
    if limits.call > limits.total {
        let message = format!(
            "limits.call_ms ({}) is more than limits.total_ms ({}); expected a whole request to have time for one call",
            limits.call.as_millis(),
            limits.total.as_millis()
        );
        let place = table.total_ms.as_ref().or(table.call_ms.as_ref());
        return Err(place.map_or(ConfigError { line: None, message: message.clone() }, |at| lines.wrong(at, message)));
    }
    Ok(limits)
}

/// Reads `[approvals]`.
fn approvals(lines: &Lines<'_>, table: &ApprovalsTable) -> Result<Approvals, ConfigError> {
    let bounded = |key: &str, value: &Spanned<u64>, most: u64| {
        if (1..=most).contains(value.get_ref()) {
            Ok(*value.get_ref())
        } else {
            Err(lines.wrong(value, format!("{key} `{}` is not valid; expected 1 to {most}", value.get_ref())))
        }
    };
    let hours = match &table.expire_hours {
        Some(hours) => bounded("approvals.expire_hours", hours, 24 * 30)?,
        None => 24,
    };
    let mut required = BTreeMap::new();
    for (environment, people) in &table.required {
        let people = bounded(&format!("approvals.required.{environment}"), people, 10)?;
        required.insert(environment.clone(), u32::try_from(people).unwrap_or(1));
    }
    Ok(Approvals { expire: Duration::from_secs(hours.saturating_mul(3600)), required })
}

/// Reads `+08:00`.
fn utc_offset(lines: &Lines<'_>, value: &Option<Spanned<String>>) -> Result<FixedOffset, ConfigError> {
    let utc = FixedOffset::east_opt(0);
    let offset = match value {
        None => utc,
        Some(value) => value.get_ref().parse().ok().filter(|_| value.get_ref().len() == 6),
    };
    offset.ok_or_else(|| {
        let message = "taurusdb.utc_offset is not valid; expected `+08:00` or the like";
        value.as_ref().map_or(ConfigError { line: None, message: message.into() }, |value| lines.wrong(value, message))
    })
}

/// Whether `region` can stand in a host name.
fn is_region(region: &str) -> bool {
    (1..=64).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `id` is a project id: 32 letters and digits (documented).
pub fn is_project_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `id` is an instance id: 36 letters and digits, the last four `in` and two digits. The page says `in07`, its own
/// example `in16`, and StarRocks instances carry `in17` (seen), so any two digits are well-formed.
pub fn is_instance_id(id: &str) -> bool {
    let Some((head, tail)) = id.split_at_checked(32) else { return false };
    is_project_id(head)
        && tail.strip_prefix("in").is_some_and(|n| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads `https://host[:port]`; plain `http` only to this machine, because a token would travel in the clear.
///
/// # Errors
///
/// What was expected, for the operator.
pub fn endpoint(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "expected `https://host[:port]` without a path (`http` for a loopback address only)";
    let uri: http::Uri = text.parse().map_err(|_| EXPECTED)?;
    let authority = uri.authority().ok_or(EXPECTED)?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !authority.as_str().contains('@');
    let loopback = is_loopback(authority.as_str());
    match uri.scheme_str() {
        Some("https") if bare => Ok(format!("https://{authority}")),
        Some("http") if bare && loopback => Ok(format!("http://{authority}")),
        _ => Err(EXPECTED),
    }
}

/// Whether a text is a URL that may be fetched: `https`, or `http` of this machine.
pub fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else { return false };
    uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && is_loopback(authority.as_str()))
}

/// Whether an authority is this machine.
pub fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<http::uri::Authority>() else { return false };
    let host = authority.host().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Config {
    /// Reads offboard.toml. `kinds` are the caller kinds that there are, each with the way it is given secrets.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str, kinds: &[KindShape]) -> Result<Self, ConfigError> {
        let lines = Lines(text);
        if text.len() > LARGEST {
            return Err(ConfigError { line: None, message: format!("the file is over {LARGEST} bytes") });
        }
        let file: File = toml::from_str(text).map_err(|error| ConfigError {
            line: error.span().map(|span| lines.of(span.start)),
            message: error.message().replace('\n', " "),
        })?;
        let language = lines.language("taurusdb.language", &file.taurusdb.language)?.unwrap_or_default();
        let sources = Sources::new(&lines, &file.taurusdb, &file.credentials)?;
        let mut config = Self {
            limits: limits(&lines, &file.limits)?,
            approvals: approvals(&lines, &file.approvals)?,
            utc_offset: utc_offset(&lines, &file.taurusdb.utc_offset)?,
            language,
            accounts: AccountRules::new(&file.accounts.protected, &file.accounts.unusual),
            digest: hex::encode(Sha256::digest(text)).chars().take(12).collect(),
            instances: Vec::new(),
            by_name: BTreeMap::new(),
            by_ids: BTreeMap::new(),
            teams: BTreeMap::new(),
            people: BTreeMap::new(),
            callers: BTreeMap::new(),
            leavers: None,
        };
        for table in &file.instance {
            config.add_instance(&lines, table, &sources)?;
        }
        for table in &file.team {
            let name = lines.name("team.name", &table.name)?;
            for member in &table.members {
                let id = member.get_ref();
                if id.is_empty() || id.len() > 256 {
                    return Err(lines.wrong(
                        member,
                        "team.members has an empty or overlong entry; expected `caller/id` or `caller`",
                    ));
                }
                let teams = config.teams.entry(id.clone()).or_default();
                if !teams.contains(&name) {
                    teams.push(name.clone());
                }
            }
        }
        for table in &file.person {
            config.add_person(&lines, table)?;
        }
        let leavers = file.leavers.as_ref();
        config.leavers = leavers.map(|table| table.read(&lines, |name| config.instance(name).is_ok())).transpose()?;
        for table in &file.caller {
            config.add_caller(&lines, table, kinds)?;
        }
        Ok(config)
    }

    fn add_instance(&mut self, lines: &Lines<'_>, table: &InstanceTable, sources: &Sources) -> Result<(), ConfigError> {
        let name = lines.name("instance.name", &table.name)?;
        let environment = lines.name("instance.environment", &table.environment)?;
        let project_id = table.project_id.get_ref().clone();
        if !is_project_id(&project_id) {
            return Err(lines.wrong(
                &table.project_id,
                format!("instance.project_id `{project_id}` is not valid; expected 32 letters and digits"),
            ));
        }
        let instance_id = table.instance_id.get_ref().clone();
        if !is_instance_id(&instance_id) {
            return Err(lines.wrong(&table.instance_id, format!("instance.instance_id `{instance_id}` is not valid; expected 32 letters and digits, then `in` and two digits (`in17` for StarRocks)")));
        }
        let own = table.endpoint.as_ref().map(|value| {
            endpoint(value.get_ref()).map_err(|expected| {
                lines.wrong(value, format!("instance.endpoint `{}` is not valid; {expected}", value.get_ref()))
            })
        });
        let region = table.region.as_ref().map_or("", |value| value.get_ref().as_str());
        let endpoint = match (own.transpose()?, &table.region) {
            (Some(own), _) => own,
            (None, Some(value)) => regions::endpoint(region).ok_or_else(|| {
                lines.wrong(value, format!("instance.region `{region}` is not in the table of regions; write `endpoint = \"https://…\"` as well"))
            })?,
            (None, None) => {
                return Err(lines.wrong(&table.name, format!("instance `{name}` has neither `region` nor `endpoint`; expected one of them")));
            }
        };
        let credentials = match &table.credentials {
            None => Arc::clone(&sources.usual),
            Some(value) => sources.named(lines, "instance.credentials", value)?,
        };
        match &table.region {
            Some(value) if !is_region(region) => {
                return Err(lines.wrong(
                    value,
                    format!("instance.region `{region}` is not valid; expected lowercase letters, digits and `-`"),
                ));
            }
            None if credentials.uses_iam() => {
                return Err(lines.wrong(&table.name, format!("instance `{name}` takes its tokens from IAM and has no `region`; expected `region` beside `endpoint`, because IAM is addressed by it")));
            }
            _ => {}
        }
        let index = self.instances.len();
        if self.by_name.insert(name.clone(), index).is_some() {
            return Err(
                lines.wrong(&table.name, format!("instance.name `{name}` stands twice; expected a name of its own"))
            );
        }
        if self.by_ids.insert((project_id.clone(), instance_id.clone()), index).is_some() {
            return Err(lines.wrong(
                &table.instance_id,
                format!(
                    "instance.instance_id `{instance_id}` stands twice in its project; expected each instance once"
                ),
            ));
        }
        self.instances.push(Instance {
            name,
            project_id,
            instance_id,
            region: region.to_owned(),
            endpoint,
            environment,
            credentials,
        });
        Ok(())
    }

    fn add_person(&mut self, lines: &Lines<'_>, table: &PersonTable) -> Result<(), ConfigError> {
        let name = lines.name("person.name", &table.name)?;
        if self.people.values().any(|person| person.name == name) {
            return Err(
                lines.wrong(&table.name, format!("person.name `{name}` stands twice; expected a name of its own"))
            );
        }
        let person = Arc::new(Person { name, accounts: table.accounts.clone() });
        for principal in &table.principals {
            let id = principal.get_ref();
            if id.is_empty() || self.people.insert(id.clone(), Arc::clone(&person)).is_some() {
                return Err(lines.wrong(
                    principal,
                    format!("person.principals `{id}` is empty or belongs to a person already; expected `caller/id`, each once"),
                ));
            }
        }
        Ok(())
    }

    fn add_caller(&mut self, lines: &Lines<'_>, table: &CallerTable, kinds: &[KindShape]) -> Result<(), ConfigError> {
        let (caller, shape) = table.read(lines, kinds, &|id| self.access_key(id).is_some())?;
        let name = &caller.name;
        if !shape.proves_body && !caller.confirm {
            return Err(lines.wrong(&table.name, format!("caller `{name}` of kind `{}` cannot have `confirm = false`: its platform signs nothing of what people say, so that they have to confirm it", caller.kind)));
        }
        let speaks_of_people = caller.fields.as_ref().map_or(shape.is_of_leavers, |fields| !fields.identity.is_empty());
        if speaks_of_people && self.leavers.is_none() {
            return Err(lines.wrong(&table.name, format!("caller `{name}` speaks of people who leave; expected a table `[leavers]` that says what their accounts are")));
        }
        if let Err(expected) = (shape.is_complete)(&caller) {
            return Err(lines.wrong(&table.name, format!("caller `{name}` of kind `{}` needs {expected}", caller.kind)));
        }
        let issuer = |caller: &Caller| {
            Some((caller.setting("issuer")?.to_owned(), caller.setting("header").map(str::to_ascii_lowercase)))
        };
        if self
            .callers
            .values()
            .any(|known| issuer(known).is_some() && known.kind == caller.kind && issuer(known) == issuer(&caller))
        {
            return Err(lines.wrong(&table.name, format!("caller `{name}` has the `issuer` of another caller; expected each once, or in a `header` of its own")));
        }
        if self.callers.contains_key(name) {
            return Err(
                lines.wrong(&table.name, format!("caller.name `{name}` stands twice; expected a name of its own"))
            );
        }
        self.callers.insert(name.clone(), caller);
        Ok(())
    }

    /// Every instance, in the file's order.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// Every caller.
    pub fn callers(&self) -> impl Iterator<Item = &Caller> {
        self.callers.values()
    }

    /// The instance that people call `name`.
    ///
    /// # Errors
    ///
    /// [`Outcome::InstanceUnknown`]
    pub fn instance(&self, name: &str) -> Result<&Instance, Outcome> {
        let index = self.by_name.get(name);
        index
            .and_then(|index| self.instances.get(*index))
            .ok_or_else(|| Outcome::InstanceUnknown { given: name.into() })
    }

    /// The instance with these ids, as the documented path carries them.
    ///
    /// # Errors
    ///
    /// [`Outcome::ProjectIdInvalid`], [`Outcome::InstanceIdInvalid`] or [`Outcome::InstanceUnknown`]
    pub fn instance_by_ids(&self, project_id: &str, instance_id: &str) -> Result<&Instance, Outcome> {
        if !is_project_id(project_id) {
            return Err(Outcome::ProjectIdInvalid { given: project_id.into() });
        }
        if !is_instance_id(instance_id) {
            return Err(Outcome::InstanceIdInvalid { given: instance_id.into() });
        }
        let index = self.by_ids.get(&(project_id.to_owned(), instance_id.to_owned()));
        index
            .and_then(|index| self.instances.get(*index))
            .ok_or_else(|| Outcome::InstanceUnknown { given: instance_id.into() })
    }

    /// The caller called `name`.
    ///
    /// # Errors
    ///
    /// [`Outcome::CallerUnknown`]
    pub fn caller(&self, name: &str) -> Result<&Caller, Outcome> {
        self.callers.get(name).ok_or_else(|| Outcome::CallerUnknown { name: name.into() })
    }

    /// Whose access key `id` is.
    pub fn access_key(&self, id: &str) -> Option<(&Caller, &Key)> {
        self.callers.values().find_map(|caller| {
            let key = caller.keys.iter().find(|key| key.id.as_deref() == Some(id))?;
            Some((caller, key))
        })
    }

    /// Whose principal it is: the person's name, or the principal itself where nobody said.
    pub fn person<'p>(&'p self, principal: &'p str) -> &'p str {
        self.people.get(principal).map_or(principal, |person| &person.name)
    }

    /// The StarRocks accounts that are the principal's own.
    pub fn own_accounts(&self, principal: &str) -> &[String] {
        self.people.get(principal).map_or(&[], |person| &person.accounts)
    }

    /// Everybody whom `[[person]]` and `[[team]]` name.
    pub fn named_principals(&self) -> impl Iterator<Item = &str> {
        self.teams.keys().chain(self.people.keys()).map(String::as_str)
    }

    /// The teams that a principal (`slack/U2CERLKJA`, `hr`) is in.
    pub fn teams(&self, principal: &str) -> &[String] {
        self.teams.get(principal).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[KindShape] = &[
        KindShape::chat("slack"),
        KindShape::hook("standard-webhooks"),
        KindShape { keys: KeyShape::AccessKeys { optional: false }, ..KindShape::hook("api") },
    ];
    const DEMO: &str = include_str!("../config/offboard.toml");

    fn wrong(from: &str, to: &str) -> String {
        assert!(DEMO.contains(from), "the demo has no {from:?} to change");
        Config::parse(&DEMO.replacen(from, to, 1), KINDS).unwrap_err().to_string()
    }

    #[test]
    fn the_demo_is_understood() {
        let config = Config::parse(DEMO, KINDS).unwrap();
        let analytics = config.instance("analytics").unwrap();
        assert_eq!(analytics.endpoint, "https://gaussdb.ap-southeast-3.myhuaweicloud.com");
        assert_eq!(config.instance_by_ids(&analytics.project_id, &analytics.instance_id), Ok(analytics));
        assert_eq!(config.teams("slack/U2CERLKJA"), ["dba"]);
        assert_eq!(config.teams("slack/U0"), [""; 0]);
        assert_eq!(config.access_key("HPUAPORTALKEY0000001").unwrap().0.name, "portal");
        assert_eq!(config.caller("nobody"), Err(Outcome::CallerUnknown { name: "nobody".into() }));
    }

    /// One table: what is changed in the demo, and the whole message that an operator then reads.
    #[test]
    fn wrong_files_are_refused_with_line_key_and_expectation() {
        let line = |needle: &str| 1 + DEMO.lines().position(|line| line.contains(needle)).unwrap();
        let at = |needle: &str, message: &str| format!("offboard.toml, line {}: {message}", line(needle));
        let cases = [
            (
                "credentials = \"aksk\"",
                "credentials = \"magic\"",
                at(
                    "credentials =",
                    "taurusdb.credentials `magic` is not known; expected `aksk`, `token`, `password`, `agency` (with a table `[taurusdb.agency]`) or the name of a `[[credentials]]` table",
                ),
            ),
            (
                "credentials = \"aksk\"",
                "credential = \"aksk\"",
                at(
                    "credentials =",
                    "unknown field `credential`, expected one of `credentials`, `agency`, `language`, `utc_offset`",
                ),
            ),
            (
                "language = \"en-us\"",
                "language = \"fr-fr\"",
                at("language =", "taurusdb.language `fr-fr` is not known; expected `en-us` or `zh-cn`"),
            ),
            (
                "in17\"",
                "in1\"",
                at(
                    "instance_id =",
                    "instance.instance_id `54e42160670e48e789af7075e1efea1fin1` is not valid; expected 32 letters and digits, then `in` and two digits (`in17` for StarRocks)",
                ),
            ),
            (
                "\"23a50154cf494ec9ad6883979a12db0a\"",
                "\"{project_id}\"",
                at("project_id =", "instance.project_id `{project_id}` is not valid; expected 32 letters and digits"),
            ),
            (
                "region = \"ap-southeast-3\"",
                "region = \"mars-1\"",
                at(
                    "region =",
                    "instance.region `mars-1` is not in the table of regions; write `endpoint = \"https://…\"` as well",
                ),
            ),
            (
                "region = \"ap-southeast-3\"",
                "endpoint = \"http://example.com\"",
                at(
                    "region =",
                    "instance.endpoint `http://example.com` is not valid; expected `https://host[:port]` without a path (`http` for a loopback address only)",
                ),
            ),
            (
                "kind = \"slack\"",
                "kind = \"pigeon\"",
                at(
                    "kind = \"slack\"",
                    "caller.kind `pigeon` is not known; expected one of `slack`, `standard-webhooks`, `api`",
                ),
            ),
            (
                "secrets = [\"slack_signing_secret\"]",
                "secrets = [\"8f742231B10e\"]",
                at(
                    "secrets = [\"slack",
                    "caller.secrets is not the name of a Spin variable; expected lowercase letters, digits and `_`, and the secret itself in the variable",
                ),
            ),
            (
                "secrets = [\"slack_signing_secret\"]",
                "secrets = []",
                at(
                    "name = \"slack\"",
                    "caller `slack` of kind `slack` needs `secrets = [\"spin_variable\", …]` and nothing else",
                ),
            ),
            (
                "name = \"hr\"",
                "name = \"slack\"",
                at("name = \"hr\"", "caller.name `slack` stands twice; expected a name of its own"),
            ),
        ];
        for (from, to, expected) in cases {
            assert_eq!(wrong(from, to), expected);
        }
    }

    #[test]
    fn endpoints() {
        for (text, read) in [
            ("https://gaussdb.example.com", Some("https://gaussdb.example.com")),
            ("https://gaussdb.example.com:8443/", Some("https://gaussdb.example.com:8443")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://example.com", None),
            ("http://127.evil.example", None),
            ("https://user@example.com", None),
            ("https://example.com/v3", None),
            ("https://example.com?x", None),
            ("ftp://127.0.0.1", None),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(endpoint(text).ok().as_deref(), read, "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_show() {
        let secret = Secret::new("hunter2".into()).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
        assert!(Secret::new(String::new()).is_none());
    }
}
