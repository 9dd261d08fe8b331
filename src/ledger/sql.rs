//! What several statements share.

use chrono::{DateTime, Utc};

use crate::host::{StoreError, Value};
use crate::request::removal::RemovalRequest;

/// The schema that the tables are in on PostgreSQL.
macro_rules! schema {
    () => {
        "offboard"
    };
}

/// Counts the removals of the last hour, in indexes alone: only rows that are removed, running or of unknown outcome have a
/// `claimed_at`. Of an instance, or of a requester: the person who asked or who caused it, and the principal who asked, each
/// removal once. A statement's own row is subtracted and not left out, so that the indexes still suffice.
macro_rules! last_hour {
    (on $instance:literal, since $since:literal) => {
        concat!("(SELECT count(*) ", last_hour!(@rows "r.instance = ", $instance, $since), ")")
    };
    (by $person:literal, $actor:literal, since $since:literal) => {
        concat!(
            "(SELECT count(*) ",
            last_hour!(@rows "r.person IN (", $person, ", ", $actor, ")", $since),
            ") + (SELECT count(*) ",
            last_hour!(@rows "r.actor = ", $actor, " AND r.person IS DISTINCT FROM r.actor", $since),
            " AND (r.person IS NULL OR r.person NOT IN (",
            $person,
            ", ",
            $actor,
            ")))"
        )
    };
    (own $own:literal, since $since:literal) => {
        concat!("(SELECT count(*) ", last_hour!(@rows $own, $since), ")")
    };
    (@rows $($which:literal),+) => {
        concat!("FROM removals r WHERE ", last_hour!(@and $($which),+))
    };
    (@and $which:literal, $since:literal) => { concat!($which, " AND r.claimed_at > ", $since) };
    (@and $which:literal, $($more:literal),+) => { concat!($which, last_hour!(@and $($more),+)) };
}

/// Counts the requests of a person that wait for a confirmation or an approval.
macro_rules! waiting {
    ($person:literal, $actor:literal, now $now:literal) => {
        concat!("(SELECT count(*) ", waiting!(@rows $person, $actor, $now), ")")
    };
    ($person:literal, $actor:literal, now $now:literal, before $id:literal) => {
        concat!("(SELECT count(*) ", waiting!(@rows $person, $actor, $now), " AND r.id < ", $id, ")")
    };
    (@rows $person:literal, $actor:literal, $now:literal) => {
        concat!(
            "FROM removals r WHERE coalesce(r.person, r.actor) IN (",
            $person,
            ", ",
            $actor,
            ") AND r.state IN ('awaiting-confirmation', 'awaiting-approval') AND r.expires_at > ",
            $now
        )
    };
}

/// Whether other deliveries have removals of an account that only the account list can settle: their effect is not known, and no
/// request carries them out any more. Of removals that went to another place than the instance is at now, the list says nothing.
macro_rules! unresolved {
    (rows $instance:literal, $user_name:literal, not $delivery:literal, now $now:literal, at $place:literal) => {
        concat!(
            "FROM removals r WHERE r.instance = ",
            $instance,
            " AND r.user_name = ",
            $user_name,
            " AND r.delivery IS DISTINCT FROM ",
            $delivery,
            " AND r.state IN ('in-flight', 'unknown') AND (r.state = 'unknown' OR coalesce(r.in_flight_until, 0) <= ",
            $now,
            ") AND coalesce(r.place, ",
            $place,
            ") = ",
            $place
        )
    };
}

/// The items of a batch: `j.value` has the values of each, `j.key` its number, from 0.
macro_rules! each {
    () => {
        "json_each(?1) j"
    };
    (postgres) => {
        "(SELECT value, ordinality - 1 AS key FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY) j"
    };
}

/// The first id that a row of this moment could have: an id begins with the time of its first try.
pub(super) fn first_id(millis: i64) -> String {
    format!("{:012x}", millis.clamp(0, 0xffff_ffff_ffff))
}

/// The beginning of the last hour, for [`last_hour`].
pub(super) fn hour_before(now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().saturating_sub(3_600_000)
}

/// What every statement that returns rows returns first, in the order in which `RemovalRow::read` takes it.
macro_rules! columns {
    () => {
        concat!("removals.id, reference, state, asked_at, expires_at, ended_at, in_flight_until, caller, kind, actor, instance,
        user_name, reason, dry_run, policies, attempts, status, code, message, request_id, confirmed_by, fingerprint,
        later, delivery, groups, place, policy_set, caused_by, gateway, ", $crate::ledger::sql::votes!())
    };
}

/// What approvers decided about a row, as JSON.
macro_rules! votes {
    () => {
        $crate::ledger::sql::votes!(@"json_group_array", "json_object", "")
    };
    (postgres) => {
        $crate::ledger::sql::votes!(@"coalesce(CAST(json_agg", "json_build_object", " AS text), '[]')")
    };
    (@$group:literal, $object:literal, $end:literal) => {
        concat!("(SELECT ", $group, "(", $object, "('reference', a.reference, 'person', a.person, 'actor', a.actor,
            'caller', a.caller, 'kind', a.kind, 'approved', a.approved, 'reason', a.reason, 'at', a.at, 'groups', a.groups))",
            $end, " FROM approvals a WHERE a.removal = removals.id)")
    };
}

/// The error for a row that does not have the columns of its statement.
pub(super) fn other_columns<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("the ledger answered with other columns than asked for".into()))
}

/// Later than every id.
pub(super) const END: &str = "g";

/// How many columns that are.
pub(super) const WIDTH: usize = 30;

/// Caller, kind, actor, instance, account, reason and `caused_by` of a removal: the columns of the same names, in this order.
pub(super) fn removal_columns(removal: &RemovalRequest<'_>) -> [Value; 7] {
    [
        removal.actor.caller.as_str().into(),
        removal.actor.kind.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.reason.as_ref().map(|reason| reason.as_str()).into(),
        removal.caused_by.as_deref().into(),
    ]
}

/// What PostgreSQL has other words for, in parts of statements. What only PostgreSQL needs is a comment for SQLite.
const PARTS: [(&str, &str); 6] = [
    (each!(), each!(postgres)),
    // As a text: the server takes a parameter that is cast to JSON for one.
    ("json_each(CAST(?1 AS text)) j", "json_array_elements(CAST(CAST($1 AS text) AS json)) j(value)"),
    (votes!(), votes!(postgres)),
    ("json_extract(resource, '$.externalId')", "(CAST(resource AS jsonb) ->> 'externalId')"),
    // While END commits, a SELECT without a lock would still see the row as waiting.
    ("/* for share */", "FOR SHARE"),
    // Of two that lease at once, the second takes the next message instead of waiting for the first one's.
    ("/* skip locked */", "FOR UPDATE OF o SKIP LOCKED"),
];

/// A statement in PostgreSQL's words. No text in one has a question mark.
pub(super) fn in_postgres(statement: &str) -> String {
    let words = PARTS.iter().fold(statement.to_owned(), |text, (sqlite, postgres)| text.replace(sqlite, postgres));
    words.replace('?', "$")
}

pub(super) use {columns, each, last_hour, schema, unresolved, votes, waiting};
