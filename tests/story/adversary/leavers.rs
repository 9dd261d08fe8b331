//! A person whose name, as an identity system has it, comes near another's account: only their own goes, and what is never
//! removed stays, for any leaver.

use std::collections::BTreeSet;

use local::simulator::demo;
use serde_json::{Value, json};
use support::kind::Kind;
use support::stage::Stage;

use crate::adversary::shared::{answered, kinds_of, made};
use crate::callers::kinds::InMemory;

const OF_LEAVERS: &[&str] =
    &["github", "gitlab", "gitlab-token", "okta", "oneaccess", "oneaccess-encrypted", "welink", "scim"];

/// Who is there, beside alice and bob.
const THERE: [&str; 8] = ["root", "rdsadmin", "rdsmetric", "etl_loader", "alice_smith", "al", "kate", "_lice"];

const REFUSED: &str = "OFFBOARD.40309";
const NO_ACCOUNT: &str = "NO_ACCOUNT";

/// Who leaves, and what is said about it.
const WHO: &[(&str, &str, &str)] = &[
    ("the superuser", "root", REFUSED),
    ("the superuser in capitals", "ROOT", REFUSED),
    ("TaurusDB's administrator", "rdsAdmin", REFUSED),
    ("TaurusDB's monitor", "RDSMETRIC", REFUSED),
    ("what the operator protects", "etl_loader", REFUSED),
    ("what becomes what the operator protects", "etl-loader", REFUSED),
    ("what becomes what the operator protects, in capitals", "ETL.LOADER", REFUSED),
    ("a Cyrillic letter", "\u{430}lice", REFUSED),
    ("a full-width letter", "\u{ff41}lice", REFUSED),
    ("a combining accent", "alice\u{301}", NO_ACCOUNT),
    ("a zero-width space", "ali\u{200b}ce", NO_ACCOUNT),
    ("a soft hyphen", "ali\u{ad}ce", NO_ACCOUNT),
    ("a dotted capital I", "AL\u{130}CE", NO_ACCOUNT),
    ("a dotless i", "al\u{131}ce", NO_ACCOUNT),
    ("a Kelvin sign", "\u{212a}ate", NO_ACCOUNT),
    ("a long s", "alice\u{17f}mith", NO_ACCOUNT),
    ("a null character", "alice\u{0}", NO_ACCOUNT),
    ("a line break", "alice\r\n", NO_ACCOUNT),
    ("a space behind it", "alice ", NO_ACCOUNT),
    ("a space before it", " alice", NO_ACCOUNT),
    ("another user of the same name", "alice+1", NO_ACCOUNT),
    ("a pattern of SQL", "al%", NO_ACCOUNT),
    ("a pattern of a shell", "*", NO_ACCOUNT),
    ("SQL", "alice'--", NO_ACCOUNT),
    ("percent-encoded", "%61lice", NO_ACCOUNT),
    ("a template", "{login}", NO_ACCOUNT),
    ("another parameter", "x&user_name=alice", NO_ACCOUNT),
    ("a path", "../alice", NO_ACCOUNT),
];

pub(super) fn names() -> Vec<String> {
    let of = |kind: &Kind| WHO.iter().map(|(idea, ..)| format!("{}/leavers: {idea}", kind.name)).collect::<Vec<_>>();
    kinds_of(OF_LEAVERS).iter().flat_map(of).collect()
}

/// The kind's own way to say that a person of this name leaves.
fn leaving(say: &mut Value, kind: &Kind, name: &str) {
    match kind.name.as_str() {
        "github" => say["login"] = name.into(),
        "gitlab" | "gitlab-token" => say["user"] = name.into(),
        "okta" => say["user"] = format!("{name}@example.com").into(),
        "welink" => say["users"] = json!([format!("{name}@welink")]),
        _ => say["id"] = name.into(),
    }
}

#[tokio::test]
async fn nobody_takes_another_with_them() {
    let mut failures = String::new();
    for kind in kinds_of(OF_LEAVERS) {
        for (idea, name, code) in WHO {
            let stage = InMemory::open(kind.open_to_attack()).await;
            let cloud = stage.host.cloud.as_ref().unwrap();
            cloud.accounts.borrow_mut().extend(THERE.map(|name| (demo::INSTANCE_ID.to_owned(), name.to_owned())));
            let before = cloud.accounts.borrow().clone();
            let mut id = Value::Null;
            if kind.name == "scim" {
                let user_name = format!("{name}@example.com");
                let wire = made(&stage, &kind, |ask| ask["say"] = json!({"do": "create", "userName": user_name}));
                let body: Value = serde_json::from_slice(&stage.send(&wire).await.body).unwrap();
                id = body["id"].clone();
            }
            let wire = made(&stage, &kind, |ask| match &id {
                Value::Null => leaving(&mut ask["say"], &kind, name),
                id => ask["say"]["id"] = id.clone(),
            });
            let reply = stage.send(&wire).await;
            let gone: BTreeSet<_> = before.difference(&cloud.accounts.borrow()).cloned().collect();
            let seen = (stage.deletes(), gone, answered(&stage));
            // Such a name is refused when a person of it is created.
            let is_refused = kind.name == "scim" && name.contains(char::is_control);
            let code = if is_refused { "OFFBOARD.40406" } else { code };
            if seen != (0, BTreeSet::new(), code.to_owned()) {
                failures += &format!("{}/leavers: {idea}: {seen:?} {}, not {code}\n", kind.name, reply.status);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
