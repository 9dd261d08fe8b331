//! Where the public keys of tokens come from: asked for once an hour, once more for a key that is not among them, and never
//! without end.

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered;
use support::kind::{Kind, NOW};
use support::memory::{Cloud, Memory};
use support::platforms::Platforms;

use crate::gateway::memory;

const URL: &str = "https://login.example.com/realms/staff/keys";

/// A caller whose users bring tokens.
struct World {
    kind: Kind,
    host: Memory,
    app: App,
}

fn app(kind: &Kind) -> App {
    let (policy, schema) =
        (include_str!("../../../config/policy.cedar"), include_str!("../../../config/schema.cedarschema"));
    App::parse(&kind.setup(false, &[]).offboard, policy, schema).unwrap()
}

fn world() -> World {
    let kind = Kind::all().into_iter().find(|kind| kind.name == "api-token").unwrap();
    let mut host = memory();
    host.now.set(NOW * 1000);
    host.cloud = Some(Cloud::default());
    World { app: app(&kind), host, kind }
}

impl World {
    /// Writes into the database, as its administrator could.
    fn write(&self, sql: &str, values: &[&str]) {
        let values: Vec<_> = values.iter().map(|value| (*value).into()).collect();
        let written: Vec<String> = self.host.database.rows(&format!("{sql} RETURNING url"), &values);
        assert_eq!(written.len(), 1, "{sql}");
    }

    /// What the database has.
    fn stored(&self, column: &str) -> Option<String> {
        let sql = format!("SELECT CAST({column} AS TEXT) FROM published_keys WHERE url = ?1");
        self.host.database.row(&sql, &[URL.into()]).unwrap()
    }

    /// The code of a request that is signed with a key that the issuer does not have.
    async fn code_of_forger(&self) -> String {
        let secret = self.kind.other_secret.clone();
        self.code_as(|ask| ask["secret"] = secret).await
    }

    fn publish(&self, keys: Option<&str>) {
        let mut published = self.host.cloud.as_ref().unwrap().published.borrow_mut();
        match keys {
            Some(keys) => published.insert(URL.into(), keys.into()),
            None => published.remove(URL),
        };
    }

    fn right(&self) -> String {
        self.kind.published[URL].clone()
    }

    /// Without the key that signs.
    fn without_it(&self) -> String {
        let mut keys: Value = serde_json::from_str(&self.right()).unwrap();
        keys["keys"].as_array_mut().unwrap().retain(|key| key["kid"] != "ed");
        keys.to_string()
    }

    async fn code(&self) -> String {
        self.code_as(|_| ()).await
    }

    async fn code_as(&self, change: impl FnOnce(&mut Value)) -> String {
        self.answer_as(change).await.headers()["x-offboard-code"].to_str().unwrap().to_owned()
    }

    async fn answer_as(&self, change: impl FnOnce(&mut Value)) -> Response<Bytes> {
        let mut ask = self.kind.ask("localhost", "n");
        ask["now"] = (self.host.now.get() / 1000).into();
        change(&mut ask);
        let (parts, body) = Platforms::request(&self.kind.name, &ask).request().into_parts();
        let inbound = Inbound {
            method: parts.method,
            path: parts.uri.path().into(),
            query: parts.uri.query().unwrap().into(),
            host: "localhost".into(),
            headers: parts.headers,
            body,
        };
        answered(&self.host, Ok(&self.app), inbound).await
    }

    fn later(&self, seconds: i64) {
        self.host.now.set(self.host.now.get() + seconds * 1000);
    }

    /// How often the issuer was asked.
    fn asked(&self) -> usize {
        self.host.sent.borrow().iter().filter(|request| request.uri() == URL).count()
    }
}

/// Alice is not there, as a proved requester hears.
const HEARD: &str = "DBS.200824";

#[tokio::test]
async fn once_an_hour() {
    let world = world();
    world.publish(Some(&world.right()));
    for _ in 0..3 {
        assert_eq!(world.code().await, HEARD);
        world.later(60);
    }
    assert_eq!(world.asked(), 1);
    // Another instance has them from the database.
    let world = World { app: app(&world.kind), ..world };
    assert_eq!(world.code().await, HEARD);
    assert_eq!(world.asked(), 1);
    world.later(3600);
    assert_eq!(world.code().await, HEARD);
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn a_new_key_counts_at_once() {
    let world = world();
    world.publish(Some(&world.without_it()));
    assert_eq!(world.code().await, "OFFBOARD.40109");
    // The issuer had been asked a moment before: it is not asked again for a while, however many come.
    for _ in 0..5 {
        assert_eq!(world.code().await, "OFFBOARD.40109");
    }
    assert_eq!(world.asked(), 1);
    world.publish(Some(&world.right()));
    world.later(31);
    assert_eq!(world.code().await, HEARD);
    assert_eq!(world.asked(), 2);
}

/// What another instance fetched meanwhile counts too.
#[tokio::test]
async fn a_new_key_that_another_instance_knows_counts_at_once() {
    let world = world();
    world.publish(Some(&world.without_it()));
    assert_eq!(world.code().await, "OFFBOARD.40109");
    world.publish(Some(&world.right()));
    world.later(31);
    let other = World { app: app(&world.kind), ..world };
    assert_eq!(other.code().await, HEARD);
    assert_eq!(other.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down() {
    let world = world();
    // Nothing is known of it.
    assert_eq!(world.code().await, "OFFBOARD.50305");
    world.publish(Some(&world.right()));
    world.later(31);
    assert_eq!(world.code().await, HEARD);
    // What was fetched is good for a day.
    world.publish(None);
    world.later(23 * 3600);
    assert_eq!(world.code().await, HEARD);
    world.later(3600);
    assert_eq!(world.code().await, "OFFBOARD.50305");
}

/// What trying again does not mend is said to be the operator's to mend; the rest is not.
#[tokio::test]
async fn who_can_mend_missing_keys_is_said() {
    let of_file = |world: World| {
        let config = world.kind.setup(false, &[]).offboard;
        let config = config.replace(&format!("jwks_url = \"{URL}\""), "jwks_file = \"keys.json\"");
        let (policy, schema) =
            (include_str!("../../../config/policy.cedar"), include_str!("../../../config/schema.cedarschema"));
        World { app: App::parse(&config, policy, schema).unwrap(), ..world }
    };
    let not_allowed = world();
    not_allowed.host.will_fail(SendError::NotAllowed("host".into()));
    for (world, advice) in
        [(world(), "try again later"), (not_allowed, "look at the log"), (of_file(world()), "look at the log")]
    {
        let answer = world.answer_as(|_| ()).await;
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(body.contains("OFFBOARD.50305") && body.contains(advice), "{body}");
        assert!(world.host.lines.borrow().iter().any(|line| line.starts_with("keys: `")), "the log says why");
    }
}

#[tokio::test]
async fn what_is_no_key_set() {
    for keys in ["", "{}", "<html>", "{\"keys\":[]}", "{\"keys\":[],\"keys\":[]}"] {
        let world = world();
        world.publish(Some(keys));
        assert_eq!(world.code().await, "OFFBOARD.50305", "{keys}");
    }
}

/// Another set of keys, with that of a forger under the issuer's name for it.
const PLANTED: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"udLgn43HEGkwx3zxdWaThJ8z9knulpLtUwBt390qsEo"}]}"#;

/// Who writes the database publishes no key: neither in the form of before, nor by moving what the gateway wrote.
#[tokio::test]
async fn a8_keys_that_the_gateway_did_not_store_prove_nothing() {
    let world = world();
    world.publish(Some(&world.right()));
    assert_eq!(world.code().await, HEARD);
    assert!(!world.stored("body").unwrap().contains("keys"));

    // As the versions before wrote it.
    world.write("UPDATE published_keys SET body = ?1 WHERE url = ?2", &[PLANTED, URL]);
    let other = World { app: app(&world.kind), ..world };
    other.later(31);
    assert_eq!(other.code_of_forger().await, "OFFBOARD.40105");
    assert_eq!(other.code().await, HEARD);
    assert_eq!(other.asked(), 2);

    // A set of another URL.
    let other = World { app: app(&other.kind), ..other };
    let theirs = "https://login.example.com/realms/guests/keys";
    other.host.cloud.as_ref().unwrap().published.borrow_mut().insert(theirs.into(), PLANTED.into());
    let config = other.kind.setup(false, &[]).offboard.replace(URL, theirs);
    let (policy, schema) =
        (include_str!("../../../config/policy.cedar"), include_str!("../../../config/schema.cedarschema"));
    let guests = World { app: App::parse(&config, policy, schema).unwrap(), ..other };
    assert_eq!(guests.code_of_forger().await, HEARD);
    let sql =
        "UPDATE published_keys SET (body, fetched_at) = (SELECT body, fetched_at FROM published_keys WHERE url = ?1)
        WHERE url = ?2";
    guests.write(sql, &[theirs, URL]);
    let other = World { app: app(&guests.kind), ..guests };
    other.later(31);
    assert_eq!(other.code_of_forger().await, "OFFBOARD.40105");

    // An old set is not made new.
    let fetched_at = other.stored("fetched_at").unwrap();
    other.later(25 * 3600);
    other.publish(None);
    let now = other.host.now.get().to_string();
    other.write("UPDATE published_keys SET fetched_at = CAST(CAST(?1 AS text) AS bigint) WHERE url = ?2", &[&now, URL]);
    assert_ne!(other.stored("fetched_at").unwrap(), fetched_at);
    let other = World { app: app(&other.kind), ..other };
    assert_eq!(other.code().await, "OFFBOARD.50305");
}

/// Without a secret that the database does not have, keys are in memory only.
#[tokio::test]
async fn a8_without_a_secret_no_keys_are_stored() {
    let mut world = world();
    world.host.variables.retain(|name, _| !name.starts_with("huaweicloud_"));
    world.publish(Some(&world.right()));
    assert_eq!(world.code().await, "OFFBOARD.50303");
    assert_eq!(world.code().await, "OFFBOARD.50303");
    assert_eq!(world.asked(), 1);
    assert_eq!(world.host.database.count("published_keys WHERE body IS NOT NULL"), 0);
    let other = World { app: app(&world.kind), ..world };
    assert_eq!(other.code().await, "OFFBOARD.50303");
    assert_eq!(other.asked(), 2);
}

/// Firewalls before issuers refuse requests that say not who sends them.
#[tokio::test]
async fn f27_every_call_says_who_sends_it() {
    let world = world();
    world.publish(Some(&world.right()));
    assert_eq!(world.code().await, HEARD);
    let sent = world.host.sent.borrow();
    assert!(sent.iter().any(|request| request.uri() == URL) && sent.len() > 1);
    for request in sent.iter() {
        assert_eq!(request.headers()["user-agent"], concat!("starrocks-offboard/", env!("CARGO_PKG_VERSION")));
        let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(!signed.contains("user-agent"), "{signed}");
    }
}
