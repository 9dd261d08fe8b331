//! The body of a request for a token.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) auth: Auth,
}

#[derive(Deserialize)]
pub(super) struct Auth {
    pub(super) identity: Identity,
    pub(super) scope: Option<Scope>,
}

#[derive(Deserialize)]
pub(super) struct Identity {
    pub(super) methods: Vec<String>,
    pub(super) password: Option<Password>,
    pub(super) assume_role: Option<AssumeRole>,
}

#[derive(Deserialize)]
pub(super) struct Password {
    pub(super) user: User,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) domain: Named,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct AssumeRole {
    pub(super) domain_name: Option<String>,
    pub(super) domain_id: Option<String>,
    pub(super) agency_name: String,
}

#[derive(Deserialize)]
pub(super) struct Scope {
    pub(super) project: Option<Reference>,
    pub(super) domain: Option<Reference>,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

impl Reference {
    /// Returns whether the reference gives an ID or a name, and nothing that differs from this ID and name.
    pub(super) fn means(&self, id: &str, name: &str) -> bool {
        let given = [(&self.id, id), (&self.name, name)];
        given.iter().any(|(value, _)| value.is_some())
            && given.iter().all(|(value, actual)| value.as_deref().is_none_or(|value| value == *actual))
    }
}
