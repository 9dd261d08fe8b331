//! `[limits]`: how long things may take.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// The longest time limit, in milliseconds: Spin's own for an outbound call.
pub(crate) const LONGEST_LIMIT: u64 = 600_000;

/// How long things may take, and how often they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From there until the first byte of an answer.
    pub first_byte: Duration,
    /// One call, to the last byte of its answer.
    pub call: Duration,
    /// A request and everything that it needs, from its arrival to its answer.
    pub total: Duration,
    /// How often a call is sent at most, where it is safe to send it again.
    pub attempts: u32,
    /// When a chat platform that does not wait is told that the outcome will follow.
    pub early_answer: Duration,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsTable {
    connect_ms: Option<Spanned<u64>>,
    first_byte_ms: Option<Spanned<u64>>,
    call_ms: Option<Spanned<u64>>,
    total_ms: Option<Spanned<u64>>,
    attempts: Option<Spanned<u64>>,
    early_answer_ms: Option<Spanned<u64>>,
}

/// Reads `[limits]`; what is left out has its default.
pub(crate) fn limits(lines: &Lines<'_>, table: &LimitsTable) -> Result<Limits, ConfigError> {
    let read = |key: &str, value: &Option<Spanned<u64>>, default: u64, most: u64| match value {
        None => Ok(default),
        Some(value) if (1..=most).contains(value.get_ref()) => Ok(*value.get_ref()),
        Some(value) => {
            Err(lines.wrong(value, format!("limits.{key} `{}` is not valid; expected 1 to {most}", value.get_ref())))
        }
    };
    let milliseconds = |key: &str, value: &Option<Spanned<u64>>, default: u64| {
        read(key, value, default, LONGEST_LIMIT).map(Duration::from_millis)
    };
    let limits = Limits {
        connect: milliseconds("connect_ms", &table.connect_ms, 3_000)?,
        first_byte: milliseconds("first_byte_ms", &table.first_byte_ms, 15_000)?,
        call: milliseconds("call_ms", &table.call_ms, 20_000)?,
        total: milliseconds("total_ms", &table.total_ms, 30_000)?,
        attempts: u32::try_from(read("attempts", &table.attempts, 4, 10)?).unwrap_or(1),
        early_answer: milliseconds("early_answer_ms", &table.early_answer_ms, 2_000)?,
    };
    if limits.call > limits.total {
        let message = format!(
            "limits.call_ms ({}) is more than limits.total_ms ({}); expected a whole request to have time for one call",
            limits.call.as_millis(),
            limits.total.as_millis()
        );
        let place = table.total_ms.as_ref().or(table.call_ms.as_ref());
        return Err(place.map_or(ConfigError { line: None, message: message.clone() }, |at| lines.wrong(at, message)));
    }
    Ok(limits)
}
