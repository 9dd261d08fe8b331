//! Policies in a form that needs no parser: Cedar's own JSON, in `prepared.json` beside policy.cedar.
//!
//! A fresh instance spends most of its first milliseconds on parsing and validating two texts that have not changed for months.
//! `offboard prepare` does it once. Its file is used only beside the files that it was made from (by their SHA-256) and by the
//! version of the gateway that made it; otherwise the texts are parsed as if the file were missing.
//!
//! A person who can write policy.cedar can write this file as well, but a reviewer of the one does not read the other: `offboard
//! check` compares them.
//!
//! Not supported: offboard.toml, which is read fast enough; Cedar's schema, which only `Policies::check` needs.

use std::collections::BTreeMap;
use std::fmt;

use cedar_policy::{Authorizer, PolicySet};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::policy::Policies;
use crate::policy::load::{LARGEST, actions, can_read_time, digest};
use crate::policy::names::Names;
use crate::policy::scope_index::ScopeIndex;

/// The name of the file.
pub const PREPARED: &str = "prepared.json";

/// How much larger than [`LARGEST`] the file may be: Cedar's JSON takes about eight times the room of its text.
const ROOM: usize = 16;

/// The version of the gateway, as the file has it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The file. `groups` and `digest` are those of [`Policies`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prepared<P> {
    #[serde(rename = "gateway")]
    app: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<String, Vec<String>>,
    policies: P,
}

/// Why a prepared file is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreparedError {
    /// It was made from other files, or by another version of the gateway.
    OfOthers,
    /// It is not of the form that `offboard prepare` writes; the text is for the operator.
    Unreadable(String),
}

impl fmt::Display for PreparedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfOthers => f.write_str(
                "prepared.json: made from other files or by another version; run `offboard prepare` again, or remove it",
            ),
            Self::Unreadable(why) => {
                write!(f, "prepared.json: cannot be read: {why}; run `offboard prepare` again, or remove it")
            }
        }
    }
}

impl Policies {
    /// Returns the text that `offboard prepare` writes.
    ///
    /// # Errors
    ///
    /// If Cedar cannot write a policy as JSON.
    pub fn prepare(&self) -> Result<String, String> {
        let mut policies = self.set.clone().to_json().map_err(|error| error.to_string())?;
        policies.sort_all_objects();
        let prepared =
            Prepared { app: VERSION.to_owned(), sha256: self.digest.clone(), groups: self.groups.clone(), policies };
        Ok(serde_json::to_string(&prepared).map_err(|error| error.to_string())? + "\n")
    }

    /// Reads a prepared form of these two files.
    ///
    /// # Errors
    ///
    /// [`PreparedError::OfOthers`] if it was made from other files or by another version, [`PreparedError::Unreadable`] if it is
    /// malformed. The policies are then read by [`Policies::parse`].
    pub fn prepared(prepared: &str, policy: &str, schema: &str) -> Result<Self, PreparedError> {
        let unreadable = |why: String| PreparedError::Unreadable(why);
        if prepared.len() > LARGEST.saturating_mul(ROOM) {
            return Err(unreadable("too large".into()));
        }
        let file: Prepared<&RawValue> =
            serde_json::from_str(prepared).map_err(|error| unreadable(error.to_string()))?;
        let digest = digest(policy, schema);
        if file.app != VERSION || file.sha256 != digest {
            return Err(PreparedError::OfOthers);
        }
        let set = PolicySet::from_json_str(file.policies.get()).map_err(|error| unreadable(error.to_string()))?;
        let names = Names::new().ok_or_else(|| unreadable("the entity type names cannot be parsed".into()))?;
        let scopes = ScopeIndex::new(&set, actions(&names)).map_err(unreadable)?;
        let uses_time = can_read_time(policy);
        Ok(Self { set, scopes, groups: file.groups, uses_time, authorizer: Authorizer::new(), names, digest })
    }

    /// Whether a prepared form with the digest of these policies has the same policies.
    pub fn matches(&self, prepared: &str) -> bool {
        let read = |text: &str| serde_json::from_str::<Prepared<Value>>(text).ok();
        let own = self.prepare().ok().and_then(|text| read(&text));
        match (read(prepared), own) {
            (Some(theirs), Some(own)) => theirs.groups == own.groups && theirs.policies == own.policies,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = include_str!("../../config/policy.cedar");
    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    fn prepared(policy: &str, schema: &str) -> String {
        Policies::parse(policy, schema).unwrap().prepare().unwrap()
    }

    #[test]
    fn what_was_prepared_says_what_the_text_says() {
        let grouped = SCHEMA
            .replace("action delete applies", "action change; action delete in [change] applies")
            .replace("action request applies", "action request in [change] applies");
        let in_group = r#"@id("change") forbid (principal, action in Action::"change", resource) when { context.time > datetime("2026-01-01") };"#;
        for (policy, schema) in [(POLICY, SCHEMA), (in_group, grouped.as_str())] {
            let text = prepared(policy, schema);
            let (parsed, read) =
                (Policies::parse(policy, schema).unwrap(), Policies::prepared(&text, policy, schema).unwrap());
            assert!(parsed.matches(&text));
            assert_eq!(read.prepare(), Ok(text));
            assert_eq!((read.digest(), &read.groups), (parsed.digest(), &parsed.groups));
        }
        assert_eq!(Policies::parse(in_group, &grouped).unwrap().groups.len(), 2);
    }

    #[test]
    fn another_file_or_version_is_not_taken() {
        let text = prepared(POLICY, SCHEMA);
        let other = format!("{POLICY} ");
        let older = text.replace(VERSION, "0.0.9");
        for (text, policy, schema) in
            [(&text, other.as_str(), SCHEMA), (&text, POLICY, &SCHEMA[1..]), (&older, POLICY, SCHEMA)]
        {
            assert_eq!(Policies::prepared(text, policy, schema).err(), Some(PreparedError::OfOthers));
        }
        for text in ["", "{}", &text[..200], &text.replace("\"policies\"", "\"policy\"")] {
            let error = Policies::prepared(text, POLICY, SCHEMA).err();
            assert!(matches!(error, Some(PreparedError::Unreadable(_))), "{error:?}");
        }
        let broken = text.replace("\"conditions\"", "\"condition\"");
        assert!(matches!(Policies::prepared(&broken, POLICY, SCHEMA).err(), Some(PreparedError::Unreadable(_))));
    }

    /// The gateway cannot see the change; `offboard check` can.
    #[test]
    fn a_changed_policy_under_the_right_digest_is_seen() {
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        let changed = prepared(POLICY, SCHEMA).replace("\"forbid\"", "\"permit\"");
        assert!(Policies::prepared(&changed, POLICY, SCHEMA).is_ok());
        assert!(!policies.matches(&changed));
    }
}
