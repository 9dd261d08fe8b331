//! The simulated IAM: tokens for a user's password, and for an agency.

pub(super) mod error;
pub(super) mod issue;
mod request;

#[cfg(test)]
mod tests;
