//! What an error of PostgreSQL says about the effect of its statement. A statement is a transaction of its own.
//!
//! Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>. Severities are translated, so the words of errors that end
//! a session are not looked for where a code says the same.

/// What became of a statement that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It did nothing.
    None,
    /// It did nothing because of a neighbour, and can be sent again.
    Again,
    /// It may have been committed, or may be later.
    Unknown,
}

/// The effect of a statement that the server answered with an error of this severity and SQLSTATE.
pub fn effect(severity: &str, code: &str) -> Effect {
    match code {
        // Serialization failure, deadlock, a lock that was not had in time.
        "40001" | "40P01" | "55P03" => Effect::Again,
        // Statement completion unknown; the session ended: shut down by an administrator, after a crash.
        "40003" | "57P01" | "57P02" => Effect::Unknown,
        _ if code.starts_with("08") || code.starts_with("XX") => Effect::Unknown,
        _ if matches!(severity, "FATAL" | "PANIC") => Effect::Unknown,
        _ => Effect::None,
    }
}

/// The effect of a statement that failed without a code: `tokio-postgres` found the parameters wrong and sent nothing, or the
/// connection ended, which it says in the same words whether the server had run the statement or not.
pub fn effect_of_text(text: &str) -> Effect {
    let is_unsent = text.contains("ToSql") || text.contains("Parameters(");
    if is_unsent { Effect::None } else { Effect::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects() {
        for (severity, code, expected) in [
            ("ERROR", "23505", Effect::None),
            ("ERROR", "25006", Effect::None),
            ("ERROR", "42P01", Effect::None),
            ("ERROR", "57014", Effect::None),
            ("ERROR", "40001", Effect::Again),
            ("FEHLER", "40P01", Effect::Again),
            ("ERROR", "55P03", Effect::Again),
            ("ERROR", "40003", Effect::Unknown),
            ("FATAL", "57P01", Effect::Unknown),
            ("FATAL", "57P05", Effect::Unknown),
            ("致命错误", "57P02", Effect::Unknown),
            ("ERROR", "08006", Effect::Unknown),
            ("ERROR", "XX000", Effect::Unknown),
        ] {
            assert_eq!(effect(severity, code), expected, "{severity} {code}");
        }
        for (text, expected) in [
            ("error serializing parameter 0: Error { kind: ToSql(0) }", Effect::None),
            ("Error { kind: Parameters(1, 2), cause: None }", Effect::None),
            ("Error { kind: Closed, cause: None }", Effect::Unknown),
            ("Error { kind: Io, cause: Some(broken pipe) }", Effect::Unknown),
        ] {
            assert_eq!(effect_of_text(text), expected, "{text}");
        }
    }
}
