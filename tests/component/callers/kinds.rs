//! The same cases and breaches as in `tests/story`, through the built component.

use local::simulator::demo;

use crate::harness::agreement::assert_agreement;
use crate::harness::answer::{Answer, PATIENCE, receive};
use crate::harness::gateway::Gateway;
use support::case::Delete;
use support::kind::Setup;
use support::stage::{Posted, Reply, Row, Stage, Wire};

pub(crate) struct Component(pub(crate) Gateway);

impl Stage for Component {
    const HAS_SIMULATOR: bool = true;

    async fn open(setup: Setup) -> Self {
        Self(Gateway::start_as(setup).await)
    }

    fn host(&self) -> String {
        self.0.address.to_string()
    }

    async fn send(&self, wire: &Wire) -> Reply {
        let Answer { status, headers, body } = receive(self.0.address, wire.request()).await.unwrap();
        if headers.contains_key("x-offboard-removal") {
            self.0.settled().await;
        }
        Reply { status, headers, body }
    }

    fn rows(&self) -> Vec<Row> {
        let row = |row: crate::harness::row::Row| Row {
            state: row.state,
            actor: row.actor,
            instance: row.instance,
            user_name: row.user_name,
            reason: row.reason,
            caller: row.caller,
            policies: Some(row.policies),
        };
        self.0.rows().into_iter().map(row).collect()
    }

    fn deletes(&self) -> usize {
        self.0.deletes()
    }

    fn last_delete(&self) -> Option<Delete> {
        let requests = self.0.simulator.requests();
        let delete = requests.iter().rfind(|seen| seen.method == http::Method::DELETE)?;
        Some(Delete::of(&delete.path_and_query, &delete.headers))
    }

    fn has_alice(&self) -> bool {
        self.0.has_account("alice")
    }

    fn assert_consistent(&self, reply: &Reply) {
        let Reply { status, mut headers, body } = reply.clone();
        // The platform may ask for it.
        headers.remove("connection");
        let answer = Answer { status, headers, body };
        answer.assert_sound();
        assert_agreement(&self.0, &answer, &self.0.row());
    }

    async fn end(&mut self) {
        self.0.stop().await;
    }

    fn upstream_ids(&self) -> Vec<String> {
        self.0.simulator.requests().into_iter().map(|seen| seen.request_id).collect()
    }

    async fn posted(&self, count: usize) -> Vec<Posted> {
        let posted = tokio::time::timeout(PATIENCE, self.0.later.received(count)).await.expect("all of it in time");
        let posted = posted.into_iter().filter(|posted| posted.method != http::Method::GET);
        let of = |posted: local::simulator::chat_platform::Posted| Posted {
            method: posted.method.to_string(),
            authorization: posted.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()),
            target: posted.path,
            body: posted.body.to_string(),
        };
        posted.map(of).collect()
    }

    fn again(&self) {
        self.0.simulator.add_account(demo::INSTANCE_ID, "alice");
    }

    fn log(&self) -> Vec<String> {
        self.0.logs.lines()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_does_what_its_cases_say() {
    support::run_cases::run::<Component>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_refuses_what_breaks_a_rule() {
    support::refusals::run::<Component>().await;
}
