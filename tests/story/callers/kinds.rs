//! The cases of every caller kind, and the breaches of every rule, in memory.

use std::cell::RefCell;
use std::collections::BTreeSet;

use local::simulator::demo;
use starrocks_offboard::app::App;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered;
use support::case::Delete;
use support::kind::{NOW, Setup};
use support::memory::{Cloud, Memory};
use support::stage::{Posted, Reply, Row, Stage, Wire};

pub(crate) struct InMemory {
    pub(crate) host: Memory,
    pub(crate) app: App,
}

impl Stage for InMemory {
    const HAS_SIMULATOR: bool = false;

    async fn open(setup: Setup) -> Self {
        let mut policy = include_str!("../../../config/policy.cedar").to_owned();
        for (from, to) in &setup.replace_policy {
            assert!(policy.contains(from), "config/policy.cedar has no {from:?} to replace");
            policy = policy.replacen(from, to, 1);
        }
        let schema = include_str!("../../../config/schema.cedarschema");
        let app = App::parse(&setup.offboard, &policy, schema);
        let app = app.unwrap_or_else(|why| panic!("{why}\n{}", setup.offboard));
        let mut host = Memory::new(&[
            ("huaweicloud_access_key", "AK"),
            ("huaweicloud_secret_key", "upstream-secret"),
            ("taurusdb_endpoint", "https://*.myhuaweicloud.com"),
        ]);
        host.now.set(NOW * 1000);
        host.variables.extend(setup.variables);
        host.files.extend(setup.files);
        let accounts: BTreeSet<_> = [demo::INSTANCE_ID, demo::PRODUCTION_INSTANCE_ID]
            .iter()
            .flat_map(|instance| ["alice", "bob"].map(|name| ((*instance).to_owned(), name.to_owned())))
            .collect();
        host.cloud = Some(Cloud {
            accounts: RefCell::new(accounts),
            takes: if setup.slow { support::kind::SLOWLY } else { std::time::Duration::ZERO },
            published: RefCell::new(setup.published),
            later_answers: RefCell::new(setup.later_answers.into()),
        });
        Self { host, app }
    }

    fn host(&self) -> String {
        "localhost".into()
    }

    async fn send(&self, wire: &Wire) -> Reply {
        let (parts, body) = wire.request().into_parts();
        let inbound = Inbound {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            host: self.host(),
            headers: parts.headers,
            body,
        };
        let (parts, body) = answered(&self.host, Ok(&self.app), inbound).await.into_parts();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn rows(&self) -> Vec<Row> {
        let statement =
            "SELECT state, actor, instance, user_name, reason, caller, policies FROM removals ORDER BY rowid";
        let read = |(state, actor, instance, user_name, reason, caller, policies)| Row {
            state,
            actor,
            instance,
            user_name,
            reason,
            caller,
            policies,
        };
        self.host.database.rows(statement, &[]).into_iter().map(read).collect()
    }

    fn deletes(&self) -> usize {
        self.host.sent.borrow().iter().filter(|request| request.method() == http::Method::DELETE).count()
    }

    fn last_delete(&self) -> Option<Delete> {
        let sent = self.host.sent.borrow();
        let request = sent.iter().rfind(|request| request.method() == http::Method::DELETE)?;
        Some(Delete::of(request.uri().path_and_query().unwrap().as_str(), request.headers()))
    }

    fn has_alice(&self) -> bool {
        let cloud = self.host.cloud.as_ref().unwrap();
        cloud.accounts.borrow().contains(&(demo::INSTANCE_ID.to_owned(), "alice".to_owned()))
    }

    /// Through the component only, which has the log lines of a whole process.
    fn assert_consistent(&self, _: &Reply) {}

    async fn end(&mut self) {}

    fn upstream_ids(&self) -> Vec<String> {
        vec!["upstream-1".into()]
    }

    async fn posted(&self, _: usize) -> Vec<Posted> {
        let sent = self.host.sent.borrow();
        let others = sent.iter().filter(|request| {
            let host = request.uri().host().unwrap_or_default();
            !host.ends_with("myhuaweicloud.com") && request.method() != http::Method::GET
        });
        let posted = others.map(|request| Posted {
            method: request.method().to_string(),
            target: request.uri().path_and_query().unwrap().to_string(),
            authorization: request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned()),
            body: String::from_utf8(request.body().to_vec()).unwrap(),
        });
        posted.collect()
    }

    fn again(&self) {
        let cloud = self.host.cloud.as_ref().unwrap();
        cloud.accounts.borrow_mut().insert((demo::INSTANCE_ID.to_owned(), "alice".to_owned()));
    }

    fn log(&self) -> Vec<String> {
        self.host.lines.borrow().clone()
    }
}

#[tokio::test]
async fn every_kind_does_what_its_cases_say() {
    support::run_cases::run::<InMemory>().await;
}

#[tokio::test]
async fn every_kind_refuses_what_breaks_a_rule() {
    support::refusals::run::<InMemory>().await;
}

#[tokio::test]
async fn every_kind_has_its_secret_rotated() {
    support::rotation::run::<InMemory>().await;
}
