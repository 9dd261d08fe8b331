//! The callers of config/offboard.toml.

use anyhow::Context;

use super::demo_caller::DemoCaller;
use super::{api, slack, standard_webhooks};

/// Every caller of config/offboard.toml.
pub const CALLERS: &[DemoCaller] = &[slack::CALLER, standard_webhooks::CALLER, api::CALLER];

/// Returns the demo caller with this name.
///
/// # Errors
///
/// If there is none; the message has the names of all demo callers.
pub fn caller(name: &str) -> anyhow::Result<&'static DemoCaller> {
    CALLERS.iter().find(|caller| caller.name == name).with_context(|| {
        let names: Vec<_> = CALLERS.iter().map(|caller| format!("`{}`", caller.name)).collect();
        format!("caller `{name}` is not a demo caller; use one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::settings::config;

    #[test]
    fn the_demo_callers_are_those_of_the_demo_configuration() {
        let config = config().unwrap();
        assert_eq!(config.callers().count(), CALLERS.len());
        for demo in CALLERS {
            let configured = config.caller(demo.name).unwrap();
            assert_eq!(configured.kind, demo.kind);
            assert!(
                configured.keys.iter().any(|key| key.variables.iter().any(|(_, name)| name == demo.variable)),
                "{}",
                demo.variable
            );
            let principal = demo.principal(demo.id.unwrap_or_default());
            assert_eq!(config.teams(&principal), ["dba"], "{principal}");
        }
    }

    #[test]
    fn the_error_for_an_unknown_caller_has_the_known_names() {
        let message = caller("teams").err().unwrap().to_string();
        assert_eq!(message, "caller `teams` is not a demo caller; use one of `slack`, `hr`, `portal`");
    }
}
