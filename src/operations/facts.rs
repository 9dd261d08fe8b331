//! What is known of a request, for those who read about it.

use chrono::{DateTime, FixedOffset};

use crate::config::Config;
use crate::ledger::row::RemovalRow;
use crate::operations::request_approval::waited_for_confirmation;
use crate::reply::{Person, RequestFacts};
use crate::request::reason::Reason;
use crate::request::removal::RemovalRequest;

/// What the row tells about the request, and if there is none, what its sender said. `reader` is the principal of the reader.
pub(crate) fn request_facts<'a>(
    config: &'a Config,
    reader: Option<&str>,
    (row, removal): (Option<&'a RemovalRow>, Option<&'a RemovalRequest<'_>>),
) -> RequestFacts<'a> {
    let of_removal = removal.map(|removal| removal.actor.principal.as_str());
    let requester = row.and_then(|row| row.actor.as_deref()).or(of_removal);
    let is_same = |one: &str, other: &str| config.person(one) == config.person(other);
    let environment = removal.map(|removal| removal.instance.environment.as_str()).unwrap_or_default();
    RequestFacts {
        requester: requester.map(|principal| named(config, principal)),
        is_readers: requester.zip(reader).is_some_and(|(requester, reader)| is_same(requester, reader)),
        caused_by: row.and_then(|row| row.caused_by.as_deref()).map(|principal| named(config, principal)),
        reason: match row {
            Some(row) => row.reason.as_deref(),
            None => removal.and_then(|removal| removal.reason.as_ref()).map(Reason::as_str),
        },
        asked_at: row.and_then(|row| at_offset(config, Some(row.asked_at))),
        expires_at: row.and_then(|row| at_offset(config, row.expires_at)),
        is_unconfirmed: row.is_some_and(|row| waited_for_confirmation(row.asked_at, row.expires_at)),
        approvers: row.into_iter().flat_map(RemovalRow::approvals).map(|vote| named(config, &vote.actor)).collect(),
        required: config.approvals.required(environment),
        denied_by: row.and_then(RemovalRow::denial).map(|vote| (named(config, &vote.actor), vote.reason.as_deref())),
    }
}

/// How messages name a principal.
fn named<'a>(config: &'a Config, principal: &'a str) -> Person<'a> {
    Person { name: Some(config.person(principal)).filter(|name| *name != principal), principal }
}

/// A time of a row, at the offset of TaurusDB.
fn at_offset(config: &Config, millis: Option<i64>) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::from_timestamp_millis(millis?)?.with_timezone(&config.utc_offset))
}
