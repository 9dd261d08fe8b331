//! `[limits]`: time limits and the number of attempts.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// The longest time limit, in milliseconds: Spin's own for an outbound call.
const LONGEST_LIMIT: u64 = 600_000;

/// The largest number of attempts.
const MOST_ATTEMPTS: u64 = 10;

/// How long requests and calls may take, and how often a call is attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection is established.
    pub connect: Duration,
    /// From the connection to the first byte of the answer.
    pub first_byte: Duration,
    /// One call, to the last byte of its answer.
    pub call: Duration,
    /// One request with all its calls, from its arrival to its answer.
    pub total: Duration,
    /// How often a call is sent at most, where sending it again is safe.
    pub attempts: u32,
    /// After this time, a chat platform with a short timeout gets an early answer, and the outcome as a follow-up.
    pub early_answer: Duration,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsTable {
    connect_ms: Option<Spanned<u64>>,
    first_byte_ms: Option<Spanned<u64>>,
    call_ms: Option<Spanned<u64>>,
    total_ms: Option<Spanned<u64>>,
    attempts: Option<Spanned<u64>>,
    early_answer_ms: Option<Spanned<u64>>,
}

impl LimitsTable {
    /// Checks the table and fills in the defaults.
    pub(super) fn read(&self, lines: &Lines<'_>) -> Result<Limits, ConfigError> {
        let read = |key: &str, value: &Option<Spanned<u64>>, default: u64, most: u64| match value {
            None => Ok(default),
            Some(value) => lines.bounded(&format!("limits.{key}"), value, most),
        };
        let milliseconds = |key: &str, value: &Option<Spanned<u64>>, default: u64| {
            read(key, value, default, LONGEST_LIMIT).map(Duration::from_millis)
        };
        let limits = Limits {
            connect: milliseconds("connect_ms", &self.connect_ms, 3_000)?,
            first_byte: milliseconds("first_byte_ms", &self.first_byte_ms, 15_000)?,
            call: milliseconds("call_ms", &self.call_ms, 20_000)?,
            total: milliseconds("total_ms", &self.total_ms, 30_000)?,
            attempts: u32::try_from(read("attempts", &self.attempts, 4, MOST_ATTEMPTS)?).unwrap_or(1),
            early_answer: milliseconds("early_answer_ms", &self.early_answer_ms, 2_000)?,
        };
        if limits.call > limits.total {
            let (call, total) = (limits.call.as_millis(), limits.total.as_millis());
            return Err(lines.wrong_at(
                self.total_ms.as_ref().or(self.call_ms.as_ref()),
                format!(
                    "limits.call_ms ({call}) is greater than limits.total_ms ({total}); lower call_ms or raise total_ms"
                ),
            ));
        }
        Ok(limits)
    }
}
