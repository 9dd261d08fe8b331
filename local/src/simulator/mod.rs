//! The simulated cloud: a real HTTP server with the accounts of StarRocks instances and IAM's tokens in memory, for
//! development and tests.
//!
//! `users` is TaurusDB, [`iam`](IamUser) is IAM, `auth` is how both know who asks, [`Fault`] is how both are made to
//! misbehave.
//!
//! # Documented
//!
//! From the API page "Deleting a Database Account of a StarRocks Instance" (2025-07-29): the path, the forms of project
//! id and instance id, the mandatory `user_name`, `X-Language` with its two values, 200 `{"result":"SUCCESS"}`, and
//! `{"error_code":"…","error_msg":"…"}` with 400.
//!
//! # Seen
//!
//! In the official SDKs, the Terraform provider and other pages of the vendor's:
//! - the plural path, and no other: the page's own example writes the singular, which gets 404 APIGW.0101 here;
//! - SDK-HMAC-SHA256 with a clock skew of 15 minutes either way, and `X-Security-Token` of temporary keys, signed;
//! - the codes DBS.280404 (instance id), DBS.280292 (user name), DBS.280001 (parameter), DBS.200002 (no such instance),
//!   DBS.200019 (another operation), DBS.200005 (internal), APIGW.0101, APIGW.0301, APIGW.0302, APIGW.0307, APIGW.0308,
//!   and the wording of the gateway's, with a `request_id` in the body;
//! - the list call with its limits, and `X-Request-Id` on every answer;
//! - IAM's call for a token, by password and by agency: the path with `nocatalog=true`, the bodies, 201 with
//!   `X-Subject-Token` and `token.expires_at`, 24 hours, tokens of several thousand characters;
//! - the two shapes of IAM's errors; IAM.0001 and IAM.0011 with their wording, at its other calls.
//!
//! # Inferred
//!
//! Nobody wrote it down, so a client should not lean on it:
//! - 400 DBS.200824 for an account that is not there;
//! - 403 DBS.200819 for a reserved account. It also raises an alarm, `Simulator::alarms`;
//! - which names are too strange to be looked up: here those not made of 1 to 64 visible ASCII characters;
//! - 404 DBS.200002 for an instance of another project;
//! - the list's `user_name` filter finds parts of names (or nothing is filtered:
//!   [`SimulatorOptions::list_ignores_filter`]), `limit` is 100 and `offset` 0 when left out;
//! - a Chinese `error_msg` for DBS codes only, and all of its wording;
//! - the order of checks: path, authentication, ids, the project of a token, the rest;
//! - 403 APIGW.0302 for a token of another project, or of a whole account;
//! - 401 APIGW.0307 for a token that was revoked: [`Simulator::revoke_tokens`];
//! - which of IAM's errors has which shape: `error_code` for what nobody can read and who did not prove themselves,
//!   `error` for a wrong password (401), an unknown agency (404) and a scope of somebody else's (403), and the wording
//!   of the latter.
//!
//! # Not simulated
//!
//! TLS, creating and changing accounts, permissions of a key or an agency, the lock after five failed signatures or
//! passwords, multi-factor login, names of projects that are not their ids, everything else of IAM; and throttling, but
//! for [`Misbehaviour::Throttled`].

pub mod chat_platform;
pub mod demo;
pub mod fault;
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
