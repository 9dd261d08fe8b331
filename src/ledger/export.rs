//! A row for its readers: JSON, CSV and the line of the log.
//!
//! The log is a second copy of the audit trail: each change of a row writes a line that is the row as it is then, so the last
//! line about a row is the row. A test holds the two together. Nothing sealed and no fingerprint is shown.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value as Json, json};

use crate::ledger::row::RemovalRow;
use crate::outcome::state::State;
use crate::reply::csv::line;

/// What happened to a row, for the log.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// What happened: the state that the outcome stands for.
    pub event: State,
    /// The principal who did it; `None` if no person or system did.
    pub by: Option<&'a str>,
    /// The code of the answer.
    pub answered: &'a str,
    /// What TaurusDB's code means to the operator.
    pub meaning: Option<&'a str>,
    /// Whether the request was acknowledged first and the outcome followed.
    pub late: bool,
    /// Whether the row is the ledger's; `false` if it could not be written or updated.
    pub written: bool,
}

impl<'a> Event<'a> {
    /// An event of a row that the ledger has, without a meaning and not late.
    pub fn of(event: State, by: Option<&'a str>, answered: &'a str) -> Self {
        Self { event, by, answered, meaning: None, late: false, written: true }
    }
}

impl RemovalRow {
    /// Everything of the row that may be shown; times in RFC 3339.
    pub fn json(&self) -> Json {
        let approvals: Vec<_> = self
            .votes
            .iter()
            .map(|vote| {
                let decision = if vote.is_approval() { "approve" } else { "deny" };
                json!({"actor": vote.actor, "decision": decision, "reason": vote.reason, "at": time(vote.at)})
            })
            .collect();
        json!({
            "id": self.id.as_str(),
            "reference": self.reference,
            "state": self.state.as_str(),
            "asked_at": time(self.asked_at),
            "expires_at": self.expires_at.and_then(time),
            "ended_at": self.ended_at.and_then(time),
            "milliseconds": self.ended_at.map(|ended| ended.saturating_sub(self.asked_at)),
            "caller": self.caller,
            "kind": self.kind,
            "actor": self.actor,
            "instance": self.instance,
            "user_name": self.user_name,
            "reason": self.reason,
            "dry_run": self.dry_run,
            "policies": self.policies,
            "approvals": approvals,
            "attempts": self.attempts,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "request_id": self.request_id,
            "confirmed_by": self.confirmed_by,
            "policy_set": self.policy_set,
            "caused_by": self.caused_by,
            "gateway": self.gateway,
        })
    }

    /// The same as a line of CSV (RFC 4180). A list is one field: policies with commas between them, approvals as
    /// `approve by slack/U2CERLKJA at 2026-06-01T10:00:00.000Z: why`, with semicolons between them. A missing value is empty.
    pub fn csv(&self) -> String {
        let json = self.json();
        line(COLUMNS.map(|column| match (column, json.get(column)) {
            ("policies", _) => self.policies.join(","),
            ("approvals", Some(Json::Array(approvals))) => approvals.iter().map(flat).collect::<Vec<_>>().join("; "),
            (_, Some(Json::String(text))) => text.clone(),
            (_, None | Some(Json::Null)) => String::new(),
            (_, Some(other)) => other.to_string(),
        }))
    }

    /// What the log says about what happened to the row: everything of it that may be shown, and the event's own keys.
    pub fn event(&self, event: &Event<'_>) -> Json {
        let Event { event, by, answered, meaning, late, written } = event;
        let mut line = self.json();
        if let Json::Object(fields) = &mut line {
            for (name, value) in [
                ("event", json!(event.as_str())),
                ("by", json!(by)),
                ("answered", json!(answered)),
                ("meaning", json!(meaning)),
                ("late", json!(late)),
                ("written", json!(written)),
            ] {
                fields.insert(name.to_owned(), value);
            }
        }
        line
    }
}

/// A time in RFC 3339.
pub(crate) fn time(millis: i64) -> Option<String> {
    DateTime::from_timestamp_millis(millis).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A vote, out of [`RemovalRow::json`], in one field of CSV.
fn flat(approval: &Json) -> String {
    let text = |name| approval.get(name).and_then(Json::as_str);
    let words = format!(
        "{} by {} at {}",
        text("decision").unwrap_or_default(),
        text("actor").unwrap_or_default(),
        text("at").unwrap_or_default()
    );
    text("reason").map_or_else(|| words.clone(), |reason| format!("{words}: {reason}"))
}

/// [`RemovalRow::json`]'s keys, in its order: the columns of [`RemovalRow::csv`].
pub const COLUMNS: [&str; 25] = [
    "id",
    "reference",
    "state",
    "asked_at",
    "expires_at",
    "ended_at",
    "milliseconds",
    "caller",
    "kind",
    "actor",
    "instance",
    "user_name",
    "reason",
    "dry_run",
    "policies",
    "approvals",
    "attempts",
    "status",
    "code",
    "message",
    "request_id",
    "confirmed_by",
    "policy_set",
    "caused_by",
    "gateway",
];

/// The first line of CSV.
pub fn csv_header() -> String {
    line(COLUMNS)
}

/// Rows as CSV, with the header.
pub fn csv(rows: &[RemovalRow]) -> String {
    std::iter::once(csv_header()).chain(rows.iter().map(RemovalRow::csv)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_column() {
        let json = RemovalRow::default().json();
        let keys: std::collections::BTreeSet<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, COLUMNS.into());
    }
}
