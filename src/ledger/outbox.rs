//! The outbox: what is told to whom, and how far each message has come. Rows get in by the statements that write what they tell of
//! (`outbox_schema.rs`), and by the job that reminds.
//!
//! A message is leased before it is sent, by a claim that no other has, and finished by that claim alone: a sender that comes too late
//! changes nothing. A lease that ended without being finished is seen by the next one (`interrupted`): the message may have been sent.

use chrono::{DateTime, Utc};

use crate::config::notify::NotifyEvent;
use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::row::RemovalId;
use crate::ledger::sql::other_columns;

macro_rules! returning {
    () => {
        " RETURNING id, removal, turn, event, target, number, created_at, attempts, interrupted"
    };
}

/// Takes the message that has been due for longest. Targets in `?4` (names between commas) take few messages a minute: none that was
/// tried after `?5` is tried again. What was decided waits while the message that it replaces is on its way.
///
/// The lease is looked at again outside: on PostgreSQL another one may have come first.
pub(super) const LEASE: &str = concat!(
    "UPDATE outbox SET leased_until = ?2, claim = ?3, tried_at = ?1, attempts = attempts + 1,
    interrupted = CASE WHEN claim IS NULL THEN 0 ELSE 1 END
    WHERE state = 'waiting' AND leased_until <= ?1 AND id = (SELECT o.id FROM outbox o
        WHERE o.state = 'waiting' AND o.due <= ?1 AND o.leased_until <= ?1
        AND (replace(?4, ',' || o.target || ',', '') = ?4
            OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.target = o.target AND p.tried_at > ?5))
        AND NOT (o.event = 'decided' AND EXISTS (SELECT 1 FROM outbox w WHERE w.removal = o.removal AND w.target = o.target
            AND w.event IN ('waiting', 'reminder') AND w.state = 'waiting' AND w.leased_until > ?1))
        ORDER BY o.due, o.id LIMIT 1 /* skip locked */)",
    returning!()
);

/// Takes more messages of the same event to the same target, for one request to its platform.
pub(super) const LEASE_MORE: &str = concat!(
    "UPDATE outbox SET leased_until = ?2, claim = ?3, tried_at = ?1, attempts = attempts + 1, interrupted = 0
    WHERE state = 'waiting' AND leased_until <= ?1 AND claim IS NULL AND id IN (SELECT o.id FROM outbox o
        WHERE o.state = 'waiting' AND o.due <= ?1 AND o.leased_until <= ?1 AND o.claim IS NULL AND o.target = ?4 AND o.event = ?5
        ORDER BY o.due, o.id LIMIT ?6 /* skip locked */)",
    returning!()
);

const FINISH: &str =
    "UPDATE outbox SET state = ?3, due = ?4, ended_at = ?5, handle = ?6, why = ?7, leased_until = 0, claim = NULL
    WHERE id = ?1 AND claim = ?2 AND state = 'waiting' RETURNING id";

const FIRST_HANDLE: &str =
    "SELECT handle FROM outbox WHERE removal = ?1 AND turn = ?2 AND target = ?3 AND event IN ('waiting', 'unknown')
    AND state = 'delivered' AND handle IS NOT NULL ORDER BY id LIMIT 1";

/// A message to a target that was not told, or is reminded, of a row that still waits; none while another of them is on its way.
const ADD: &str = "INSERT INTO outbox (removal, turn, event, target, number, created_at, state, due)
    SELECT r.id, r.reference, ?3, ?4, ?5, ?6, 'waiting', ?6 FROM removals r
    WHERE r.id = ?1 AND r.reference = ?2 AND r.state = 'awaiting-approval' AND r.expires_at > ?6
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.removal = ?1 AND o.turn = ?2 AND o.target = ?4
        AND o.event IN ('waiting', 'reminder') AND o.state = 'waiting')
    ON CONFLICT DO NOTHING RETURNING id";

/// What the targets have been told of the rows between two ids: the last number of each event.
const TOLD: &str = "SELECT removal, turn, event, target, max(number) FROM outbox
    WHERE removal >= ?1 AND removal <= ?2 AND event IN ('waiting', 'reminder') GROUP BY removal, turn, event, target";

const OLD: &str =
    "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox o WHERE o.ended_at < ?1 AND o.state <> 'waiting'
    ORDER BY o.id LIMIT 1000) RETURNING id";

const COUNT: &str = "SELECT state, target, count(*), min(created_at) FROM outbox
    WHERE state = 'waiting' OR (state IN ('dead', 'unknown') AND ended_at >= ?1) GROUP BY state, target";

pub(super) const STATEMENTS: &[&str] = &[LEASE, LEASE_MORE, FINISH, FIRST_HANDLE, ADD, TOLD, OLD, COUNT];

/// A message that this request, and no other, sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedMessage {
    id: i64,
    /// The removal that it is about.
    pub removal: String,
    /// The reference by which the removal waited when it was made; empty if it did not.
    pub turn: String,
    /// What it tells of.
    pub event: NotifyEvent,
    /// The name of its target.
    pub target: String,
    /// Which reminder it is; 0 for what is told once.
    pub number: i64,
    /// When what it tells of happened, in milliseconds since 1970.
    pub created_at: i64,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// Whether an earlier try was not finished, so that the message may have been sent.
    pub was_interrupted: bool,
}

/// What becomes of a leased message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageEnd {
    /// The platform has taken it, and refers to it by this.
    Delivered(Option<String>),
    /// It is tried again, not before this time, in milliseconds since 1970.
    Later(i64, String),
    /// It is not told any more: what it tells of has changed.
    Superseded,
    /// It may have been delivered, and is not sent again.
    Unknown(String),
    /// It cannot be delivered.
    Dead(String),
}

impl MessageEnd {
    /// The word in the ledger.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Later(..) => "waiting",
            Self::Superseded => "superseded",
            Self::Unknown(_) => "unknown",
            Self::Dead(_) => "dead",
        }
    }
}

/// A lease: who sends, and until when no other does.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// Letters and digits that no other lease has.
    pub claim: &'a str,
    /// Now, in milliseconds since 1970, as all times here.
    pub now: i64,
    /// Until when no other gateway sends it: longer than any attempt takes.
    pub until: i64,
    /// The targets that take few messages a minute, between commas: `,a,b,`.
    pub paced: &'a str,
    /// Since when one of those may not have been tried.
    pub not_since: i64,
}

/// A message that the job adds.
#[derive(Debug, Clone, Copy)]
pub struct AddedMessage<'a> {
    /// The removal.
    pub removal: &'a RemovalId,
    /// The reference by which it waits.
    pub turn: &'a str,
    /// [`NotifyEvent::Waiting`] or [`NotifyEvent::Reminder`].
    pub event: NotifyEvent,
    /// The target.
    pub target: &'a str,
    /// Which reminder.
    pub number: i64,
}

/// What a target was told of a removal last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldBefore {
    /// The removal.
    pub removal: String,
    /// The reference by which it waited.
    pub turn: String,
    /// Of what.
    pub event: NotifyEvent,
    /// The target.
    pub target: String,
    /// The last number.
    pub number: i64,
}

/// Messages of one state and target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Messages {
    /// `waiting`, `dead` or `unknown`.
    pub state: String,
    /// The target.
    pub target: String,
    /// How many.
    pub count: i64,
    /// When the oldest was made, in milliseconds since 1970.
    pub oldest: i64,
}

fn event(word: &str) -> Result<NotifyEvent, StoreError> {
    let unknown = || StoreError::Failed(format!("a message has the event `{word}`, which this gateway does not know"));
    NotifyEvent::parse(word).ok_or_else(unknown)
}

fn leased(row: Vec<Value>) -> Result<LeasedMessage, StoreError> {
    match <[Value; 9]>::try_from(row) {
        Ok(
            [
                Value::Integer(id),
                Value::Text(removal),
                Value::Text(turn),
                Value::Text(word),
                Value::Text(target),
                Value::Integer(number),
                Value::Integer(created_at),
                Value::Integer(attempts),
                Value::Integer(interrupted),
            ],
        ) => Ok(LeasedMessage {
            id,
            removal,
            turn,
            event: event(&word)?,
            target,
            number,
            created_at,
            attempts,
            was_interrupted: interrupted != 0,
        }),
        _ => other_columns(),
    }
}

impl<H: Host> Ledger<'_, H> {
    /// Leases the message that has been due for longest; `None` if none is due.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used; then nothing may be sent.
    pub async fn lease_message(&self, lease: &Lease<'_>) -> Result<Option<LeasedMessage>, StoreError> {
        let Lease { claim, now, until, paced, not_since } = *lease;
        let parameters = vec![now.into(), until.into(), claim.into(), paced.into(), not_since.into()];
        let rows = self.host().query(LEASE, parameters).await?;
        rows.into_iter().next().map(leased).transpose()
    }

    /// Leases at most `most` messages that can be sent together with this one.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used; then they may not be sent.
    pub async fn lease_more(
        &self,
        lease: &Lease<'_>,
        with: &LeasedMessage,
        most: i64,
    ) -> Result<Vec<LeasedMessage>, StoreError> {
        let Lease { claim, now, until, .. } = *lease;
        let (target, event) = (with.target.as_str(), with.event.as_str());
        let parameters = vec![now.into(), until.into(), claim.into(), target.into(), event.into(), most.into()];
        self.host().query(LEASE_MORE, parameters).await?.into_iter().map(leased).collect()
    }

    /// Writes what became of a leased message, and returns whether the lease was still this one.
    ///
    /// # Errors
    ///
    /// If it cannot be written; the next lease then sees that this one was interrupted.
    pub async fn finish_message(
        &self,
        message: &LeasedMessage,
        claim: &str,
        end: &MessageEnd,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = now.timestamp_millis();
        let (due, ended_at) = match end {
            MessageEnd::Later(due, _) => (*due, None),
            _ => (message.created_at, Some(now)),
        };
        let (handle, why) = match end {
            MessageEnd::Delivered(handle) => (handle.as_deref(), None),
            MessageEnd::Superseded => (None, None),
            MessageEnd::Later(_, why) | MessageEnd::Unknown(why) | MessageEnd::Dead(why) => (None, Some(why.as_str())),
        };
        let parameters = vec![
            message.id.into(),
            claim.into(),
            end.as_str().into(),
            due.into(),
            ended_at.into(),
            handle.into(),
            why.into(),
        ];
        Ok(!self.host().query(FINISH, parameters).await?.is_empty())
    }

    /// How the platform refers to the first message about a removal to this target; `None` if it has none or does not say.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn first_handle(&self, message: &LeasedMessage) -> Result<Option<String>, StoreError> {
        let parameters =
            vec![message.removal.as_str().into(), message.turn.as_str().into(), message.target.as_str().into()];
        let rows = self.host().query(FIRST_HANDLE, parameters).await?;
        Ok(match rows.into_iter().next().and_then(|row| row.into_iter().next()) {
            Some(Value::Text(handle)) => Some(handle),
            _ => None,
        })
    }

    /// Adds a message about a row that waits for approval; whether it was added: not if it is there, if another about the row is on its
    /// way to the target, or if the row does not wait any more.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub async fn add_message(&self, added: &AddedMessage<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let AddedMessage { removal, turn, event, target, number } = *added;
        let parameters = vec![
            removal.as_str().into(),
            turn.into(),
            event.as_str().into(),
            target.into(),
            number.into(),
            now.timestamp_millis().into(),
        ];
        Ok(!self.host().query(ADD, parameters).await?.is_empty())
    }

    /// What the targets were told of the rows from `first` to `last`, by their ids.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn told_before(&self, first: &str, last: &str) -> Result<Vec<ToldBefore>, StoreError> {
        let rows = self.host().query(TOLD, vec![first.into(), last.into()]).await?;
        let read = |row: Vec<Value>| match <[Value; 5]>::try_from(row) {
            Ok(
                [
                    Value::Text(removal),
                    Value::Text(turn),
                    Value::Text(word),
                    Value::Text(target),
                    Value::Integer(number),
                ],
            ) => Ok(ToldBefore { removal, turn, event: event(&word)?, target, number }),
            _ => other_columns(),
        };
        rows.into_iter().map(read).collect()
    }

    /// Deletes at most a thousand messages that ended before a time, and returns how many.
    ///
    /// # Errors
    ///
    /// If they cannot be deleted.
    pub async fn prune_messages(&self, before: DateTime<Utc>) -> Result<usize, StoreError> {
        Ok(self.host().query(OLD, vec![before.timestamp_millis().into()]).await?.len())
    }

    /// Messages that wait, and those that could not be delivered, or perhaps were not, since a moment; in order.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn count_messages(&self, since: DateTime<Utc>) -> Result<Vec<Messages>, StoreError> {
        let rows = self.host().query(COUNT, vec![since.timestamp_millis().into()]).await?;
        let read = |row: Vec<Value>| match <[Value; 4]>::try_from(row) {
            Ok([Value::Text(state), Value::Text(target), Value::Integer(count), Value::Integer(oldest)]) => {
                Ok(Messages { state, target, count, oldest })
            }
            _ => other_columns(),
        };
        let mut messages: Vec<_> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        messages.sort_unstable();
        Ok(messages)
    }
}
