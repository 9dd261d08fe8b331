//! `config/offboard.toml`: what an operator configures about instances, teams, callers and accounts, as types that cannot be
//! wrong. One file a table.
//!
//! A file with an error is refused as a whole, with the line, the key and the fix; unknown keys are errors. Secrets are not in
//! the file: it names Spin variables, whose values are read elsewhere.
//!
//! This module knows no HTTP, no SQL and no caller kind: the shapes of the kinds are an argument.

mod accounts;
pub mod approvals;
pub mod attribute;
pub mod body_fields;
pub mod caller_shape;
mod caller_table;
pub mod callers;
pub mod credentials;
pub mod endpoint;
mod file;
pub mod instance;
pub mod keep;
pub mod leavers;
pub mod limits;
pub mod lines;
pub mod masked;
mod name_template;
pub mod notify;
mod people;
pub mod regions;
pub mod source_map;
mod taurusdb;
mod teams;
pub mod working_hours;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::FixedOffset;
use sha2::{Digest, Sha256};

use crate::config::approvals::Approvals;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::{Caller, Key};
use crate::config::credentials::Sources;
use crate::config::file::File;
use crate::config::instance::{Instance, InstanceTable, is_instance_id, is_project_id};
use crate::config::keep::Keep;
use crate::config::limits::Limits;
use crate::config::lines::{ConfigError, Lines};
use crate::config::masked::without_quoted_value;
use crate::config::notify::{NotifyTable, NotifyTarget};
use crate::config::people::Person;
use crate::outcome::language::Language;
use crate::request::account_name::AccountRules;
use crate::request::error::RequestError;

/// The largest offboard.toml that is read, in bytes: room for ten thousand instances.
const LARGEST: usize = 4 * 1024 * 1024;

/// offboard.toml, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Time limits and attempts.
    pub limits: Limits,
    /// How many people approve a request, and how long it waits for them.
    pub approvals: Approvals,
    /// How long rows are kept.
    pub keep: Keep,
    /// Who is told what, in the file's order; empty if no one is.
    pub notify: Vec<NotifyTarget>,
    /// The clock that policies take the hour and the weekday from.
    pub utc_offset: FixedOffset,
    /// The language of answers if neither the request nor its caller names one.
    pub language: Language,
    /// Which account names may be asked for.
    pub accounts: AccountRules,
    /// The first 12 hexadecimal digits of the file's SHA-256, to tell one configuration from another.
    pub digest: String,
    instances: Vec<Instance>,
    by_name: BTreeMap<String, usize>,
    by_ids: BTreeMap<(String, String), usize>,
    /// The teams by member.
    teams: BTreeMap<String, Vec<String>>,
    /// The people by principal.
    people: BTreeMap<String, Arc<Person>>,
    callers: BTreeMap<String, Caller>,
}

/// A person of `[[person]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'c> {
    /// The operator's name for the person.
    pub name: &'c str,
    /// The person's principals.
    pub principals: &'c [String],
}

impl Config {
    /// Reads offboard.toml. `kinds` are the shapes of all caller kinds.
    ///
    /// # Errors
    ///
    /// If the file is too large, is not TOML of the right shape, or a value is not valid: the first error, with its line.
    pub fn parse(text: &str, kinds: &[CallerShape]) -> Result<Self, ConfigError> {
        let lines = Lines(text);
        if text.len() > LARGEST {
            return Err(ConfigError { line: None, message: format!("the file is larger than {LARGEST} bytes") });
        }
        let file: File = toml::from_str(text).map_err(|error| ConfigError {
            line: error.span().map(|span| lines.of(span.start)),
            message: without_quoted_value(error.message()),
        })?;
        let (taurusdb, agency) = (&file.taurusdb, file.taurusdb.agency.as_ref());
        let language = lines.language("taurusdb.language", &taurusdb.language)?.unwrap_or_default();
        let sources = Sources::new(&lines, &taurusdb.credentials, agency, &file.credentials)?;
        let mut config = Self {
            limits: file.limits.read(&lines)?,
            approvals: file.approvals.read(&lines)?,
            keep: file.keep.read(&lines)?,
            notify: Vec::new(),
            utc_offset: taurusdb.utc_offset(&lines)?,
            language,
            accounts: file.accounts.read(),
            digest: hex::encode(Sha256::digest(text)).chars().take(12).collect(),
            instances: Vec::new(),
            by_name: BTreeMap::new(),
            by_ids: BTreeMap::new(),
            teams: BTreeMap::new(),
            people: BTreeMap::new(),
            callers: BTreeMap::new(),
        };
        for table in &file.instance {
            config.add_instance(&lines, table, &sources)?;
        }
        config.teams = teams::read(&lines, &file.team)?;
        config.people = people::read(&lines, &file.person)?;
        if let Some(table) = &file.leavers {
            return Err(lines.wrong(
                table,
                "`[leavers]` belongs to a caller; write `[caller.leavers]`, below the `[[caller]]` that reports these leavers",
            ));
        }
        config.callers = caller_table::read(&lines, &file.caller, kinds, &|name| config.instance(name).is_ok())?;
        config.notify = config.read_notify(&lines, &file.notify, &sources)?;
        Ok(config)
    }

    fn read_notify(
        &self,
        lines: &Lines<'_>,
        tables: &[NotifyTable],
        sources: &Sources,
    ) -> Result<Vec<NotifyTarget>, ConfigError> {
        let environments: BTreeSet<_> = self.instances.iter().map(|instance| instance.environment.as_str()).collect();
        let known = notify::Known {
            lines,
            environments: &environments,
            is_instance: &|name| self.instance(name).is_ok(),
            caller_kind: &|name| self.caller(name).ok().map(|caller| caller.kind.as_str()),
            credentials: &|name| match name {
                None => Ok(Arc::clone(&sources.usual)),
                Some(name) => sources.named(lines, "notify.credentials", name),
            },
            language: self.language,
        };
        notify::read(&known, tables)
    }

    fn add_instance(&mut self, lines: &Lines<'_>, table: &InstanceTable, sources: &Sources) -> Result<(), ConfigError> {
        let instance = table.read(lines, sources)?;
        let index = self.instances.len();
        if self.by_name.insert(instance.name.clone(), index).is_some() {
            return Err(lines.doubled_name("instance", &table.name));
        }
        let ids = (instance.project_id.clone(), instance.instance_id.clone());
        if self.by_ids.insert(ids, index).is_some() {
            return Err(lines.wrong(
                &table.instance_id,
                format!(
                    "instance.instance_id `{}` appears more than once in its project; configure each instance once",
                    instance.instance_id
                ),
            ));
        }
        self.instances.push(instance);
        Ok(())
    }

    /// Returns all instances, in the file's order.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// Returns all callers.
    pub fn callers(&self) -> impl Iterator<Item = &Caller> {
        self.callers.values()
    }

    /// Finds the instance that the operator named `name`.
    ///
    /// # Errors
    ///
    /// [`RequestError::InstanceUnknown`] if there is none of this name.
    pub fn instance(&self, name: &str) -> Result<&Instance, RequestError> {
        let index = self.by_name.get(name);
        index
            .and_then(|index| self.instances.get(*index))
            .ok_or_else(|| RequestError::InstanceUnknown { given: name.into() })
    }

    /// Finds the instance with these IDs, which are in the path of the documented API.
    ///
    /// # Errors
    ///
    /// - [`RequestError::ProjectIdInvalid`] or [`RequestError::InstanceIdInvalid`] if an ID is malformed
    /// - [`RequestError::InstanceUnknown`] if there is no such instance
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

    /// Finds the caller that the operator named `name`.
    ///
    /// # Errors
    ///
    /// [`RequestError::CallerUnknown`] if there is none of this name.
    pub fn caller(&self, name: &str) -> Result<&Caller, RequestError> {
        self.callers.get(name).ok_or_else(|| RequestError::CallerUnknown { name: name.into() })
    }

    /// Finds the access key `id` and its caller.
    pub fn access_key(&self, id: &str) -> Option<(&Caller, &Key)> {
        caller_table::access_key(&self.callers, id)
    }

    /// Finds any access key of a caller of this kind.
    pub fn any_access_key(&self, kind: &str) -> Option<(&Caller, &Key)> {
        let mut callers = self.callers.values().filter(|caller| caller.kind == kind);
        callers.find_map(|caller| Some((caller, caller.keys.iter().find(|key| key.id.is_some())?)))
    }

    /// Returns the name of the person whose principal this is, or the principal itself if no `[[person]]` has it.
    pub fn person<'p>(&'p self, principal: &'p str) -> &'p str {
        self.people.get(principal).map_or(principal, |person| &person.name)
    }

    /// Returns the StarRocks accounts that are the principal's own.
    pub fn own_accounts(&self, principal: &str) -> &[String] {
        self.people.get(principal).map_or(&[], |person| &person.accounts)
    }

    /// Whether the configuration says of any account whose it is.
    pub fn has_own_accounts(&self) -> bool {
        self.people.values().any(|person| !person.accounts.is_empty())
    }

    /// Returns the people who have an account of this name as their own.
    pub fn owners(&self, user_name: &str) -> Vec<Owner<'_>> {
        let has = |person: &&Arc<Person>| person.accounts.iter().any(|own| own == user_name);
        // A person is there once a principal.
        let mut owners: Vec<_> = self.people.values().filter(has).map(|person| (&person.name, person)).collect();
        owners.sort_unstable_by_key(|(name, _)| *name);
        owners.dedup_by_key(|(name, _)| *name);
        owners.into_iter().map(|(name, person)| Owner { name, principals: &person.principals }).collect()
    }

    /// Returns all people, by name.
    pub fn people(&self) -> Vec<Owner<'_>> {
        let mut people: Vec<_> = self.people.values().collect();
        // A person is there once a principal.
        people.sort_unstable_by_key(|person| &person.name);
        people.dedup_by_key(|person| &person.name);
        people.into_iter().map(|person| Owner { name: &person.name, principals: &person.principals }).collect()
    }

    /// Returns the principals that are members of a team, in order.
    pub fn team_members(&self) -> impl Iterator<Item = &str> {
        self.teams.keys().map(String::as_str)
    }

    /// Returns the teams of a principal (`slack/U2CERLKJA`, `hr`).
    pub fn teams(&self, principal: &str) -> &[String] {
        self.teams.get(principal).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::caller_shape::KeyShape;

    const KINDS: &[CallerShape] = &[
        CallerShape::chat("slack"),
        CallerShape::hook("standard-webhooks"),
        CallerShape { keys: KeyShape::AccessKeys { optional: false }, ..CallerShape::hook("api") },
    ];
    const DEMO: &str = include_str!("../../config/offboard.toml");

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

    /// One row a case: a change to the demo, the line that it causes an error on, and the message.
    const WRONG: &[(&str, &str, &str, &str)] = &[
        (
            "credentials = \"aksk\"",
            "credentials = \"magic\"",
            "credentials =",
            "taurusdb.credentials `magic` does not exist; use `aksk`, `token`, `password`, `agency` (needs `[taurusdb.agency]`) or the name of a `[[credentials]]` table",
        ),
        (
            "credentials = \"aksk\"",
            "credential = \"aksk\"",
            "credentials =",
            "unknown field `credential`, expected one of `credentials`, `agency`, `language`, `utc_offset`",
        ),
        (
            "language = \"en-us\"",
            "language = \"fr-fr\"",
            "language =",
            "taurusdb.language `fr-fr` is not supported; use `en-us` or `zh-cn`",
        ),
        (
            "in17\"",
            "in1\"",
            "instance_id =",
            "instance.instance_id `54e42160670e48e789af7075e1efea1fin1` is not valid; use the StarRocks instance ID: 32 letters and digits, then `in` and two digits (`in17`)",
        ),
        (
            "\"23a50154cf494ec9ad6883979a12db0a\"",
            "\"{project_id}\"",
            "project_id =",
            "instance.project_id `{project_id}` is not valid; use the project ID: 32 letters and digits",
        ),
        (
            "region = \"ap-southeast-3\"",
            "region = \"mars-1\"",
            "region =",
            "instance.region `mars-1` has no known endpoint; add `endpoint = \"https://…\"`",
        ),
        (
            "region = \"ap-southeast-3\"",
            "endpoint = \"http://example.com\"",
            "region =",
            "instance.endpoint `http://example.com` is not valid; write `https://host[:port]` without a path (`http` only for a loopback address)",
        ),
        (
            "kind = \"slack\"",
            "kind = \"pigeon\"",
            "kind = \"slack\"",
            "caller.kind `pigeon` does not exist; use one of `slack`, `standard-webhooks`, `api`",
        ),
        (
            "secrets = [\"slack_signing_secret\"]",
            "secrets = [\"8f742231B10e\"]",
            "secrets = [\"slack",
            "caller.secrets is not a Spin variable name (lowercase letters, digits and `_`); write the variable's name here and put the secret into the variable",
        ),
        (
            "secrets = [\"slack_signing_secret\"]",
            "secrets = []",
            "name = \"slack\"",
            "caller `slack` of kind `slack` takes `secrets = [\"spin_variable\", …]` and no other keys or secrets",
        ),
        (
            "name = \"hr\"",
            "name = \"slack\"",
            "name = \"hr\"",
            "caller.name `slack` appears more than once; give each caller its own name",
        ),
    ];

    #[test]
    fn wrong_files_are_refused_with_line_key_and_fix() {
        for (from, to, needle, message) in WRONG {
            assert!(DEMO.contains(from), "the demo has no {from:?} to change");
            let error = Config::parse(&DEMO.replacen(from, to, 1), KINDS).unwrap_err().to_string();
            let line = 1 + DEMO.lines().position(|line| line.contains(needle)).unwrap();
            assert_eq!(error, format!("offboard.toml, line {line}: {message}"));
        }
    }
}
