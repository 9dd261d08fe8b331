//! `[[instance]]`: the StarRocks instances that removals may name.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::config::credentials::{CredentialSource, Sources};
use crate::config::endpoint::endpoint;
use crate::config::lines::{ConfigError, Lines};
use crate::config::regions;

/// A TaurusDB instance that accounts may be removed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The operator's name of the instance, which people type.
    pub name: String,
    /// The project ID: 32 letters and digits.
    pub project_id: String,
    /// The instance ID: 32 letters and digits, `in`, two digits.
    pub instance_id: String,
    /// The region's name; empty if only an endpoint is configured.
    pub region: String,
    /// `https://host[:port]`, the region's or the configured one.
    pub endpoint: String,
    /// The operator's word for a group of instances, such as `staging`; policies name it.
    pub environment: String,
    /// The credentials that prove the gateway to this instance.
    pub credentials: Arc<CredentialSource>,
}

impl Instance {
    /// Returns project ID and instance ID, which identify the instance at TaurusDB whatever its name and endpoint are.
    pub fn resource_id(&self) -> String {
        format!("{}/{}", self.project_id, self.instance_id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceTable {
    pub(super) name: Spanned<String>,
    project_id: Spanned<String>,
    pub(super) instance_id: Spanned<String>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) endpoint: Option<Spanned<String>>,
    environment: Spanned<String>,
    pub(super) credentials: Option<Spanned<String>>,
}

impl InstanceTable {
    /// Checks one table on its own. Names and IDs that appear in several tables are not seen here.
    pub(super) fn read(&self, lines: &Lines<'_>, sources: &Sources) -> Result<Instance, ConfigError> {
        let name = lines.name("instance.name", &self.name)?;
        let environment = lines.name("instance.environment", &self.environment)?;
        let (project_id, instance_id) = (self.project_id.get_ref(), self.instance_id.get_ref());
        if !is_project_id(project_id) {
            return Err(lines.wrong(
                &self.project_id,
                format!("instance.project_id `{project_id}` is not valid; use the project ID: 32 letters and digits"),
            ));
        }
        if !is_instance_id(instance_id) {
            return Err(lines.wrong(
                &self.instance_id,
                format!("instance.instance_id `{instance_id}` is not valid; use the StarRocks instance ID: 32 letters and digits, then `in` and two digits (`in17`)"),
            ));
        }
        let endpoint = self.endpoint(lines)?;
        let credentials = match &self.credentials {
            None => Arc::clone(&sources.usual),
            Some(value) => sources.named(lines, "instance.credentials", value)?,
        };
        match &self.region {
            Some(value) if !is_region(value.get_ref()) => {
                return Err(lines.wrong(
                    value,
                    format!(
                        "instance.region `{}` is not valid; use lowercase letters, digits and `-`",
                        value.get_ref()
                    ),
                ));
            }
            None if credentials.uses_iam() => {
                return Err(lines.wrong(
                    &self.name,
                    format!("instance `{name}` uses IAM tokens and has no `region`; add `region`, which selects the IAM endpoint"),
                ));
            }
            _ => {}
        }
        Ok(Instance {
            name,
            project_id: project_id.clone(),
            instance_id: instance_id.clone(),
            region: self.region.as_ref().map(|value| value.get_ref().clone()).unwrap_or_default(),
            endpoint,
            environment,
            credentials,
        })
    }

    /// Returns the configured endpoint, or else the region's.
    fn endpoint(&self, lines: &Lines<'_>) -> Result<String, ConfigError> {
        match (&self.endpoint, &self.region) {
            (Some(value), _) => endpoint(value.get_ref()).map_err(|fix| {
                lines.wrong(value, format!("instance.endpoint `{}` is not valid; {fix}", value.get_ref()))
            }),
            (None, Some(value)) => regions::endpoint(value.get_ref()).ok_or_else(|| {
                lines.wrong(
                    value,
                    format!(
                        "instance.region `{}` has no known endpoint; add `endpoint = \"https://…\"`",
                        value.get_ref()
                    ),
                )
            }),
            (None, None) => Err(lines.wrong(
                &self.name,
                format!("instance `{}` has neither `region` nor `endpoint`; add one of them", self.name.get_ref()),
            )),
        }
    }
}

/// Whether `region` can be part of a host name.
fn is_region(region: &str) -> bool {
    (1..=64).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `id` is a project ID: 32 letters and digits (documented).
pub(super) fn is_project_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `id` is an instance ID: 36 letters and digits, the last four `in` and two digits. The API page says `in07`, its own
/// example `in16`, and StarRocks instances have `in17` (seen), so any two digits are well-formed.
pub(super) fn is_instance_id(id: &str) -> bool {
    let Some((head, tail)) = id.split_at_checked(32) else { return false };
    is_project_id(head)
        && tail.strip_prefix("in").is_some_and(|n| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()))
}
