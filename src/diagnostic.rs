//! What an operator should know about a file of theirs: where it is, and whether anything works with it.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and something in it can hardly be meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing to know about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file's name.
    pub file: &'static str,
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What it is, and what to do.
    pub message: String,
}

impl Diagnostic {
    /// With this, the file cannot be used.
    pub fn error(file: &'static str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, file, line, message: message.into() }
    }

    /// With this it can.
    pub fn warning(file: &'static str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, file, line, message: message.into() }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Without the severity: `offboard.toml, line 12: …`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// The line that a byte of a text is in, counted from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// By file, then by line; and whatever Cedar's order was, the same findings always stand in the same order.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (a.file, a.line, &a.message).cmp(&(b.file, b.line, &b.message)));
}
