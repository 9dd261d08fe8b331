//! Errors of offboard.toml, with the line that they are on.

use std::fmt;

use toml::Spanned;

use crate::diagnostic;
use crate::outcome::language::Language;

/// What is wrong with offboard.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// The key and what was expected.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "offboard.toml, line {line}: {}", self.message),
            None => write!(f, "offboard.toml: {}", self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Turns a place in the file into an error that names its line.
pub(crate) struct Lines<'a>(pub(crate) &'a str);

impl Lines<'_> {
    pub(crate) fn of(&self, offset: usize) -> usize {
        diagnostic::line_at(self.0, offset)
    }

    pub(crate) fn wrong<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> ConfigError {
        ConfigError { line: Some(self.of(value.span().start)), message: message.into() }
    }

    pub(crate) fn name(&self, key: &str, value: &Spanned<String>) -> Result<String, ConfigError> {
        let name = value.get_ref();
        let good = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if good {
            Ok(name.clone())
        } else {
            Err(self.wrong(value, format!("{key} `{name}` is not valid; expected 1 to 64 of A-Z a-z 0-9 `-` `_` `.`")))
        }
    }

    pub(crate) fn language(&self, key: &str, value: &Option<Spanned<String>>) -> Result<Option<Language>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        let language = Language::parse(value.get_ref());
        language.map(Some).ok_or_else(|| {
            self.wrong(value, format!("{key} `{}` is not known; expected `en-us` or `zh-cn`", value.get_ref()))
        })
    }

    pub(crate) fn variable(&self, key: &str, value: &Spanned<String>) -> Result<String, ConfigError> {
        self.variable_at(key, value.span().start, value.get_ref())
    }

    pub(crate) fn variable_at(&self, key: &str, offset: usize, name: &str) -> Result<String, ConfigError> {
        // Spin's own rule for variable names; a secret pasted here instead of a name is refused without being shown.
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            Ok(name.to_owned())
        } else {
            Err(ConfigError {
                line: Some(self.of(offset)),
                message: format!(
                    "{key} is not the name of a Spin variable; expected lowercase letters, digits and `_`, and the secret itself in the variable"
                ),
            })
        }
    }
}
