//! Configuration and policy that cannot be used, and policy that says nothing: no requester may do anything then.

use starrocks_offboard::app::App;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered as handled;
use support::kind::Kind;
use support::stage::Stage;

use crate::adversary::shared::{answered, made};
use crate::callers::kinds::InMemory;

const POLICY: &str = include_str!("../../../config/policy.cedar");
const SCHEMA: &str = include_str!("../../../config/schema.cedarschema");

const ALL: &str = "permit (principal, action, resource);";
const UNUSABLE: &str = "OFFBOARD.50302";
const DENIED: &str = "OFFBOARD.40301";

struct Rule {
    idea: &'static str,
    policy: fn() -> String,
    schema: fn() -> String,
    code: &'static str,
}

fn ours() -> String {
    POLICY.into()
}

fn schema() -> String {
    SCHEMA.into()
}

const fn policy(idea: &'static str, policy: fn() -> String, code: &'static str) -> Rule {
    Rule { idea, policy, schema, code }
}

const fn against(idea: &'static str, schema: fn() -> String) -> Rule {
    Rule { idea, policy: ours, schema, code: UNUSABLE }
}

const RULES: &[Rule] = &[
    policy("no policy", String::new, DENIED),
    policy("a policy of spaces", || " \n\t".into(), DENIED),
    policy("a policy of comments", || "// permit (principal, action, resource);".into(), DENIED),
    policy("a policy that is not finished", || POLICY[..POLICY.len() - 2].into(), UNUSABLE),
    policy("a policy with a word too many", || format!("{POLICY}\nallow"), UNUSABLE),
    policy("a policy with a null character", || format!("{POLICY}\0"), UNUSABLE),
    policy("a policy with a byte order mark", || format!("\u{feff}{POLICY}"), UNUSABLE),
    policy("a policy without an id", || format!("{POLICY}\n{ALL}"), UNUSABLE),
    policy("two policies of one id", || format!("{POLICY}\n@id(\"own-account\")\n{ALL}"), UNUSABLE),
    policy("an id that is empty", || format!("{POLICY}\n@id(\"\")\n{ALL}"), UNUSABLE),
    policy("an id with a line break", || format!("{POLICY}\n@id(\"a\\nb\")\n{ALL}"), UNUSABLE),
    policy("an action that there is not", || POLICY.replacen("Action::\"delete\"", "Action::\"drop\"", 1), UNUSABLE),
    policy("an attribute that there is not", || POLICY.replacen("context.hour", "context.hours", 1), UNUSABLE),
    policy(
        "a number where a text belongs",
        || POLICY.replacen("context.hour >= 8", "context.hour >= \"8\"", 1),
        UNUSABLE,
    ),
    policy("a type that there is not", || POLICY.replacen("Environment::", "Stage::", 1), UNUSABLE),
    policy("a policy in JSON", || "{\"staticPolicies\":{}}".into(), UNUSABLE),
    policy(
        "a template",
        || format!("{POLICY}\n@id(\"t\")\npermit (principal == ?principal, action, resource);"),
        UNUSABLE,
    ),
    policy(
        "a policy that forbids all of it",
        || format!("{POLICY}\n@id(\"none\")\nforbid (principal, action, resource);"),
        DENIED,
    ),
    policy(
        "two thousand policies, none of which is ours",
        || {
            (0..2000)
            .map(|n| format!("@id(\"p{n}\")\npermit (principal == User::\"slack/U{n}\", action == Action::\"delete\", resource);\n"))
            .collect()
        },
        DENIED,
    ),
    against("no schema", String::new),
    against("a schema that is not finished", || SCHEMA[..SCHEMA.len() - 3].into()),
    against("a schema that is a policy", || POLICY.into()),
    against("a schema of something else", || {
        "entity Nobody; action sleep appliesTo { principal: Nobody, resource: Nobody };".into()
    }),
    against("a schema without an action", || {
        SCHEMA.replacen("\"delete\"", "\"drop\"", 1).replacen("delete", "drop", 1)
    }),
];

const KINDS: &[&str] = &["slack", "api-access-key", "github", "google-chat"];

pub(super) fn names() -> Vec<String> {
    let of = |kind: &Kind| RULES.iter().map(|rule| format!("{}/rules: {}", kind.name, rule.idea)).collect::<Vec<_>>();
    crate::adversary::shared::kinds_of(KINDS).iter().flat_map(of).collect()
}

#[tokio::test]
async fn rules_that_cannot_be_used_let_nobody_do_anything() {
    let mut failures = String::new();
    for kind in crate::adversary::shared::kinds_of(KINDS) {
        for rule in RULES {
            let setup = kind.open_to_attack();
            let made_of = App::parse(&setup.offboard, &(rule.policy)(), &(rule.schema)());
            let stage = InMemory::open(setup).await;
            let wire = made(&stage, &kind, |_| ());
            let (parts, body) = wire.request().into_parts();
            let inbound = Inbound {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                host: stage.host(),
                headers: parts.headers,
                body,
            };
            let usable = made_of.as_ref().map_err(|unusable| unusable.places.as_str());
            let answer = handled(&stage.host, usable, inbound).await;
            let leaves = kind.config.contains("[caller.leavers]");
            let (code, status) = match rule.code {
                UNUSABLE => (UNUSABLE, 503),
                // In the form of its kind: of one account, of several, of people.
                DENIED if leaves => ("OFFBOARD.40309", 403),
                code if kind.speaks() => (code, 200),
                code => (code, 403),
            };
            let seen = (answer.status().as_u16(), answered(&stage), stage.deletes());
            if seen != (status, code.to_owned(), 0) {
                let why = made_of.err().map_or_else(String::new, |unusable| unusable.details);
                failures += &format!("{}/rules: {}: {seen:?}, not {status} {code} {why:.200}\n", kind.name, rule.idea);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Case A5: a secret that stands where the name of its variable belongs is shown to no one: strangers get the line, the log the rest.
#[tokio::test]
async fn a5_a_secret_in_the_wrong_place_is_not_shown() {
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    for kind in crate::adversary::shared::kinds_of(&["slack"]) {
        let setup = kind.open_to_attack();
        for (begins, wrong) in [
            ("secrets = ", format!("secrets = [\"{SECRET}\"]")),
            ("secrets = ", format!("secrets = \"{SECRET}\"")),
            ("kind = ", format!("kind = \"{SECRET}\"")),
        ] {
            let line = setup.offboard.lines().find(|line| line.starts_with(begins)).unwrap();
            let offboard = setup.offboard.replacen(line, &wrong, 1);
            let unusable = App::parse(&offboard, POLICY, SCHEMA).unwrap_err();
            assert!(
                !unusable.details.contains(SECRET) && unusable.places.starts_with("offboard.toml, line "),
                "{wrong}"
            );
            let stage = InMemory::open(kind.open_to_attack()).await;
            let health = Inbound {
                method: http::Method::GET,
                path: "/healthz".into(),
                query: String::new(),
                host: stage.host(),
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::new(),
            };
            let answer = handled(&stage.host, Err(unusable.places.as_str()), health).await;
            let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(body["reason"], format!("{}: cannot be used; the log says why", unusable.places));
            assert!(!body.to_string().contains(SECRET), "{body}");
        }
    }
}
