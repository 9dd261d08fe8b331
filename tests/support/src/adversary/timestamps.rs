//! A time that is a number to some readers and not the platform's plain digits, signed as it stands; and digits of another
//! unit.

use serde_json::{Value, json};

use super::{Forge, Row};

/// Those that send Unix seconds as text.
const OF_SECONDS: &[&str] =
    &["slack", "discord", "feishu", "wecom", "wecom-bot", "gitlab", "standard-webhooks", "standard-webhooks-v1a"];

const MALFORMED: &str = "OFFBOARD.40102";
const STALE: &str = "OFFBOARD.40104";
const ENDED: &str = "OFFBOARD.40107";

const SECONDS: &[(&str, &str, &str)] = &[
    ("a plus sign", "+1780308000", MALFORMED),
    ("a minus sign", "-1780308000", MALFORMED),
    ("a zero before it", "01780308000", MALFORMED),
    ("a fraction", "1780308000.0", MALFORMED),
    ("an exponent", "1.780308e9", MALFORMED),
    ("hexadecimal digits", "0x6a1d5ae0", MALFORMED),
    ("underscores", "1_780_308_000", MALFORMED),
    ("commas", "1,780,308,000", MALFORMED),
    ("a space inside", "17803 08000", MALFORMED),
    ("full-width digits", "１７８０３０８０００", MALFORMED),
    ("Arabic digits", "١٧٨٠٣٠٨٠٠٠", MALFORMED),
    ("twenty digits", "17803080001780308000", MALFORMED),
    ("as many digits as wrap around to now", "18446744075489859616", MALFORMED),
    ("milliseconds", "1780308000000", MALFORMED),
    ("a date", "2026-06-01T10:00:00Z", MALFORMED),
    ("no number", "NaN", MALFORMED),
    ("infinity", "inf", MALFORMED),
    ("the year 2286", "9999999999", STALE),
];

/// 13 digits of milliseconds.
const MILLISECONDS: &[(&str, &str, &str)] = &[
    ("a plus sign", "+1780308000000", MALFORMED),
    ("a minus sign", "-1780308000000", MALFORMED),
    ("a zero before it", "01780308000000", MALFORMED),
    ("a zero in the place of a digit", "0780308000000", MALFORMED),
    ("a fraction", "1780308000000.0", MALFORMED),
    ("an exponent", "1.780308e12", MALFORMED),
    ("hexadecimal digits", "0x19e82b4d500", MALFORMED),
    ("a space inside", "17803 08000000", MALFORMED),
    ("full-width digits", "１７８０３０８００００００", MALFORMED),
    ("twenty digits", "17803080000001780308", MALFORMED),
    ("seconds", "1780308000", MALFORMED),
    ("microseconds", "1780308000000000", MALFORMED),
    ("the year 2286", "9999999999999", ENDED),
];

/// As an API's `X-Sdk-Date`.
const DATES: &[(&str, &str, &str)] = &[
    ("with separators", "2026-06-01T10:00:00Z", MALFORMED),
    ("without a zone", "20260601T100000", MALFORMED),
    ("with an offset", "20260601T100000+0000", MALFORMED),
    ("small letters", "20260601t100000z", MALFORMED),
    ("a day that there is not", "20260631T100000Z", MALFORMED),
    ("a second that there is not", "20260601T100061Z", MALFORMED),
    ("an hour that there is not", "20260601T240000Z", MALFORMED),
    ("a fraction", "20260601T100000.0Z", MALFORMED),
    ("full-width digits", "２０２６０６０１T100000Z", MALFORMED),
    ("Unix seconds", "1780308000", MALFORMED),
    ("the year 9999", "99991231T235959Z", STALE),
    ("the year 0", "00000101T000000Z", STALE),
];

/// As RFC 9421's `created`, which has to be an Integer.
const CREATED: &[(&str, &str, &str)] = &[
    ("a plus sign", "+1780308000", MALFORMED),
    ("a minus sign", "-1780308000", STALE),
    ("a zero before it", "01780308000", MALFORMED),
    ("a decimal", "1780308000.0", MALFORMED),
    ("a text", "\"1780308000\"", MALFORMED),
    ("a token", "now", MALFORMED),
    ("true", "?1", MALFORMED),
    ("bytes", ":MTc4MDMwODAwMA==:", MALFORMED),
    ("a date", "@1780308000", MALFORMED),
    ("sixteen digits", "1780308000178030", MALFORMED),
    ("twenty digits", "17803080001780308000", MALFORMED),
    ("milliseconds", "1780308000000", STALE),
];

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let kind = forge.kind;
    let signed = |text: &Value| forge.with(|ask| ask["timestamp"] = text.clone());
    let row = |(idea, text, code): &(&str, &str, &'static str)| {
        Row::unproved(format!("a time that is {idea}: {text}"), signed(&json!(text)), code)
    };
    if kind.is(OF_SECONDS) {
        let mut rows: Vec<_> = SECONDS.iter().map(row).collect();
        let zero = if kind.name == "feishu" { MALFORMED } else { STALE };
        rows.push(row(&("1970", "0", zero)));
        // HTTP takes spaces around a value away, so that it may have become another time than what was signed.
        if !kind.is(&["wecom", "wecom-bot"]) {
            for text in [" 1780308000", "1780308000 "] {
                let mut row = row(&("with a space around it", text, MALFORMED));
                row.codes.push("OFFBOARD.40105");
                rows.push(row);
            }
        }
        return rows;
    }
    match kind.name.as_str() {
        "dingtalk" => MILLISECONDS.iter().map(row).collect(),
        "api-access-key" => DATES.iter().map(row).collect(),
        "http-signature" => {
            let created = |text: &str| forge.with(|ask| ask["say"]["parameters"] = json!({"created": {"raw": text}}));
            let mut rows: Vec<_> = CREATED
                .iter()
                .map(|(idea, text, code)| Row::unproved(format!("created is {idea}: {text}"), created(text), code))
                .collect();
            let expires = |raw: &str| forge.with(|ask| ask["say"]["parameters"] = json!({"expires": {"raw": raw}}));
            rows.push(Row::unproved("it has ended this second", expires("1780308000"), ENDED));
            rows.push(Row::unproved("it ends before it began", expires("1"), ENDED));
            rows.push(Row::unproved("it ends at a text", expires("\"1780308060\""), MALFORMED));
            let without = forge.with(|ask| ask["say"]["parameters"] = json!({"created": {}}));
            rows.push(Row::unproved("no time at all", without, MALFORMED));
            rows
        }
        "oneaccess" | "oneaccess-encrypted" | "welink" => {
            let stale = if kind.name == "welink" { ENDED } else { STALE };
            let values = [
                ("a plus sign", json!("+1780308000"), MALFORMED),
                ("a minus sign", json!(-1_780_308_000), MALFORMED),
                ("a space before it", json!(" 1780308000"), MALFORMED),
                ("a fraction", json!(1_780_308_000.5), MALFORMED),
                ("a fraction, as text", json!("1780308000.0"), MALFORMED),
                ("an exponent", json!(1.780_308e9), MALFORMED),
                ("hexadecimal digits", json!("0x6a1d5ae0"), MALFORMED),
                ("full-width digits", json!("１７８０３０８０００"), MALFORMED),
                ("sixteen digits", json!("1780308000000000"), MALFORMED),
                ("twenty digits", json!(17_803_080_001_780_308_000_u64), MALFORMED),
                ("nothing", json!(""), MALFORMED),
                ("null", Value::Null, MALFORMED),
                ("true", json!(true), MALFORMED),
                ("a list", json!([1_780_308_000]), MALFORMED),
                ("an object", json!({"seconds": 1_780_308_000}), MALFORMED),
                ("1970", json!(0), stale),
                ("the year 2286", json!(9_999_999_999_999_u64), stale),
            ];
            let row = |(idea, value, code): (&str, Value, _)| {
                Row::unproved(format!("a time that is {idea}: {value}"), signed(&value), code)
            };
            values.into_iter().map(row).collect()
        }
        "teams" => {
            // What is signed is the Activity, so that it is Microsoft's own, and wrong.
            let wrong = [
                ("Unix seconds", "1780308000"),
                ("without a zone", "2026-06-01T10:00:00"),
                ("a day that there is not", "2026-06-31T10:00:00Z"),
                ("full-width digits", "２０２６-06-01T10:00:00Z"),
                ("nothing", ""),
            ];
            let mut rows: Vec<_> =
                wrong.iter().map(|(idea, text)| Row { status: 400, ..row(&(idea, text, "OFFBOARD.40010")) }).collect();
            rows.push(row(&("the year 9999", "9999-12-31T23:59:59Z", STALE)));
            rows.push(row(&("yesterday by its offset", "2026-06-01T10:00:00+23:59", STALE)));
            rows
        }
        _ => Vec::new(),
    }
}
