-- The ledger's schema on PostgreSQL, as the gateway makes it if it may. For an administrator whose gateway may not: run it once as the
-- owner, and again after an update; what is there stays. `BLESS=1 cargo test --test repository ledger_sql` writes this file.
DO $do$ DECLARE found bigint; BEGIN
SET LOCAL lock_timeout = '10s';
PERFORM pg_advisory_xact_lock(7305803001);
IF to_regclass('offboard.ledger') IS NOT NULL THEN SELECT max(version) INTO found FROM offboard.ledger; END IF;
IF found IS NULL THEN
IF to_regnamespace('offboard') IS NULL THEN CREATE SCHEMA offboard; END IF;
SET LOCAL search_path = offboard;

CREATE TABLE ledger (version bigint PRIMARY KEY);
CREATE TABLE removals (
    id text COLLATE "C" PRIMARY KEY,
    delivery text COLLATE "C" UNIQUE,
    state text COLLATE "C" NOT NULL,
    asked_at bigint NOT NULL,
    ended_at bigint,
    caller text COLLATE "C",
    kind text,
    actor text COLLATE "C",
    instance text COLLATE "C",
    user_name text COLLATE "C",
    reason text,
    policies text NOT NULL,
    attempts bigint NOT NULL,
    status bigint,
    code text,
    message text,
    request_id text,
    in_flight_until bigint,
    confirmed_by text,
    reference text COLLATE "C",
    expires_at bigint,
    fingerprint text,
    later text,
    dry_run bigint NOT NULL DEFAULT 0,
    claimed_at bigint,
    groups text,
    place text,
    policy_set text,
    person text COLLATE "C",
    caused_by text,
    gateway text,
    upstream_ms bigint
);
CREATE TABLE approvals (
    removal text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    person text COLLATE "C" NOT NULL,
    actor text NOT NULL,
    caller text NOT NULL,
    kind text NOT NULL,
    approved bigint NOT NULL,
    reason text,
    at bigint NOT NULL,
    groups text,
    PRIMARY KEY (removal, reference, person)
);
CREATE TABLE tokens (
    id text COLLATE "C" PRIMARY KEY,
    sealed text,
    issued_at bigint,
    expires_at bigint,
    leased_until bigint NOT NULL,
    refused text,
    refused_until bigint
);
CREATE TABLE published_keys (
    url text COLLATE "C" PRIMARY KEY,
    body text,
    fetched_at bigint,
    tried_at bigint NOT NULL
);
CREATE TABLE identities (
    caller text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    user_name text COLLATE "C" NOT NULL,
    resource text NOT NULL,
    active bigint NOT NULL,
    departures bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    former_names text,
    revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (caller, id),
    UNIQUE (caller, user_name)
);
CREATE TABLE brakes (key text COLLATE "C" PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 50);
CREATE UNIQUE INDEX removals_by_reference ON removals (reference) WHERE reference IS NOT NULL;
CREATE INDEX removals_waiting ON removals (expires_at) WHERE state IN ('awaiting-confirmation', 'awaiting-approval');
CREATE INDEX removals_waiting_by_id ON removals (id) WHERE state IN ('awaiting-confirmation', 'awaiting-approval');
CREATE INDEX removals_waiting_by_person ON removals (coalesce(person, actor), expires_at)
    WHERE state IN ('awaiting-confirmation', 'awaiting-approval');
CREATE INDEX removals_claimed_by_person ON removals (person, claimed_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX removals_claimed_by_principal ON removals (actor, claimed_at, person)
    WHERE claimed_at IS NOT NULL AND person IS DISTINCT FROM actor;
CREATE INDEX removals_claimed_on_instance ON removals (instance, claimed_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX removals_open ON removals (instance, user_name) WHERE state IN ('in-flight', 'unknown');
CREATE INDEX removals_by_actor ON removals (actor, id DESC) WHERE actor IS NOT NULL;
CREATE INDEX removals_by_instance ON removals (instance, id DESC) WHERE instance IS NOT NULL;
CREATE INDEX removals_by_user ON removals (user_name, id DESC);
CREATE INDEX removals_unproved ON removals (id) WHERE actor IS NULL;
CREATE INDEX identities_by_external_id ON identities (caller, (CAST(resource AS jsonb) ->> 'externalId'), id);
found := 4;
ELSIF found NOT BETWEEN 4 AND 5 - 1 THEN RETURN;
END IF;
SET LOCAL search_path = offboard;
IF found < 5 THEN ALTER TABLE removals ADD COLUMN notify text; END IF;
IF found < 5 THEN 
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    removal text COLLATE "C" NOT NULL,
    turn text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    created_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    due bigint NOT NULL,
    leased_until bigint NOT NULL DEFAULT 0,
    claim text COLLATE "C",
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
 END IF;
CREATE OR REPLACE FUNCTION claim(text, text, bigint, text, text, text, text, text, text, text, text, text, bigint, bigint, text, text, text) RETURNS TABLE (claimed text, by_requester bigint, on_instance bigint) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    INSERT INTO brakes (key, n) SELECT key, 1 FROM (SELECT DISTINCT keys.key COLLATE "C" AS key FROM (VALUES ('a' || $16), ('a' || $6), ('i' || $7)) AS keys (key) ORDER BY 1) AS sorted ON CONFLICT (key) DO UPDATE SET n = brakes.n + 1;
    RETURN QUERY INSERT INTO removals
            (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, caused_by, policies, policy_set,
             attempts, in_flight_until, claimed_at, place, person, gateway)
            SELECT $1, $2, 'in-flight', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $14, $3, $15, $16, $17 WHERE true ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
                reason = excluded.reason, caused_by = excluded.caused_by, policies = excluded.policies,
                policy_set = excluded.policy_set, attempts = removals.attempts + 1, status = NULL, code = NULL, message = NULL,
                request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until,
                claimed_at = excluded.claimed_at, place = excluded.place, person = excluded.person, reference = NULL,
                expires_at = NULL, fingerprint = NULL, later = NULL, gateway = excluded.gateway
                WHERE removals.state IN ('not-sent', 'not-removed') AND removals.instance IS NOT DISTINCT FROM excluded.instance
                    AND removals.user_name IS NOT DISTINCT FROM excluded.user_name
            RETURNING id, (SELECT count(*) FROM removals r WHERE r.person IN ($16, $6) AND r.claimed_at > $13) + (SELECT count(*) FROM removals r WHERE r.actor = $6 AND r.person IS DISTINCT FROM r.actor AND r.claimed_at > $13 AND (r.person IS NULL OR r.person NOT IN ($16, $6))) - (SELECT count(*) FROM removals r WHERE r.delivery = $2 AND r.claimed_at > $13), (SELECT count(*) FROM removals r WHERE r.instance = $7 AND r.claimed_at > $13) - (SELECT count(*) FROM removals r WHERE r.delivery = $2 AND r.claimed_at > $13);
END $f$;
CREATE OR REPLACE FUNCTION claim_unseen(text, text, bigint, text, text, text, text, text, text, text, text, text, bigint, bigint, text, text, bigint, bigint, bigint, text) RETURNS TABLE (claimed_delivery text, claimed text) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    INSERT INTO brakes (key, n) SELECT key, 1 FROM (SELECT DISTINCT keys.key COLLATE "C" AS key FROM (VALUES ('a' || $16), ('a' || $6), ('i' || $7)) AS keys (key) ORDER BY 1) AS sorted ON CONFLICT (key) DO UPDATE SET n = brakes.n + 1;
    RETURN QUERY INSERT INTO removals
            (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, caused_by, policies, policy_set,
             attempts, in_flight_until, claimed_at, place, person, gateway)
            SELECT $1, $2, 'in-flight', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $14, $3, $15, $16, $20 WHERE NOT EXISTS (SELECT 1 FROM removals r WHERE r.instance = $7 AND r.user_name = $8 AND r.delivery IS DISTINCT FROM $2 AND r.state IN ('in-flight', 'unknown') AND (r.state = 'unknown' OR coalesce(r.in_flight_until, 0) <= $3) AND coalesce(r.place, $15) = $15) AND (SELECT count(*) FROM removals r WHERE r.person IN ($16, $6) AND r.claimed_at > $13) + (SELECT count(*) FROM removals r WHERE r.actor = $6 AND r.person IS DISTINCT FROM r.actor AND r.claimed_at > $13 AND (r.person IS NULL OR r.person NOT IN ($16, $6))) <= $17 AND (SELECT count(*) FROM removals r WHERE r.instance = $7 AND r.claimed_at > $13) <= $18 AND (SELECT count(*) FROM removals r WHERE coalesce(r.person, r.actor) IN ($16, $6) AND r.state IN ('awaiting-confirmation', 'awaiting-approval') AND r.expires_at > $3) <= $19 ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
                reason = excluded.reason, caused_by = excluded.caused_by, policies = excluded.policies,
                policy_set = excluded.policy_set, attempts = removals.attempts + 1, status = NULL, code = NULL, message = NULL,
                request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until,
                claimed_at = excluded.claimed_at, place = excluded.place, person = excluded.person, reference = NULL,
                expires_at = NULL, fingerprint = NULL, later = NULL, gateway = excluded.gateway
                WHERE removals.state IN ('not-sent', 'not-removed') AND removals.instance IS NOT DISTINCT FROM excluded.instance
                    AND removals.user_name IS NOT DISTINCT FROM excluded.user_name
            RETURNING delivery, id;
END $f$;
CREATE OR REPLACE FUNCTION claim_several_unseen(text) RETURNS TABLE (claimed_delivery text, claimed text) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    INSERT INTO brakes (key, n) SELECT key, 1 FROM (SELECT DISTINCT keys.key COLLATE "C" AS key FROM (SELECT value, ordinality - 1 AS key FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY) j, LATERAL (VALUES ('a' || (j.value->>15)), ('a' || (j.value->>5)), ('i' || (j.value->>6))) AS keys (key) ORDER BY 1) AS sorted ON CONFLICT (key) DO UPDATE SET n = brakes.n + 1;
    RETURN QUERY INSERT INTO removals
            (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, caused_by, policies, policy_set,
             attempts, in_flight_until, claimed_at, place, person, gateway)
            SELECT j.value->>0, j.value->>1, 'in-flight', CAST(j.value->>2 AS bigint), j.value->>3, j.value->>4, j.value->>5, j.value->>6,
            j.value->>7, j.value->>8, j.value->>9, j.value->>10, j.value->>11, 1, CAST(j.value->>13 AS bigint),
            CAST(j.value->>2 AS bigint), j.value->>14, j.value->>15, j.value->>19 FROM (SELECT value, ordinality - 1 AS key FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY) j WHERE NOT EXISTS (SELECT 1 FROM removals r WHERE r.instance = (j.value->>6) AND r.user_name = (j.value->>7) AND r.delivery IS DISTINCT FROM (j.value->>1) AND r.state IN ('in-flight', 'unknown') AND (r.state = 'unknown' OR coalesce(r.in_flight_until, 0) <= CAST(j.value->>2 AS bigint)) AND coalesce(r.place, (j.value->>14)) = (j.value->>14)) AND (SELECT count(*) FROM removals r WHERE r.person IN ((j.value->>15), (j.value->>5)) AND r.claimed_at > CAST(j.value->>12 AS bigint)) + (SELECT count(*) FROM removals r WHERE r.actor = (j.value->>5) AND r.person IS DISTINCT FROM r.actor AND r.claimed_at > CAST(j.value->>12 AS bigint) AND (r.person IS NULL OR r.person NOT IN ((j.value->>15), (j.value->>5)))) + j.key <= CAST(j.value->>16 AS bigint) AND (SELECT count(*) FROM removals r WHERE r.instance = (j.value->>6) AND r.claimed_at > CAST(j.value->>12 AS bigint)) + j.key <= CAST(j.value->>17 AS bigint) AND (SELECT count(*) FROM removals r WHERE coalesce(r.person, r.actor) IN ((j.value->>15), (j.value->>5)) AND r.state IN ('awaiting-confirmation', 'awaiting-approval') AND r.expires_at > CAST(j.value->>2 AS bigint)) <= CAST(j.value->>18 AS bigint) ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
                reason = excluded.reason, caused_by = excluded.caused_by, policies = excluded.policies,
                policy_set = excluded.policy_set, attempts = removals.attempts + 1, status = NULL, code = NULL, message = NULL,
                request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until,
                claimed_at = excluded.claimed_at, place = excluded.place, person = excluded.person, reference = NULL,
                expires_at = NULL, fingerprint = NULL, later = NULL, gateway = excluded.gateway
                WHERE removals.state IN ('not-sent', 'not-removed') AND removals.instance IS NOT DISTINCT FROM excluded.instance
                    AND removals.user_name IS NOT DISTINCT FROM excluded.user_name
            RETURNING delivery, id;
END $f$;
CREATE OR REPLACE FUNCTION claim_waiting(text, text, bigint, text, text, bigint, text, text, bigint, text, text, text) RETURNS TABLE (claimed text, by_requester bigint, on_instance bigint) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    INSERT INTO brakes (key, n) SELECT key, 1 FROM (SELECT DISTINCT keys.key COLLATE "C" AS key FROM (VALUES ('a' || $11), ('a' || $7), ('i' || $8)) AS keys (key) ORDER BY 1) AS sorted ON CONFLICT (key) DO UPDATE SET n = brakes.n + 1;
    RETURN QUERY UPDATE removals SET state = 'in-flight', policies = $4, policy_set = $5, attempts = attempts + 1,
    in_flight_until = $6, claimed_at = $3, place = $10, person = $11,
    gateway = $12
    WHERE id = $1 AND state = $2 AND expires_at > $3
    RETURNING id, (SELECT count(*) FROM removals r WHERE r.person IN ($11, $7) AND r.claimed_at > $9) + (SELECT count(*) FROM removals r WHERE r.actor = $7 AND r.person IS DISTINCT FROM r.actor AND r.claimed_at > $9 AND (r.person IS NULL OR r.person NOT IN ($11, $7))) - (SELECT count(*) FROM removals r WHERE r.id = $1 AND r.claimed_at > $9), (SELECT count(*) FROM removals r WHERE r.instance = $8 AND r.claimed_at > $9) - (SELECT count(*) FROM removals r WHERE r.id = $1 AND r.claimed_at > $9);
END $f$;
CREATE OR REPLACE FUNCTION complete(text, text, bigint, bigint, text, text, text, bigint, text, bigint, text) RETURNS TABLE (completed text, tries bigint, decided text) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    
    RETURN QUERY UPDATE removals SET state = $2, ended_at = $3, status = $4, code = $5, message = $6, request_id = $7,
        attempts = attempts - 1 + $8, confirmed_by = $9, upstream_ms = $10,
        notify = coalesce($11, notify), claimed_at = CASE WHEN $2 IN ('removed', 'unknown') THEN claimed_at END
        WHERE id = $1 AND state = 'in-flight' RETURNING id, attempts, (SELECT coalesce(CAST(json_agg(json_build_object('reference', a.reference, 'person', a.person, 'actor', a.actor,
            'caller', a.caller, 'kind', a.kind, 'approved', a.approved, 'reason', a.reason, 'at', a.at, 'groups', a.groups)) AS text), '[]') FROM approvals a WHERE a.removal = removals.id);
END $f$;
CREATE OR REPLACE FUNCTION complete_several(text) RETURNS TABLE (completed text, tries bigint, decided text) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    
    RETURN QUERY UPDATE removals SET state = j.value->>1, ended_at = CAST(j.value->>2 AS bigint), status = CAST(j.value->>3 AS bigint),
        code = j.value->>4, message = j.value->>5, request_id = j.value->>6,
        attempts = attempts - 1 + CAST(j.value->>7 AS bigint), confirmed_by = j.value->>8,
        upstream_ms = CAST(j.value->>9 AS bigint), notify = coalesce(j.value->>10, notify),
        claimed_at = CASE WHEN j.value->>1 IN ('removed', 'unknown') THEN claimed_at END
        FROM (SELECT value, ordinality - 1 AS key FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY) j WHERE removals.id = j.value->>0 AND removals.state = 'in-flight' RETURNING removals.id, attempts, (SELECT coalesce(CAST(json_agg(json_build_object('reference', a.reference, 'person', a.person, 'actor', a.actor,
            'caller', a.caller, 'kind', a.kind, 'approved', a.approved, 'reason', a.reason, 'at', a.at, 'groups', a.groups)) AS text), '[]') FROM approvals a WHERE a.removal = removals.id);
END $f$;
CREATE OR REPLACE FUNCTION prune(bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = offboard, pg_temp AS $f$
    WITH gone AS (DELETE FROM removals WHERE id IN
    (SELECT id FROM removals WHERE actor IS NULL ORDER BY id DESC LIMIT 1000 OFFSET $1) RETURNING 1) SELECT count(*) FROM gone
$f$;
CREATE OR REPLACE FUNCTION prune_old(text, bigint) RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = offboard, pg_temp AS $f$
    DELETE FROM removals WHERE id IN (SELECT r.id FROM removals r WHERE r.id < $1 AND r.asked_at < $2
            AND coalesce(r.ended_at, r.asked_at) < $2 AND r.state IN ('refused', 'denied', 'expired', 'cancelled')
            AND r.delivery IS NULL ORDER BY r.id LIMIT 1000) RETURNING id
$f$;
CREATE OR REPLACE FUNCTION prune_old_delivered(text, bigint) RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = offboard, pg_temp AS $f$
    DELETE FROM removals WHERE id IN (SELECT r.id FROM removals r WHERE r.id < $1 AND r.asked_at < $2
            AND coalesce(r.ended_at, r.asked_at) < $2 AND r.state IN ('refused', 'denied', 'expired', 'cancelled')
            AND r.delivery IS NOT NULL ORDER BY r.id LIMIT 1000) RETURNING id
$f$;
CREATE OR REPLACE FUNCTION prune_votes() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = offboard, pg_temp AS $f$
    WITH gone AS (DELETE FROM approvals WHERE NOT EXISTS (SELECT 1 FROM removals r WHERE r.id = approvals.removal) RETURNING 1) SELECT count(*) FROM gone
$f$;
CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
    INSERT INTO outbox (removal, turn, event, target, number, created_at, state, due)
        SELECT NEW.id, coalesce(NEW.reference, ''), j.value->>1, j.value->>2, 0, coalesce(NEW.ended_at, NEW.asked_at), 'waiting',
            coalesce(NEW.ended_at, NEW.asked_at)
        FROM jsonb_array_elements(CAST(NEW.notify AS jsonb)) AS j(value) WHERE CASE NEW.state WHEN 'awaiting-approval' THEN j.value->>0 = 'wait' WHEN 'unknown' THEN j.value->>0 = 'unknown'
            WHEN 'awaiting-confirmation' THEN false WHEN 'in-flight' THEN false
            ELSE j.value->>0 = 'end' OR (j.value->>0 = 'told' AND EXISTS (SELECT 1 FROM outbox o WHERE o.removal = NEW.id
                AND o.target = j.value->>2 AND o.event IN ('waiting', 'unknown'))) END
        AND NOT (j.value->>1 IN ('brake', 'refused-credentials') AND EXISTS (SELECT 1 FROM outbox o WHERE o.target = j.value->>2
            AND o.event = j.value->>1 AND o.created_at > coalesce(NEW.ended_at, NEW.asked_at) - 3600000))
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $f$;
DROP TRIGGER IF EXISTS removals_told ON removals;
CREATE TRIGGER removals_told AFTER INSERT OR UPDATE OF notify ON removals FOR EACH ROW WHEN (NEW.notify IS NOT NULL)
    EXECUTE FUNCTION tell();
INSERT INTO ledger VALUES (5);
END $do$;
