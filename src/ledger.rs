//! One row a removal: replay guard, state machine and audit trail in one SQLite table.
//!
//! Every transition is a single statement whose effect is checked, because `spin:sqlite` has no transaction over several
//! statements to rely on. A removal is claimed before its DELETE leaves ([`claim`] is the only way to a [`Claim`], and it takes
//! the [`Permit`]), and a delivery that is there already is answered from its row.
//!
//! Rows of proven requests stay for good: they are the audit trail, and they keep a delivery from being repeated. Of refusals
//! that nobody proved to have sent the newest [`UNPROVED_KEPT`] are kept, so that a stranger cannot fill the disk; nothing
//! needs cleaning up by hand.
//!
//! Nothing in here knows what HTTP is, and no secret gets near it.

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::command::Removal;
use crate::host::{Host, StoreError, Value};
use crate::outcome::{Language, Outcome, State};
use crate::policy::Permit;

/// How many refusals without a proven actor are kept.
pub const UNPROVED_KEPT: u32 = 10_000;

/// The version of the table that this code reads and writes.
const VERSION: i64 = 1;

/// Statements that make an empty database version 1. Each may run again after a crash between any two.
const CREATE: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS removals (
        id TEXT PRIMARY KEY NOT NULL,
        delivery TEXT UNIQUE,
        state TEXT NOT NULL,
        asked_at INTEGER NOT NULL,
        ended_at INTEGER,
        caller TEXT,
        kind TEXT,
        actor TEXT,
        instance TEXT,
        user_name TEXT,
        reason TEXT,
        policies TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        status INTEGER,
        code TEXT,
        message TEXT,
        request_id TEXT
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS removals_by_actor ON removals (actor, asked_at) WHERE actor IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_by_instance ON removals (instance, asked_at) WHERE instance IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_unproved ON removals (id) WHERE actor IS NULL",
    "CREATE TABLE IF NOT EXISTS ledger (version INTEGER PRIMARY KEY NOT NULL) STRICT",
    "INSERT INTO ledger (version) VALUES (1) ON CONFLICT DO NOTHING",
];

const FIND: &str = "SELECT r.id, r.state, r.status, r.code, r.message, r.policies, r.request_id, r.instance, r.user_name,
    (SELECT count(*) FROM removals WHERE actor = ?2 AND asked_at > ?4 AND state IN ('in-flight', 'removed', 'unknown')),
    (SELECT count(*) FROM removals WHERE instance = ?3 AND asked_at > ?4 AND state IN ('in-flight', 'removed', 'unknown'))
    FROM (SELECT 1) LEFT JOIN removals r ON r.delivery = ?1";

/// A delivery of which nothing was sent yet may be claimed again; any other is taken.
const CLAIM: &str = "INSERT INTO removals
    (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, policies, attempts)
    VALUES (?1, ?2, 'in-flight', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)
    ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
        reason = excluded.reason, policies = excluded.policies, attempts = removals.attempts + 1, status = NULL,
        code = NULL, message = NULL
        WHERE removals.state = 'not-sent'
    RETURNING id,
    (SELECT count(*) FROM removals WHERE actor = ?6 AND asked_at > ?11 AND state IN ('in-flight', 'removed', 'unknown')
        AND delivery IS NOT ?2),
    (SELECT count(*) FROM removals WHERE instance = ?7 AND asked_at > ?11 AND state IN ('in-flight', 'removed', 'unknown')
        AND delivery IS NOT ?2)";

const WITHDRAW: &str =
    "UPDATE removals SET state = ?2, ended_at = ?3, policies = ?4, attempts = attempts - 1, status = ?5,
    code = ?6, message = ?7
    WHERE id = ?1 AND state = 'in-flight' RETURNING id";

const SETTLE: &str =
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, request_id = ?7
    WHERE id = ?1 AND state = 'in-flight' RETURNING id";

const REFUSE: &str = "INSERT INTO removals
    (id, delivery, state, asked_at, ended_at, caller, kind, actor, instance, user_name, reason, policies, attempts,
     status, code, message)
    VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13, ?14)
    ON CONFLICT (delivery) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at,
        ended_at = excluded.ended_at, policies = excluded.policies, status = excluded.status, code = excluded.code,
        message = excluded.message
        WHERE removals.state = 'not-sent'
    RETURNING id";

const ROW_OF: &str = "SELECT id FROM removals WHERE delivery = ?1";

const PRUNE: &str = "DELETE FROM removals WHERE id IN
    (SELECT id FROM removals WHERE actor IS NULL ORDER BY id DESC LIMIT 1000 OFFSET ?1)";

/// How often [`PRUNE`] runs: after one unproved refusal in this many.
const PRUNE_EVERY: u128 = 64;

/// A row's id: time-ordered, not to be guessed, 32 hexadecimal digits. It is the request's id too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowId(String);

impl RowId {
    /// A new id from the clock and 128 random bits.
    pub fn new(now: DateTime<Utc>, random: u128) -> Self {
        let millis = now.timestamp_millis().max(0).unsigned_abs() & 0xffff_ffff_ffff;
        Self(format!("{millis:012x}{:020x}", random >> 48))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The row of an earlier request with the same delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its id.
    pub id: RowId,
    /// What to answer.
    pub outcome: Outcome,
    /// The policies that decided it.
    pub policies: Vec<String>,
    /// TaurusDB's request id, when it answered.
    pub request_id: Option<String>,
    /// Whether it asked for the same account. A sender that gives two requests one id is told so, instead of hearing that
    /// the second account is gone.
    pub same_account: bool,
}

/// How many removals there were in the last hour: removed, running or of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// The actor's.
    pub actor: i64,
    /// The instance's.
    pub instance: i64,
}

/// What the ledger knows before a removal is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The delivery's own row, if it is there and final.
    pub earlier: Option<Earlier>,
    /// The last hour.
    pub counts: Counts,
}

/// A removal that this request, and no other, carries out. Only [`claim`] makes one.
#[derive(Debug)]
pub struct Claim<'c> {
    permit: Permit<'c>,
    id: RowId,
    counts: Counts,
}

impl<'c> Claim<'c> {
    /// What policy permitted.
    pub fn permit(&self) -> &Permit<'c> {
        &self.permit
    }

    /// The row.
    pub fn id(&self) -> &RowId {
        &self.id
    }

    /// The counts without this removal: every claim before it is in them, and none after it.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// A request that ended without a DELETE.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// The row's id.
    pub id: &'a RowId,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// The caller's name, where the route named one.
    pub caller: Option<&'a str>,
    /// Its kind.
    pub kind: Option<&'a str>,
    /// Who asked, where that was proved.
    pub actor: Option<&'a str>,
    /// The removal, where one could be read: its row then stands for the delivery.
    pub removal: Option<&'a Removal<'a>>,
    /// The policies that decided.
    pub policies: &'a [String],
    /// How it ended.
    pub outcome: &'a Outcome,
}

/// Opens the ledger: settings of the connection, and the table when it is not there.
///
/// # Errors
///
/// When it cannot be used, or was written by a newer version.
pub async fn open<H: Host>(host: &H) -> Result<(), StoreError> {
    // A database server has its own ideas about both, and they are good ones.
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        if let Err(StoreError(why)) = host.query(pragma, Vec::new()).await {
            host.log(&format!("ledger: `{pragma}` was not taken: {why}"));
        }
    }
    if version(host).await.is_err() {
        for statement in CREATE {
            host.query(statement, Vec::new()).await?;
        }
    }
    match version(host).await? {
        VERSION => Ok(()),
        other => Err(StoreError(format!(
            "the ledger has version {other}, this gateway knows {VERSION}; run the newer gateway"
        ))),
    }
}

async fn version<H: Host>(host: &H) -> Result<i64, StoreError> {
    let rows = host.query("SELECT max(version) FROM ledger", Vec::new()).await?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(version)) => Ok(*version),
        _ => Err(StoreError("the ledger has no version".into())),
    }
}

/// Looks for an earlier request with the removal's delivery, and counts the last hour.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn find<H: Host>(host: &H, removal: &Removal<'_>, now: DateTime<Utc>) -> Result<Standing, StoreError> {
    let parameters = vec![
        removal.delivery.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        hour_before(now).into(),
    ];
    let rows = host.query(FIND, parameters).await?;
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let [id, state, status, code, message, policies, request_id, instance, user_name, actors, instances] = row else {
        return Err(StoreError("the ledger answered with other columns than asked for".into()));
    };
    let counts = counts(actors, instances)?;
    let same_account =
        text(instance) == Some(&removal.instance.name) && text(user_name) == Some(removal.user_name.as_str());
    let outcome = match text(state).map(|word| State::parse(word).ok_or(word)) {
        None => None,
        // Nothing was sent then, so this request is as good as a first one.
        Some(Ok(State::NotSent)) if same_account => None,
        Some(Ok(State::InFlight)) => Some(Outcome::StillRunning),
        Some(Ok(State::Removed)) => Some(Outcome::Removed),
        Some(Err(word)) => {
            return Err(StoreError(format!("a row has the state `{word}`, which this gateway does not know")));
        }
        Some(Ok(state)) => Some(Outcome::Recorded {
            state,
            status: match status {
                Value::Integer(status) => u16::try_from(*status).ok().and_then(|s| StatusCode::from_u16(s).ok()),
                _ => None,
            }
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: text(code).unwrap_or_default().to_owned(),
            message: text(message).unwrap_or_default().to_owned(),
        }),
    };
    let earlier = outcome.map(|outcome| Earlier {
        id: RowId(text(id).unwrap_or_default().to_owned()),
        outcome,
        policies: text(policies)
            .unwrap_or_default()
            .split(',')
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
        request_id: text(request_id).map(str::to_owned),
        same_account,
    });
    Ok(Standing { earlier, counts })
}

fn hour_before(now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().saturating_sub(3_600_000)
}

fn counts(actor: &Value, instance: &Value) -> Result<Counts, StoreError> {
    match (actor, instance) {
        (Value::Integer(actor), Value::Integer(instance)) => Ok(Counts { actor: *actor, instance: *instance }),
        _ => Err(StoreError("the ledger counted something that is not a number".into())),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Null => None,
    }
}

/// Claims the removal for this request; `None` when another request with the same delivery was faster.
///
/// # Errors
///
/// When the row cannot be written; then nothing may be sent.
pub async fn claim<'c, H: Host>(
    host: &H,
    id: RowId,
    removal: &Removal<'c>,
    permit: Permit<'c>,
    now: DateTime<Utc>,
) -> Result<Option<Claim<'c>>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        removal.delivery.as_str().into(),
        now.timestamp_millis().into(),
        removal.actor.caller.as_str().into(),
        removal.actor.kind.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.reason.as_ref().map(|reason| reason.as_str()).into(),
        permit.policies().join(",").as_str().into(),
        hour_before(now).into(),
    ];
    let rows = host.query(CLAIM, parameters).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let [Value::Text(id), actors, instances] = row.as_slice() else {
        return Err(StoreError("the ledger answered with other columns than asked for".into()));
    };
    Ok(Some(Claim { permit, id: RowId(id.clone()), counts: counts(actors, instances)? }))
}

/// Records that a claimed removal was denied after all, and nothing was sent.
///
/// # Errors
///
/// When the row cannot be written or is not in flight any more; it then stays as it is.
pub async fn withdraw<H: Host>(
    host: &H,
    claim: &Claim<'_>,
    outcome: &Outcome,
    policies: &[String],
    language: Language,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let parameters = vec![
        claim.id.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        policies.join(",").as_str().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
    ];
    still_in_flight(host.query(WITHDRAW, parameters).await?)
}

/// Records how a claimed removal ended.
///
/// # Errors
///
/// When the row cannot be written or is not in flight any more; it then stays as it is.
pub async fn settle<H: Host>(
    host: &H,
    claim: &Claim<'_>,
    outcome: &Outcome,
    language: Language,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let parameters = vec![
        claim.id.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
        request_id.into(),
    ];
    still_in_flight(host.query(SETTLE, parameters).await?)
}

fn still_in_flight(rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    if rows.is_empty() { Err(StoreError("the row is not in flight any more".into())) } else { Ok(()) }
}

/// Writes the row of a request that ended without a DELETE, and says which it is: when a copy of the same delivery has one
/// already, that one stands for both.
///
/// # Errors
///
/// When the row cannot be written; the refusal stands all the same.
pub async fn refuse<H: Host>(host: &H, refusal: &Refusal<'_>, language: Language) -> Result<RowId, StoreError> {
    // A row that stands for its delivery keeps it from being decided again; that is for decisions, not for a request
    // that was refused before there was one.
    let decided = matches!(refusal.outcome.state(), State::Denied | State::NotSent);
    let removal = refusal.removal;
    let delivery = removal.filter(|_| decided).map(|removal| removal.delivery.as_str());
    let parameters = vec![
        refusal.id.as_str().into(),
        delivery.into(),
        refusal.outcome.state().as_str().into(),
        refusal.at.timestamp_millis().into(),
        refusal.caller.into(),
        refusal.kind.into(),
        refusal.actor.into(),
        removal.map(|removal| removal.instance.name.as_str()).into(),
        removal.map(|removal| removal.user_name.as_str()).into(),
        removal.and_then(|removal| removal.reason.as_ref()).map(|reason| reason.as_str()).into(),
        refusal.policies.join(",").as_str().into(),
        i64::from(refusal.outcome.status().as_u16()).into(),
        refusal.outcome.code().as_ref().into(),
        refusal.outcome.message(language).as_str().into(),
    ];
    let mut rows = host.query(REFUSE, parameters).await?;
    if refusal.actor.is_none() && host.random().is_multiple_of(PRUNE_EVERY) {
        host.query(PRUNE, vec![i64::from(UNPROVED_KEPT).into()]).await?;
    }
    if rows.is_empty() {
        rows = host.query(ROW_OF, vec![delivery.into()]).await?;
    }
    let id = rows.first().and_then(|row| row.first()).and_then(text);
    id.map(|id| RowId(id.to_owned())).ok_or_else(|| StoreError("the row is not there after it was written".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_have_one_length() {
        let id =
            |millis, random| RowId::new(DateTime::from_timestamp_millis(millis).unwrap(), random).as_str().to_owned();
        assert_eq!(id(1_700_000_000_000, u128::MAX), "018bcfe56800ffffffffffffffffffff");
        assert!(id(1_700_000_000_000, u128::MAX) < id(1_700_000_000_001, 0));
        assert_eq!(id(0, 0).len(), 32);
    }
}
