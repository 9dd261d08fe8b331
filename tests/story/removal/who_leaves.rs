//! Who leaves, and whose the accounts are: names of two people, former names, names without an account.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::request::inbound::Inbound;
use support::database::Column;
use support::memory::Memory;

use crate::gateway::{ask, gateway_with, header, slash_as, text};
use crate::removal::leavers::{
    ANALYTICS, WAREHOUSE, created, deactivated, deletes, has, left, row, scim, states, world,
};

const WAITS: &str = "OFFBOARD.40908";

async fn patched(host: &Memory, app: &App, id: &str, operations: Value) -> Response<Bytes> {
    scim(host, app, Method::PATCH, &format!("/Users/{id}"), &json!({"Operations": operations})).await
}

fn rename(to: &str) -> Value {
    json!({"op": "Replace", "path": "userName", "value": to})
}

fn active(is: &str) -> Value {
    json!({"op": "Replace", "path": "active", "value": is})
}

async fn is_active(host: &Memory, app: &App, id: &str) -> Option<bool> {
    let answer = scim(host, app, Method::GET, &format!("/Users/{id}"), &Value::Null).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    (answer.status() == 200).then(|| body["active"] == true)
}

fn newest<T: Column>(host: &Memory, column: &str) -> T {
    let statement = format!("SELECT {column} FROM removals ORDER BY rowid DESC LIMIT 1");
    host.database.row(&statement, &[]).unwrap()
}

/// Erin decides about what waits.
async fn decided(host: &Memory, app: &App, how: &str) -> String {
    let reference: String = newest(host, "reference");
    text(&ask(host, app, slash_as("U0ERIN", host.now.get() / 1000, &format!("{how} {reference}"), "")).await)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Policy permits the removal at once, and it waits: the account is that of either.
#[tokio::test]
async fn f1_one_account_name_of_two_active_people_waits_for_a_person() {
    for (stays, leaves, account) in [
        ("pat@a.example", "pat@b.example", "pat"),
        ("a.lee@a.example", "a-lee@a.example", "a_lee"),
        ("a_lee@a.example", "A.Lee@a.example", "a_lee"),
    ] {
        let (host, app) = world(&[]);
        has(&host, &[(ANALYTICS, account)]);
        let other = created(&host, &app, stays).await;
        let id = created(&host, &app, leaves).await;
        let answer = patched(&host, &app, &id, json!([active("False")])).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-offboard-code")), (409, Some(WAITS)));
        let detail = serde_json::from_slice::<Value>(answer.body()).unwrap()["detail"].as_str().unwrap().to_owned();
        let reason: String = newest(&host, "reason");
        let both = format!("`{leaves}` (`{id}`) leaves, and the account may be that of `{stays}` (`{other}`)");
        assert_eq!(reason, both);
        assert!(detail.contains(&both), "{detail}");
        assert_eq!((deletes(&host), states(&host)), (0, vec![row("awaiting-approval", account)]));
        assert_eq!(is_active(&host, &app, &id).await, Some(true));

        // The approver says that it is the leaver's: the person has left, though the sender did not ask again.
        assert!(decided(&host, &app, "approve").await.contains("✅ Removed"));
        assert_eq!((deletes(&host), left(&host)), (1, names(&[])));
        assert_eq!(is_active(&host, &app, &id).await, Some(false));
        assert_eq!(is_active(&host, &app, &other).await, Some(true));
    }
}

/// The approver says that it is the other's: then nothing of the leaver is left, and the identity system hears no error for ever.
#[tokio::test]
async fn f1_an_account_that_an_approver_leaves_to_the_other_is_none_of_the_leaver() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "pat")]);
    created(&host, &app, "pat@a.example").await;
    let id = created(&host, &app, "pat@b.example").await;
    assert_eq!(deactivated(&host, &app, &id).await, (409, Some(WAITS.into())));
    decided(&host, &app, "deny").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!((deletes(&host), left(&host)), (0, names(&["pat"])));
    assert_eq!(is_active(&host, &app, &id).await, Some(false));
}

/// When the other has left too, the account is either leaver's.
#[tokio::test]
async fn f1_of_two_leavers_the_account_goes() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "pat"), (WAREHOUSE, "pat")]);
    let one = created(&host, &app, "pat@a.example").await;
    let other = created(&host, &app, "pat@b.example").await;
    assert_eq!(deactivated(&host, &app, &one).await.0, 409);
    assert_eq!(deletes(&host), 0);
    // The first is leaving, and waits for the production account only.
    assert_eq!(deactivated(&host, &app, &other).await.0, 409);
    assert_eq!((deletes(&host), left(&host)), (1, names(&["pat"])));
}

/// An account that `[[person]]` or the map of the caller gives to another person, and one that the operator gave to the leaver.
#[tokio::test]
async fn f1_an_account_that_is_listed_for_another_person_waits() {
    // Demo's `[[person]]` dana has the account dana; the map gives it to dana@example.com.
    for (leaves, expected) in [("dana@b.example", (409, Some(WAITS.into()))), ("dana@example.com", (200, None))] {
        let (host, app) = world(&[]);
        has(&host, &[(ANALYTICS, "dana")]);
        let id = created(&host, &app, leaves).await;
        assert_eq!(deactivated(&host, &app, &id).await, expected, "{leaves}");
    }
    // The same person, as the operator says.
    let (host, app) = world(&[("principals = [", "principals = [\"okta/dana@b.example\", ")]);
    has(&host, &[(ANALYTICS, "dana")]);
    let id = created(&host, &app, "dana@b.example").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    // The map gives the account to another active person.
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "dana_ro")]);
    created(&host, &app, "dana@example.com").await;
    let id = created(&host, &app, "dana.ro@b.example").await;
    assert_eq!(deactivated(&host, &app, &id).await, (409, Some(WAITS.into())));
}

/// How Entra frees the name of a person who is deleted: a new name and the end, in one request, in either order.
#[tokio::test]
async fn f2_a_person_who_is_renamed_and_deactivated_at_once_leaves_by_the_old_name() {
    let renamed = "5d41402abc4b2a76b9719d911017c592pat@a.example";
    for turned in [false, true] {
        let (host, app) = world(&[]);
        has(&host, &[(ANALYTICS, "pat")]);
        let id = created(&host, &app, "pat@a.example").await;
        let mut operations = vec![rename(renamed), active("False")];
        if turned {
            operations.reverse();
        }
        let answer = patched(&host, &app, &id, json!(operations)).await;
        assert_eq!((answer.status().as_u16(), deletes(&host), left(&host)), (200, 1, names(&[])));
        assert_eq!(is_active(&host, &app, &id).await, Some(false));
    }
    // The same in a PUT.
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "pat")]);
    let id = created(&host, &app, "pat@a.example").await;
    let body = json!({"userName": renamed, "active": false});
    let answer = scim(&host, &app, Method::PUT, &format!("/Users/{id}"), &body).await;
    assert_eq!((answer.status().as_u16(), left(&host)), (200, names(&[])));
}

/// The second half of the same: the old name comes back while the person is inactive, and another person's account has it now.
#[tokio::test]
async fn f2_a_new_name_of_an_inactive_person_removes_nothing() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "pat"), (ANALYTICS, "alice")]);
    let id = created(&host, &app, "pat@a.example").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    for operations in [
        json!([rename("alice@a.example")]),
        json!([rename("alice@b.example"), active("False")]),
        json!([active("False")]),
    ] {
        assert_eq!(patched(&host, &app, &id, operations).await.status().as_u16(), 200);
        assert_eq!((deletes(&host), left(&host)), (1, names(&["alice"])));
    }
    assert_eq!(scim(&host, &app, Method::DELETE, &format!("/Users/{id}"), &Value::Null).await.status().as_u16(), 204);
    assert_eq!((deletes(&host), left(&host)), (1, names(&["alice"])));
}

#[tokio::test]
async fn f3_a_person_who_was_renamed_loses_the_accounts_of_all_names() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "pat"), (ANALYTICS, "patricia"), (ANALYTICS, "pl")]);
    let id = created(&host, &app, "pat@a.example").await;
    for name in ["patricia@a.example", "pl@a.example"] {
        assert_eq!(patched(&host, &app, &id, json!([rename(name)])).await.status().as_u16(), 200);
    }
    assert_eq!(deletes(&host), 0);
    assert_eq!(scim(&host, &app, Method::DELETE, &format!("/Users/{id}"), &Value::Null).await.status().as_u16(), 204);
    assert_eq!((deletes(&host), left(&host)), (3, names(&[])));
}

/// A name that was given up is another person's now: it may be the account of either.
#[tokio::test]
async fn f3_a_former_name_that_another_active_person_has_waits() {
    for leaves_first in [true, false] {
        let (host, app) = world(&[]);
        has(&host, &[(ANALYTICS, "pat"), (ANALYTICS, "patricia")]);
        let first = created(&host, &app, "pat@a.example").await;
        assert_eq!(patched(&host, &app, &first, json!([rename("patricia@a.example")])).await.status().as_u16(), 200);
        let second = created(&host, &app, "pat@a.example").await;
        let leaver = if leaves_first { &first } else { &second };
        assert_eq!(deactivated(&host, &app, leaver).await, (409, Some(WAITS.into())));
        let expected = if leaves_first { names(&["pat"]) } else { names(&["pat", "patricia"]) };
        assert_eq!(left(&host), expected);
    }
}

#[tokio::test]
async fn f4_names_in_the_map_compare_without_case() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "dana_ro")]);
    let id = created(&host, &app, "Dana@Example.COM").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!(left(&host), names(&[]));
}

fn refused(caller: &str) -> String {
    let demo = include_str!("../../../config/offboard.toml");
    let offboard = demo.replacen("[accounts]", &format!("[[caller]]\nname = \"x\"\n{caller}\n\n[accounts]"), 1);
    let policy = include_str!("../../../config/policy.cedar");
    App::parse(&offboard, policy, include_str!("../../../config/schema.cedarschema"))
        .err()
        .map(|unusable| unusable.details)
        .unwrap_or_default()
}

/// The caller's table, and a part of what is said about it; nothing for a table that is right.
const TABLES: &[(&str, &str, &str)] = &[
    ("f5", "scim\n{displayName|snake}", "a name for display"),
    ("f5", "scim\n{name.givenName}", "a name for display"),
    ("f5", "scim\n{nickName}", "a name for display"),
    ("f5", "scim\n\"displayName:Pat\"", "a name for display"),
    ("f5", "scim\n\"pat@a.example\"", "does not name its attribute; write `userName:pat@a.example`"),
    ("f5", "scim\n\"userName:pat@a.example\"", ""),
    ("f5", "scim\n{username}", "did you mean `userName`?"),
    ("f5", "gitlab\n{name}", "a name for display"),
    ("f6", "github\n{login|snake}", "which people choose themselves"),
    ("f6", "github\n\"login:octocat\"", "which people choose themselves"),
    ("f6", "gitlab\n{username|snake}", "which people choose themselves"),
    ("f6", "gitlab\n{email|local}", "which people choose themselves"),
    ("f6", "github\n\"id:583231\"", ""),
    ("f6", "okta\n{login|local}", ""),
];

#[test]
fn f5_f6_only_what_an_administrator_sets_names_accounts() {
    for (case, table, expected) in TABLES {
        let (kind, name) = table.split_once('\n').unwrap();
        let names = match name.strip_prefix('"') {
            Some(_) => format!("map = {{ {name} = [\"pat\"] }}"),
            None => format!("user_names = [\"{name}\"]"),
        };
        let caller = |more: &str| {
            format!(
                "kind = \"{kind}\"\nsecrets = [\"x\"]\n[caller.leavers]\ninstances = [\"analytics\"]\n{names}{more}"
            )
        };
        let said = refused(&caller(""));
        assert!(said.contains(expected) && expected.is_empty() == said.is_empty(), "{case} {table}: {said}");
        if expected.contains("choose themselves") {
            assert_eq!(refused(&caller("\nallow_logins = true")), "", "{case} {table}");
        }
    }
}

/// A table a caller, and none for all of them.
#[test]
fn f7_leavers_belong_to_a_caller() {
    let okta = "kind = \"okta\"\nsecrets = [\"x\"]\n[caller.leavers]\ninstances = [\"analytics\"]\nuser_names = [\"{login|local}\"]";
    let github = "[[caller]]\nname = \"y\"\nkind = \"github\"\nsecrets = [\"y\"]\n[caller.leavers]\ninstances = [\"warehouse\"]\nmap = { \"id:1\" = [\"olga\"] }";
    assert_eq!(refused(&format!("{okta}\n{github}")), "");
    let for_all = okta.replace("[caller.leavers]", "[leavers]");
    assert!(refused(&for_all).contains("write `[caller.leavers]`, below the `[[caller]]`"), "{}", refused(&for_all));
    let missing = "kind = \"okta\"\nsecrets = [\"x\"]";
    assert!(refused(missing).contains("`[caller.leavers]` is missing"), "{}", refused(missing));
    let needless = okta.replace("\"okta\"", "\"slack\"");
    assert!(refused(&needless).contains("reports no leavers"), "{}", refused(&needless));
    let template = okta.replace("\"okta\"", "\"github\"");
    assert!(refused(&template).contains("choose themselves"), "{}", refused(&template));
    let confirmed = okta.replace("secrets", "confirm = true\nsecrets");
    assert!(refused(&confirmed).contains("no person is there to confirm"), "{}", refused(&confirmed));
}

/// Another change of a leaver leaves the departure as it is; coming back ends it, with what waits for approval.
#[tokio::test]
async fn a_person_who_comes_back_keeps_what_waited_for_approval() {
    let (host, app) = world(&[]);
    has(&host, &[(WAREHOUSE, "pat")]);
    let id = created(&host, &app, "pat@a.example").await;
    assert_eq!(deactivated(&host, &app, &id).await.0, 409);
    let shown = json!([{"op": "replace", "path": "displayName", "value": "Pat"}]);
    assert_eq!(patched(&host, &app, &id, shown).await.status().as_u16(), 200);
    let body = json!({"userName": "pat@a.example", "displayName": "Pat"});
    assert_eq!(scim(&host, &app, Method::PUT, &format!("/Users/{id}"), &body).await.status().as_u16(), 200);
    assert_eq!(states(&host), [row("awaiting-approval", "pat")]);
    assert_eq!(patched(&host, &app, &id, json!([active("True")])).await.status().as_u16(), 200);
    assert_eq!(states(&host), [row("cancelled", "pat")]);
    decided(&host, &app, "approve").await;
    assert_eq!((deletes(&host), left(&host)), (0, names(&["pat"])));
    // Leaving again is another departure.
    assert_eq!(deactivated(&host, &app, &id).await.0, 409);
    decided(&host, &app, "approve").await;
    assert_eq!(left(&host), names(&[]));
    assert_eq!(is_active(&host, &app, &id).await, Some(false));
}

/// A person who was deleted while an account waited is forgotten once it is approved, also in a list.
#[tokio::test]
async fn a_person_who_is_deleted_is_forgotten_when_the_accounts_are_gone() {
    let (host, app) = world(&[]);
    has(&host, &[(WAREHOUSE, "pat")]);
    let id = created(&host, &app, "pat@a.example").await;
    let path = format!("/Users/{id}");
    assert_eq!(scim(&host, &app, Method::DELETE, &path, &Value::Null).await.status().as_u16(), 409);
    let total = async || {
        let answer = scim(&host, &app, Method::GET, "/Users", &Value::Null).await;
        serde_json::from_slice::<Value>(answer.body()).unwrap()["totalResults"].as_u64()
    };
    assert_eq!(total().await, Some(1));
    decided(&host, &app, "approve").await;
    assert_eq!(total().await, Some(0));
    assert_eq!(is_active(&host, &app, &id).await, None);
    assert_eq!(deletes(&host), 1);
}

/// Said to the sender, in the log and in the ledger.
#[tokio::test]
async fn a_leaver_without_an_account_is_said() {
    let (host, app) = world(&[]);
    let id = created(&host, &app, "zoe@a.example").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, Some("NO_ACCOUNT".into())));
    assert_eq!(host.rows().len(), 1);
    assert_eq!(newest::<String>(&host, "state || ' ' || code || ' ' || actor"), "already-gone NO_ACCOUNT okta");
    assert_eq!(newest::<Option<String>>(&host, "user_name"), None);
    let reason = newest::<String>(&host, "reason");
    assert_eq!(reason, format!("leaver `zoe@a.example` (`{id}`), event `{id}/1`"));
    let lines = host.lines.borrow();
    assert!(
        lines.iter().any(|line| line.contains("\"without_account\":[\"") && line.contains("NO_ACCOUNT")),
        "{lines:?}"
    );
}

/// A test person of an identity system lacks an attribute, and has to be deleted all the same; a departure is refused.
#[tokio::test]
async fn a_person_without_a_name_can_be_deleted_and_not_overlooked() {
    let (host, app) = world(&[("{userName|local|snake}", "svc_{employeeNumber}")]);
    let id = created(&host, &app, "test@a.example").await;
    assert_eq!(deactivated(&host, &app, &id).await, (400, Some("OFFBOARD.40013".into())));
    let answer = scim(&host, &app, Method::DELETE, &format!("/Users/{id}"), &Value::Null).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-offboard-code")), (204, Some("NO_ACCOUNT")));
    assert_eq!(is_active(&host, &app, &id).await, None);
}

/// The accounts are gone, and the ledger fails at the very end.
#[tokio::test]
async fn a_person_who_could_not_be_updated_is_said() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "pat")]);
    let id = created(&host, &app, "pat@a.example").await;
    let counted = host.statements.get();
    let (host_again, app_again) = world(&[]);
    has(&host_again, &[(ANALYTICS, "pat")]);
    let again = created(&host_again, &app_again, "pat@a.example").await;
    deactivated(&host_again, &app_again, &again).await;
    // The last statement but one; the last reads the person.
    host.fails_at.set(counted + (host_again.statements.get() - counted) - 1);
    let answer = patched(&host, &app, &id, json!([active("False")])).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-offboard-code")), (503, Some("OFFBOARD.50301")));
    assert!(text(&answer).contains("the accounts are gone, but the person could not be updated"), "{}", text(&answer));
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!(deletes(&host), 1);
}

/// An event hook of Okta's beside the directory: `x` reports the person by address.
async fn hooked(host: &Memory, app: &App, login: &str) -> (u16, Option<String>) {
    let event = json!({
        "uuid": format!("e-{login}"), "eventType": "user.lifecycle.deactivate", "outcome": {"result": "SUCCESS"},
        "target": [{"id": format!("00u-{login}"), "type": "User", "alternateId": login}],
    });
    let body = json!({"eventType": "com.okta.event_hook", "data": {"events": [event]}});
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", "hook".parse().unwrap());
    headers.insert("content-type", "application/json".parse().unwrap());
    let inbound = Inbound {
        method: Method::POST,
        path: "/hooks/x".into(),
        query: String::new(),
        host: "localhost".into(),
        headers,
        body: body.to_string().into(),
    };
    let answer = ask(host, app, inbound).await;
    (answer.status().as_u16(), header(&answer, "x-offboard-code").map(str::to_owned))
}

/// A caller without a directory of its own knows what the rest of the configuration and the other directories say.
#[tokio::test]
async fn f1_a_caller_without_a_directory_holds_what_is_known_to_be_of_others() {
    const HOOK: (&str, &str) = (
        "[accounts]",
        "[[caller]]\nname = \"x\"\nkind = \"okta\"\nsecrets = [\"hook_secret\"]\n[caller.leavers]\ninstances = [\"analytics\"]\nuser_names = [\"{login|local|snake}\"]\nmap = { \"login:kim@a.example\" = [\"kim\"], \"login:lee@a.example\" = [\"lee\", \"kim_ro\"] }\n\n[accounts]",
    );
    for (login, expected) in [
        // An active person of the directory makes the same name, or is the same person.
        ("pat@b.example", (409, WAITS)),
        ("Pat@A.example", (200, "SUCCESS")),
        // The map has it for another.
        ("kim@b.example", (409, WAITS)),
        ("kim@a.example", (200, "SUCCESS")),
        ("kim.ro@b.example", (409, WAITS)),
        // `[[person]]`, and the map of the directory.
        ("dana@b.example", (409, WAITS)),
        ("nobody@b.example", (200, "NO_ACCOUNT")),
    ] {
        let (mut host, _) = world(&[]);
        let app = gateway_with(&[
            ("members = [", "members = [\"x\", \"okta\", "),
            (
                "[accounts]",
                "[[caller]]\nname = \"okta\"\nkind = \"scim\"\nsecrets = [\"scim_token\"]\n\n[caller.leavers]\ninstances = [\"analytics\"]\nuser_names = [\"{userName|local|snake}\"]\n\n[accounts]",
            ),
            HOOK,
        ]);
        host.variables.insert("hook_secret".into(), "hook".into());
        let all = ["pat", "kim", "kim_ro", "dana"];
        has(&host, &all.map(|name| (ANALYTICS, name)));
        created(&host, &app, "pat@a.example").await;
        let seen = hooked(&host, &app, login).await;
        assert_eq!((seen.0, seen.1.as_deref()), (expected.0, Some(expected.1)), "{login}");
        assert_eq!(left(&host).len(), if expected.1 == "SUCCESS" { 3 } else { 4 }, "{login}");
    }
}
