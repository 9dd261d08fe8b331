//! Webhooks: systems that report an event.

pub mod body_fields;
pub mod cloudevents;
pub mod github;
pub mod gitlab;
pub mod okta;
pub mod oneaccess;
pub mod standard_webhooks;
pub mod welink;
