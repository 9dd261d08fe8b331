//! The settings of the demonstration: the variables of spin.toml, and config/offboard.toml.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;

use super::{api, slack, standard_webhooks};
use crate::manifest::Manifest;
use crate::repository;
use crate::simulator::demo;
use crate::simulator::server::Simulator;

/// The values of spin.toml's variables in the demonstration. The secrets are made up and open nothing.
pub const VARIABLES: &[(&str, &str)] = &[
    ("huaweicloud_access_key", demo::ACCESS_KEY),
    ("huaweicloud_secret_key", demo::SECRET_KEY),
    (slack::CALLER.variable, slack::CALLER.secret),
    (standard_webhooks::CALLER.variable, standard_webhooks::CALLER.secret),
    (api::CALLER.variable, api::CALLER.secret),
];

/// Values of variables that spin.toml may declare: a user of the simulated IAM, whose password can replace the access key.
const IAM_VARIABLES: [(&str, &str); 3] = [
    ("huaweicloud_user", demo::IAM_USER),
    ("huaweicloud_password", demo::IAM_PASSWORD),
    ("huaweicloud_domain", demo::IAM_DOMAIN),
];

/// Returns the demo values of all variables that the manifest declares.
#[must_use]
pub fn variables(manifest: &Manifest) -> BTreeMap<String, String> {
    let declared = IAM_VARIABLES.iter().filter(|(name, _)| manifest.variables.contains_key(*name));
    VARIABLES.iter().chain(declared).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Returns the variables that point the component to the simulated cloud, as far as the manifest declares them.
#[must_use]
pub fn endpoints(manifest: &Manifest, simulator: &Simulator) -> BTreeMap<String, String> {
    let declared =
        ["taurusdb_endpoint", "iam_endpoint"].into_iter().filter(|name| manifest.variables.contains_key(*name));
    declared.map(|name| (name.to_owned(), simulator.endpoint())).collect()
}

/// Reads config/offboard.toml of this repository.
///
/// # Errors
///
/// If it cannot be read or used.
pub fn config() -> anyhow::Result<Config> {
    read(&repository::root().join("config/offboard.toml"))
}

/// Reads a file such as config/offboard.toml.
///
/// # Errors
///
/// If it cannot be read or used.
pub(super) fn read(path: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Config::parse(&text, &callers::shapes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::options::SimulatorOptions;

    #[test]
    fn the_demo_instances_are_the_simulated_ones() {
        let config = config().unwrap();
        let ids =
            config.instances().iter().map(|instance| (instance.project_id.as_str(), instance.instance_id.as_str()));
        let simulated = [demo::INSTANCE_ID, demo::PRODUCTION_INSTANCE_ID];
        assert_eq!(ids.collect::<Vec<_>>(), simulated.map(|id| (demo::PROJECT_ID, id)));
    }

    #[test]
    fn the_demo_values_are_for_declared_variables() {
        let manifest = Manifest::read(&repository::root().join("spin.toml")).unwrap();
        for (name, value) in VARIABLES {
            assert!(manifest.variables.contains_key(*name), "{name}");
            assert!(!value.is_empty(), "{name}");
        }
    }

    #[tokio::test]
    async fn undeclared_variables_are_not_set() {
        let simulator = Simulator::start(SimulatorOptions::demo()).await.unwrap();
        let mut manifest = Manifest::read(&repository::root().join("spin.toml")).unwrap();
        for name in ["huaweicloud_user", "iam_endpoint"] {
            manifest.variables.remove(name);
            assert!(!variables(&manifest).contains_key(name) && !endpoints(&manifest, &simulator).contains_key(name));
            let declared = manifest.variables["taurusdb_endpoint"].clone();
            manifest.variables.insert(name.to_owned(), declared);
        }
        assert_eq!(variables(&manifest)["huaweicloud_user"], demo::IAM_USER);
        assert_eq!(endpoints(&manifest, &simulator)["iam_endpoint"], simulator.endpoint());
        assert_eq!(endpoints(&manifest, &simulator)["taurusdb_endpoint"], simulator.endpoint());
    }
}
