//! Accounts that must not be removed, and names that only look like one: proved as anything else, and refused.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Forge, Row};
use crate::stage::Wire;

const INVALID: &str = "OFFBOARD.40004";
const RESERVED: &str = "OFFBOARD.40302";
const PROTECTED: &str = "OFFBOARD.40303";

const NAMES: &[(&str, &str, &str)] = &[
    ("the superuser", "root", RESERVED),
    ("the superuser in capitals", "ROOT", RESERVED),
    ("the superuser in both", "rOoT", RESERVED),
    ("TaurusDB's administrator", "rdsAdmin", RESERVED),
    ("TaurusDB's administrator in capitals", "RDSADMIN", RESERVED),
    ("TaurusDB's administrator in small letters", "rdsadmin", RESERVED),
    ("TaurusDB's monitor", "rdsMetric", RESERVED),
    ("TaurusDB's monitor in small letters", "rdsmetric", RESERVED),
    ("what the operator protects", "etl_loader", PROTECTED),
    ("what the operator protects, in capitals", "ETL_LOADER", PROTECTED),
    ("the superuser, full-width", "ｒｏｏｔ", INVALID),
    ("the superuser with a Cyrillic letter", "r\u{43e}ot", INVALID),
    ("the superuser with a Greek letter", "ro\u{3bf}t", INVALID),
    ("the superuser with a zero-width joiner", "ro\u{200d}ot", INVALID),
    ("the superuser with a soft hyphen", "ro\u{ad}ot", INVALID),
    ("the superuser and a null character", "root\u{0}", INVALID),
    ("the superuser with its host", "root@%", INVALID),
    ("the superuser in quotes", "'root'", INVALID),
    ("the superuser in backquotes", "`root`", INVALID),
    ("a Kelvin sign, which is a small k to some", "\u{212a}ate", INVALID),
    ("a long s, which is a capital S to some", "ali\u{17f}e", INVALID),
    ("a dotless i", "al\u{131}ce", INVALID),
    ("a combining accent", "alice\u{301}", INVALID),
    ("a mathematical letter", "\u{1d4ea}lice", INVALID),
    ("a ligature", "\u{fb01}ona", INVALID),
    ("a right-to-left override", "\u{202e}ecila", INVALID),
    ("a tag character", "alice\u{e0061}", INVALID),
    ("percent-encoded once", "%61lice", INVALID),
    ("percent-encoded twice", "%2561lice", INVALID),
    ("a pattern of SQL", "al%", INVALID),
    ("a pattern of a shell", "al*", INVALID),
    ("a parent folder", "..", INVALID),
    ("an encoded parent folder", "%2e%2e", INVALID),
    ("another parameter", "alice&user_name=bob", INVALID),
    ("another path", "alice/../bob", INVALID),
    ("a fragment", "alice#", INVALID),
    ("a semicolon", "alice;bob", INVALID),
    ("a comma", "alice,bob", INVALID),
    ("an entity", "alice&amp;bob", INVALID),
    ("SQL", "alice'--", INVALID),
    ("a template", "{{alice}}", INVALID),
    ("an environment variable", "${ALICE}", INVALID),
];

/// A word of a command ends at these, or Teams' markup begins.
const NO_WORDS: &[&str] = &["&user_name", "&amp;"];

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let kind = forge.kind;
    let Some(said) = asking(forge) else { return Vec::new() };
    let long = "a".repeat(4000);
    let mut rows: Vec<_> = NAMES
        .iter()
        .copied()
        .chain([("very long", long.as_str(), INVALID)])
        // XML has no null character at all, and Teams' text is HTML.
        .filter(|(_, name, _)| kind.name != "wecom" || !name.contains('\0'))
        .filter(|(_, name, _)| kind.name != "teams" || !NO_WORDS.iter().any(|part| name.contains(part)))
        .map(|(idea, name, code)| {
            let mut row = forge.proved(format!("the name is {idea}"), said(name), code);
            if kind.speaks() && code == INVALID {
                // Marks around a word are taken off, and full-width letters are the narrow ones; commas separate words, and an
                // address is none of an account.
                row.codes.extend([RESERVED, "OFFBOARD.40011", "OFFBOARD.40403"]);
            }
            row
        })
        .collect();
    if kind.is(&["api-access-key", "api-token", "http-signature"]) {
        rows.extend(queries(forge));
    }
    rows
}

type Asking<'f> = Box<dyn Fn(&str) -> Wire + 'f>;

/// How the kind is asked to remove this account; `None` for one that names people.
fn asking<'f>(forge: &'f Forge<'_>) -> Option<Asking<'f>> {
    let kind = forge.kind;
    let member = if kind.speaks() {
        return Some(Box::new(|name| forge.with(|ask| ask["say"]["text"] = format!("{name} analytics").into())));
    } else if kind.is(&["standard-webhooks", "standard-webhooks-v1a", "api-access-key", "http-signature"]) {
        "user_name"
    } else if kind.is(&["cloudevents", "cloudevents-binary"]) {
        "login"
    } else if kind.name == "api-token" {
        let encoded = |name: &str| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        return Some(Box::new(move |name| forge.with(|ask| ask["say"]["user_name"] = encoded(name).into())));
    } else {
        return None;
    };
    Some(Box::new(move |name| forge.with(|ask| ask["say"][member] = name.into())))
}

/// What is in the URL of the documented call, signed as it stands.
fn queries(forge: &Forge<'_>) -> Vec<Row> {
    let honest = forge.honest();
    let (path, _) = honest.target.split_once('?').unwrap();
    let at = |target: String| {
        if forge.kind.name == "api-token" {
            let mut wire = forge.honest();
            wire.target = target;
            return wire;
        }
        forge.with(|ask| ask["say"]["target"] = target.into())
    };
    let asked = |query: &str| at(format!("{path}?{query}"));
    const TWICE: &str = "OFFBOARD.40002";
    const MISSING: &str = "OFFBOARD.40003";
    const PROJECT: &str = "OFFBOARD.40005";
    const INSTANCE: &str = "OFFBOARD.40006";
    const UNKNOWN: &str = "OFFBOARD.40009";
    let mut rows: Vec<_> = [
        ("two names", "user_name=alice&user_name=bob", TWICE),
        ("the same name twice", "user_name=alice&user_name=alice", TWICE),
        ("two names, one escaped", "user_name=alice&user%5Fname=bob", TWICE),
        ("a list", "user_name%5B%5D=alice", UNKNOWN),
        ("a list and a name", "user_name%5B0%5D=bob&user_name=alice", UNKNOWN),
        ("an object", "user_name%5Bname%5D=alice", UNKNOWN),
        ("a name in capitals beside it", "USER_NAME=bob&user_name=alice", UNKNOWN),
        ("a name with a space beside it", "user_name%20=bob&user_name=alice", UNKNOWN),
        ("a name with a null character beside it", "user_name%00=bob&user_name=alice", UNKNOWN),
        ("userName beside it", "userName=bob&user_name=alice", UNKNOWN),
        ("a method", "user_name=alice&_method=GET", UNKNOWN),
        ("a language", "user_name=alice&lang=zh-cn", UNKNOWN),
        ("no name", "dry_run=true", MISSING),
        ("an empty name", "user_name=&dry_run=true", MISSING),
        ("a dry run that is 1", "user_name=alice&dry_run=1", "OFFBOARD.40010"),
        ("a dry run in capitals", "user_name=alice&dry_run=TRUE", "OFFBOARD.40010"),
        ("a dry run that is both", "user_name=alice&dry_run=true&dry_run=false", TWICE),
    ]
    .into_iter()
    .map(|(idea, query, code)| forge.proved(format!("the query has {idea}"), asked(query), code))
    .collect();
    let (_, rest) = path.split_at("/v3/".len());
    let (project, rest) = rest.split_once('/').unwrap();
    let instance = rest.split('/').nth(1).unwrap();
    let with = |part: &str, other: &str| at(format!("{}?user_name=alice", path.replacen(part, other, 1)));
    for (idea, part, other, code) in [
        ("a parent folder for the project", project, "..", PROJECT),
        ("an encoded parent folder for the project", project, "%2e%2e", PROJECT),
        ("a parent folder for the instance", instance, "..", INSTANCE),
        ("an encoded parent folder for the instance", instance, "%2E%2E", INSTANCE),
        ("the instance and a null character", instance, "54e42160670e48e789af7075e1efea1fin17%00", INSTANCE),
        ("full-width digits in the instance", instance, "%EF%BC%954e42160670e48e789af7075e1efea1fin17", INSTANCE),
        ("an instance that is very long", instance, &instance.repeat(60), INSTANCE),
        ("an instance that is nobody's", instance, "00e42160670e48e789af7075e1efea1fin17", "OFFBOARD.40403"),
    ] {
        rows.push(forge.proved(format!("the path has {idea}"), with(part, other), code));
    }
    rows
}
