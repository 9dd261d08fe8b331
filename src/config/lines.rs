//! Errors of offboard.toml with their lines, and the checks that several tables share.

use std::fmt;

use toml::Spanned;

use crate::diagnostic;
use crate::outcome::language::Language;

/// Why offboard.toml cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, counted from 1, if the error has one.
    pub line: Option<usize>,
    /// The key, what is wrong with it, and the fix.
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

/// The text of the file, to turn offsets into lines.
pub(super) struct Lines<'a>(pub(super) &'a str);

impl Lines<'_> {
    /// Returns the line of a byte offset.
    pub(super) fn of(&self, offset: usize) -> usize {
        diagnostic::line_at(self.0, offset)
    }

    /// Makes an error on the line of `value`.
    pub(super) fn wrong<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> ConfigError {
        self.wrong_at(Some(value), message)
    }

    /// Makes an error on the line of `value`, or without a line if the file does not have the key.
    pub(super) fn wrong_at<T>(&self, value: Option<&Spanned<T>>, message: impl Into<String>) -> ConfigError {
        ConfigError { line: value.map(|value| self.of(value.span().start)), message: message.into() }
    }

    /// Makes the error for the second table of a kind with the same name.
    pub(super) fn doubled_name(&self, table: &str, name: &Spanned<String>) -> ConfigError {
        let text = name.get_ref();
        self.wrong(name, format!("{table}.name `{text}` appears more than once; give each {table} its own name"))
    }

    /// Checks a name that commands, paths and principals can hold.
    pub(super) fn name(&self, key: &str, value: &Spanned<String>) -> Result<String, ConfigError> {
        let name = value.get_ref();
        let is_valid = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if is_valid {
            Ok(name.clone())
        } else {
            Err(self.wrong(
                value,
                format!("{key} `{name}` is not a valid name; use 1 to 64 characters of A-Z a-z 0-9 `-` `_` `.`"),
            ))
        }
    }

    /// Checks a number of 1 to `most`.
    pub(super) fn bounded(&self, key: &str, value: &Spanned<u64>, most: u64) -> Result<u64, ConfigError> {
        let number = *value.get_ref();
        if (1..=most).contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(value, format!("{key} is {number}; use 1 to {most}")))
        }
    }

    /// Checks a language.
    pub(super) fn language(&self, key: &str, value: &Option<Spanned<String>>) -> Result<Option<Language>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        let language = Language::parse(value.get_ref());
        language.map(Some).ok_or_else(|| {
            self.wrong(value, format!("{key} `{}` is not supported; use `en-us` or `zh-cn`", value.get_ref()))
        })
    }

    /// Checks the name of a Spin variable.
    pub(super) fn variable(&self, key: &str, value: &Spanned<String>) -> Result<String, ConfigError> {
        self.variable_at(key, value.span().start, value.get_ref())
    }

    /// Checks the name of a Spin variable at a byte offset.
    pub(super) fn variable_at(&self, key: &str, offset: usize, name: &str) -> Result<String, ConfigError> {
        // Spin's own rule for variable names. The value is not shown, because it may be a secret that was pasted here.
        let is_valid = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if is_valid {
            Ok(name.to_owned())
        } else {
            Err(ConfigError {
                line: Some(self.of(offset)),
                message: format!(
                    "{key} is not a Spin variable name (lowercase letters, digits and `_`); write the variable's name here and put the secret into the variable"
                ),
            })
        }
    }
}
