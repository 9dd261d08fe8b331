//! What comes in: pure types that cannot be wrong, and strict readers of outside bytes.
//!
//! Nothing here knows a caller kind, a policy or a database. A reader refuses with a [`RequestError`](error::RequestError).

pub mod account_name;
pub mod account_query;
pub mod actor;
pub(crate) mod attribute_change;
pub mod attribute_path;
pub mod attribute_value;
pub mod command;
pub mod console_path;
pub mod error;
pub mod filter;
pub mod headers;
pub mod ids;
pub mod inbound;
pub mod job;
pub mod leaver;
pub(crate) mod name;
pub mod pending_query;
pub mod person;
pub mod person_change;
pub mod projection;
pub mod reason;
pub mod removal;
pub mod removal_query;
pub mod route;
pub mod scim;
pub mod strict;
pub mod trace;
pub mod unclear;
pub(crate) mod user_schema;
