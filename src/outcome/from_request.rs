//! The outcome of a request that cannot be understood.

use crate::outcome::Outcome;
use crate::request::error::RequestError;
use crate::request::headers::HeaderError;

impl From<RequestError> for Outcome {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::BodyMalformed { why } => Self::BodyMalformed { why },
            RequestError::BodyCutShort => Self::BodyCutShort,
            RequestError::BodyTooLarge => Self::BodyTooLarge,
            RequestError::BodyEncoded => Self::BodyEncoded,
            RequestError::ContentTypeWrong { expected } => Self::ContentTypeWrong { expected },
            RequestError::NotAcceptable => Self::NotAcceptable,
            RequestError::FieldDoubled { name } => Self::FieldDoubled { name },
            RequestError::FieldMissing { name } => Self::FieldMissing { name },
            RequestError::FieldInvalid { name, given, expected } => Self::FieldInvalid { name, given, expected },
            RequestError::Header(HeaderError::Missing { header }) => Self::ProofMissing { header },
            RequestError::Header(HeaderError::Malformed { header }) => Self::ProofMalformed { header },
            RequestError::Header(HeaderError::Doubled { header }) => Self::ProofDoubled { header: header.into() },
            RequestError::ParameterUnknown { name, known } => Self::ParameterUnknown { name, known },
            RequestError::UrlMalformed => Self::UrlMalformed,
            RequestError::CommandMalformed => Self::CommandMalformed,
            RequestError::UserNameInvalid { given } => Self::UserNameInvalid { given },
            RequestError::AccountReserved { name } => Self::AccountReserved { name },
            RequestError::AccountProtected { name } => Self::AccountProtected { name },
            RequestError::ProjectIdInvalid { given } => Self::ProjectIdInvalid { given },
            RequestError::InstanceIdInvalid { given } => Self::InstanceIdInvalid { given },
            RequestError::InstanceUnknown { given } => Self::InstanceUnknown { given },
            RequestError::LanguageInvalid { given } => Self::LanguageInvalid { given },
            RequestError::RouteUnknown => Self::RouteUnknown,
            RequestError::CallerUnknown { name } => Self::CallerUnknown { name },
            RequestError::MethodNotAllowed { allow } => Self::MethodNotAllowed { allow },
        }
    }
}
