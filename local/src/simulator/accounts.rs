//! The two calls on the accounts of a StarRocks instance: delete one, list them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::options::SimulatedInstance;
use super::refusal::Refusal;

/// The system accounts: deleting one of them breaks an instance.
const RESERVED: [&str; 3] = ["root", "rdsAdmin", "rdsMetric"];

pub(super) fn delete(
    instance: &mut SimulatedInstance,
    parameters: &BTreeMap<String, String>,
    alarms: &mut Vec<String>,
) -> Result<Value, Refusal> {
    let user_name = parameters.get("user_name").ok_or(Refusal::BadUserName)?;
    if !(1..=64).contains(&user_name.len()) || !user_name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::BadUserName);
    }
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(user_name)) {
        let alarm = format!("asked to delete the reserved account `{user_name}` of {}", instance.instance_id);
        eprintln!("simulated TaurusDB: ALARM: {alarm}");
        alarms.push(alarm);
        return Err(Refusal::Reserved);
    }
    if !instance.accounts.remove(user_name) {
        return Err(Refusal::NoSuchAccount);
    }
    Ok(json!({ "result": "SUCCESS" }))
}

pub(super) fn list(
    instance: &SimulatedInstance,
    parameters: &BTreeMap<String, String>,
    ignores_filter: bool,
) -> Result<Value, Refusal> {
    let number = |name: &'static str, default: usize, allowed: RangeInclusive<usize>| {
        let value = parameters.get(name).map_or(Ok(default), |text| text.parse());
        value.ok().filter(|value| allowed.contains(value)).ok_or(Refusal::BadParameter(name))
    };
    let limit = number("limit", 100, 1..=100)?;
    let offset = number("offset", 0, 0..=usize::MAX)?;
    let part = parameters.get("user_name").filter(|_| !ignores_filter).map_or("", String::as_str);

    let found: Vec<&String> = instance.accounts.iter().filter(|name| name.contains(part)).collect();
    let details: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|name| json!({ "user_name": name, "data_bases": [], "dml": 0, "ddl": 0 }))
        .collect();
    Ok(json!({ "user_details": details, "total_count": found.len() }))
}

pub(super) fn parameters(query: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let malformed = || Refusal::BadParameter("query");
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(malformed)?;
        if parameters.insert(name, decode(value).ok_or_else(malformed)?).is_some() {
            return Err(malformed());
        }
    }
    Ok(parameters)
}

/// Undoes percent-encoding. Separate from the component's decoder, so that this simulation can find errors in that one.
fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
