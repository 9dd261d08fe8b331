//! People who read pages of the console, through a proxy that proves them.

use serde_json::json;

use crate::console::sign_in::{Answer, PROXY, World, world};

/// In the team `dba`, which may look up all removals.
pub(crate) const DBA: &str = "dba";
/// In no team: may see their own requests.
pub(crate) const EVE: &str = "console/eve";

pub(crate) struct Reading(pub(crate) World);

impl Reading {
    pub(crate) fn new() -> Self {
        Self(world(PROXY))
    }

    /// The page at this address, as one of the two sees it.
    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        let (id, teams) = if who == DBA { ("dana", vec!["dba"]) } else { ("eve", Vec::new()) };
        let token = self.0.token(&json!({"claims": {"sub": id, "groups": teams}}));
        self.0.get(path, &[("cf-access-jwt-assertion", &token)]).await
    }
}
