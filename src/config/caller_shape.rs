//! What offboard.toml has to know of a caller kind: its secrets and settings.

use crate::config::callers::Caller;

/// One of the secrets that prove a caller together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What offboard.toml calls it.
    pub name: &'static str,
    /// Whether the kind can do without.
    pub required: bool,
}

impl Part {
    /// One that has to be there.
    pub const fn required(name: &'static str) -> Self {
        Self { name, required: true }
    }

    /// One that may be there.
    pub const fn optional(name: &'static str) -> Self {
        Self { name, required: false }
    }
}

/// How a caller kind is given its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyShape {
    /// It has none.
    None,
    /// `secrets = ["variable", …]`, where one is all that it takes.
    Secret,
    /// `secrets = [{ token = "variable", aes_key = "variable" }, …]`; the first part is required, or the second where the first
    /// is not set.
    Secrets(&'static [Part]),
    /// `access_keys = [{ id = "…", secret = "variable" }, …]`
    AccessKeys {
        /// Whether a caller can do without, because other settings prove it.
        optional: bool,
    },
}

/// A setting of a caller kind's own.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its key in `[[caller]]`.
    pub name: &'static str,
    /// Whether the kind can do without.
    pub required: bool,
    /// Whether it may be a list.
    pub is_list: bool,
    /// Whether the gateway sends requests to what it names, so that spin.toml has to allow it.
    pub is_reached: bool,
    /// Whether a value is one.
    pub is_valid: fn(&str) -> bool,
    /// What is expected of a value, for the operator.
    pub expected: &'static str,
}

impl Setting {
    /// A text of any kind, but for an empty one.
    pub const fn text(name: &'static str, required: bool) -> Self {
        Self {
            name,
            required,
            is_list: false,
            is_reached: false,
            is_valid: |text| !text.is_empty(),
            expected: "a text",
        }
    }

    /// Several of those.
    pub const fn texts(name: &'static str, required: bool) -> Self {
        Self { is_list: true, ..Self::text(name, required) }
    }
}

/// What offboard.toml has to know of a caller kind.
#[derive(Debug, Clone, Copy)]
pub struct CallerShape {
    /// Its name.
    pub name: &'static str,
    /// How it is given its secrets.
    pub keys: KeyShape,
    /// Whether there are people at the other end, who can be asked back.
    pub is_chat: bool,
    /// Its own settings.
    pub settings: &'static [Setting],
    /// Whether `fields` says where in its bodies things are.
    pub takes_fields: bool,
    /// Whether it speaks of people who leave, and not of accounts: `[leavers]` then has to say what theirs are.
    pub is_of_leavers: bool,
    /// Whether the proof covers the body. Where it does not, a request can be nothing more than a question.
    pub proves_body: bool,
    /// Whether the settings of a caller go together; else what is needed, for the operator.
    pub is_complete: fn(&Caller) -> Result<(), &'static str>,
}

impl CallerShape {
    /// A system that speaks for itself, and signs what it says with one secret.
    pub const fn hook(name: &'static str) -> Self {
        Self {
            name,
            keys: KeyShape::Secret,
            is_chat: false,
            settings: &[],
            takes_fields: false,
            is_of_leavers: false,
            proves_body: true,
            is_complete: |_| Ok(()),
        }
    }

    /// A chat platform that signs what people say with one secret.
    pub const fn chat(name: &'static str) -> Self {
        Self { is_chat: true, ..Self::hook(name) }
    }
}
