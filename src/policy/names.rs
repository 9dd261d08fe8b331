//! The schema's entity types, and how entities of them are made.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use serde_json::json;

/// The names of the entity types, parsed once an instance.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) user: EntityTypeName,
    pub(super) team: EntityTypeName,
    pub(super) account: EntityTypeName,
    pub(super) instance: EntityTypeName,
    pub(super) environment: EntityTypeName,
    pub(super) ledger: EntityTypeName,
    pub(super) action: EntityTypeName,
}

impl Names {
    /// Parses the names; `None` cannot happen with these texts.
    pub(super) fn new() -> Option<Self> {
        // `EntityTypeName::from_str` would make Cedar build a parser, which delays a fresh instance by a millisecond.
        let name = |text| {
            let uid = EntityUid::from_json(json!({"type": text, "id": ""})).ok()?;
            Some(uid.type_name().clone())
        };
        Some(Self {
            user: name("User")?,
            team: name("Team")?,
            account: name("Account")?,
            instance: name("Instance")?,
            environment: name("Environment")?,
            ledger: name("Ledger")?,
            action: name("Action")?,
        })
    }
}

/// Makes the identifier of an entity.
pub(super) fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

/// Makes an entity.
///
/// # Errors
///
/// If Cedar refuses a value.
pub(super) fn entity<const N: usize>(
    uid: EntityUid,
    attributes: [(&str, RestrictedExpression); N],
    parents: HashSet<EntityUid>,
) -> Result<Entity, String> {
    let attributes: HashMap<_, _> = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    Entity::new(uid, attributes, parents).map_err(|error| format!("entity: {error}"))
}

/// Makes a text value.
pub(super) fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}
