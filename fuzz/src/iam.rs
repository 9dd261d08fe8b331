//! IAM's answers to a request for a token, and what stands where an issuer publishes its keys.

use std::cell::RefCell;
use std::collections::BTreeMap;

use http::{HeaderValue, Method};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use starrocks_offboard::crypto::jwks::KeySet;
use support::memory::Cloud;

use crate::kinds::{self, NOW, OFFBOARD, POLICY, SCHEMA};
use crate::stories::{self, PORTAL, SECRETS};
use crate::watched::{self, Script, To, World};
use crate::{proof, wire};

const TOKEN: &str = "x-subject-token";

/// An even byte, then answers of IAM with `%%` between them; or an odd one, then a set of keys.
pub fn iam(data: &[u8]) {
    match data {
        [way, text @ ..] if way % 2 == 0 => tokens(way / 2, text),
        [_, text @ ..] => keys(text),
        [] => {}
    }
}

fn tokens(way: u8, text: &[u8]) {
    let credentials = match way % 2 {
        0 => "credentials = \"password\"",
        _ => {
            "credentials = \"agency\"\nagency = { name = \"offboard\", domain_name = \"customer\", on = \"password\" }"
        }
    };
    let offboard = OFFBOARD.replacen("credentials = \"aksk\"", credentials, 1);
    let said = String::from_utf8_lossy(text);
    if SECRETS.iter().any(|secret| said.contains(secret)) {
        return;
    }
    let mut memory = stories::memory();
    memory.cloud = Some(watched::cloud(&["alice", "bob"]));
    let mut odds: Vec<_> = wire::parts(text).into_iter().take(8).map(wire::answer).collect();
    // What an observer of the output cannot make an input of.
    let mark = hex::encode(&Sha256::digest(text)[..12]);
    for odd in &mut odds {
        let Ok(answer) = &mut odd.result else { continue };
        let Some(token) = answer.headers().get(TOKEN) else { continue };
        if let Ok(marked) = HeaderValue::from_bytes(&[token.as_bytes(), mark.as_bytes()].concat()) {
            answer.headers_mut().insert(TOKEN, marked);
        }
    }
    let secrets: Vec<&str> = SECRETS.into_iter().chain([mark.as_str()]).collect();
    let world = World::new(memory, &secrets);
    for odd in &odds {
        world.will(To::Iam, odd.clone());
    }
    if way & 2 == 2 {
        let refused = wire::answer(b"401\n\n{\"error_code\":\"APIGW.0307\",\"error_msg\":\"token\"}");
        world.will(To::Delete, refused);
    }
    let app = watched::app(&offboard, POLICY, SCHEMA);
    for later in [0, 1, 90] {
        let seconds = NOW + later;
        world.memory.now.set(seconds * 1000);
        let target = format!("{}?user_name=alice", stories::ANALYTICS);
        let inbound = stories::portal(PORTAL[0], seconds, Method::DELETE, &target, "");
        watched::run(watched::ask(&world, Ok(&app), inbound, 20, Script::default())).expect("an answer");
    }
    watched::keep(&offboard, POLICY, SCHEMA, app);
    world.end();
}

fn keys(text: &[u8]) {
    let set = KeySet::parse(text);
    let kind = kinds::kind(22);
    let Ok(body) = String::from_utf8(text.to_vec()) else { return };
    let mut memory = stories::memory();
    memory.variables.extend(kind.variables.clone());
    let published = BTreeMap::from([("https://login.example.com".to_owned(), body)]);
    memory.cloud = Some(Cloud { published: RefCell::new(published), ..watched::cloud(&["alice"]) });
    let world = World::new(memory, &["upstream-secret-51cc"]);
    let app = watched::app(&kind.offboard, POLICY, SCHEMA);
    let target = format!("DELETE {}?user_name=alice\n\n", stories::ANALYTICS);
    let mut inbound = wire::inbound(target.as_bytes()).expect("it is a request");
    proof::prove("api", &kind.secret, NOW, "n", &mut inbound).expect("it is proved by a token");
    let answer = watched::run(watched::ask(&world, Ok(&app), inbound, 20, Script::default()));
    let status = answer.expect("an answer").status();
    // Only the set that has the very key of the harness proves its token.
    let proves = status.is_success();
    if proves {
        assert!(set.is_ok(), "{status}");
        let there: Json = serde_json::from_slice(text).expect("a set is JSON");
        assert!(there.to_string().contains("8wUOhM5DQCISYKnlCR5qXnm4h3a"), "{status}");
    }
    if set.is_err() {
        assert_eq!(status.as_u16(), 503, "{set:?}");
    }
    watched::keep(&kind.offboard, POLICY, SCHEMA, app);
    world.end();
}
