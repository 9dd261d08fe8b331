//! The shape of a caller kind: which secrets and settings its `[[caller]]` tables have. The kinds themselves are in `callers`.

use crate::config::attribute::Attribute;
use crate::config::callers::Caller;
use crate::secret::Secret;

/// Checks the form of a secret's part, by the part's name; the error says what the form is, for the operator.
pub type SecretForm = fn(&str, &Secret) -> Result<(), &'static str>;

/// One part of a secret that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its key in offboard.toml.
    pub name: &'static str,
    /// Whether each secret must have it.
    pub required: bool,
}

impl Part {
    /// Makes a required part.
    pub const fn required(name: &'static str) -> Self {
        Self { name, required: true }
    }

    /// Makes an optional part.
    pub const fn optional(name: &'static str) -> Self {
        Self { name, required: false }
    }
}

/// How the secrets of a caller kind are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyShape {
    /// The kind has no secrets.
    None,
    /// `secrets = ["variable", …]`, each a whole secret.
    Secret,
    /// `secrets = [{ token = "variable", aes_key = "variable" }, …]`, with all required parts and at least one part.
    Secrets(&'static [Part]),
    /// `access_keys = [{ id = "…", secret = "variable" }, …]`
    AccessKeys {
        /// Whether a caller may have none, because other settings prove its requests.
        optional: bool,
    },
}

/// When the gateway sends requests to the URL in a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It does not.
    Never,
    /// For each caller that has the setting.
    Always,
    /// For callers that have this setting beside it.
    With(&'static str),
}

impl Reached {
    /// Whether it does, for a caller that has the settings of which `has` is true.
    pub fn is_by(self, has: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::With(name) => has(name),
        }
    }
}

/// A setting that a caller kind has beside the common ones.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its key in `[[caller]]`.
    pub name: &'static str,
    /// Whether every caller of the kind must have it.
    pub required: bool,
    /// Whether it may be a list.
    pub is_list: bool,
    /// Whether the gateway sends requests to the URL in it, so that spin.toml has to allow the host.
    pub reached: Reached,
    /// Checks a value.
    pub is_valid: fn(&str) -> bool,
    /// Describes a valid value for the operator; messages say "use {expected}".
    pub expected: &'static str,
}

impl Setting {
    /// Makes a setting whose value is any text that is not empty.
    pub const fn text(name: &'static str, required: bool) -> Self {
        Self {
            name,
            required,
            is_list: false,
            reached: Reached::Never,
            is_valid: |text| !text.is_empty(),
            expected: "a text",
        }
    }

    /// Makes a setting whose value is a text or a list of texts.
    pub const fn texts(name: &'static str, required: bool) -> Self {
        Self { is_list: true, ..Self::text(name, required) }
    }
}

/// The shape of a caller kind in offboard.toml.
#[derive(Debug, Clone, Copy)]
pub struct CallerShape {
    /// Its name.
    pub name: &'static str,
    /// How its secrets are written.
    pub keys: KeyShape,
    /// Whether its requesters are people, whom the gateway can ask to confirm.
    pub is_chat: bool,
    /// Its own settings.
    pub settings: &'static [Setting],
    /// Whether the sender defines the bodies, so that `fields` has to describe them.
    pub takes_fields: bool,
    /// The attributes of the leavers that its events report, so that `[caller.leavers]` is needed; none if they report accounts.
    pub leavers: &'static [Attribute<'static>],
    /// The fields of its bodies that people of the platform choose, such as a login or the name of a group.
    pub chosen_fields: &'static [&'static str],
    /// Whether the proof covers the body. If not, a request always has to be confirmed.
    pub proves_body: bool,
    /// Checks the form of a secret, so that one that can prove nothing is found before a request is refused for it.
    pub secret_form: SecretForm,
    /// Whether its secrets are public keys, so that nothing can be sealed with them.
    pub has_public_keys: bool,
    /// Whether at most one caller may be of this kind.
    pub is_single: bool,
    /// Checks the settings of a caller together; the error says what is needed, for the operator.
    pub is_complete: fn(&Caller) -> Result<(), &'static str>,
}

impl CallerShape {
    /// Makes the shape of a system that acts under its own name and signs its requests with one secret.
    pub const fn hook(name: &'static str) -> Self {
        Self {
            name,
            keys: KeyShape::Secret,
            is_chat: false,
            settings: &[],
            takes_fields: false,
            leavers: &[],
            chosen_fields: &[],
            proves_body: true,
            secret_form: |_, _| Ok(()),
            has_public_keys: false,
            is_single: false,
            is_complete: |_| Ok(()),
        }
    }

    /// Makes the shape of a chat platform that signs the messages of people with one secret.
    pub const fn chat(name: &'static str) -> Self {
        Self { is_chat: true, ..Self::hook(name) }
    }
}
