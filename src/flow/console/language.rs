//! The language of a page: the one that the reader chose, else the one that the browser asks for first.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::callers::console::cookies;
use crate::console::href;
use crate::outcome::language::Language;
use crate::request::inbound::Inbound;
use crate::request::strict::Fields;

/// The parameter of an address with which the reader chooses the language, and the cookie that keeps it.
const LANGUAGE: &str = "lang";
const LANGUAGE_COOKIE: &str = "__Host-offboard-language";

/// In seconds.
const A_YEAR: u32 = 365 * 24 * 3600;

/// Returns the language that the reader has chosen: on this page, or on one before.
pub(super) fn chosen_language(inbound: &Inbound) -> Option<Language> {
    let query = Fields::from_query(&inbound.query).ok();
    let on_this_page = query.as_ref().and_then(|query| Language::parse(query.value(LANGUAGE)?));
    on_this_page.or_else(|| Language::parse(cookies::cookie(&inbound.headers, LANGUAGE_COOKIE).ok()??))
}

/// Returns the language that a browser asks for first; `None` if it is another one than the two.
pub(super) fn accepted_language(headers: &HeaderMap) -> Option<Language> {
    let first = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?.split([',', ';']).next()?.trim().to_ascii_lowercase();
    match first.split('-').next()? {
        "zh" => Some(Language::Chinese),
        "en" => Some(Language::English),
        _ => None,
    }
}

/// The cookie that keeps the language that the reader has chosen on this page.
pub(super) fn language_cookie(inbound: &Inbound) -> Option<String> {
    let query = Fields::from_query(&inbound.query).ok()?;
    let language = Language::parse(query.value(LANGUAGE)?)?;
    Some(cookies::set(LANGUAGE_COOKIE, language.as_str(), Some(A_YEAR)))
}

/// The address of the page that was asked for, in the other language.
pub(super) fn other_language(inbound: &Inbound, fields: &Fields, language: Language) -> String {
    let other = if language == Language::Chinese { Language::English } else { Language::Chinese };
    let names: Vec<&str> = if inbound.body.is_empty() { fields.names().collect() } else { Vec::new() };
    let kept =
        names.iter().filter(|name| **name != LANGUAGE).map(|name| (*name, fields.value(name).unwrap_or_default()));
    let parameters: Vec<_> = kept.chain([(LANGUAGE, other.as_str())]).collect();
    href::with_query(&inbound.path, &parameters)
}
