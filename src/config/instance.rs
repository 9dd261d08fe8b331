//! `[[instance]]`: the StarRocks instances that removals may name.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::config::credentials::CredentialSource;

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
    pub fn resource_id(&self) -> String {
        format!("{}/{}", self.project_id, self.instance_id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceTable {
    pub(crate) name: Spanned<String>,
    pub(crate) project_id: Spanned<String>,
    pub(crate) instance_id: Spanned<String>,
    pub(crate) region: Option<Spanned<String>>,
    pub(crate) endpoint: Option<Spanned<String>>,
    pub(crate) environment: Spanned<String>,
    pub(crate) credentials: Option<Spanned<String>>,
}

/// Whether `region` can stand in a host name.
pub(crate) fn is_region(region: &str) -> bool {
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
