//! Rows as the suites write them, and the pages of `GET /removals` as they read them.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::Value;
use starrocks_offboard::app::App;
use support::memory::Memory;

use crate::gateway::{ask, portal, seconds, text};

pub(crate) const PORTAL: &str = "portal/HPUAPORTALKEY0000001";
pub(crate) const OFFBOARD: &str = include_str!("../../../config/offboard.toml");
pub(crate) const POLICY: &str = include_str!("../../../config/policy.cedar");
pub(crate) const ANALYTICS_ONLY: &str =
    r#"@id("analytics") permit (principal, action == Action::"audit", resource in Instance::"analytics");"#;
pub(crate) const ALICE_ONLY: &str = r#"@id("alice") permit (principal, action == Action::"audit", resource)
    when { resource has user_name && resource.user_name == "alice" };"#;
pub(crate) const LEDGER_ONLY: &str =
    r#"@id("ledger") permit (principal, action == Action::"audit", resource == Ledger::"removals");"#;
pub(crate) const NOTHING: &str = r#"@id("hr-only") permit (principal == User::"hr", action, resource);"#;

pub(crate) fn gateway_of(policy: &str) -> App {
    App::parse(OFFBOARD, policy, include_str!("../../../config/schema.cedarschema")).unwrap()
}

/// A row as a test writes it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) asked_at: i64,
    pub(crate) state: &'static str,
    pub(crate) actor: Option<&'static str>,
    pub(crate) instance: Option<&'static str>,
    pub(crate) user_name: Option<&'static str>,
}

/// The time of the first row of a test.
pub(crate) const START: i64 = 1_780_000_000_000;

/// The `number`th row, each a second after the one before; `hr` asked about alice on analytics.
pub(crate) fn row(number: i64) -> Row {
    let asked_at = START + number * 1000;
    Row {
        id: format!("{asked_at:012x}{:020x}", number * 7919 % 1000),
        asked_at,
        state: "removed",
        actor: Some("hr"),
        instance: Some("analytics"),
        user_name: Some("alice"),
    }
}

pub(crate) async fn write(host: &Memory, app: &App, rows: &[Row]) {
    app.ledger(host).await.unwrap();
    let sql = "INSERT INTO removals (id, asked_at, state, actor, instance, user_name, policies, attempts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', 0)";
    for Row { id, asked_at, state, actor, instance, user_name } in rows {
        let (actor, instance, user_name) = ((*actor).into(), (*instance).into(), (*user_name).into());
        host.database
            .execute(sql, &[id.as_str().into(), (*asked_at).into(), (*state).into(), actor, instance, user_name]);
    }
}

pub(crate) async fn list_as(host: &Memory, app: &App, query: &str, accept: Option<&str>) -> Response<Bytes> {
    let mut inbound = portal(seconds(host), Method::GET, "/removals", query);
    if let Some(accept) = accept {
        inbound.headers.insert("accept", accept.parse().unwrap());
    }
    ask(host, app, inbound).await
}

/// One page: the ids, and the cursor of the next.
pub(crate) async fn page(host: &Memory, app: &App, query: &str) -> (Vec<String>, Option<String>) {
    let answer = list_as(host, app, query, None).await;
    assert_eq!(answer.status().as_u16(), 200, "{query}: {}", text(&answer));
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    let next = body["next"].as_str().map(str::to_owned);
    assert_eq!(answer.headers().get("x-offboard-next").map(|next| next.to_str().unwrap()), next.as_deref());
    let ids = body["removals"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
    (ids.collect(), next)
}

/// Every page, from the first to the last.
pub(crate) async fn pages(host: &Memory, app: &App, query: &str) -> Vec<Vec<String>> {
    pages_from(host, app, query, String::new()).await
}

/// The same from a page on, `&cursor=…`.
pub(crate) async fn pages_from(host: &Memory, app: &App, query: &str, mut cursor: String) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let (ids, next) = page(host, app, &format!("{query}{cursor}")).await;
        pages.push(ids);
        let Some(next) = next else { return pages };
        cursor = format!("&cursor={next}");
        assert!(pages.len() <= 2000, "it goes round in circles");
    }
}

pub(crate) async fn ids(host: &Memory, app: &App, query: &str) -> Vec<String> {
    pages(host, app, query).await.concat()
}

/// The ids of these rows, newest first.
pub(crate) fn newest_first<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Vec<String> {
    let mut ids: Vec<_> = rows.into_iter().map(|row| row.id.clone()).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids
}
