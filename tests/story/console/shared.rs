//! People who look at the console, and rows and people as the suites write them.

use chrono::{DateTime, Utc};
use starrocks_offboard::app::App;
use starrocks_offboard::callers::actors::actor;
use starrocks_offboard::host::{Host, Value};
use starrocks_offboard::ledger::row::RemovalId;
use starrocks_offboard::operations::Ctx;
use starrocks_offboard::operations::report::Refusal;
use starrocks_offboard::outbound::budget::Budget;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::request::actor::Actor;
use support::memory::Memory;

/// In the team `dba` of the demonstration.
pub(crate) const DANA: &str = "slack/U2CERLKJA";
/// In the team as well, in the suites about approvals.
pub(crate) const ERIN: &str = "slack/U0ERIN";
/// May nothing.
pub(crate) const STRANGER: &str = "slack/U0STRANGER";

/// A person who has signed in.
pub(crate) struct Reader<'a> {
    host: &'a Memory,
    app: &'a App,
    actor: Actor,
    budget: Budget,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(host: &'a Memory, app: &'a App, principal: &str) -> Self {
        let actor = actor(&app.config, principal).unwrap();
        Self { host, app, actor, budget: Budget::new(host.elapsed(), app.config.limits) }
    }

    pub(crate) fn ctx(&self) -> Ctx<'_, Memory> {
        Ctx {
            host: self.host,
            app: self.app,
            budget: &self.budget,
            id: RemovalId::new(self.host.now(), self.host.random()),
            at: self.host.now(),
            caller: self.app.config.caller(&self.actor.caller).unwrap(),
            actor: &self.actor,
            language: Language::default(),
            chat: None,
            reply_to: None,
        }
    }
}

/// The code of a refusal.
pub(crate) fn code<T>(result: Result<T, Refusal<'_>>) -> Option<String> {
    result.err().map(|refusal| refusal.outcome().code().into_owned())
}

/// A row as a test writes it; times are in milliseconds before now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) ago: i64,
    /// How long until it ended.
    pub(crate) took: Option<i64>,
    pub(crate) state: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) instance: &'a str,
    pub(crate) user_name: &'a str,
    /// For how long it waited, or waits, for people.
    pub(crate) waits: Option<i64>,
}

impl Default for Row<'_> {
    fn default() -> Self {
        Self {
            ago: 60_000,
            took: Some(400),
            state: "removed",
            actor: "hr",
            instance: "analytics",
            user_name: "alice",
            waits: None,
        }
    }
}

/// Writes rows, and returns their ids.
pub(crate) async fn write(host: &Memory, app: &App, rows: &[Row<'_>]) -> Vec<String> {
    app.ledger(host).await.unwrap();
    let sql = "INSERT INTO removals (id, state, asked_at, ended_at, caller, kind, actor, instance, user_name, policies, attempts,
            reference, expires_at, claimed_at)
        VALUES (?1, ?2, ?3, ?4, 'hr', 'standard-webhooks', ?5, ?6, ?7, 'a-policy', 0, ?8, ?9, ?10)";
    let ids = rows.iter().map(|row| {
        let at = host.now.get() - row.ago;
        let id = RemovalId::new(time(at), host.random()).as_str().to_owned();
        let reference = row.waits.map(|_| format!("R{}", &id[id.len() - 9..]));
        let values: [Value; 10] = [
            id.as_str().into(),
            row.state.into(),
            at.into(),
            row.took.map(|took| at + took).into(),
            row.actor.into(),
            row.instance.into(),
            row.user_name.into(),
            reference.as_deref().into(),
            row.waits.map(|waits| at + waits).into(),
            (row.state == "removed").then_some(at).into(),
        ];
        host.database.execute(sql, &values);
        id
    });
    ids.collect()
}

/// A vote on what a row asks for, this long after it was asked for.
pub(crate) fn vote(host: &Memory, id: &str, by: &str, after: i64, approved: bool) {
    let sql = "INSERT INTO approvals (removal, reference, person, actor, caller, kind, approved, reason, at)
        SELECT id, reference, ?2, ?2, 'slack', 'slack', ?3, 'checked', asked_at + ?4 FROM removals WHERE id = ?1";
    host.database.execute(sql, &[id.into(), by.into(), i64::from(approved).into(), after.into()]);
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

/// A person of a directory: `active` is 1, 2 while leaving, 3 when deleted and 0 when gone.
pub(crate) fn person(host: &Memory, caller: &str, user_name: &str, active: i64) {
    let sql =
        "INSERT INTO identities (caller, id, user_name, resource, active, departures, created_at, changed_at, former_names)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8)";
    let name = serde_json::json!({"userName": user_name}).to_string();
    let former = (active != 1).then(|| format!("[{name}]"));
    let values: [Value; 8] = [
        caller.into(),
        format!("id-of-{user_name}").as_str().into(),
        user_name.into(),
        name.as_str().into(),
        active.into(),
        i64::from(active != 1).into(),
        (host.now.get() - 86_400_000).into(),
        former.as_deref().into(),
    ];
    host.database.execute(sql, &values);
}
