//! What proves a caller: ids of keys that could be told apart, and teams that would outlive their token.

use http::Method;
use serde_json::{Value, json};
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

/// What a request asks of the host: statements, variables, calls.
fn work(stage: &InMemory) -> [usize; 3] {
    [stage.host.statements.get(), stage.host.variables_read.get(), stage.host.sent.borrow().len()]
}

/// Sends a request; returns its answer, and how often the host was asked for something.
async fn weighed(stage: &InMemory, wire: &Wire) -> (Reply, [usize; 3]) {
    let before = work(stage);
    let reply = stage.send(wire).await;
    let mut asked = work(stage);
    asked.iter_mut().zip(before).for_each(|(asked, before)| *asked -= before);
    (reply, asked)
}

/// The kind, one of its keys, an id that no key has, and the variable of the key.
const KEYS: [(&str, &str, &str, &str); 3] = [
    ("api-access-key", "HPUAEXAMPLEACCESSKEY", "HPUAEXAMPLEACCESSKEX", "api_access_key"),
    ("http-signature", "ops-ed25519", "ops-ed25510", "http_signature_secret"),
    ("http-signature", "ops-hmac", "ops-hmak", "http_signature_hmac"),
];

/// The id of a key is told to no one: what is refused under a known id is refused in the same words, and after the same work, under
/// an unknown one; also if the known one has no secret.
#[tokio::test]
async fn a9_a_key_that_exists_is_refused_like_one_that_does_not() {
    for (name, key, other, variable) in KEYS {
        for secret in [None, Some(""), Some(" \n"), Some("short")] {
            let kind = kind_with_a_language(name);
            let mut setup = kind.open_to_attack();
            setup.variables.extend(secret.map(|secret| (variable.to_owned(), secret.to_owned())));
            let stage = InMemory::open(setup).await;
            // The first request opens the ledger.
            stage.send(&made(&stage, &kind, |ask| ask["secret"] = kind.other_secret.clone())).await;
            for (idea, change) in BREAKS {
                for seconds in [0, 1000] {
                    let mut known = made(&stage, &kind, |ask| {
                        ask["now"] = (NOW - seconds).into();
                        if name == "http-signature" {
                            ask["say"]["parameters"] = json!({"keyid": key});
                        }
                    });
                    for (header, value) in &mut known.headers {
                        if header.eq_ignore_ascii_case("authorization") && secret.is_none() {
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
                    let ((known, asked), (unknown, asked_too)) =
                        (weighed(&stage, &known).await, weighed(&stage, &unknown).await);
                    // The one key that signed is proved; what it asks for is another matter.
                    let is_proved = key == "ops-ed25519" && secret.is_none() && known.status != 401;
                    if !is_proved {
                        let what = format!("{name}: {key} {secret:?}: {idea}, {seconds} s ago");
                        assert!([400, 401].contains(&known.status), "{what}: {}", known.status);
                        assert_eq!((comparable(&known), asked), (comparable(&unknown), asked_too), "{what}");
                    }
                }
            }
            // The log tells the operator apart what the answer does not.
            let rows = stage.rows();
            assert!(
                rows.iter().any(|row| row.caller.is_some()) && rows.iter().any(|row| row.caller.is_none()),
                "{name}"
            );
            if secret.is_some_and(|secret| secret.trim().is_empty()) {
                let line = format!("caller: variable `{variable}` is not set");
                assert!(stage.log().contains(&line), "{name}: {:?}", stage.log());
                let health =
                    Wire { method: "GET".into(), target: "/healthz".into(), headers: vec![], body: String::new() };
                let health: Value = serde_json::from_slice(&stage.send(&health).await.body).unwrap();
                assert_eq!(health["unusable_secrets"], 1, "{name}");
                assert!(stage.log().contains(&format!("health: no usable secret: variable `{variable}`")), "{name}");
            }
        }
    }
}

/// A key of one kind is none of the other; nor has a caller that signs with keys a hook.
#[tokio::test]
async fn a9_a_key_or_caller_of_another_kind_is_refused_like_one_that_does_not_exist() {
    let [api, message] = ["api-access-key", "http-signature"].map(kind_with_a_language);
    let mut setup = message.open_to_attack();
    setup.offboard = setup.offboard.replacen("[accounts]", &format!("{}\n[accounts]", api.caller), 1);
    setup.variables.extend(api.variables.clone());
    let stage = InMemory::open(setup).await;
    let by = |key: &str| {
        made(&stage, &message, |ask| {
            ask["now"] = NOW.into();
            ask["nonce"] = "a9".into();
            ask["say"]["parameters"] = json!({"keyid": key});
        })
    };
    let hook = |name: &str| Wire {
        method: "POST".into(),
        target: format!("/hooks/{name}"),
        headers: vec![],
        body: String::new(),
    };
    let directory = |name: &str| Wire { target: format!("/scim/v2/{name}/Users"), ..hook(name) };
    stage.send(&hook("nothing")).await;
    let mut refused = Vec::new();
    for wires in [
        [by("HPUAEXAMPLEACCESSKEY"), by("HPUAEXAMPLEACCESSKEX")],
        [hook("api"), hook("apj")],
        [hook("http-signature"), hook("http-signatura")],
        [directory("api"), directory("apj")],
    ] {
        let [(known, asked), (unknown, asked_too)] =
            [weighed(&stage, &wires[0]).await, weighed(&stage, &wires[1]).await];
        let alike =
            |reply: &Reply| comparable(reply).replace("`apj`", "`api`").replace("`http-signatura`", "`http-signature`");
        assert_eq!((alike(&known), asked), (alike(&unknown), asked_too), "{wires:?}");
        refused.push(known.header("x-offboard-code").unwrap().to_owned());
    }
    assert_eq!(refused, ["OFFBOARD.40105", "OFFBOARD.40402", "OFFBOARD.40402", "OFFBOARD.40402"]);
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
