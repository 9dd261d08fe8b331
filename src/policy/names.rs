//! The schema's entity types and actions, resolved once.

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use serde_json::json;

/// Entity type names, parsed once.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) user: EntityTypeName,
    pub(crate) team: EntityTypeName,
    pub(crate) account: EntityTypeName,
    pub(crate) instance: EntityTypeName,
    pub(crate) environment: EntityTypeName,
    pub(crate) ledger: EntityTypeName,
    pub(crate) action: EntityTypeName,
}

impl Names {
    pub(crate) fn new() -> Option<Self> {
        // Not by `EntityTypeName::from_str`: Cedar would first make a parser, and an instance would start a millisecond later.
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

pub(crate) fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}
