//! People by SCIM, where it matters that requests come at the same time, that there are many people, or what the log says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::kind::Kind;
use support::stage::{Reply, Stage, Wire};

use crate::callers::kinds::InMemory;

/// A gateway with the caller of tests/fixtures/callers/scim, where alice has an account on one instance.
async fn open() -> InMemory {
    let kind = Kind::all().into_iter().find(|kind| kind.name == "scim").unwrap();
    let instances = ("[\"analytics\", \"warehouse\"]".to_owned(), "[\"analytics\"]".to_owned());
    InMemory::open(kind.setup(false, &[instances])).await
}

async fn ask(stage: &InMemory, method: &str, path: &str, body: Value) -> Reply {
    let wire = Wire {
        method: method.into(),
        target: format!("/scim/v2/scim{path}"),
        headers: vec![("Authorization".into(), "Bearer scim-token-5d41402abc4b2a76b971".into())],
        body: if body.is_null() { String::new() } else { body.to_string() },
    };
    stage.send(&wire).await
}

fn read(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

async fn created(stage: &InMemory, body: Value) -> String {
    let reply = ask(stage, "POST", "/Users", body).await;
    assert_eq!(reply.status, 201);
    read(&reply)["id"].as_str().unwrap().to_owned()
}

async fn patched(stage: &InMemory, id: &str, operations: Value) -> u16 {
    ask(stage, "PATCH", &format!("/Users/{id}"), json!({"Operations": operations})).await.status
}

async fn shown(stage: &InMemory, id: &str) -> Value {
    read(&ask(stage, "GET", &format!("/Users/{id}"), Value::Null).await)
}

/// How two requests take turns.
const TURNS: [u64; 6] =
    [0x5555_5555_5555_5555, 0x3333_3333_3333_3333, 0xf0f0_f0f0_0f0f_0f0f, 0x0123_4567_89ab_cdef, 0xff, u64::MAX];

#[tokio::test]
async fn changes_at_once_lose_nothing() {
    for turns in TURNS {
        let stage = open().await;
        let id = created(&stage, json!({"userName": "alice@a.example"})).await;
        stage.host.yields.set(turns);
        let set = |path: &'static str, value: &'static str| json!([{"op": "add", "path": path, "value": value}]);
        let all = tokio::join!(
            patched(&stage, &id, set("title", "x")),
            patched(&stage, &id, set("emails", "a@a.example")),
            patched(&stage, &id, set("emails", "b@a.example")),
            patched(&stage, &id, set("name.givenName", "A")),
        );
        stage.host.yields.set(0);
        assert_eq!(all, (200, 200, 200, 200), "{turns:x}");
        let person = shown(&stage, &id).await;
        let emails: BTreeSet<_> =
            person["emails"].as_array().unwrap().iter().map(|one| one["value"].clone().to_string()).collect();
        assert_eq!(emails, ["\"a@a.example\"", "\"b@a.example\""].map(str::to_owned).into(), "{turns:x}");
        assert_eq!((&person["title"], &person["name"]), (&json!("x"), &json!({"givenName": "A"})), "{turns:x}");
    }
}

#[tokio::test]
async fn a_change_at_the_time_of_a_deactivation_does_not_undo_it() {
    for turns in TURNS {
        let stage = open().await;
        let id = created(&stage, json!({"userName": "alice@a.example"})).await;
        stage.host.yields.set(turns);
        let both = tokio::join!(
            patched(&stage, &id, json!([{"op": "replace", "path": "active", "value": "False"}])),
            patched(&stage, &id, json!([{"op": "replace", "path": "displayName", "value": "A"}])),
        );
        stage.host.yields.set(0);
        assert_eq!(both, (200, 200), "{turns:x}");
        let person = shown(&stage, &id).await;
        assert_eq!((&person["active"], &person["displayName"]), (&json!(false), &json!("A")), "{turns:x}");
        assert!(!stage.has_alice(), "{turns:x}");
    }
}

#[tokio::test]
async fn every_person_is_on_one_page() {
    let stage = open().await;
    for number in 0..450 {
        let title = if number % 2 == 0 { "x" } else { "y" };
        created(&stage, json!({"userName": format!("p{number}@a.example"), "title": title})).await;
    }
    for (filter, all) in [("", 450), ("&filter=title%20eq%20%22x%22", 225), ("&filter=userName%20sw%20%22p1%22", 111)] {
        let (mut seen, mut start) = (BTreeSet::new(), 1);
        loop {
            let reply = ask(&stage, "GET", &format!("/Users?startIndex={start}&count=100{filter}"), Value::Null).await;
            let page = read(&reply);
            assert_eq!(page["totalResults"], all);
            let people = page["Resources"].as_array().unwrap();
            assert_eq!(page["itemsPerPage"], people.len());
            if people.is_empty() {
                break;
            }
            start += people.len();
            for person in people {
                assert!(seen.insert(person["id"].as_str().unwrap().to_owned()), "twice: {person}");
            }
        }
        assert_eq!(seen.len(), all, "{filter}");
    }
}

/// A search by a name or an id of the identity system's, alone or with more, looks at one person.
#[tokio::test]
async fn a_search_for_one_person_reads_no_others() {
    let stage = open().await;
    for number in 0..300 {
        created(&stage, json!({"userName": format!("p{number}@a.example"), "externalId": number})).await;
    }
    let statements = async |filter: &str| {
        let before = stage.host.statements.get();
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let reply = ask(&stage, "GET", &format!("/Users?filter={filter}"), Value::Null).await;
        (read(&reply)["totalResults"].as_u64(), stage.host.statements.get() - before)
    };
    // One for what is found, one that finds no more; without an index, one for each 200 people.
    let (_, usual) = statements("userName eq \"nobody\"").await;
    for filter in ["userName eq \"P7@a.example\"", "externalId eq 7", "title eq null and externalId eq \"7\""] {
        assert_eq!(statements(filter).await, (Some(1), usual + 1), "{filter}");
    }
    assert_eq!(statements("userName sw \"p7@\"").await, (Some(1), usual + 2));

    let plan: String = stage
        .host
        .database
        .sqlite()
        .query_row(
            "EXPLAIN QUERY PLAN SELECT id FROM identities WHERE caller = 'scim'
            AND json_extract(resource, '$.externalId') = '7' AND id > '' ORDER BY id LIMIT 200",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.starts_with("SEARCH identities ") && plan.contains("INDEX identities_by_external_id"), "{plan}");
}

#[tokio::test]
async fn what_is_not_kept_is_logged_without_its_value() {
    let stage = open().await;
    let secret = "hunter2".repeat(1000);
    let body = json!({"userName": "alice@a.example", "title": secret, "password": "hunter2", "active": false});
    let id = created(&stage, body).await;
    assert_eq!(ask(&stage, "DELETE", &format!("/Users/{id}"), Value::Null).await.status, 204);
    assert!(stage.has_alice());
    let lines = stage.log().join("\n");
    assert!(
        lines.contains(r#"{"event":"not-kept","by":"scim","person":"","attributes":["title"],"gateway":"#),
        "{lines}"
    );
    assert!(lines.contains(&format!(r#"{{"event":"never-active","by":"scim","person":"{id}","gateway":"#)), "{lines}");
    assert!(!lines.contains("hunter2"), "{lines}");
    assert_eq!(stage.host.database.count("identities WHERE resource LIKE '%hunter2%'"), 0);
}
