//! Which actors can send requests, by the principals that offboard.toml and operators write.

use crate::callers;
use crate::callers::kind::Endpoint;
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape};
use crate::config::callers::Caller;
use crate::request::actor::Actor;

/// Returns the actor that an authenticated request of this principal would have.
///
/// # Errors
///
/// If no such request is possible: says why, and what to write instead.
pub fn actor(config: &Config, principal: &str) -> Result<Actor, String> {
    let never = |why: String| Err(format!("`{principal}` can never send a request: {why}"));
    let (name, id) = principal.split_once('/').map_or((principal, None), |(name, id)| (name, Some(id)));
    let Ok(caller) = config.caller(name) else {
        return never(format!("caller `{name}` is not configured; correct the name or add the caller"));
    };
    match (Actors::of(caller), id) {
        (Actors::Itself, None) => Ok(Actor::system(caller)),
        (Actors::Itself, Some(_)) => {
            never(format!("a caller of kind `{}` acts under its own name; write `{name}`", caller.kind))
        }
        (Actors::People, Some(id)) if !id.is_empty() => Ok(Actor::person(caller, id)),
        (Actors::People, _) => never(format!("caller `{name}` is for people; write `{name}/` and the person's ID")),
        (Actors::Keys, Some(id)) if caller.keys.iter().any(|key| key.id.as_deref() == Some(id)) => {
            Ok(Actor::person(caller, id))
        }
        (Actors::Keys, Some(id)) if !id.is_empty() && caller.setting("issuer").is_some() => {
            Ok(Actor::person(caller, id))
        }
        (Actors::Keys, Some(id)) => {
            never(format!("caller `{name}` has no access key `{id}`; correct the ID or add the key"))
        }
        (Actors::Keys, None) => {
            never(format!("caller `{name}` is for access keys; write `{name}/` and an access key ID"))
        }
    }
}

/// The actors that send requests through a caller.
enum Actors {
    /// The caller itself.
    Itself,
    /// The people whom the platform identifies.
    People,
    /// The holders of its access keys.
    Keys,
}

impl Actors {
    fn of(caller: &Caller) -> Self {
        let Some(kind) = callers::kind(&caller.kind) else { return Self::Itself };
        match kind.shape() {
            CallerShape { keys: KeyShape::AccessKeys { .. }, .. } => Self::Keys,
            CallerShape { is_chat: true, .. } => Self::People,
            _ if kind.endpoint() == Endpoint::Console => Self::People,
            _ => Self::Itself,
        }
    }
}
