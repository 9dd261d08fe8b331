//! Webhooks: systems that report an event, one caller kind a file. The principal is the caller itself.
//!
//! [`body_fields`] reads bodies whose layout the operator describes; several kinds share it.

pub mod body_fields;
pub mod cloudevents;
pub mod github;
pub mod gitlab;
pub mod okta;
pub mod oneaccess;
pub mod standard_webhooks;
pub mod welink;
