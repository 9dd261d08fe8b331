//! A person leaves, and has more than one account: partly done is said as such, and the same event again finishes the rest.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use local::simulator::demo;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered;
use support::memory::{Cloud, Memory};

use crate::gateway::{ask, gateway_with, header, memory, slash_as, text};

/// A caller of kind `scim`, in the team that may remove on staging and ask on production.
const CALLER: [(&str, &str); 2] = [
    ("members = [", "members = [\"okta\", \"slack/U0ERIN\", "),
    (
        "[accounts]",
        "[[caller]]\nname = \"okta\"\nkind = \"scim\"\nsecrets = [\"scim_token\"]\n\n[caller.leavers]\ninstances = [\"analytics\", \"warehouse\"]\nuser_names = [\"{userName|local|snake}\"]\nmap = { \"userName:dana@example.com\" = [\"dana\", \"dana_ro\"] }\n\n[accounts]",
    ),
];

pub(super) fn world(changes: &[(&str, &str)]) -> (Memory, App) {
    let app = gateway_with(&[&CALLER[..], changes].concat());
    let mut host = memory();
    host.variables.insert("scim_token".into(), "token".into());
    host.cloud = Some(Cloud::default());
    (host, app)
}

pub(super) fn has(host: &Memory, accounts: &[(&str, &str)]) {
    let known = accounts.iter().map(|(instance, name)| ((*instance).to_owned(), (*name).to_owned()));
    host.cloud.as_ref().unwrap().accounts.borrow_mut().extend(known);
}

pub(super) fn left(host: &Memory) -> BTreeSet<String> {
    host.cloud.as_ref().unwrap().accounts.borrow().iter().map(|(_, name)| name.clone()).collect()
}

pub(super) async fn scim(host: &Memory, app: &App, method: Method, path: &str, body: &Value) -> Response<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer token".parse().unwrap());
    headers.insert("content-type", "application/scim+json".parse().unwrap());
    let inbound = Inbound {
        method,
        path: format!("/scim/v2/okta{path}"),
        query: String::new(),
        host: "localhost".into(),
        headers,
        body: body.to_string().into(),
    };
    answered(host, Ok(app), inbound).await
}

pub(super) async fn created(host: &Memory, app: &App, user_name: &str) -> String {
    let answer = scim(host, app, Method::POST, "/Users", &json!({"userName": user_name})).await;
    assert_eq!(answer.status().as_u16(), 201, "{}", text(&answer));
    serde_json::from_slice::<Value>(answer.body()).unwrap()["id"].as_str().unwrap().to_owned()
}

/// `(status, code)`
pub(super) async fn deactivated(host: &Memory, app: &App, id: &str) -> (u16, Option<String>) {
    let body = json!({"Operations": [{"op": "replace", "value": {"active": false}}]});
    let answer = scim(host, app, Method::PATCH, &format!("/Users/{id}"), &body).await;
    (answer.status().as_u16(), header(&answer, "x-offboard-code").map(str::to_owned))
}

pub(super) fn states(host: &Memory) -> Vec<(String, Option<String>)> {
    host.rows().into_iter().map(|row| (row.0, row.2)).collect()
}

pub(super) fn row(state: &str, user_name: &str) -> (String, Option<String>) {
    (state.into(), Some(user_name.into()))
}

pub(super) fn deletes(host: &Memory) -> usize {
    host.methods().iter().filter(|method| *method == "DELETE").count()
}

pub(super) const ANALYTICS: &str = demo::INSTANCE_ID;
pub(super) const WAREHOUSE: &str = demo::PRODUCTION_INSTANCE_ID;

/// By the map, more than one account; of those that there are, each is a removal with a row of its own.
#[tokio::test]
async fn each_account_that_there_is_goes() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "dana"), (ANALYTICS, "dana_ro"), (ANALYTICS, "dan"), (ANALYTICS, "erin")]);
    let id = created(&host, &app, "dana@example.com").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!(states(&host), [row("removed", "dana"), row("removed", "dana_ro")]);
    assert_eq!(left(&host), ["dan", "erin"].map(str::to_owned).into());
}

/// TaurusDB cannot be reached for one of them.
#[tokio::test]
async fn the_same_event_finishes_what_failed() {
    let (host, app) = world(&[("[approvals]", "[limits]\nattempts = 1\n\n[approvals]")]);
    has(&host, &[(ANALYTICS, "dana"), (ANALYTICS, "dana_ro")]);
    let id = created(&host, &app, "dana@example.com").await;
    // Every call comes to nothing: not even the list can be read.
    for _ in 0..4 {
        host.will_fail(SendError::NotSent("refused".into()));
    }
    assert_eq!(deactivated(&host, &app, &id).await, (502, Some("OFFBOARD.50205".into())));
    assert_eq!(deletes(&host), 0);
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!(deletes(&host), 2);
    assert_eq!(left(&host), BTreeSet::new());
    // And once more it is done.
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!(deletes(&host), 2);
}

/// On production an approver has to approve it; when they have, the same event is done.
#[tokio::test]
async fn the_same_event_finishes_what_waited() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "dana"), (WAREHOUSE, "dana")]);
    let id = created(&host, &app, "dana@example.com").await;
    assert_eq!(deactivated(&host, &app, &id).await, (409, Some("OFFBOARD.40908".into())));
    assert_eq!(states(&host), [row("removed", "dana"), row("awaiting-approval", "dana")]);

    let waiting = "SELECT reference FROM removals WHERE reference IS NOT NULL";
    let reference: String = host.database.row(waiting, &[]).unwrap();
    let approve = slash_as("U0ERIN", host.now.get() / 1000, &format!("approve {reference}"), "");
    let answer = ask(&host, &app, approve).await;
    assert!(text(&answer).contains("✅ Removed `dana` from `warehouse`"), "{}", text(&answer));
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!((deletes(&host), left(&host)), (2, BTreeSet::new()));
}

/// What policy forbade yesterday it may permit today: the same event is judged anew, in a row of its own.
#[tokio::test]
async fn the_same_event_is_judged_anew_where_it_was_denied() {
    let (host, app) = world(&[("members = [\"okta\", ", "members = [")]);
    has(&host, &[(ANALYTICS, "dana")]);
    let id = created(&host, &app, "dana@example.com").await;
    assert_eq!(deactivated(&host, &app, &id).await, (403, Some("OFFBOARD.40309".into())));
    let app = gateway_with(&CALLER);
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!(states(&host), [row("denied", "dana"), row("removed", "dana")]);
}

/// Another person with the same name has an account now: the old event is not about it, and does not pass over it in silence either.
#[tokio::test]
async fn an_account_that_is_there_again() {
    let (host, app) = world(&[]);
    has(&host, &[(ANALYTICS, "dana")]);
    let id = created(&host, &app, "dana@example.com").await;
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    has(&host, &[(ANALYTICS, "dana")]);
    assert_eq!(deactivated(&host, &app, &id).await, (403, Some("OFFBOARD.40309".into())));
    assert_eq!(deletes(&host), 1);

    // Back, and gone again: that is another event.
    let body = json!({"Operations": [{"op": "replace", "value": {"active": true}}]});
    let answer = scim(&host, &app, Method::PATCH, &format!("/Users/{id}"), &body).await;
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!((deletes(&host), left(&host)), (2, BTreeSet::new()));
}

/// The brake counts the accounts of a leaver as it counts any others, also where eight are removed at once.
#[tokio::test]
async fn the_brake_holds() {
    let many: Vec<String> = (0..30).map(|number| format!("\"dana{number}\"")).collect();
    let map = format!("[{}]", many.join(", "));
    let (host, app) = world(&[("[\"dana\", \"dana_ro\"]", &map)]);
    for name in &many {
        has(&host, &[(ANALYTICS, name.trim_matches('"'))]);
    }
    let id = created(&host, &app, "dana@example.com").await;
    assert_eq!(deactivated(&host, &app, &id).await, (403, Some("OFFBOARD.40309".into())));
    assert_eq!((deletes(&host), left(&host).len()), (20, 10));
    // An hour later the same event goes on.
    host.now.set(host.now.get() + 3_600_001);
    assert_eq!(deactivated(&host, &app, &id).await, (200, None));
    assert_eq!((deletes(&host), left(&host).len()), (30, 0));
}

/// The same event twice at once: however the two interleave, one DELETE an account.
#[tokio::test]
async fn twice_at_once_is_once() {
    for yields in
        [0x5555_5555_5555_5555_u64, 0x3333_3333_3333_3333, 0xf0f0_f0f0_0f0f_0f0f, 0x0123_4567_89ab_cdef, u64::MAX]
    {
        let (host, app) = world(&[]);
        has(&host, &[(ANALYTICS, "dana"), (ANALYTICS, "dana_ro")]);
        let id = created(&host, &app, "dana@example.com").await;
        host.yields.set(yields);
        let both = tokio::join!(deactivated(&host, &app, &id), deactivated(&host, &app, &id));
        host.yields.set(0);
        assert_eq!((deletes(&host), left(&host)), (2, BTreeSet::new()), "{yields:x} {both:?}");
        assert_eq!(deactivated(&host, &app, &id).await, (200, None));
        assert_eq!(deletes(&host), 2);
    }
}

/// `active` is true for every caller who looks, until all of it is done.
#[tokio::test]
async fn whoever_is_leaving_is_active_until_all_is_gone() {
    let (host, app) = world(&[]);
    has(&host, &[(WAREHOUSE, "dana")]);
    let id = created(&host, &app, "dana@example.com").await;
    let is_active = async || {
        let answer = scim(&host, &app, Method::GET, &format!("/Users/{id}"), &Value::Null).await;
        serde_json::from_slice::<Value>(answer.body()).unwrap()["active"] == true
    };
    assert_eq!(deactivated(&host, &app, &id).await.0, 409);
    assert!(is_active().await);
    host.cloud.as_ref().unwrap().accounts.borrow_mut().clear();
    host.database.execute("UPDATE removals SET state = 'removed', status = 200, code = 'SUCCESS'", &[]);
    assert_eq!(deactivated(&host, &app, &id).await.0, 200);
    assert!(!is_active().await);
}
