//! Errors and warnings about the files of an operator, with their lines. What is wrong with a file is not known here.

use std::fmt;

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and something in it is likely a mistake.
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

/// An error or warning about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The file's name.
    pub file: &'static str,
    /// The line, counted from 1, if the diagnostic has one.
    pub line: Option<usize>,
    /// What is wrong, and the fix.
    pub message: String,
}

impl Diagnostic {
    /// Makes an error.
    pub fn error(file: &'static str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, file, line, message: message.into() }
    }

    /// Makes a warning.
    pub fn warning(file: &'static str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, file, line, message: message.into() }
    }

    /// Returns file and line: `offboard.toml, line 12`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}, line {line}", self.file),
            None => self.file.to_owned(),
        }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Formats without the severity: `offboard.toml, line 12: …`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)
    }
}

/// Why the operator's files cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Where the errors are: all that a stranger may know of the files.
    pub places: String,
    /// What is wrong, for the log.
    pub details: String,
}

impl Unusable {
    /// Sums up errors.
    pub fn new(errors: &[Diagnostic]) -> Self {
        let mut places: Vec<_> = errors.iter().map(Diagnostic::place).collect();
        places.dedup();
        let details: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Self { places: places.join("; "), details: details.join("; ") }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.details)
    }
}

impl std::error::Error for Unusable {}

/// Returns the line of a byte offset, counted from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// Sorts by file, then by line, then by message, because Cedar's own order differs between runs.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (a.file, a.line, &a.message).cmp(&(b.file, b.line, &b.message)));
}
