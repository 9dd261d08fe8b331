//! A gateway whose portal may operate it, and rows as the suites write them.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::Value;
use starrocks_offboard::app::App;
use support::memory::Memory;

use crate::audit::shared::{OFFBOARD, POLICY};
use crate::gateway::{ask, portal, seconds, text};

pub(crate) const MAY_OPERATE: &str = r#"
    @id("portal-operates") permit (principal == User::"portal/HPUAPORTALKEY0000001", action == Action::"operate", resource);"#;

/// The demonstration's gateway, which the portal may operate, with a table more in offboard.toml.
pub(crate) fn operated_with(table: &str) -> App {
    let offboard = format!("{}\n{table}", OFFBOARD.replace("kind = \"slack\"", "confirm = false\nkind = \"slack\""));
    App::parse(&offboard, &format!("{POLICY}{MAY_OPERATE}"), include_str!("../../../config/schema.cedarschema"))
        .unwrap()
}

pub(crate) fn operated() -> App {
    operated_with("")
}

/// Asks for a job; each time is a new delivery.
pub(crate) async fn job(host: &Memory, app: &App, name: &str) -> Response<Bytes> {
    host.now.set(host.now.get() + 1000);
    ask(host, app, portal(seconds(host), Method::POST, &format!("/jobs/{name}"), "")).await
}

/// Runs a job, and returns its summary.
pub(crate) async fn run(host: &Memory, app: &App, name: &str) -> Value {
    let answer = job(host, app, name).await;
    assert_eq!(answer.status().as_u16(), 200, "{}", text(&answer));
    serde_json::from_slice(answer.body()).unwrap()
}

/// A row of the portal's, of a time before now, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) ago: i64,
    pub(crate) state: &'a str,
    pub(crate) instance: &'a str,
    pub(crate) user_name: &'a str,
    pub(crate) code: Option<&'a str>,
    pub(crate) policies: &'a str,
    /// Whether it stands for a delivery.
    pub(crate) delivered: bool,
    pub(crate) upstream_ms: Option<i64>,
}

impl Default for Row<'_> {
    fn default() -> Self {
        Self {
            ago: 60_000,
            state: "unknown",
            instance: "analytics",
            user_name: "alice",
            code: None,
            policies: "",
            delivered: true,
            upstream_ms: None,
        }
    }
}

/// Writes rows, and returns their ids.
pub(crate) async fn write(host: &Memory, app: &App, rows: &[Row<'_>]) -> Vec<String> {
    app.ledger(host).await.unwrap();
    let sql =
        "INSERT INTO removals (id, delivery, state, asked_at, ended_at, caller, kind, actor, instance, user_name, code,
            policies, attempts, in_flight_until, upstream_ms, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?4, 'portal', 'api', 'portal/HPUAPORTALKEY0000001', ?5, ?6, ?7, ?8, 1, ?4, ?9, ?10)";
    let ids = rows.iter().enumerate().map(|(number, row)| {
        let at = host.now.get() - row.ago;
        let id = format!("{at:012x}{number:020x}");
        let delivery = row.delivered.then(|| format!("delivery-{id}"));
        let expires_at = row.state.starts_with("awaiting").then(|| host.now.get() + 3_600_000);
        let values = [
            id.as_str().into(),
            delivery.as_deref().into(),
            row.state.into(),
            at.into(),
            row.instance.into(),
            row.user_name.into(),
            row.code.into(),
            row.policies.into(),
            row.upstream_ms.into(),
            expires_at.into(),
        ];
        host.database.execute(sql, &values);
        id
    });
    ids.collect()
}

/// The state of a row; `None` if there is none.
pub(crate) fn state(host: &Memory, id: &str) -> Option<String> {
    host.database.row("SELECT state FROM removals WHERE id = ?1", &[id.into()])
}
