//! Callers: the cases of the kinds in memory, signatures held against the vendors' libraries, the keys of issuers, people by SCIM.

mod differential;
mod jwks_cache;
pub(crate) mod kinds;
mod messages;
mod reading;
mod scim;
