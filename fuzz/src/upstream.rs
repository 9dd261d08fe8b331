//! What TaurusDB says to a DELETE, and what its account list says.

use http::Method;
use serde_json::Value as Json;

use crate::kinds::{NOW, OFFBOARD, POLICY, SCHEMA};
use crate::stories::{self, PORTAL, SECRETS};
use crate::watched::{self, Odd, Script, To, World};
use crate::wire;

/// Answers as `wire::answer` reads them, with `%%` between them: a byte first that says, bit by bit, which of them are of the
/// list. What comes after them is what a sound TaurusDB says.
pub fn upstream(data: &[u8]) {
    let [of_list, text @ ..] = data else { return };
    let mut memory = stories::memory();
    memory.cloud = Some(watched::cloud(&["alice", "bob"]));
    let world = World::new(memory, &SECRETS);
    let odds: Vec<Odd> = wire::parts(text).into_iter().take(8).map(wire::answer).collect();
    for (place, odd) in odds.iter().enumerate() {
        let to = if of_list >> place & 1 == 1 { To::List } else { To::Delete };
        world.will(to, odd.clone());
    }
    // Only what TaurusDB sent in clear may be passed on.
    let said = String::from_utf8_lossy(text);
    if SECRETS.iter().any(|secret| said.contains(secret)) {
        return world.end();
    }
    let app = watched::app(OFFBOARD, POLICY, SCHEMA);
    let request = |seconds| {
        let target = format!("{}?user_name=alice", stories::ANALYTICS);
        stories::portal(PORTAL[0], seconds, Method::DELETE, &target, "")
    };
    for again in 0..3 {
        // The same delivery, and a while later another one.
        let seconds = if again < 2 { NOW } else { NOW + 60 };
        world.memory.now.set(seconds * 1000);
        let answer = watched::run(watched::ask(&world, Ok(&app), request(seconds), 20, Script::default()));
        let answer = answer.expect("an answer");
        let body: Json = serde_json::from_slice(answer.body()).expect("the documented body");
        let documented = body.get("result").and_then(Json::as_str) == Some("SUCCESS")
            || ["error_code", "error_msg"].iter().all(|name| body.get(name).is_some_and(Json::is_string));
        assert!(documented, "{answer:?}");
        assert_eq!(answer.status().is_success(), body.get("result").is_some(), "{answer:?}");
        if answer.status().is_success() {
            let sound = |odd: &Odd| matches!(&odd.result, Ok(answer) if answer.status() == 200);
            let is_there = world.memory.cloud.as_ref().is_some_and(|cloud| {
                cloud.accounts.borrow().iter().any(|(on, name)| on.ends_with("1efea1fin17") && name == "alice")
            });
            assert!(!is_there || odds.iter().any(sound), "no answer said that it is gone: {answer:?}");
        }
    }
    watched::keep(OFFBOARD, POLICY, SCHEMA, app);
    world.end();
}
