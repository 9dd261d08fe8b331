//! Instances, and the environments that they are in.

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::Diagnostic;

/// The endings of instance IDs that are not reported.
const ENDINGS: [&str; 2] = ["in17", "in07"];

/// Warns of instance IDs that are unlikely to be those of StarRocks instances.
pub(super) fn unlikely_ids(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let located = config.instances().iter().zip(&source_map.instances);
    let unlikely = located.filter_map(|(instance, located)| {
        let ending = instance.instance_id.get(32..).unwrap_or_default();
        let message = format!(
            "the ID of instance `{}` ends in `{ending}`, and those of StarRocks instances in `in17` (`in07`: a TaurusDB instance, `in16`: ClickHouse); check the ID",
            instance.name
        );
        let is_unlikely = !ENDINGS.contains(&ending);
        is_unlikely.then(|| Diagnostic::warning(OFFBOARD, Some(located.instance_id), message))
    });
    unlikely.collect()
}

/// Warns of environments in `approvals.required` that no instance is in.
pub(super) fn unused_environments(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let is_used = |name: &str| config.instances().iter().any(|instance| instance.environment == name);
    let unused = source_map.required.iter().filter(|required| !is_used(&required.text)).map(|required| {
        let message = format!(
            "approvals.required names environment `{}`, and no instance has it; correct the name",
            required.text
        );
        Diagnostic::warning(OFFBOARD, Some(required.line), message)
    });
    unused.collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    #[test]
    fn ids_of_other_products_are_reported() {
        for (ending, expected) in [
            ("in17", &[][..]),
            ("in07", &[]),
            (
                "in16",
                &[
                    "warning: offboard.toml, line 8: the ID of instance `warehouse` ends in `in16`, and those of StarRocks instances in `in17` (`in07`: a TaurusDB instance, `in16`: ClickHouse); check the ID",
                ],
            ),
        ] {
            assert_eq!(found("in17", ending), expected, "{ending}");
        }
    }

    #[test]
    fn environments_without_instances_are_reported() {
        assert_eq!(
            found("production = 2", "production = 2, prod = 1"),
            [
                "warning: offboard.toml, line 4: approvals.required names environment `prod`, and no instance has it; correct the name"
            ]
        );
    }
}
