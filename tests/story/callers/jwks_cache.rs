//! Where the public keys of tokens come from: asked for once an hour, once more for a key that is not among them, and never
//! without end.

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use starrocks_offboard::app::App;
use starrocks_offboard::flow;
use starrocks_offboard::request::inbound::Inbound;
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
        let mut ask = self.kind.ask("localhost", "n");
        ask["now"] = (self.host.now.get() / 1000).into();
        let (parts, body) = Platforms::request(&self.kind.name, &ask).request().into_parts();
        let inbound = Inbound {
            method: parts.method,
            path: parts.uri.path().into(),
            query: parts.uri.query().unwrap().into(),
            host: "localhost".into(),
            headers: parts.headers,
            body,
        };
        let answer: Response<Bytes> =
            flow::handle(&self.host, Ok(&self.app), inbound, None, |early| panic!("{early:?}")).await;
        answer.headers()["x-offboard-code"].to_str().unwrap().to_owned()
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

#[tokio::test]
async fn what_is_no_key_set() {
    for keys in ["", "{}", "<html>", "{\"keys\":[]}", "{\"keys\":[],\"keys\":[]}"] {
        let world = world();
        world.publish(Some(keys));
        assert_eq!(world.code().await, "OFFBOARD.50305", "{keys}");
    }
}
