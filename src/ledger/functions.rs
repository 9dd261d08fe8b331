//! The statements that are the bodies of functions on PostgreSQL ([`super::postgres_functions`]): those that make a claim or write
//! how it ended, and those that delete.

use crate::host::Batched;
use crate::ledger::sql::{each, last_hour, unresolved, votes, waiting};

/// A delivery that certainly did nothing may be claimed again for the same account; any other is taken.
macro_rules! claim {
    (select $values:expr, returning $returning:expr) => {
        concat!(
            "INSERT INTO removals
            (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, caused_by, policies, policy_set,
             attempts, in_flight_until, claimed_at, place, person, gateway)
            SELECT ",
            $values,
            " ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
                reason = excluded.reason, caused_by = excluded.caused_by, policies = excluded.policies,
                policy_set = excluded.policy_set, attempts = removals.attempts + 1, status = NULL, code = NULL, message = NULL,
                request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until,
                claimed_at = excluded.claimed_at, place = excluded.place, person = excluded.person, reference = NULL,
                expires_at = NULL, fingerprint = NULL, later = NULL, gateway = excluded.gateway
                WHERE removals.state IN ('not-sent', 'not-removed') AND removals.instance IS NOT DISTINCT FROM excluded.instance
                    AND removals.user_name IS NOT DISTINCT FROM excluded.user_name
            RETURNING ",
            $returning
        )
    };
}

pub(super) const CLAIM: &str = claim!(
    select "?1, ?2, 'in-flight', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?14, ?3, ?15, ?16, ?17 WHERE true",
    returning concat!(
        "id, ",
        last_hour!(by "?16", "?6", since "?13"),
        " - ",
        last_hour!(own "r.delivery = ?2", since "?13"),
        ", ",
        last_hour!(on "?7", since "?13"),
        " - ",
        last_hour!(own "r.delivery = ?2", since "?13")
    )
);

/// The condition of a claim of which nothing was looked up: nothing else may be known of the account, and the counts may not exceed
/// those that the decision holds for. `more` is how many claims of the same statement may come before it: no count sees them.
macro_rules! quiet {
    (of $person:literal, $actor:literal, $instance:literal, $user_name:literal, not $delivery:literal, at $place:literal,
     now $now:literal, since $since:literal, most $most:literal, $most_on:literal, $most_waiting:literal, more $more:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 ",
            unresolved!(rows $instance, $user_name, not $delivery, now $now, at $place),
            ") AND ",
            last_hour!(by $person, $actor, since $since),
            $more,
            " <= ",
            $most,
            " AND ",
            last_hour!(on $instance, since $since),
            $more,
            " <= ",
            $most_on,
            " AND ",
            waiting!($person, $actor, now $now),
            " <= ",
            $most_waiting
        )
    };
}

/// Claims without having looked.
pub(super) const CLAIM_UNSEEN: Batched = Batched {
    one: claim!(
        select concat!(
            "?1, ?2, 'in-flight', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?14, ?3, ?15, ?16, ?20 WHERE ",
            quiet!(of "?16", "?6", "?7", "?8", not "?2", at "?15", now "?3", since "?13", most "?17", "?18", "?19", more "")
        ),
        returning "delivery, id"
    ),
    // SQLite reads all of what is selected from `removals` before it writes any of it there.
    many: claim!(
        select concat!(
            "j.value->>0, j.value->>1, 'in-flight', CAST(j.value->>2 AS bigint), j.value->>3, j.value->>4, j.value->>5, j.value->>6,
            j.value->>7, j.value->>8, j.value->>9, j.value->>10, j.value->>11, 1, CAST(j.value->>13 AS bigint),
            CAST(j.value->>2 AS bigint), j.value->>14, j.value->>15, j.value->>19 FROM ",
            each!(),
            " WHERE ",
            quiet!(of "(j.value->>15)", "(j.value->>5)", "(j.value->>6)", "(j.value->>7)", not "(j.value->>1)",
                at "(j.value->>14)", now "CAST(j.value->>2 AS bigint)", since "CAST(j.value->>12 AS bigint)",
                most "CAST(j.value->>16 AS bigint)", "CAST(j.value->>17 AS bigint)", "CAST(j.value->>18 AS bigint)",
                more " + j.key")
        ),
        returning "delivery, id"
    ),
    key: 1,
};

/// The counts are those of every claim before this one; the row's own state is `in-flight` by then, hence the id.
pub(super) const CLAIM_WAITING: &str = concat!(
    "UPDATE removals SET state = 'in-flight', policies = ?4, policy_set = ?5, attempts = attempts + 1,
    in_flight_until = ?6, claimed_at = ?3, place = ?10, person = ?11,
    gateway = ?12
    WHERE id = ?1 AND state = ?2 AND expires_at > ?3
    RETURNING id, ",
    last_hour!(by "?11", "?7", since "?9"),
    " - ",
    last_hour!(own "r.id = ?1", since "?9"),
    ", ",
    last_hour!(on "?8", since "?9"),
    " - ",
    last_hour!(own "r.id = ?1", since "?9")
);

/// Returns what the claim does not know of its row: how often it was tried before, and what approvers decided.
pub(super) const COMPLETE: Batched = Batched {
    one: concat!(
        "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, request_id = ?7,
        attempts = attempts - 1 + ?8, confirmed_by = ?9, upstream_ms = ?10,
        notify = coalesce(?11, notify), claimed_at = CASE WHEN ?2 IN ('removed', 'unknown') THEN claimed_at END
        WHERE id = ?1 AND state = 'in-flight' RETURNING id, attempts, ",
        votes!()
    ),
    many: concat!(
        "UPDATE removals SET state = j.value->>1, ended_at = CAST(j.value->>2 AS bigint), status = CAST(j.value->>3 AS bigint),
        code = j.value->>4, message = j.value->>5, request_id = j.value->>6,
        attempts = attempts - 1 + CAST(j.value->>7 AS bigint), confirmed_by = j.value->>8,
        upstream_ms = CAST(j.value->>9 AS bigint), notify = coalesce(j.value->>10, notify),
        claimed_at = CASE WHEN j.value->>1 IN ('removed', 'unknown') THEN claimed_at END
        FROM ",
        each!(),
        " WHERE removals.id = j.value->>0 AND removals.state = 'in-flight' RETURNING removals.id, attempts, ",
        votes!()
    ),
    key: 0,
};

/// Deletes refusals whose sender was not proved, but the newest.
pub(super) const PRUNE: &str = "DELETE FROM removals WHERE id IN
    (SELECT id FROM removals WHERE actor IS NULL ORDER BY id DESC LIMIT 1000 OFFSET ?1)";

macro_rules! old {
    ($delivery:literal) => {
        concat!(
            "DELETE FROM removals WHERE id IN (SELECT r.id FROM removals r WHERE r.id < ?1 AND r.asked_at < ?2
            AND coalesce(r.ended_at, r.asked_at) < ?2 AND r.state IN ('refused', 'denied', 'expired', 'cancelled')
            AND r.delivery ",
            $delivery,
            " ORDER BY r.id LIMIT 1000) RETURNING id"
        )
    };
}

/// Deletes old rows that stand for no delivery, [`super::retention`] says which.
pub(super) const OLD: &str = old!("IS NULL");

/// Deletes old rows that stand for one.
pub(super) const OLD_DELIVERED: &str = old!("IS NOT NULL");

/// What approvers decided about rows that are gone.
pub(super) const OLD_VOTES: &str =
    "DELETE FROM approvals WHERE NOT EXISTS (SELECT 1 FROM removals r WHERE r.id = approvals.removal)";
