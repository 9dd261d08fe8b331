//! What a request error is called in the catalogue.

use super::Outcome;
use super::catalog;
use super::message::{Argument, Message};
use crate::request::error::RequestError;
use crate::request::headers::HeaderError;
use crate::request::unclear::Unclear;

impl From<RequestError> for Outcome {
    fn from(error: RequestError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<HeaderError> for Message {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Missing { header } => Self::new(&catalog::PROOF_MISSING).quoting("header", header),
            HeaderError::Malformed { header } => Self::new(&catalog::PROOF_MALFORMED).quoting("header", header),
            HeaderError::Doubled { header } => Self::new(&catalog::PROOF_DOUBLED).quoting("header", header),
        }
    }
}

/// The value of `Allow`: HEAD is allowed wherever GET is.
fn with_head(allow: &str) -> String {
    let methods = allow.split(", ").map(|method| if method == "GET" { "GET, HEAD" } else { method });
    methods.collect::<Vec<_>>().join(", ")
}

impl From<Unclear> for Message {
    fn from(unclear: Unclear) -> Self {
        match unclear {
            Unclear::NotACommand => Self::new(&catalog::COMMAND_MALFORMED),
            Unclear::NotText => Self::new(&catalog::COMMAND_NOT_TEXT),
            Unclear::FlagUnknown { given } => Self::new(&catalog::FLAG_UNKNOWN).quoting("given", given),
            Unclear::DryRunUnclear { given } => Self::new(&catalog::DRY_RUN_UNCLEAR).quoting("given", given),
            Unclear::CommandUnknown { given, meant } => {
                Self::new(&catalog::COMMAND_UNKNOWN).quoting("given", given).quoting("meant", meant)
            }
            Unclear::WordsWrong { usage } => Self::new(&catalog::COMMAND_WORDS_WRONG).quoting("usage", usage),
            Unclear::SeveralCommands => Self::new(&catalog::SEVERAL_COMMANDS),
            Unclear::SeveralReadings => Self::new(&catalog::SEVERAL_READINGS),
            Unclear::AccountIsPerson { given } => Self::new(&catalog::ACCOUNT_IS_PERSON).quoting("given", given),
        }
    }
}

impl From<RequestError> for Message {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::BodyMalformed { why } => {
                Self::new(&catalog::BODY_MALFORMED).with("why", Argument::Localized(why))
            }
            RequestError::BodyCutShort => Self::new(&catalog::BODY_CUT_SHORT),
            RequestError::BodyTooLarge(limit) => {
                let limit = format!("{} KiB", limit / 1024);
                Self::new(&catalog::BODY_TOO_LARGE).with("limit", Argument::Plain(limit.into()))
            }
            RequestError::BodyEncoded => Self::new(&catalog::BODY_ENCODED),
            RequestError::ContentTypeWrong { expected } => {
                Self::new(&catalog::CONTENT_TYPE_WRONG).quoting("expected", expected)
            }
            RequestError::NotAcceptable => Self::new(&catalog::NOT_ACCEPTABLE),
            RequestError::FieldDoubled { name } => Self::new(&catalog::FIELD_DOUBLED).quoting("name", name),
            RequestError::FieldMissing { name } => Self::new(&catalog::FIELD_MISSING).quoting("name", name),
            RequestError::FieldInvalid { name, given, expected } => Self::new(&catalog::FIELD_INVALID)
                .quoting("name", name)
                .quoting("given", given)
                .with("expected", Argument::Localized(expected)),
            RequestError::CharacterUnseen { name, character } => Self::new(&catalog::CHARACTER_UNSEEN)
                .quoting("name", name)
                .with("character", Argument::Plain(format!("U+{:04X}", u32::from(character)).into())),
            RequestError::Header(error) => error.into(),
            RequestError::ParameterUnknown { name, known: [] } => {
                Self::new(&catalog::NO_PARAMETERS).quoting("name", name)
            }
            RequestError::ParameterUnknown { name, known } => {
                Self::new(&catalog::PARAMETER_UNKNOWN).quoting("name", name).with("known", Argument::Names(known))
            }
            RequestError::UrlMalformed => Self::new(&catalog::URL_MALFORMED),
            RequestError::CommandUnclear(unclear) => unclear.into(),
            RequestError::UserNameInvalid { given } => Self::new(&catalog::USER_NAME_INVALID).quoting("given", given),
            RequestError::AccountReserved { name } => Self::new(&catalog::ACCOUNT_RESERVED).quoting("name", name),
            RequestError::AccountProtected { name } => Self::new(&catalog::ACCOUNT_PROTECTED).quoting("name", name),
            RequestError::ProjectIdInvalid { given } => Self::new(&catalog::PROJECT_ID_INVALID).quoting("given", given),
            RequestError::InstanceIdInvalid { given } => {
                Self::new(&catalog::INSTANCE_ID_INVALID).quoting("given", given)
            }
            RequestError::InstanceUnknown { given } => Self::new(&catalog::INSTANCE_UNKNOWN).quoting("given", given),
            RequestError::InstanceAmbiguous { given } => {
                Self::new(&catalog::INSTANCE_AMBIGUOUS).quoting("given", given)
            }
            RequestError::InstanceMisspelt { given, meant } => {
                Self::new(&catalog::INSTANCE_MISSPELT).quoting("given", given).quoting("meant", meant)
            }
            RequestError::LanguageInvalid { given } => Self::new(&catalog::LANGUAGE_INVALID).quoting("given", given),
            RequestError::GroupUnknown { id } => Self::new(&catalog::GROUP_UNKNOWN).quoting("id", id),
            RequestError::ScimUnsupported { name } => Self::new(&catalog::SCIM_UNSUPPORTED).quoting("name", name),
            RequestError::RouteUnknown => Self::new(&catalog::ROUTE_UNKNOWN),
            RequestError::CallerUnknown { name } => Self::new(&catalog::CALLER_UNKNOWN).quoting("name", name),
            RequestError::MethodNotAllowed { allow } => {
                Self::new(&catalog::METHOD_NOT_ALLOWED).with("allow", Argument::Plain(with_head(allow).into()))
            }
            RequestError::OnlyRemovesAndLists { allow } => {
                Self::new(&catalog::ONLY_REMOVES_AND_LISTS).with("allow", Argument::Plain(with_head(allow).into()))
            }
        }
    }
}
