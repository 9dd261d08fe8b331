//! What several statements share.

use chrono::{DateTime, Utc};

use crate::host::Value;
use crate::request::removal::RemovalRequest;

/// Counts the removals of the last hour: those that were claimed since then and are removed, running or of unknown outcome,
/// in an index alone. A statement's own row is subtracted and not left out, so that the index still suffices.
macro_rules! last_hour {
    ($column:literal, $who:literal, $since:literal) => {
        concat!("(SELECT count(*) ", last_hour!(@of "", $column, $who, $since))
    };
    ($column:literal, $who:literal, $since:literal, without $own:literal) => {
        concat!(
            last_hour!($column, $who, $since),
            " - EXISTS (SELECT 1 ",
            last_hour!(@of $own, $column, $who, $since)
        )
    };
    (@of $own:literal, $column:literal, $who:literal, $since:literal) => {
        concat!(
            "FROM removals r WHERE ",
            $own,
            "r.",
            $column,
            " = ",
            $who,
            " AND r.claimed_at > ",
            $since,
            " AND r.state IN ('in-flight', 'removed', 'unknown'))"
        )
    };
}

/// The beginning of the last hour, for [`last_hour`].
pub(super) fn hour_before(now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().saturating_sub(3_600_000)
}

/// What every statement that returns rows returns first, in the order in which `RemovalRow::read` takes it.
macro_rules! columns {
    () => {
        "removals.id, reference, state, asked_at, expires_at, ended_at, in_flight_until, caller, kind, actor, instance,
        user_name, reason, dry_run, policies, attempts, status, code, message, request_id, confirmed_by, fingerprint,
        later, delivery, groups, place,
        (SELECT json_group_array(json_object('reference', a.reference, 'person', a.person, 'actor', a.actor, 'caller', a.caller, 'kind', a.kind,
            'approved', a.approved, 'reason', a.reason, 'at', a.at, 'groups', a.groups)) FROM approvals a WHERE a.removal = removals.id)"
    };
}

/// How many columns that are.
pub(super) const WIDTH: usize = 27;

/// Caller, kind, actor, instance, account and reason of a removal: the columns of the same names, in this order.
pub(super) fn removal_columns(removal: &RemovalRequest<'_>) -> [Value; 6] {
    [
        removal.actor.caller.as_str().into(),
        removal.actor.kind.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.reason.as_ref().map(|reason| reason.as_str()).into(),
    ]
}

pub(super) use {columns, last_hour};
