//! Who asked, proved, and what for: a request as it came becomes what somebody says.
//!
//! What is learnt on the way goes into `Told` at once, so that a request that is refused half-way is told of as far as it
//! is known. Nothing is decided here, and nothing is sent.

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::callers::kind::CallerKind;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::request::inbound::Inbound;

pub(crate) const LANGUAGE: &str = "x-language";

pub(crate) fn asked_language(inbound: &Inbound) -> Result<Option<Language>, Outcome> {
    let mut values = inbound.headers.get_all(LANGUAGE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Outcome::FieldDoubled { name: "X-Language".into() });
    }
    let given = String::from_utf8_lossy(value.as_bytes());
    Language::parse(&given).map(Some).ok_or_else(|| Outcome::LanguageInvalid { given: given.into_owned() })
}

/// Refuses what the kind's parser was not made for.
pub(crate) fn check_content_type(inbound: &Inbound, kind: &dyn CallerKind) -> Result<(), Outcome> {
    if inbound.headers.get_all(CONTENT_ENCODING).iter().any(|value| value != "identity") {
        return Err(Outcome::BodyEncoded);
    }
    let Some(expected) = kind.content_types().first().copied() else { return Ok(()) };
    if ![Method::POST, Method::PUT, Method::PATCH].contains(&inbound.method) {
        return Ok(());
    }
    let mut values = inbound.headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (values.next(), values.next());
    let media_type = first.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    let right = second.is_none()
        && media_type
            .is_some_and(|given| kind.content_types().iter().any(|known| given.trim().eq_ignore_ascii_case(known)));
    if right { Ok(()) } else { Err(Outcome::ContentTypeWrong { expected }) }
}
