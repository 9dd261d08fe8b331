//! What the suites share: the gateway that they start, what they send, what they read. A suite imports from the file that defines it.

pub(crate) mod agreement;
pub(crate) mod answer;
pub(crate) mod credentials;
pub(crate) mod fixtures;
pub(crate) mod gateway;
pub(crate) mod openapi;
pub(crate) mod requests;
pub(crate) mod row;
pub(crate) mod setup;
pub(crate) mod store;
