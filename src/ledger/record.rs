//! A row of the ledger, whole: what `GET /removals/{id}` shows, and what each line of the log is made of.
//!
//! The log is a second copy of the audit trail: each change of a row writes a line that is the row as it is then, so the last
//! line about a row is the row. A test holds the two together (`tests/story/audit.rs`).

use chrono::{DateTime, SecondsFormat, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::RowId;
use crate::command::{Actor, Reference, Removal};
use crate::config::Instance;
use crate::host::{Host, StoreError, Value};
use crate::outcome::{Outcome, State};

/// What every statement that returns rows returns first, in the order in which [`Record::read`] takes it.
macro_rules! columns {
    () => {
        "removals.id, reference, state, asked_at, expires_at, ended_at, in_flight_until, caller, kind, actor, instance,
        user_name, reason, dry_run, policies, attempts, status, code, message, request_id, confirmed_by, fingerprint,
        later, delivery, groups, place,
        (SELECT json_group_array(json_object('reference', a.reference, 'person', a.person, 'actor', a.actor, 'caller', a.caller, 'kind', a.kind,
            'approved', a.approved, 'reason', a.reason, 'at', a.at, 'groups', a.groups)) FROM approvals a WHERE a.removal = removals.id)"
    };
}
pub(super) use columns;

/// How many columns that are.
pub(super) const WIDTH: usize = 27;

const LOOK: &str = concat!("SELECT ", columns!(), " FROM removals WHERE id = ?1 OR reference = ?2");

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its id.
    pub id: RowId,
    /// What people type to speak of it while it waits.
    pub reference: Option<String>,
    /// How far it came.
    pub state: State,
    /// When it was asked, in milliseconds since 1970, as all times here.
    pub asked_at: i64,
    /// Until when it waits for somebody.
    pub expires_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When nobody can be carrying it out any more.
    pub in_flight_until: Option<i64>,
    /// The caller's name.
    pub caller: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Who asked.
    pub actor: Option<String>,
    /// On which instance.
    pub instance: Option<String>,
    /// Which account.
    pub user_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing was to be sent.
    pub dry_run: bool,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// Who approved or denied it.
    pub approvals: Vec<Approval>,
    /// How many DELETEs were sent.
    pub attempts: i64,
    /// The answer's status.
    pub status: Option<u16>,
    /// The answer's code.
    pub code: Option<String>,
    /// The answer's message.
    pub message: Option<String>,
    /// TaurusDB's request id.
    pub request_id: Option<String>,
    /// What the outcome is known from, where that is not TaurusDB's answer.
    pub confirmed_by: Option<String>,
    /// The digest of exactly what was asked.
    pub(crate) fingerprint: Option<String>,
    /// Where whoever asked can be told later, sealed.
    pub later: Option<String>,
    pub(crate) delivery: Option<String>,
    /// The teams that the proof of whoever asked named.
    pub(crate) groups: Vec<String>,
    /// To which instance of TaurusDB's its DELETE went; `None` in rows of versions before 5.
    pub(crate) place: Option<String>,
}

/// Somebody's yes or no to a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Approval {
    /// The reference of what it was said to.
    reference: String,
    /// Which person it is: two principals of one person are one.
    pub person: String,
    /// The principal.
    pub actor: String,
    /// Through which caller.
    pub caller: String,
    /// Of which kind.
    pub kind: String,
    /// 1 for yes, 0 for no.
    approved: i64,
    /// Why, if they said.
    pub reason: Option<String>,
    /// When.
    pub at: i64,
    /// The teams that their proof named, as a JSON list.
    groups: Option<String>,
}

impl Approval {
    /// Whether it was a yes.
    pub fn is_yes(&self) -> bool {
        self.approved != 0
    }

    /// Who it was.
    pub fn actor(&self) -> Actor {
        Actor {
            principal: self.actor.clone(),
            caller: self.caller.clone(),
            kind: self.kind.clone(),
            groups: list(self.groups.as_deref()),
        }
    }
}

/// A JSON list of texts; none of anything else.
fn list(json: Option<&str>) -> Vec<String> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// The list for a column; `None` for an empty one.
pub(super) fn groups(actor: &Actor) -> Option<String> {
    (!actor.groups.is_empty()).then(|| Json::from(actor.groups.clone()).to_string())
}

/// What happened to a row, beside the row itself, for the log.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// What happened: the state that the outcome stands for.
    pub event: State,
    /// Who did it, where anybody did.
    pub by: Option<&'a str>,
    /// The code of the answer.
    pub answered: &'a str,
    /// What that means, where TaurusDB said it.
    pub meaning: Option<&'a str>,
    /// Whether the asker was told to wait, and heard the outcome afterwards.
    pub late: bool,
    /// Whether the row is the ledger's; `false` when it could not be written or not be brought up to date.
    pub written: bool,
}

/// Takes values one after the other.
struct Values<'a>(std::slice::Iter<'a, Value>);

impl Values<'_> {
    fn text(&mut self) -> Option<String> {
        match self.0.next() {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<i64> {
        match self.0.next() {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }
}

impl Record {
    /// Reads the columns that `columns!` names, from the first one on; `None` where there is no row.
    pub(super) fn read(row: &[Value]) -> Result<Option<Self>, StoreError> {
        if row.len() < WIDTH {
            return Err(StoreError("the ledger answered with other columns than asked for".into()));
        }
        let mut values = Values(row.iter());
        let Some(id) = values.text() else { return Ok(None) };
        Ok(Some(Self {
            id: RowId(id),
            reference: values.text(),
            state: {
                let word = values.text().unwrap_or_default();
                State::parse(&word).ok_or_else(|| {
                    StoreError(format!("a row has the state `{word}`, which this gateway does not know"))
                })?
            },
            asked_at: values.number().unwrap_or_default(),
            expires_at: values.number(),
            ended_at: values.number(),
            in_flight_until: values.number(),
            caller: values.text(),
            kind: values.text(),
            actor: values.text(),
            instance: values.text(),
            user_name: values.text(),
            reason: values.text(),
            dry_run: values.number() == Some(1),
            policies: split(&values.text().unwrap_or_default()),
            attempts: values.number().unwrap_or_default(),
            status: values.number().and_then(|status| u16::try_from(status).ok()),
            code: values.text(),
            message: values.text(),
            request_id: values.text(),
            confirmed_by: values.text(),
            fingerprint: values.text(),
            later: values.text(),
            delivery: values.text(),
            groups: list(values.text().as_deref()),
            place: values.text(),
            approvals: serde_json::from_str(&values.text().unwrap_or_default()).unwrap_or_default(),
        }))
    }

    /// The first row of an answer.
    pub(super) fn first(rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        rows.first().map_or(Ok(None), |row| Self::read(row))
    }

    /// Whether nobody knows what it did and nobody will say so any more: only the account list can.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        let is_over = self.in_flight_until.unwrap_or_default() <= now.timestamp_millis();
        self.state == State::Unknown || (self.state == State::InFlight && is_over)
    }

    /// While it is carried out: for how many more seconds that can go on.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> Option<u64> {
        let left = self.in_flight_until.unwrap_or_default().saturating_sub(now.timestamp_millis());
        (self.state == State::InFlight && left > 0).then(|| left.unsigned_abs().div_ceil(1000))
    }

    /// Whether its DELETE went to another instance than the one that has the name now: its account list says nothing about it.
    pub fn is_elsewhere(&self, instance: &Instance) -> bool {
        self.place.as_ref().is_some_and(|place| *place != instance.place())
    }

    /// Who said yes to what the row asks for now. What was said before it was asked for anew is kept, and does not count.
    pub fn yeses(&self) -> impl Iterator<Item = &Approval> {
        let now = self.reference.as_deref();
        self.approvals.iter().filter(move |approval| approval.is_yes() && Some(approval.reference.as_str()) == now)
    }

    /// Whether this is exactly what the row asks for.
    pub fn is_exactly(&self, removal: &Removal<'_>) -> bool {
        self.fingerprint.as_deref() == Some(removal.fingerprint().as_str())
    }

    /// The delivery that the row stands for.
    pub fn delivery(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    /// Who asked.
    pub fn asker(&self) -> Option<Actor> {
        Some(Actor {
            principal: self.actor.clone()?,
            caller: self.caller.clone()?,
            kind: self.kind.clone()?,
            groups: self.groups.clone(),
        })
    }

    /// What to answer about it, as far as the row alone tells; `None` while that depends on who else has to do something.
    pub fn outcome(&self, now: DateTime<Utc>) -> Option<Outcome> {
        Some(match self.state {
            State::AwaitingConfirmation | State::AwaitingApproval => return None,
            State::InFlight if self.is_open(now) => Outcome::OutcomeUnknown,
            State::InFlight => Outcome::StillRunning,
            State::Removed if self.confirmed_by.is_some() => Outcome::RemovedByList,
            State::Removed => Outcome::Removed,
            state => Outcome::Recorded {
                state,
                status: self
                    .status
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                code: self.code.clone().unwrap_or_default(),
                message: self.message.clone().unwrap_or_default(),
            },
        })
    }

    /// Everything of it that may be shown; times in RFC 3339.
    pub fn json(&self) -> Json {
        let approvals: Vec<_> = self
            .approvals
            .iter()
            .map(|approval| {
                let decision = if approval.is_yes() { "approve" } else { "deny" };
                json!({"actor": approval.actor, "decision": decision, "reason": approval.reason, "at": time(approval.at)})
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
        })
    }

    /// The same as a line of CSV. A list is one field: policies with commas between them, approvals as
    /// `approve by slack/U2CERLKJA at 2026-06-01T10:00:00.000Z: why`, with semicolons between them. What is not there is empty.
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

    /// The line of the log about what happened to it: everything of it that may be shown, and the event's own keys.
    pub fn line(&self, event: &Event<'_>) -> String {
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
        line.to_string()
    }
}

/// A time in RFC 3339.
pub(crate) fn time(millis: i64) -> Option<String> {
    DateTime::from_timestamp_millis(millis).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// An approval, out of [`Record::json`], as words.
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

/// [`Record::json`]'s keys, in its order: the columns of [`Record::csv`].
pub const COLUMNS: [&str; 22] = [
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
];

/// A line of CSV (RFC 4180), every field quoted.
fn line<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> String {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|field| {
            let field = field.as_ref();
            // A spreadsheet would take it for a formula, and an asker wrote it.
            let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
            format!("\"{guard}{}\"", field.replace('"', "\"\""))
        })
        .collect();
    fields.join(",") + "\r\n"
}

/// The first line of CSV.
pub fn csv_header() -> String {
    line(COLUMNS)
}

fn split(list: &str) -> Vec<String> {
    list.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// Looks up a row by its id or by its reference.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn look<H: Host>(host: &H, id: &str) -> Result<Option<Record>, StoreError> {
    let reference = Reference::parse(id);
    let reference = reference.as_ref().map(Reference::as_str);
    Record::first(&host.query(LOOK, vec![id.into(), reference.into()]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_column() {
        let json = Record::default().json();
        let keys: std::collections::BTreeSet<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, COLUMNS.into());
    }

    #[test]
    fn fields_of_a_line() {
        for (field, written) in [
            ("", "\"\"\r\n"),
            ("a,b", "\"a,b\"\r\n"),
            ("say \"hi\"", "\"say \"\"hi\"\"\"\r\n"),
            ("a\r\nb", "\"a\r\nb\"\r\n"),
            ("=1+1", "\"'=1+1\"\r\n"),
            ("+1", "\"'+1\"\r\n"),
            ("-1", "\"'-1\"\r\n"),
            ("@a", "\"'@a\"\r\n"),
            ("\ta", "\"'\ta\"\r\n"),
            ("\ra", "\"'\ra\"\r\n"),
            ("a=b", "\"a=b\"\r\n"),
            (" =b", "\" =b\"\r\n"),
        ] {
            assert_eq!(line([field]), written);
        }
        assert_eq!(line(["a", "b"]), "\"a\",\"b\"\r\n");
    }
}
