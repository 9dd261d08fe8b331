//! The error of a call to TaurusDB that has no answer.

use std::fmt;

use crate::outbound::retry::OutOfTime;
use crate::outcome::{NotSent, Outcome};

/// The reason why a call to TaurusDB has no answer.
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
    /// The runtime does not let the gateway connect to TaurusDB's host.
    HostNotAllowed,
    /// The runtime does not let the gateway connect to IAM's host.
    IamNotAllowed,
    /// TaurusDB gave no answer that its API documents.
    NoUsableAnswer,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CredentialsUnset => "the credentials are not set",
            Self::CredentialsRefused => "IAM refused the credentials",
            Self::TokenUnavailable => "IAM gave no token",
            Self::EndpointInvalid => "the endpoint is not valid",
            Self::OutOfTime => "the request reached its time limit",
            Self::HostNotAllowed => "TaurusDB's host is not in allowed_outbound_hosts",
            Self::IamNotAllowed => "IAM's host is not in allowed_outbound_hosts",
            Self::NoUsableAnswer => "TaurusDB gave no documented answer",
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
            CallError::EndpointInvalid => NotSent::EndpointInvalid,
            CallError::OutOfTime => NotSent::TimeSpent,
            CallError::HostNotAllowed => NotSent::HostNotAllowed,
            CallError::IamNotAllowed => NotSent::IamNotAllowed,
            CallError::NoUsableAnswer => NotSent::AccountListUnavailable,
        })
    }
}
