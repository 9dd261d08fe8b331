//! The outbox's table and triggers on both databases.
//!
//! A row of `removals` says in its column `notify` who is told of what: a JSON array of `[phase, event, target]`. A statement that
//! writes the column has a trigger put those of the new state's phase into `outbox`, so that a message is there if and only if what it
//! tells of is. Statements that do not name the column, and rows in which it is NULL, have no trigger.
//!
//! | phase | goes out when the row |
//! |---|---|
//! | `wait` | waits for approval |
//! | `unknown` | is of unknown outcome |
//! | `end` | has ended |
//! | `told` | has ended, if the target was told before that it waits or is unknown |

/// What a trigger puts into the outbox, of `$list`, the elements of the column. A brake that is hit, and credentials that are refused,
/// are told of once an hour: each request after that would say the same.
macro_rules! told {
    ($list:literal) => {
        concat!(
            "INSERT INTO outbox (removal, turn, event, target, number, created_at, state, due)
        SELECT NEW.id, coalesce(NEW.reference, ''), j.value->>1, j.value->>2, 0, coalesce(NEW.ended_at, NEW.asked_at), 'waiting',
            coalesce(NEW.ended_at, NEW.asked_at)
        FROM ",
            $list,
            " WHERE CASE NEW.state WHEN 'awaiting-approval' THEN j.value->>0 = 'wait' WHEN 'unknown' THEN j.value->>0 = 'unknown'
            WHEN 'awaiting-confirmation' THEN false WHEN 'in-flight' THEN false
            ELSE j.value->>0 = 'end' OR (j.value->>0 = 'told' AND EXISTS (SELECT 1 FROM outbox o WHERE o.removal = NEW.id
                AND o.target = j.value->>2 AND o.event IN ('waiting', 'unknown'))) END
        AND NOT (j.value->>1 IN ('brake', 'refused-credentials') AND EXISTS (SELECT 1 FROM outbox o WHERE o.target = j.value->>2
            AND o.event = j.value->>1 AND o.created_at > coalesce(NEW.ended_at, NEW.asked_at) - 3600000))
        ON CONFLICT DO NOTHING"
        )
    };
}

/// The table on SQLite.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY NOT NULL,
        removal TEXT NOT NULL,
        turn TEXT NOT NULL,
        event TEXT NOT NULL,
        target TEXT NOT NULL,
        number INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        due INTEGER NOT NULL,
        leased_until INTEGER NOT NULL DEFAULT 0,
        claim TEXT,
        interrupted INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        tried_at INTEGER,
        ended_at INTEGER,
        handle TEXT,
        why TEXT,
        UNIQUE (removal, turn, event, target, number)
    ) STRICT";

/// Rows to be sent, and those of a target by when they were tried and made.
pub(super) const DUE: &str = "CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due, id) WHERE state = 'waiting'";
pub(super) const BY_TARGET: &str = "CREATE INDEX IF NOT EXISTS outbox_by_target ON outbox (target, tried_at)";
pub(super) const BY_EVENT: &str = "CREATE INDEX IF NOT EXISTS outbox_by_event ON outbox (target, event, created_at)
        WHERE event IN ('brake', 'refused-credentials')";

/// The triggers on SQLite.
pub(super) const ON_INSERT: &str = concat!(
    "CREATE TRIGGER IF NOT EXISTS removals_told_on_insert AFTER INSERT ON removals WHEN NEW.notify IS NOT NULL BEGIN
        ",
    told!("json_each(NEW.notify) AS j"),
    "; END"
);
pub(super) const ON_UPDATE: &str = concat!(
    "CREATE TRIGGER IF NOT EXISTS removals_told_on_update AFTER UPDATE OF notify ON removals WHEN NEW.notify IS NOT NULL BEGIN
        ",
    told!("json_each(NEW.notify) AS j"),
    "; END"
);

/// The table and its indexes on PostgreSQL.
pub(super) const POSTGRES_TABLE: &str = "
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    removal text COLLATE \"C\" NOT NULL,
    turn text COLLATE \"C\" NOT NULL,
    event text COLLATE \"C\" NOT NULL,
    target text COLLATE \"C\" NOT NULL,
    number bigint NOT NULL,
    created_at bigint NOT NULL,
    state text COLLATE \"C\" NOT NULL,
    due bigint NOT NULL,
    leased_until bigint NOT NULL DEFAULT 0,
    claim text COLLATE \"C\",
    interrupted bigint NOT NULL DEFAULT 0,
    attempts bigint NOT NULL DEFAULT 0,
    tried_at bigint,
    ended_at bigint,
    handle text,
    why text,
    UNIQUE (removal, turn, event, target, number)
);
CREATE INDEX outbox_due ON outbox (due, id) WHERE state = 'waiting';
CREATE INDEX outbox_by_target ON outbox (target, tried_at);
CREATE INDEX outbox_by_event ON outbox (target, event, created_at) WHERE event IN ('brake', 'refused-credentials');
";

/// The trigger on PostgreSQL. It runs as the user whose statement it belongs to.
pub(super) const POSTGRES_TRIGGER: &str = concat!(
    "CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
    ",
    told!("jsonb_array_elements(CAST(NEW.notify AS jsonb)) AS j(value)"),
    ";
    RETURN NULL;
END $f$;
DROP TRIGGER IF EXISTS removals_told ON removals;
CREATE TRIGGER removals_told AFTER INSERT OR UPDATE OF notify ON removals FOR EACH ROW WHEN (NEW.notify IS NOT NULL)
    EXECUTE FUNCTION tell();
"
);
