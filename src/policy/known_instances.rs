//! The entities of configured instances, made once: they are the same in all requests.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityUid};

use crate::config::instance::Instance;
use crate::policy::names::{Names, entity, string, uid};

/// An instance as policies see it.
#[derive(Debug, Clone)]
pub(super) struct InstanceEntities {
    pub(super) instance: EntityUid,
    /// The instance's own entity, and its environment's.
    pub(super) entities: [Entity; 2],
}

/// Instances by their names, each with what its entities were made of.
#[derive(Debug, Default)]
pub(super) struct KnownInstances(HashMap<String, (Instance, InstanceEntities)>);

impl KnownInstances {
    /// Makes the entities of these instances. What Cedar refuses is left out: the request that needs it says so.
    pub(super) fn new(names: &Names, instances: &[Instance]) -> Self {
        let made = instances.iter().filter_map(|instance| {
            Some((instance.name.clone(), (instance.clone(), instance_entities(names, instance).ok()?)))
        });
        Self(made.collect())
    }

    /// Returns the entities of an instance; makes them if it is not one of those that are known.
    ///
    /// # Errors
    ///
    /// If Cedar refuses a value.
    pub(super) fn of(&self, names: &Names, instance: &Instance) -> Result<InstanceEntities, String> {
        match self.0.get(&instance.name) {
            Some((known, entities)) if is_same(known, instance) => Ok(entities.clone()),
            _ => instance_entities(names, instance),
        }
    }
}

/// Whether policies see the same instance.
fn is_same(one: &Instance, other: &Instance) -> bool {
    one.environment == other.environment && one.project_id == other.project_id && one.region == other.region
}

fn instance_entities(names: &Names, configured: &Instance) -> Result<InstanceEntities, String> {
    let instance = uid(&names.instance, &configured.name);
    let environment = uid(&names.environment, &configured.environment);
    let attributes = [("project_id", string(&configured.project_id)), ("region", string(&configured.region))];
    let own = entity(instance.clone(), attributes, [environment.clone()].into())?;
    Ok(InstanceEntities { instance, entities: [own, Entity::new_no_attrs(environment, HashSet::new())] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers;
    use crate::config::Config;

    #[test]
    fn what_is_known_is_what_would_be_made() {
        let names = Names::new().unwrap();
        let config = Config::parse(include_str!("../../config/offboard.toml"), &callers::shapes()).unwrap();
        let known = KnownInstances::new(&names, config.instances());
        let shown = |entities: InstanceEntities| format!("{:?}", (entities.instance, entities.entities));
        for instance in config.instances() {
            let other = Instance { environment: "elsewhere".into(), ..instance.clone() };
            for asked in [instance, &other] {
                let made = instance_entities(&names, asked).unwrap();
                assert_eq!(shown(known.of(&names, asked).unwrap()), shown(made));
            }
        }
    }
}
