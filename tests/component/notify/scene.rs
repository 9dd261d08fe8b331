//! A gateway, a platform that it tells, and what happens between them.

use std::collections::BTreeMap;

use local::http_client as client;
use serde_json::Value;

use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, WAREHOUSE, Way, Who};
use crate::harness::setup::Setup;
use crate::harness::store::Store;
use crate::notify::stand_in::{Sent, Shown, StandIn};

/// The time between two requests, in seconds: a robot of DingTalk's or WeCom's takes one message in four.
const PACE: i64 = 5;

/// The line of a caller whose buttons Discord's messages may have.
const DISCORD: &str =
    "[[caller]]\nname = \"discord\"\nkind = \"discord\"\nsecrets = [\"discord_public_key\"]\n\n[accounts]";

/// Lets the portal run jobs.
const OPERATES: &str = "@id(\"portal-operates\") permit (principal == User::\"portal/HPUAPORTALKEY0000001\", action == Action::\"operate\", resource);\n// Every person may remove";

/// See the module.
pub(super) struct Scene {
    pub(super) kind: &'static str,
    pub(super) gateway: Gateway,
    pub(super) platform: StandIn,
}

impl Scene {
    /// Starts a gateway that tells a platform of this kind; on PostgreSQL if a store is given.
    pub(super) async fn start(kind: &'static str, store: Option<Store>) -> Self {
        Self::start_with(kind, store, Setup::default()).await
    }

    /// The same, with this configuration, whose variables go before those that the platform gave.
    pub(super) async fn start_with(kind: &'static str, store: Option<Store>, setup: Setup) -> Self {
        let platform = StandIn::open(kind);
        let given = setup.variables.clone();
        let setup = setup.people().replace("offboard.toml", "[accounts]", DISCORD);
        let mut setup = platform.setup(setup.replace("policy.cedar", "// Every person may remove", OPERATES));
        setup.variables.extend(given);
        let gateway = match store {
            None => Gateway::start(setup).await,
            Some(store) => Gateway::start_on(store, setup).await,
        };
        Self { kind, gateway, platform }
    }

    /// Lets time pass, for both.
    pub(super) async fn pass(&self, seconds: i64) {
        self.gateway.advance(seconds * 1000);
        self.platform.set_now(self.gateway.now()).await;
    }

    /// HR reports a leaver, whose removal needs approval, in words that platforms could take for mentions.
    pub(super) fn leaver(account: &str) -> Ask {
        let reason = "left on 30 April <!channel> <@U0ERIN> <users/all> @all";
        Ask { webhook_id: format!("msg_{account}"), reason: Some(reason.into()), ..Ask::on_production(account) }
    }

    /// The same through this gateway, which has told of it when this returns.
    pub(super) async fn leaves(&self, gateway: &Gateway, account: &str) {
        self.pass(PACE).await;
        let answer = gateway.ask(Kind::StandardWebhooks, &Self::leaver(account)).await;
        assert_eq!(answer.code(), "OFFBOARD.40904", "{}", self.kind);
    }

    /// The same, answered while the platform holds its answer.
    pub(super) async fn leaves_while_the_platform_is_slow(&self, account: &str) {
        self.platform.next(&["hold"]).await;
        let wire =
            Self::leaver(account).wire(Kind::StandardWebhooks, &self.gateway.address.to_string(), self.gateway.now());
        let answer = client::send(self.gateway.address, wire.request()).await.unwrap();
        assert_eq!(answer.headers()["x-offboard-code"], "OFFBOARD.40904", "{}", self.kind);
        self.platform.arrived(1).await;
        assert_eq!(self.messages(account), told("waiting", "waiting"), "{}", self.kind);
        self.platform.release().await;
        self.gateway.settled().await;
    }

    /// A colleague approves the removal, or denies it. TaurusDB's clock stands still, so a removal is approved within 15 minutes.
    pub(super) async fn is_decided(&self, account: &str, how: &str) {
        self.pass(PACE).await;
        self.gateway.simulator.add_account(WAREHOUSE, account);
        let rows = self.gateway.rows();
        let row = rows.iter().find(|row| row.user_name.as_deref() == Some(account)).unwrap();
        let decides = Ask::word(Way::Event, how, row.reference.as_deref().unwrap()).by(Who::Colleague);
        let answer = self.gateway.hears(Way::Event, &decides).await;
        let expected = if how == "approve" { "SUCCESS" } else { "OFFBOARD.40305" };
        assert_eq!(answer.code(), expected, "{}", self.kind);
    }

    /// A scheduler runs the job that reminds and sends.
    pub(super) async fn remind(&self) -> Value {
        let ask = Ask { method: Some("POST".into()), path: Some("/jobs/remind".into()), ..Ask::default() };
        let answer = self.gateway.ask(Kind::Api, &ask).await;
        assert_eq!(answer.status, 200, "{}: {answer:#?}", self.kind);
        answer.json()
    }

    /// The messages of the outbox about an account: what each tells of, and how far it has come.
    pub(super) fn messages(&self, account: &str) -> BTreeMap<String, String> {
        let rows = self.gateway.rows();
        let row = rows.iter().find(|row| row.user_name.as_deref() == Some(account)).expect("the account was reported");
        let messages = self.gateway.ledger.columns("outbox", &["removal", "event", "state"]);
        let column = |message: &BTreeMap<String, Option<String>>, name: &str| message[name].clone().unwrap_or_default();
        let about = messages.iter().filter(|message| column(message, "removal") == row.id);
        about.map(|message| (column(message, "event"), column(message, "state"))).collect()
    }

    /// The requests about an account that reached the platform.
    pub(super) async fn sent(&self, account: &str) -> Vec<Sent> {
        let sent = self.platform.seen().await.sent;
        sent.into_iter().filter(|sent| sent.body.contains(account)).collect()
    }

    /// What people see about an account.
    pub(super) async fn shown(&self, account: &str) -> Vec<Shown> {
        let shown = self.platform.seen().await.messages;
        shown.into_iter().filter(|shown| shown.shows.contains(account)).collect()
    }

    /// Whether the gateway has said this of a message to the platform.
    pub(super) fn assert_said(&self, what: &str) {
        let lines = self.gateway.logs.lines();
        let said = format!("to `dba` {what}");
        assert!(lines.iter().any(|line| line.contains(&said)), "{}: {said}\n{}", self.kind, lines.join("\n"));
    }
}

/// The outbox with one message.
pub(super) fn told(event: &str, state: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(event.to_owned(), state.to_owned())])
}
