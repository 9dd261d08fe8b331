-- What the gateway's own user may do, once an administrator has run ledger.sql: read everything, write rows, and change what happens to
-- a removal; not who asked for what, and delete nothing but what expires. Run it as the owner of the schema `offboard`.
GRANT USAGE ON SCHEMA offboard TO offboard_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA offboard TO offboard_gateway;
GRANT INSERT ON offboard.removals, offboard.approvals, offboard.tokens, offboard.published_keys, offboard.identities, offboard.brakes,
    offboard.outbox TO offboard_gateway;
GRANT UPDATE (state, asked_at, ended_at, reason, caused_by, policies, policy_set, attempts, status, code, message, request_id,
    confirmed_by, reference, expires_at, fingerprint, later, groups, in_flight_until, claimed_at, place, person, gateway, upstream_ms, notify)
    ON offboard.removals TO offboard_gateway;
GRANT UPDATE ON offboard.tokens, offboard.published_keys, offboard.identities, offboard.brakes, offboard.outbox
    TO offboard_gateway;
-- People whom an identity system deletes, tokens and key sets that have expired, and messages that ended long ago.
GRANT DELETE ON offboard.identities, offboard.tokens, offboard.published_keys, offboard.outbox TO offboard_gateway;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA offboard TO offboard_gateway;
