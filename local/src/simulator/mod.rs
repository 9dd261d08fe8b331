//! The simulated cloud: a real HTTP server with the accounts of StarRocks instances and the tokens of IAM in memory, for
//! development and tests.
//!
//! `api` is TaurusDB, `iam` is IAM, `auth` authenticates requests for both, [`Fault`](fault::Fault) makes both fail.
//! [`chat_platform`] is a separate server: it receives follow-ups. So is [`identity_provider`]: people sign in there.
//!
//! # Documented
//!
//! From the API page "Deleting a Database Account of a StarRocks Instance" (2025-07-29): the path, the forms of project ID
//! and instance ID, the mandatory `user_name`, `X-Language` with its two values, 200 `{"result":"SUCCESS"}`, and
//! `{"error_code":"…","error_msg":"…"}` with 400.
//!
//! # Seen
//!
//! In the official SDKs, the Terraform provider and other pages of the vendor:
//! - the plural path, and no other: the example of that page has the singular, which gets 404 APIGW.0101 here;
//! - SDK-HMAC-SHA256 with a clock skew of up to 15 minutes, and `X-Security-Token` of temporary keys, signed;
//! - the codes DBS.280404 (instance ID), DBS.280292 (user name), DBS.280001 (parameter), DBS.200002 (no such instance),
//!   DBS.200019 (another operation), DBS.200005 (internal), APIGW.0101, APIGW.0301, APIGW.0302, APIGW.0307, APIGW.0308,
//!   and the wording of the API gateway's codes, with a `request_id` in the body;
//! - the list call with its limits, and `X-Request-Id` on every answer;
//! - IAM's call for a token, by password and by agency: the path with `nocatalog=true`, the bodies, 201 with
//!   `X-Subject-Token` and `token.expires_at`, 24 hours, tokens of several thousand characters;
//! - the two shapes of IAM's errors; IAM.0001 and IAM.0011 with their wording, at other calls of IAM.
//!
//! # Inferred
//!
//! No document confirms these, so clients should not depend on them:
//! - 400 DBS.200824 for an account that does not exist;
//! - 403 DBS.200819 for a system account, which raises an alarm here, too ([`Simulator::alarms`](server::Simulator::alarms));
//! - the names that are refused without a lookup: here all but 1 to 64 visible ASCII characters;
//! - 404 DBS.200002 for an instance of another project;
//! - the `user_name` filter of the list finds parts of names (or does nothing, with
//!   [`list_ignores_filter`](options::SimulatorOptions::list_ignores_filter)), `limit` is 100 and `offset` 0 by default;
//! - a Chinese `error_msg` for DBS codes only, and all of its wording;
//! - the order of checks: path, authentication, IDs, the project of a token, then the rest;
//! - 403 APIGW.0302 for a token of another project, or of a whole Huawei Cloud account;
//! - 401 APIGW.0307 for a revoked token ([`Simulator::revoke_tokens`](server::Simulator::revoke_tokens));
//! - the shape of each of IAM's errors: `error_code` for bodies that cannot be parsed and requests without authentication,
//!   `error` for a wrong password (401), an unknown agency (404) and a scope of another account (403), and the wording of
//!   these three.
//!
//! # Not simulated
//!
//! TLS, creating and changing accounts, permissions of a key or an agency, the lock after five failed signatures or
//! passwords, multi-factor login, project names that differ from project IDs, everything else of IAM; and throttling,
//! except by [`Misbehaviour::Throttled`](misbehaviour::Misbehaviour::Throttled).

pub mod chat_platform;
pub mod demo;
pub mod fault;
pub mod identity_provider;
pub mod misbehaviour;
pub mod options;
pub mod received;
pub mod senders;
pub mod server;
pub mod target;
pub mod wire;

mod accounts;
mod api;
mod auth;
mod cloud;
mod fault_grammar;
mod headers;
mod iam;
mod paths;
mod queue;
mod refusal;

#[cfg(test)]
mod testing;
