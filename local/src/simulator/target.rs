//! The kinds of requests that rules and holds tell apart.

use std::str::FromStr;

use anyhow::Context;
use http::Method;

use super::paths;
use super::received::ReceivedRequest;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Every request, those to unknown paths included.
    Any,
    /// The deletion of an account.
    Delete,
    /// The list of accounts.
    List,
    /// A POST for a token.
    Iam,
}

impl Target {
    const ALL: [(&str, Self); 4] =
        [("any", Self::Any), ("delete", Self::Delete), ("list", Self::List), ("iam", Self::Iam)];

    /// Returns the kind of a request, if it has one. The path decides; the IDs in it may be wrong.
    pub(super) fn of(request: &ReceivedRequest) -> Option<Self> {
        let (path, _) = request.path_and_query();
        match request.method {
            Method::POST if path == paths::TOKENS => Some(Self::Iam),
            Method::DELETE if paths::is_accounts(path) => Some(Self::Delete),
            Method::GET if paths::is_accounts(path) => Some(Self::List),
            _ => None,
        }
    }

    pub(super) fn covers(self, request: Option<Self>) -> bool {
        self == Self::Any || Some(self) == request
    }

    /// Returns the names of all targets: `` `any`, `delete`, … ``.
    pub(super) fn names() -> String {
        Self::ALL.map(|(name, _)| format!("`{name}`")).join(", ")
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, target)| *target)
            .with_context(|| format!("`{text}` is not a target; use one of {}", Self::names()))
    }
}
