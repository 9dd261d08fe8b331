//! The error of a call to TaurusDB that was not sent.

use std::fmt;

use crate::outbound::retry::OutOfTime;
use crate::outcome::{NotSent, Outcome};

/// The reason why a call to TaurusDB was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallError {
    /// A variable of the credentials is not set, or its value is not valid in a header.
    CredentialsUnset,
    /// IAM refused the credentials.
    CredentialsRefused,
    /// IAM gave no token.
    TokenUnavailable,
    /// A variable overrides the endpoint with a value that is not an endpoint.
    EndpointInvalid,
    /// The request's time limit was reached.
    OutOfTime,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CredentialsUnset => "the credentials are not set",
            Self::CredentialsRefused => "IAM refused the credentials",
            Self::TokenUnavailable => "IAM gave no token",
            Self::EndpointInvalid => "the endpoint is not valid",
            Self::OutOfTime => "the request reached its time limit",
        })
    }
}

impl std::error::Error for CallError {}

impl From<OutOfTime> for CallError {
    fn from(_: OutOfTime) -> Self {
        Self::OutOfTime
    }
}

impl From<CallError> for Outcome {
    fn from(error: CallError) -> Self {
        Self::NotSent(match error {
            CallError::CredentialsUnset => NotSent::CredentialsUnset,
            CallError::CredentialsRefused => NotSent::CredentialsRefused,
            CallError::TokenUnavailable => NotSent::TokenUnavailable,
            CallError::EndpointInvalid => NotSent::ConfigurationUnusable,
            CallError::OutOfTime => NotSent::TimeSpent,
        })
    }
}
