//! Which rows of the ledger to list, and in which form: `GET /removals`.
//!
//! All parameters are optional: `instance`, `user_name` and `actor` as they stand in the rows, `state`, `since` (inclusive) and
//! `until` (exclusive) in RFC 3339 on the time of the request, `limit`, and `cursor` as the previous page gave it. A row's instance
//! may not be configured any more, so names are not checked against the configuration.

use chrono::DateTime;
use http::HeaderMap;
use http::header::ACCEPT;

use crate::outcome::language::Localized;
use crate::outcome::state::State;
use crate::request::error::RequestError;
use crate::request::strict::Fields;

/// The parameters.
pub const PARAMETERS: [&str; 8] = ["instance", "user_name", "actor", "state", "since", "until", "limit", "cursor"];

/// The most rows of a page.
pub const LARGEST: u16 = 500;

/// How many rows a page has without `limit`.
pub(super) const USUAL: u16 = 100;

/// Which rows to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalQuery {
    /// On this instance.
    pub instance: Option<String>,
    /// Of this account.
    pub user_name: Option<String>,
    /// Requested by this principal.
    pub actor: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Requested at this time or later, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Requested before this time.
    pub until: Option<i64>,
    /// How many at most, 1 to [`LARGEST`].
    pub limit: u16,
    /// Older than the row with this id.
    pub cursor: Option<String>,
}

impl Default for RemovalQuery {
    fn default() -> Self {
        Self {
            instance: None,
            user_name: None,
            actor: None,
            state: None,
            since: None,
            until: None,
            limit: USUAL,
            cursor: None,
        }
    }
}

impl RemovalQuery {
    /// Parses a query.
    ///
    /// # Errors
    ///
    /// [`RequestError::ParameterUnknown`] if a parameter has another name, [`RequestError::FieldInvalid`] if its value is not valid.
    pub fn parse(query: &Fields) -> Result<Self, RequestError> {
        if let Some(name) = query.names().find(|name| !PARAMETERS.contains(name)) {
            return Err(RequestError::ParameterUnknown { name: name.to_owned(), known: &PARAMETERS });
        }
        let name = Localized { en: "a name, or leave the parameter out", zh: "名称，或省略该参数" };
        let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        Ok(Self {
            instance: read(query, "instance", name, text)?,
            user_name: read(query, "user_name", name, text)?,
            actor: read(query, "actor", name, text)?,
            state: read(query, "state", STATES, State::parse)?,
            since: read(query, "since", TIME, time)?,
            until: read(query, "until", TIME, time)?,
            limit: read(query, "limit", LIMIT, limit)?.unwrap_or(USUAL),
            cursor: read(query, "cursor", CURSOR, cursor)?,
        })
    }
}

const TIME: Localized = Localized {
    en: "a time in RFC 3339, such as `2026-06-01T10:00:00Z`",
    zh: "RFC 3339格式的时间，例如 `2026-06-01T10:00:00Z`",
};

pub(super) const LIMIT: Localized = Localized { en: "a number from `1` to `500`", zh: " `1` 到 `500` 的数字" };

pub(super) const CURSOR: Localized =
    Localized { en: "the `next` value of the previous page", zh: "上一页返回的 `next` 值" };

const STATES: Localized = Localized {
    en: "`in-flight`, `removed`, `refused-upstream`, `not-removed`, `already-gone`, `not-sent`, `unknown`, `denied`, `refused`, `awaiting-confirmation`, `awaiting-approval`, `cancelled`, `expired`, `rejected` or `dry-run`",
    zh: " `in-flight`、`removed`、`refused-upstream`、`not-removed`、`already-gone`、`not-sent`、`unknown`、`denied`、`refused`、`awaiting-confirmation`、`awaiting-approval`、`cancelled`、`expired`、`rejected` 或 `dry-run`",
};

/// Returns the value of a parameter, if the query has it.
pub(super) fn read<T>(
    query: &Fields,
    name: &'static str,
    expected: Localized,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, RequestError> {
    if !query.names().any(|given| given == name) {
        return Ok(None);
    }
    let given = query.required(name).unwrap_or_default();
    parse(given).map(Some).ok_or_else(|| RequestError::FieldInvalid { name, given: given.to_owned(), expected })
}

/// Reads a time. Rows have whole milliseconds, so a time between two of them counts as the later one, for either end.
fn time(given: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(given).ok()?;
    let is_between = !time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    time.timestamp_millis().checked_add(i64::from(is_between))
}

pub(super) fn limit(given: &str) -> Option<u16> {
    let plain = given.bytes().all(|byte| byte.is_ascii_digit()) && !given.starts_with('0');
    given.parse().ok().filter(|limit| plain && (1..=LARGEST).contains(limit))
}

pub(super) fn cursor(given: &str) -> Option<String> {
    let is_id = given.len() == 32 && given.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| given.to_owned())
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListFormat {
    /// One JSON value.
    #[default]
    Json,
    /// A header and a line for each row.
    Csv,
    /// A JSON value in each line.
    Lines,
}

impl ListFormat {
    /// Returns the first of the forms that `Accept` names; weights (`q`) are ignored. No signature covers `Accept`, so nothing but
    /// the form depends on it.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotAcceptable`] if it names none of them.
    pub fn accepted(headers: &HeaderMap) -> Result<Self, RequestError> {
        let mut values = headers.get_all(ACCEPT).iter().peekable();
        if values.peek().is_none() {
            return Ok(Self::Json);
        }
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| range.split(';').next())
            .find_map(|range| match range.trim().to_ascii_lowercase().as_str() {
                "*/*" | "application/*" | "application/json" => Some(Self::Json),
                "text/csv" => Some(Self::Csv),
                "application/x-ndjson" => Some(Self::Lines),
                _ => None,
            })
            .ok_or(RequestError::NotAcceptable)
    }

    /// Returns the value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Lines => "application/x-ndjson",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<RemovalQuery, RequestError> {
        RemovalQuery::parse(&Fields::from_query(query).unwrap())
    }

    #[test]
    fn every_parameter() {
        assert_eq!(parse(""), Ok(RemovalQuery::default()));
        let cursor = "0123456789abcdef0123456789abcdef";
        let query = "instance=analytics&user_name=Old-1&actor=slack%2FU1&state=not-sent&since=2026-06-01T10:00:00%2B08:00&until=2026-06-01T02:00:00.0015Z&limit=500&cursor=";
        assert_eq!(
            parse(&format!("{query}{cursor}")),
            Ok(RemovalQuery {
                instance: Some("analytics".into()),
                user_name: Some("Old-1".into()),
                actor: Some("slack/U1".into()),
                state: Some(State::NotSent),
                since: Some(1_780_279_200_000),
                until: Some(1_780_279_200_002),
                limit: 500,
                cursor: Some(cursor.into()),
            })
        );
    }

    #[test]
    fn the_states_are_all_of_them() {
        let names = State::ALL.map(|state| format!("`{}`", state.as_str()));
        let (last, rest) = names.split_last().unwrap();
        assert_eq!(STATES.en, format!("{} or {last}", rest.join(", ")));
        assert_eq!(STATES.zh, format!(" {} 或 {last}", rest.join("、")));
        assert_eq!(LIMIT.en, format!("a number from `1` to `{LARGEST}`"));
    }

    #[test]
    fn forms() {
        let accepted = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT, value.parse().unwrap());
            }
            ListFormat::accepted(&headers)
        };
        for (values, form) in [
            (&[][..], ListFormat::Json),
            (&["*/*"], ListFormat::Json),
            (&["application/*"], ListFormat::Json),
            (&["application/json"], ListFormat::Json),
            (&["text/csv"], ListFormat::Csv),
            (&["Text/CSV;header=present;q=0.1"], ListFormat::Csv),
            (&["application/x-ndjson"], ListFormat::Lines),
            (&["text/html, application/xhtml+xml ,*/*;q=0.8"], ListFormat::Json),
            (&["text/html,text/csv,application/json"], ListFormat::Csv),
            (&["text/html", "application/x-ndjson"], ListFormat::Lines),
        ] {
            assert_eq!(accepted(values), Ok(form), "{values:?}");
        }
        for values in [&[""][..], &["text/html"], &["text/*"], &["json"], &["text/csv2"], &["text/html", "a/b"]] {
            assert_eq!(accepted(values), Err(RequestError::NotAcceptable), "{values:?}");
        }
    }
}
