//! Why a request cannot be understood.
//!
//! The readers of `request`, `config` and `callers` return these; which status, code and message each becomes is decided in
//! `outcome`. A text inside is what the sender wrote, unshortened and unquoted.

use crate::outcome::language::Localized;
use crate::request::headers::HeaderError;
use crate::request::inbound::BodyError;
use crate::request::unclear::Unclear;

/// Why a request is not one that can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// The body is not what its content type says.
    BodyMalformed {
        /// What is wrong with it.
        why: Localized,
    },
    /// The body ended before its Content-Length, or the connection broke.
    BodyCutShort,
    /// The body is over this many bytes.
    BodyTooLarge(usize),
    /// The body is compressed.
    BodyEncoded,
    /// The content type is not one that the caller kind takes.
    ContentTypeWrong {
        /// The one that it takes.
        expected: &'static str,
    },
    /// None of the content types that `Accept` asks for can be produced.
    NotAcceptable,
    /// A form field, a JSON key or a query parameter appears twice.
    FieldDoubled {
        /// Its name.
        name: String,
    },
    /// A mandatory field or parameter is missing or empty.
    FieldMissing {
        /// Its name.
        name: &'static str,
    },
    /// A field has a value outside its range.
    FieldInvalid {
        /// Its name.
        name: &'static str,
        /// The value.
        given: String,
        /// What would be valid.
        expected: Localized,
    },
    /// A field has a character that cannot be seen, or changes how its neighbours are shown.
    CharacterUnseen {
        /// The field's name.
        name: &'static str,
        /// The character.
        character: char,
    },
    /// A header that the platform's own handshake needs cannot be read.
    Header(HeaderError),
    /// A query parameter that the call does not have.
    ParameterUnknown {
        /// Its name.
        name: String,
        /// The parameters that the call has.
        known: &'static [&'static str],
    },
    /// Path or query is not percent-encoded UTF-8 that can be read in one way only.
    UrlMalformed,
    /// A chat command that was not understood.
    CommandUnclear(Unclear),
    /// An account name outside the documented range.
    UserNameInvalid {
        /// The name.
        given: String,
    },
    /// One of TaurusDB's own accounts.
    AccountReserved {
        /// The name as given.
        name: String,
    },
    /// An account on the operator's list of protected accounts.
    AccountProtected {
        /// The name as given.
        name: String,
    },
    /// A project id that is not 32 letters and digits.
    ProjectIdInvalid {
        /// The id.
        given: String,
    },
    /// An instance id that is not 32 letters and digits, `in` and two digits.
    InstanceIdInvalid {
        /// The id.
        given: String,
    },
    /// An instance that offboard.toml does not have.
    InstanceUnknown {
        /// The name or id as given.
        given: String,
    },
    /// A name that differs from those of several instances in case alone.
    InstanceAmbiguous {
        /// The name as given.
        given: String,
    },
    /// An instance that offboard.toml does not have, with a name like that of one that the sender may know of.
    InstanceMisspelt {
        /// The name as given.
        given: String,
        /// The name that was probably meant.
        meant: String,
    },
    /// `X-Language` is neither `en-us` nor `zh-cn`.
    LanguageInvalid {
        /// Its value.
        given: String,
    },
    /// No route has this path.
    RouteUnknown,
    /// The gateway keeps no groups of an identity system.
    GroupUnknown {
        /// The id as given.
        id: String,
    },
    /// RFC 7644 has this part of SCIM, and the gateway does not.
    ScimUnsupported {
        /// Its path.
        name: &'static str,
    },
    /// The path names a caller that offboard.toml does not have.
    CallerUnknown {
        /// The name as given.
        name: String,
    },
    /// The route exists for other methods.
    MethodNotAllowed {
        /// The value of `Allow`, without HEAD, which is allowed where GET is.
        allow: &'static str,
    },
    /// A call of TaurusDB's account API that the gateway does not have.
    OnlyRemovesAndLists {
        /// The value of `Allow`, without HEAD; empty if the path has no method here.
        allow: &'static str,
    },
}

impl RequestError {
    /// A field with a value outside its range.
    pub(crate) fn invalid(name: &'static str, given: impl Into<String>, expected: Localized) -> Self {
        Self::FieldInvalid { name, given: given.into(), expected }
    }
}

impl From<Unclear> for RequestError {
    fn from(unclear: Unclear) -> Self {
        Self::CommandUnclear(unclear)
    }
}

impl From<BodyError> for RequestError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Self::BodyTooLarge(limit),
            BodyError::CutShort => Self::BodyCutShort,
        }
    }
}

impl From<HeaderError> for RequestError {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}
