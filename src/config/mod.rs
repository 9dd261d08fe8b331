//! `config/offboard.toml`: what an operator says about instances, teams, callers and accounts, as types that cannot be
//! wrong.
//!
//! A file that is not right is refused whole, with the line, the key and what was expected; unknown keys are errors.
//! Secrets are not in the file: it names Spin variables, and [`Secret`] is what their values become.
//!
//! This module knows no HTTP, no SQL and no caller kind: the kinds that there are come in as an argument.

pub mod approvals;
pub mod body_fields;
pub mod caller_shape;
pub mod callers;
pub mod credentials;
pub mod endpoint;
pub mod instance;
pub mod leavers;
pub mod limits;
pub mod lines;
pub mod regions;
pub mod source_map;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::FixedOffset;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::config::approvals::{Approvals, ApprovalsTable, approvals};
use crate::config::caller_shape::CallerShape;
use crate::config::callers::{Caller, CallerTable, Key};
use crate::config::credentials::{AgencyTable, CredentialsTable, Sources};
use crate::config::endpoint::endpoint;
use crate::config::instance::{Instance, InstanceTable, is_instance_id, is_project_id, is_region};
use crate::config::leavers::{Leavers, LeaversTable};
use crate::config::limits::{Limits, LimitsTable, limits};
use crate::config::lines::{ConfigError, Lines};
use crate::outcome::language::Language;
use crate::request::account_name::AccountRules;
use crate::request::error::RequestError;

/// The largest offboard.toml that is read, in bytes: room for ten thousand instances.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// Somebody with more than one way to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The operator's name for them.
    pub name: String,
    /// The StarRocks accounts that are their own.
    pub accounts: Vec<String>,
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
pub(crate) struct File {
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
pub(crate) struct TaurusdbTable {
    credentials: Spanned<String>,
    agency: Option<AgencyTable>,
    language: Option<Spanned<String>>,
    utc_offset: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonTable {
    name: Spanned<String>,
    principals: Vec<Spanned<String>>,
    #[serde(default)]
    accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamTable {
    name: Spanned<String>,
    members: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountsTable {
    protected: Vec<String>,
    unusual: Vec<String>,
}

/// Reads `+08:00`.
pub(crate) fn utc_offset(lines: &Lines<'_>, value: &Option<Spanned<String>>) -> Result<FixedOffset, ConfigError> {
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

impl Config {
    /// Reads offboard.toml. `kinds` are the caller kinds that there are, each with the way it is given secrets.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str, kinds: &[CallerShape]) -> Result<Self, ConfigError> {
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

    fn add_caller(&mut self, lines: &Lines<'_>, table: &CallerTable, kinds: &[CallerShape]) -> Result<(), ConfigError> {
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
    /// [`RequestError::InstanceUnknown`]
    pub fn instance(&self, name: &str) -> Result<&Instance, RequestError> {
        let index = self.by_name.get(name);
        index
            .and_then(|index| self.instances.get(*index))
            .ok_or_else(|| RequestError::InstanceUnknown { given: name.into() })
    }

    /// The instance with these ids, as the documented path carries them.
    ///
    /// # Errors
    ///
    /// [`RequestError::ProjectIdInvalid`], [`RequestError::InstanceIdInvalid`] or [`RequestError::InstanceUnknown`]
    pub fn instance_by_ids(&self, project_id: &str, instance_id: &str) -> Result<&Instance, RequestError> {
        if !is_project_id(project_id) {
            return Err(RequestError::ProjectIdInvalid { given: project_id.into() });
        }
        if !is_instance_id(instance_id) {
            return Err(RequestError::InstanceIdInvalid { given: instance_id.into() });
        }
        let index = self.by_ids.get(&(project_id.to_owned(), instance_id.to_owned()));
        index
            .and_then(|index| self.instances.get(*index))
            .ok_or_else(|| RequestError::InstanceUnknown { given: instance_id.into() })
    }

    /// The caller called `name`.
    ///
    /// # Errors
    ///
    /// [`RequestError::CallerUnknown`]
    pub fn caller(&self, name: &str) -> Result<&Caller, RequestError> {
        self.callers.get(name).ok_or_else(|| RequestError::CallerUnknown { name: name.into() })
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
    use crate::config::caller_shape::KeyShape;
    use crate::secret::Secret;

    const KINDS: &[CallerShape] = &[
        CallerShape::chat("slack"),
        CallerShape::hook("standard-webhooks"),
        CallerShape { keys: KeyShape::AccessKeys { optional: false }, ..CallerShape::hook("api") },
    ];
    const DEMO: &str = include_str!("../../config/offboard.toml");

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
        assert_eq!(config.caller("nobody"), Err(RequestError::CallerUnknown { name: "nobody".into() }));
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
