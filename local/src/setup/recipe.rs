//! What differs between the kinds when a caller is set up.

use std::collections::BTreeMap;

use serde_json::Value;

use super::address::Address;
use super::secret::SecretForm;

/// How a caller of a kind is set up. What its secrets and settings are called in offboard.toml is in the kind's shape.
#[derive(Debug)]
pub struct Recipe {
    /// The kind's name in offboard.toml.
    pub kind: &'static str,
    /// The platform, as a heading names it.
    pub platform: &'static str,
    /// The values that only the operator knows, beside secrets.
    pub inputs: &'static [Input],
    /// One for each part of the secret that is configured, in the order of the shape; empty for a kind without secrets.
    pub secrets: &'static [SecretPart],
    /// The origins that the gateway sends requests to for such a caller, beside the URLs in its settings.
    pub hosts: &'static [&'static str],
    /// How accounts are named, for kinds that report leavers.
    pub leavers: Option<LeaverNames>,
    /// How policies name who asks, with `NAME` for the caller's name.
    pub principals: &'static str,
    /// What is left to do at the platform, in order.
    pub steps: fn(&Site<'_>) -> Vec<Step>,
}

/// A value that only the operator knows.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    /// The key in `[[caller]]`.
    pub key: &'static str,
    /// What it is and where it is found; a question asks for it with these words.
    pub what: &'static str,
    /// A value that could be right.
    pub example: &'static str,
    /// Whether a caller cannot do without.
    pub required: bool,
}

/// A part of a caller's secret.
#[derive(Debug, Clone, Copy)]
pub struct SecretPart {
    /// Its name in the shape of the kind.
    pub name: &'static str,
    /// The variable that spin.toml has for the first caller of the kind.
    pub variable: &'static str,
    /// What ends the name of a variable for another caller: `signing_secret`.
    pub suffix: &'static str,
    /// What it is, as spin.toml describes the variable.
    pub what: &'static str,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a secret comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The platform makes it, and shows it here.
    Platform(&'static str),
    /// The operator chooses it, so it is made here.
    Made(SecretForm),
}

/// How the accounts of leavers are named.
#[derive(Debug, Clone, Copy)]
pub struct LeaverNames {
    /// Templates; empty if no attribute that an administrator sets could name an account, so that each person has to be listed.
    pub templates: &'static [&'static str],
    /// A person in `map`, and what their accounts could be.
    pub example: (&'static str, &'static [&'static str]),
}

/// Where the gateway is, and what the caller is called there: what the steps at a platform are made of.
#[derive(Debug)]
pub struct Site<'a> {
    /// The gateway's address.
    pub address: &'a Address,
    /// The caller's name.
    pub name: &'a str,
    /// The Spin variables of the first secret, by part.
    pub variables: BTreeMap<&'static str, String>,
    /// The ID of the first access key, for kinds that have some.
    pub key_id: Option<&'a str>,
}

impl Site<'_> {
    /// Returns the URL of the caller's requests.
    #[must_use]
    pub fn hook(&self) -> String {
        format!("{}/hooks/{}", self.address, self.name)
    }

    /// Returns the base URL of a SCIM caller.
    #[must_use]
    pub fn scim(&self) -> String {
        format!("{}/scim/v2/{}", self.address, self.name)
    }

    /// Returns the environment variable from which Spin reads this part of the secret.
    #[must_use]
    pub fn variable(&self, part: &str) -> String {
        self.variables.get(part).map(|name| environment(name)).unwrap_or_default()
    }
}

/// Returns the environment variable from which Spin reads a variable of spin.toml.
#[must_use]
pub fn environment(variable: &str) -> String {
    format!("SPIN_VARIABLE_{}", variable.to_ascii_uppercase())
}

/// A step at a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What to do.
    pub text: String,
    /// What to paste there, or in a shell.
    pub paste: Option<Paste>,
}

/// What is pasted.
#[derive(Debug, Clone, PartialEq)]
pub enum Paste {
    /// A document for the platform's page.
    Document(Value),
    /// A document for the platform's API: the command reads it from its standard input. `$NAME` in it is an environment variable.
    Request {
        /// The command.
        command: String,
        /// The document.
        json: Value,
    },
    /// Lines for a shell.
    Shell(String),
}

impl Step {
    /// Makes a step without anything to paste.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), paste: None }
    }

    /// Adds what to paste.
    #[must_use]
    pub fn with(self, paste: Paste) -> Self {
        Self { paste: Some(paste), ..self }
    }
}
