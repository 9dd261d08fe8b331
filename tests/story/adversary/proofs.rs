//! What proves a caller: ids of keys that could be told apart, and teams that would outlive their token.

use http::Method;
use serde_json::json;
use support::kind::{Kind, NOW};
use support::stage::{Reply, Stage, Wire};

use crate::adversary::shared::{kinds_of, made, state};
use crate::callers::kinds::InMemory;

/// An answer without what differs between any two requests.
fn comparable(reply: &Reply) -> String {
    let ids = ["x-request-id", "x-offboard-removal"].map(|name| reply.header(name).unwrap_or_default().to_owned());
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
    let mut text = headers.collect::<String>() + &String::from_utf8_lossy(&reply.body);
    for id in ids.iter().filter(|id| !id.is_empty()) {
        text = text.replace(id.as_str(), "{id}");
    }
    format!("{} {text}", reply.status)
}

type Break = fn(&mut Wire);

/// How a request is broken beside its signature.
const BREAKS: [(&str, Break); 6] = [
    ("nothing else", |_| ()),
    ("no time", |wire| wire.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-sdk-date"))),
    ("no time that is one", |wire| wire.set("x-sdk-date", "yesterday")),
    ("no digest", |wire| wire.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-digest"))),
    ("another body", |wire| wire.body.push('x')),
    ("a query that can be read in two ways", |wire| wire.target += "&a=b+c"),
];

fn kind_with_a_language(name: &str) -> Kind {
    let mut kind = kinds_of(&[name]).remove(0);
    kind.caller = kind.caller.replacen("kind = ", "language = \"zh-cn\"\nkind = ", 1);
    kind
}

/// The id of a key is told to no one: what is refused under a known id is refused in the same words under an unknown one.
#[tokio::test]
async fn a9_a_key_that_exists_is_refused_like_one_that_does_not() {
    for (name, key, other) in [
        ("api-access-key", "HPUAEXAMPLEACCESSKEY", "HPUAEXAMPLEACCESSKEX"),
        ("http-signature", "ops-ed25519", "ops-ed25510"),
        ("http-signature", "ops-hmac", "ops-hmak"),
    ] {
        let kind = kind_with_a_language(name);
        let stage = InMemory::open(kind.open_to_attack()).await;
        for (idea, change) in BREAKS {
            for seconds in [0, 1000] {
                let mut known = made(&stage, &kind, |ask| {
                    ask["now"] = (NOW - seconds).into();
                    if name == "http-signature" {
                        ask["say"]["parameters"] = json!({"keyid": key});
                    }
                });
                for (header, value) in &mut known.headers {
                    if header.eq_ignore_ascii_case("authorization") {
                        // Another signature.
                        let (rest, _) = value.split_at(value.len() - 4);
                        *value = format!("{rest}0000");
                    }
                }
                change(&mut known);
                let mut unknown = known.clone();
                for (_, value) in &mut unknown.headers {
                    *value = value.replace(key, other);
                }
                assert_ne!(known.headers, unknown.headers, "{name}: {idea}");
                let (known, unknown) = (stage.send(&known).await, stage.send(&unknown).await);
                // The one key that signed is proved; what it asks for is another matter.
                let is_proved = key == "ops-ed25519" && known.status != 401;
                if !is_proved {
                    assert!([400, 401].contains(&known.status), "{name}: {idea}");
                    assert_eq!(comparable(&known), comparable(&unknown), "{name}: {key}: {idea}, {seconds} s ago");
                }
            }
        }
        // The log tells the operator apart what the answer does not.
        let rows = stage.rows();
        assert!(rows.iter().any(|row| row.caller.is_some()) && rows.iter().any(|row| row.caller.is_none()), "{name}");
    }
}

/// Who was in a team when a token was issued may have left it since: the team counts as long as the token, and no longer.
#[tokio::test]
async fn a11_the_teams_of_a_token_end_with_it() {
    const WAREHOUSE: &str = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17";
    let mut kind = kinds_of(&["api-token"]).remove(0);
    kind.caller = kind.caller.replacen("audience =", "groups = \"groups\"\naudience =", 1);
    for (seconds, status, ends_as) in [(60, 200, "removed"), (600, 403, "denied")] {
        let replace =
            ("members = [\"portal/f:1b2c:dana\", ".to_owned(), "members = [\"portal/f:1b2c:erin\", ".to_owned());
        let stage = InMemory::open(kind.setup(false, &[replace])).await;
        let wire = made(&stage, &kind, |ask| {
            ask["say"] = json!({"user_name": "alice", "instance": WAREHOUSE});
        });
        let waits = stage.send(&wire).await;
        assert_eq!(waits.header("x-offboard-code"), Some("OFFBOARD.40904"));
        let reference = waits.header("x-offboard-reference").unwrap().to_owned();

        stage.host.now.set(stage.host.now.get() + seconds * 1000);
        let mut wire = made(&stage, &kind, |ask| {
            ask["say"] =
                json!({"user_name": "alice", "instance": WAREHOUSE, "claims": {"sub": "f:1b2c:erin", "groups": []}});
        });
        (wire.method, wire.target) = (Method::POST.to_string(), format!("/approvals/{reference}"));
        wire.set("content-type", "application/json");
        wire.body = json!({"decision": "approve"}).to_string();
        let approved = stage.send(&wire).await;
        assert_eq!((approved.status, state(&stage).as_str()), (status, ends_as), "{}", comparable(&approved));
    }
}
