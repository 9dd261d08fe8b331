//! The entities that policies name, for `offboard check`. No request uses them.

use crate::diagnostic;
use crate::policy::Policies;

/// An entity that a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityReference {
    /// The policy's id.
    pub policy: String,
    /// The entity's type: `Team`.
    pub kind: String,
    /// The entity's id: `dba`.
    pub id: String,
    /// The line of policy.cedar.
    pub line: Option<usize>,
}

impl Policies {
    /// Returns every entity that a policy names. `policy` is the text that these policies were parsed from.
    pub fn entity_references(&self, policy: &str) -> Vec<EntityReference> {
        let mut references = Vec::new();
        for named in self.set.policies() {
            let written = named.to_string();
            let start = policy.find(&written);
            for entity in named.entity_literals() {
                let offset = start.map(|start| start.saturating_add(written.find(&entity.to_string()).unwrap_or(0)));
                let reference = EntityReference {
                    policy: named.id().to_string(),
                    kind: entity.type_name().to_string(),
                    id: entity.id().unescaped().to_owned(),
                    line: offset.map(|offset| diagnostic::line_at(policy, offset)),
                };
                if !references.contains(&reference) {
                    references.push(reference);
                }
            }
        }
        references
    }
}
