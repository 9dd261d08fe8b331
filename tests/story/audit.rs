//! Reading the audit trail: `GET /removals` page by page, in each form, by whoever may; and the log, which is its copy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, Method, Response};
use proptest::prelude::*;
use rusqlite::params;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::crypto::sdk_hmac;
use starrocks_offboard::host::SendError;
use starrocks_offboard::ledger::query;
use starrocks_offboard::outcome::state::State;
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::request::removal_query::RemovalQuery;

use crate::host::Memory;
use crate::{DOCUMENTED, SECRETS, SUCCESS, app, ask, documented, memory, portal, seconds, slash, text};

const PORTAL: &str = "portal/HPUAPORTALKEY0000001";
const OFFBOARD: &str = include_str!("../../config/offboard.toml");
const POLICY: &str = include_str!("../../config/policy.cedar");
const ANALYTICS_ONLY: &str =
    r#"@id("analytics") permit (principal, action == Action::"audit", resource in Instance::"analytics");"#;
const ALICE_ONLY: &str = r#"@id("alice") permit (principal, action == Action::"audit", resource)
    when { resource has user_name && resource.user_name == "alice" };"#;
const LEDGER_ONLY: &str =
    r#"@id("ledger") permit (principal, action == Action::"audit", resource == Ledger::"removals");"#;
const NOTHING: &str = r#"@id("hr-only") permit (principal == User::"hr", action, resource);"#;

fn gateway_of(policy: &str) -> App {
    App::parse(OFFBOARD, policy, include_str!("../../config/schema.cedarschema")).unwrap()
}

/// A row as a test writes it.
#[derive(Debug, Clone)]
struct Row {
    id: String,
    asked_at: i64,
    state: &'static str,
    actor: Option<&'static str>,
    instance: Option<&'static str>,
    user_name: Option<&'static str>,
}

/// The time of the first row of a test.
const START: i64 = 1_780_000_000_000;

/// The `number`th row, each a second after the one before; `hr` asked about alice on analytics.
fn row(number: i64) -> Row {
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

async fn write(host: &Memory, app: &App, rows: &[Row]) {
    app.ledger(host).await.unwrap();
    let mut statement = host
        .database
        .prepare(
            "INSERT INTO removals (id, asked_at, state, actor, instance, user_name, policies, attempts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', 0)",
        )
        .unwrap();
    for Row { id, asked_at, state, actor, instance, user_name } in rows {
        statement.execute(params![id, asked_at, state, actor, instance, user_name]).unwrap();
    }
}

async fn list_as(host: &Memory, app: &App, query: &str, accept: Option<&str>) -> Response<Bytes> {
    let mut inbound = portal(seconds(host), Method::GET, "/removals", query);
    if let Some(accept) = accept {
        inbound.headers.insert("accept", accept.parse().unwrap());
    }
    ask(host, app, inbound).await
}

/// One page: the ids, and the cursor of the next.
async fn page(host: &Memory, app: &App, query: &str) -> (Vec<String>, Option<String>) {
    let answer = list_as(host, app, query, None).await;
    assert_eq!(answer.status().as_u16(), 200, "{query}: {}", text(&answer));
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    let next = body["next"].as_str().map(str::to_owned);
    assert_eq!(answer.headers().get("x-offboard-next").map(|next| next.to_str().unwrap()), next.as_deref());
    let ids = body["removals"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
    (ids.collect(), next)
}

/// Every page, from the first to the last.
async fn pages(host: &Memory, app: &App, query: &str) -> Vec<Vec<String>> {
    pages_from(host, app, query, String::new()).await
}

/// The same from a page on, `&cursor=…`.
async fn pages_from(host: &Memory, app: &App, query: &str, mut cursor: String) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let (ids, next) = page(host, app, &format!("{query}{cursor}")).await;
        pages.push(ids);
        let Some(next) = next else { return pages };
        cursor = format!("&cursor={next}");
        assert!(pages.len() <= 2000, "it goes round in circles");
    }
}

async fn ids(host: &Memory, app: &App, query: &str) -> Vec<String> {
    pages(host, app, query).await.concat()
}

/// The ids of these rows, newest first.
fn newest_first<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Vec<String> {
    let mut ids: Vec<_> = rows.into_iter().map(|row| row.id.clone()).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids
}

#[tokio::test]
async fn each_filter_and_all_of_them() {
    let (host, app) = (memory(), app());
    let rows = [
        row(0),
        Row { instance: Some("warehouse"), ..row(1) },
        Row { user_name: Some("bob"), ..row(2) },
        Row { actor: Some("slack/U2CERLKJA"), ..row(3) },
        Row { state: "denied", ..row(4) },
        Row { instance: Some("gone"), ..row(5) },
        Row { actor: None, instance: None, user_name: None, state: "refused", ..row(6) },
        // Tried again later: its id is of the first try, its time of the last.
        Row { asked_at: START + 20_000, ..row(7) },
        // Tried again after the clock was set back.
        Row { asked_at: START - 3_600_000, user_name: Some("kay"), ..row(8) },
    ];
    write(&host, &app, &rows).await;
    let time = |number: i64, more: &str| {
        let time = DateTime::from_timestamp_millis(START + number * 1000).unwrap();
        time.format(&format!("%Y-%m-%dT%H:%M:%S{more}Z")).to_string().replace(':', "%3A")
    };
    for (query, expected) in [
        (String::new(), &[8, 7, 6, 5, 4, 3, 2, 1, 0][..]),
        ("instance=analytics".into(), &[8, 7, 4, 3, 2, 0]),
        ("instance=gone".into(), &[5]),
        ("instance=never".into(), &[]),
        ("user_name=bob".into(), &[2]),
        ("actor=hr".into(), &[8, 7, 5, 4, 2, 1, 0]),
        ("actor=slack%2FU2CERLKJA".into(), &[3]),
        ("state=denied".into(), &[4]),
        ("state=in-flight".into(), &[]),
        (format!("user_name=kay&until={}", time(-1000, "")), &[8]),
        (format!("since={}", time(5, "")), &[7, 6, 5]),
        (format!("since={}", time(5, ".0001")), &[7, 6]),
        (format!("until={}", time(2, "")), &[8, 1, 0]),
        (format!("until={}", time(2, ".0001")), &[8, 2, 1, 0]),
        (format!("since={}&until={}", time(2, ""), time(4, "")), &[3, 2]),
        (format!("since={}&until={}", time(4, ""), time(2, "")), &[]),
        (format!("since={}", time(20, "")), &[7]),
        (format!("instance=analytics&since={}", time(3, "")), &[7, 4, 3]),
        (format!("actor=hr&until={}", time(3, "")), &[8, 2, 1, 0]),
        (
            format!(
                "instance=analytics&user_name=alice&actor=hr&state=removed&since={}&until={}&limit=1",
                time(0, ""),
                time(9, "")
            ),
            &[0],
        ),
        ("since=1969-01-01T00%3A00%3A00Z&until=9999-12-31T23%3A59%3A60Z".into(), &[8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ("until=0000-01-01T00%3A00%3A00Z".into(), &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|number: &usize| rows[*number].id.clone()).collect();
        assert_eq!(ids(&host, &app, &query).await, expected, "{query}");
    }
}

/// Every search has its index, and the ids need no sorting where they are the index.
#[tokio::test]
async fn searches_use_indexes() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.unwrap();
    let usual = RemovalQuery::default();
    let (actor, instance) = (Some("hr".to_owned()), Some("analytics".to_owned()));
    for (search, index, sorts) in [
        (usual.clone(), "sqlite_autoindex_removals_1 (id<?)", false),
        (RemovalQuery { since: Some(1), ..usual.clone() }, "sqlite_autoindex_removals_1 (id<?)", false),
        (RemovalQuery { instance: instance.clone(), ..usual.clone() }, "sqlite_autoindex_removals_1 (id<?)", false),
        (RemovalQuery { actor: actor.clone(), ..usual.clone() }, "removals_by_actor (actor=? AND asked_at>? AND", true),
        (
            RemovalQuery { instance: instance.clone(), since: Some(1), ..usual.clone() },
            "removals_by_instance (instance=? AND asked_at>? AND",
            true,
        ),
        (
            RemovalQuery { actor, instance, since: Some(1), ..usual },
            "removals_by_actor (actor=? AND asked_at>? AND",
            true,
        ),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN {}", query::statement(&search));
        let mut statement = host.database.prepare(&sql).unwrap();
        let nothing = vec![None::<i64>; statement.parameter_count()];
        let plan = statement.query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>(3)).unwrap();
        let plan = plan.map(Result::unwrap).collect::<Vec<_>>().join("\n");
        assert!(plan.contains(index) && plan.contains("USE TEMP B-TREE FOR ORDER BY") == sorts, "{search:?}: {plan}");
    }
}

#[tokio::test]
async fn a_thousand_rows_in_pages_of_every_size() {
    let (host, app) = (memory(), app());
    let rows: Vec<_> = (0..1000).map(row).collect();
    write(&host, &app, &rows).await;
    for limit in [1, 2, 99, 100, 101, 199, 200, 250, 333, 499, 500] {
        let pages = pages(&host, &app, &format!("limit={limit}")).await;
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        let mut expected = vec![limit; 1000 / limit];
        expected.extend((1000 % limit > 0).then_some(1000 % limit));
        assert_eq!(sizes, expected, "no page is empty, and only the last is short");
        assert_eq!(pages.concat(), newest_first(&rows));
    }
    let (first, _) = page(&host, &app, "").await;
    assert_eq!(first.len(), 100);
}

/// What is written meanwhile is newer, and moves nothing.
#[tokio::test]
async fn rows_that_come_between_two_pages() {
    let (host, app) = (memory(), app());
    let rows: Vec<_> = (0..5).map(row).collect();
    write(&host, &app, &rows).await;
    let (mut seen, next) = page(&host, &app, "limit=2").await;
    write(&host, &app, &[row(5), row(6)]).await;
    // Tried again: the row is newer now, and stays where it is.
    host.database
        .execute("UPDATE removals SET asked_at = ?1 WHERE id = ?2", params![START + 9000, rows[1].id])
        .unwrap();
    seen.extend(pages_from(&host, &app, "limit=2", format!("&cursor={}", next.unwrap())).await.concat());
    assert_eq!(seen, newest_first(&rows));
}

fn any_row() -> impl Strategy<Value = (i64, i64, u32, &'static str, [Option<&'static str>; 3])> {
    (
        0..60_000_i64,
        prop_oneof![4 => Just(0), 1 => 0..60_000_i64],
        any::<u32>(),
        prop::sample::select(vec!["removed", "denied", "refused"]),
        (
            prop::sample::select(vec![Some("hr"), Some(PORTAL), Some("slack/U1"), None]),
            prop::sample::select(vec![Some("analytics"), Some("warehouse"), Some("gone"), None]),
            prop::sample::select(vec![Some("alice"), Some("bob"), None]),
        )
            .prop_map(|(actor, instance, user_name)| [actor, instance, user_name]),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever there is, whoever looks and whatever for: all pages together are the rows that they may see, each once, newest
    /// first; and each page but the last is full, whatever lies between.
    #[test]
    fn each_row_once(
        given in prop::collection::vec(any_row(), 0..400),
        policy in prop::sample::select(vec![POLICY, ANALYTICS_ONLY, ALICE_ONLY, LEDGER_ONLY, NOTHING]),
        instance in prop::option::of(prop::sample::select(vec!["analytics", "warehouse", "gone"])),
        user_name in prop::option::weighted(0.3, prop::sample::select(vec!["alice", "bob"])),
        actor in prop::option::weighted(0.3, prop::sample::select(vec!["hr", PORTAL])),
        state in prop::option::weighted(0.3, prop::sample::select(vec!["removed", "denied"])),
        since in prop::option::weighted(0.3, 0..80_i64),
        until in prop::option::weighted(0.3, 0..140_i64),
        limit in prop::sample::select(vec![1_usize, 2, 7, 50, 100, 500]),
    ) {
        // Ids are of the first try, and no two are the same.
        let rows: BTreeMap<String, Row> = given
            .into_iter()
            .map(|(first, later, random, state, [actor, instance, user_name])| {
                let id = format!("{:012x}{random:020x}", START + first);
                (id.clone(), Row { id, asked_at: START + first + later, state, actor, instance, user_name })
            })
            .collect();
        let rows: Vec<Row> = rows.into_values().collect();
        let may_see = |row: &&Row| {
            let account = row.user_name.filter(|_| matches!(row.instance, Some("analytics" | "warehouse")));
            row.actor == Some(PORTAL)
                || policy == POLICY
                || (policy == ANALYTICS_ONLY && account.is_some() && row.instance == Some("analytics"))
                || (policy == ALICE_ONLY && account == Some("alice"))
                || (policy == LEDGER_ONLY && account.is_none())
        };
        let time = |seconds: i64| START + seconds * 1000;
        let is_asked_for = |row: &&Row| {
            instance.is_none_or(|instance| row.instance == Some(instance))
                && user_name.is_none_or(|user_name| row.user_name == Some(user_name))
                && actor.is_none_or(|actor| row.actor == Some(actor))
                && state.is_none_or(|state| row.state == state)
                && since.is_none_or(|since| row.asked_at >= time(since))
                && until.is_none_or(|until| row.asked_at < time(until))
        };
        let expected = newest_first(rows.iter().filter(is_asked_for).filter(may_see));

        let written = |at: i64| {
            DateTime::from_timestamp_millis(time(at)).unwrap().format("%Y-%m-%dT%H%%3A%M%%3A%SZ").to_string()
        };
        let mut query = format!("limit={limit}");
        for (name, value) in [
            ("instance", instance.map(str::to_owned)),
            ("user_name", user_name.map(str::to_owned)),
            ("actor", actor.map(|actor| actor.replace('/', "%2F"))),
            ("state", state.map(str::to_owned)),
            ("since", since.map(written)),
            ("until", until.map(written)),
        ] {
            query.extend(value.map(|value| format!("&{name}={value}")));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (host, app) = (memory(), gateway_of(policy));
            write(&host, &app, &rows).await;
            if expected.is_empty() {
                let answer = list_as(&host, &app, &query, None).await;
                assert!([200, 403].contains(&answer.status().as_u16()), "{}", text(&answer));
                if answer.status() == 200 {
                    assert_eq!(text(&answer), r#"{"removals":[],"next":null}"#);
                }
                return;
            }
            let pages = pages(&host, &app, &query).await;
            assert_eq!(pages.concat(), expected, "{query}");
            let (last, full) = pages.split_last().unwrap();
            assert!(!last.is_empty() && full.iter().all(|page| page.len() == limit));
        });
    }
}

/// Whoever may look at one instance only: what is on the other might as well not be there.
#[tokio::test]
async fn rows_of_others_are_as_if_they_were_not_there() {
    let hidden = [
        Row { instance: Some("warehouse"), ..row(1) },
        Row { instance: Some("gone"), ..row(3) },
        Row { instance: None, user_name: None, actor: None, ..row(5) },
        Row { instance: Some("analytics"), user_name: None, ..row(7) },
    ];
    let shown = [row(0), row(2), row(4), Row { actor: Some(PORTAL), instance: Some("warehouse"), ..row(6) }];
    let mut answers = BTreeSet::new();
    for is_there in [true, false] {
        let (host, app) = (memory(), gateway_of(ANALYTICS_ONLY));
        write(&host, &app, &shown).await;
        if is_there {
            write(&host, &app, &hidden).await;
        }
        assert_eq!(ids(&host, &app, "limit=1").await, newest_first(&shown));
        let mut seen = Vec::new();
        for query in [
            "",
            "limit=1",
            "limit=3",
            "limit=4",
            "instance=analytics",
            "instance=warehouse",
            "instance=warehouse&user_name=alice",
            "user_name=bob",
            "actor=hr",
            "actor=nobody",
            "state=refused",
            // The last, because a no is a row of its own.
            "instance=gone",
        ] {
            let answer = list_as(&host, &app, query, None).await;
            let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            seen.push((query, answer.status().as_u16(), text(&answer), header("x-offboard-next")));
        }
        let statuses: Vec<_> = seen.iter().map(|(_, status, ..)| *status).collect();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403]);
        answers.insert(seen);
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

/// A no does not depend on what the ledger holds, and policy is asked once for an account.
#[tokio::test]
async fn whoever_may_look_at_nothing() {
    for rows in [vec![], (0..250).map(row).collect::<Vec<_>>()] {
        let (host, app) = (memory(), gateway_of(NOTHING));
        write(&host, &app, &rows).await;
        let denied = list_as(&host, &app, "", None).await;
        assert_eq!(denied.status().as_u16(), 403);
        assert!(text(&denied).contains("OFFBOARD.40304"), "{}", text(&denied));
        // That is a request of their own, and those they may see.
        let (ids, next) = page(&host, &app, "").await;
        assert_eq!((ids.len(), next), (1, None));
        assert_eq!(ids[0], denied.headers()["x-offboard-removal"].to_str().unwrap());
    }
    for (policy, query, status) in [
        (ANALYTICS_ONLY, "instance=analytics", 200),
        (ANALYTICS_ONLY, "instance=warehouse", 403),
        (ANALYTICS_ONLY, "instance=gone", 403),
        (ANALYTICS_ONLY, "", 200),
        (ALICE_ONLY, "user_name=alice", 200),
        (ALICE_ONLY, "user_name=bob", 403),
        (LEDGER_ONLY, "", 200),
        (LEDGER_ONLY, "instance=gone", 200),
        (LEDGER_ONLY, "instance=analytics", 403),
        (
            r#"@id("broken") permit (principal, action, resource) when { 9223372036854775807 + context.hour > 0 };"#,
            "",
            403,
        ),
        (r#"@id("never") forbid (principal, action, resource);"#, "", 403),
    ] {
        let (host, app) = (memory(), gateway_of(policy));
        let answer = list_as(&host, &app, query, None).await;
        assert_eq!(answer.status().as_u16(), status, "{policy} {query} {}", text(&answer));
        let failed = host.lines.borrow().iter().filter(|line| line.starts_with("policy: a look by")).count();
        // The ledger, and an account on each of the two instances.
        assert_eq!(failed, if policy.contains("broken") { 3 } else { 0 });
        assert_eq!(text(&answer).contains("`never`"), policy.contains("never"));
    }
}

#[tokio::test]
async fn the_policies_that_let_somebody_look_are_named() {
    let (host, app) = (memory(), app());
    write(&host, &app, &[row(0)]).await;
    let answer = list_as(&host, &app, "", None).await;
    assert_eq!(answer.headers()["x-offboard-policy"], "dba-looks-up");
    assert_eq!(host.rows().len(), 1, "looking leaves no row");
    let line: Value = serde_json::from_str(host.lines.borrow().last().unwrap()).unwrap();
    assert_eq!(
        line,
        json!({
            "event": "listed",
            "at": "2026-06-01T10:00:00.000Z",
            "by": PORTAL,
            "policies": ["dba-looks-up"],
            "search": {
                "instance": null, "user_name": null, "actor": null, "state": null, "since": null, "until": null,
                "limit": 100, "cursor": null,
            },
            "rows": 1,
        })
    );
}

/// A page that is not full in time says where it stopped; nothing is skipped, and it gets on each time.
#[tokio::test]
async fn a_page_that_takes_too_long() {
    let (host, app) = (memory(), gateway_of(ANALYTICS_ONLY));
    let hidden = (1..350).map(|number| Row { instance: Some("warehouse"), ..row(number) });
    let rows: Vec<_> = std::iter::once(row(0)).chain(hidden).chain([row(350)]).collect();
    write(&host, &app, &rows).await;
    let whole = pages(&host, &app, "limit=2").await;
    host.statement_takes.set(Duration::from_secs(3));
    let slow = pages(&host, &app, "limit=2").await;
    assert_eq!(whole, [[row(350).id, row(0).id]]);
    assert_eq!(slow, [vec![row(350).id], vec![row(0).id]]);
    // Also where nothing is left to see: an empty page, and then the last.
    let slow = pages(&host, &app, "limit=2&user_name=alice&instance=warehouse").await;
    assert_eq!(slow, [vec![], Vec::<String>::new()]);
}

#[tokio::test]
async fn every_form() {
    let (host, app) = (memory(), app());
    write(&host, &app, &[]).await;
    host.database
        .execute_batch(
            "INSERT INTO removals (id, state, asked_at, ended_at, caller, kind, actor, instance, user_name, reason,
                policies, attempts, status, code, message, request_id, reference, expires_at)
             VALUES ('019e00000000000000000000000000aa', 'rejected', 1780308000000, 1780308001500, 'slack', 'slack',
                'slack/U1', 'warehouse', 'alice', '=HYPERLINK(\"https://evil.example\",\"a\")', 'one,two', 0, 403,
                'OFFBOARD.40305', 'he said \"no, never\"' || char(13, 10) || 'and went', NULL, 'K7Q2M9XA', 1780394400000);
             INSERT INTO approvals (removal, reference, person, actor, caller, kind, approved, reason, at) VALUES
                ('019e00000000000000000000000000aa', 'K7Q2M9XA', 'dana', 'slack/U2', 'slack', 'slack', 1, NULL, 1780308001000),
                ('019e00000000000000000000000000aa', 'K7Q2M9XA', 'eve', 'portal/K', 'portal', 'api', 0, 'on call; \"really\"', 1780308001500);
             INSERT INTO removals (id, state, asked_at, policies, attempts, user_name, reason, code, message, dry_run)
             VALUES ('019e0000000000000000000000000001', 'refused', 1780307999000, '', 0, '@bob', '-1+2', '+x', char(9) || 'y', 1),
                ('019e0000000000000000000000000000', 'refused', 1780307998000, '', 0, NULL, NULL, NULL, NULL, 0);",
        )
        .unwrap();

    let csv = list_as(&host, &app, "limit=2", Some("text/csv")).await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.headers()["x-offboard-next"], "019e0000000000000000000000000001");
    assert_eq!(csv.headers()["content-length"].to_str().unwrap(), csv.body().len().to_string());
    assert_eq!(
        text(&csv),
        concat!(
            r#""id","reference","state","asked_at","expires_at","ended_at","milliseconds","caller","kind","actor","#,
            r#""instance","user_name","reason","dry_run","policies","approvals","attempts","status","code","message","#,
            r#""request_id","confirmed_by""#,
            "\r\n",
            r#""019e00000000000000000000000000aa","K7Q2M9XA","rejected","2026-06-01T10:00:00.000Z","#,
            r#""2026-06-02T10:00:00.000Z","2026-06-01T10:00:01.500Z","1500","slack","slack","slack/U1","warehouse","#,
            r#""alice","'=HYPERLINK(""https://evil.example"",""a"")","false","one,two","#,
            r#""approve by slack/U2 at 2026-06-01T10:00:01.000Z; "#,
            r#"deny by portal/K at 2026-06-01T10:00:01.500Z: on call; ""really""","0","403","OFFBOARD.40305","#,
            "\"he said \"\"no, never\"\"\r\nand went\",\"\",\"\"\r\n",
            r#""019e0000000000000000000000000001","","refused","2026-06-01T09:59:59.000Z","","","","","","","","'@bob","#,
            r#""'-1+2","true","","","0","","'+x","#,
            "\"'\ty\",\"\",\"\"\r\n",
        )
    );

    let json_page = list_as(&host, &app, "limit=2", Some("application/json")).await;
    assert_eq!(json_page.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(json_page.body()).unwrap();
    assert_eq!(body["next"], "019e0000000000000000000000000001");
    let lines = list_as(&host, &app, "limit=2", Some("application/x-ndjson")).await;
    assert_eq!(lines.headers()["content-type"], "application/x-ndjson");
    assert_eq!(lines.headers()["x-offboard-next"], "019e0000000000000000000000000001");
    let read: Vec<Value> = text(&lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(text(&lines).ends_with("}\n"));
    assert_eq!(Value::from(read), body["removals"]);
    assert_eq!(body["removals"][0]["approvals"][1]["reason"], "on call; \"really\"");

    // A row in a list is the row alone.
    let id = body["removals"][0]["id"].as_str().unwrap();
    let alone = ask(&host, &app, portal(seconds(&host), Method::GET, &format!("/removals/{id}"), "")).await;
    assert_eq!(serde_json::from_slice::<Value>(alone.body()).unwrap(), body["removals"][0]);

    // Nothing, in each form.
    for (accept, nothing) in
        [("*/*", r#"{"removals":[],"next":null}"#.to_owned()), ("application/x-ndjson", String::new())]
    {
        let answer = list_as(&host, &app, "state=removed", Some(accept)).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (200, nothing));
    }
    let answer = list_as(&host, &app, "state=removed", Some("text/csv")).await;
    assert_eq!(text(&answer).lines().count(), 1);

    for accept in ["text/html", "text/*", "application/xml;q=0.9, image/png"] {
        let answer = list_as(&host, &app, "", Some(accept)).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (406, &"application/json".parse().unwrap())
        );
        assert!(text(&answer).contains("OFFBOARD.40601"));
    }
}

#[tokio::test]
async fn bad_parameters() {
    let (host, app) = (memory(), app());
    for (query, code, says) in [
        (
            "force=1",
            "40009",
            "takes `instance`, `user_name`, `actor`, `state`, `since`, `until`, `limit` and `cursor` only",
        ),
        ("limit=1&limit=2", "40002", "`limit` stands twice"),
        ("instance=", "40010", "`instance` is ``; expected a name"),
        ("user_name=", "40010", "`user_name` is ``"),
        ("actor", "40010", "`actor` is ``"),
        ("state=gone", "40010", "`state` is `gone`; expected `in-flight`, `removed`"),
        ("state=Removed", "40010", "`state` is `Removed`"),
        (
            "since=yesterday",
            "40010",
            "`since` is `yesterday`; expected a time in RFC 3339, such as `2026-06-01T10:00:00Z`",
        ),
        ("since=2026-06-01", "40010", "`since` is"),
        ("since=2026-06-01T10%3A00%3A00", "40010", "`since` is"),
        ("until=1780308000", "40010", "`until` is"),
        ("until=2026-02-30T10%3A00%3A00Z", "40010", "`until` is"),
        ("limit=0", "40010", "`limit` is `0`; expected a number from `1` to `500`"),
        ("limit=501", "40010", "`limit` is `501`"),
        ("limit=-1", "40010", "`limit` is `-1`"),
        ("limit=007", "40010", "`limit` is `007`"),
        ("limit=%2B5", "40010", "`limit` is `+5`"),
        ("limit=99999999999999999999", "40010", "`limit` is"),
        ("limit=", "40010", "`limit` is ``"),
        ("cursor=", "40010", "`cursor` is ``; expected `next` as the page before gave it"),
        ("cursor=019E0000000000000000000000000001", "40010", "`cursor` is"),
        ("cursor=019e", "40010", "`cursor` is"),
        ("instance=%ff", "40008", "can be read in more than one way"),
    ] {
        let answer = list_as(&host, &app, query, None).await;
        assert_eq!(answer.status().as_u16(), 400, "{query}");
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error_code"], format!("OFFBOARD.{code}"), "{query} {body}");
        assert!(body["error_msg"].as_str().unwrap().contains(says), "{query}: {body}");
    }
    let posted = ask(&host, &app, portal(seconds(&host), Method::POST, "/removals", "")).await;
    assert_eq!((posted.status().as_u16(), &posted.headers()["allow"]), (405, &"GET".parse().unwrap()));
    // The signature covers the query, and without one nobody reads anything.
    let mut changed = portal(seconds(&host), Method::GET, "/removals", "limit=1");
    changed.query = "limit=2".into();
    assert_eq!(ask(&host, &app, changed).await.status().as_u16(), 401);
    let slash = ask(&host, &app, portal(seconds(&host), Method::GET, "/removals/", "")).await;
    assert_eq!(slash.status().as_u16(), 404);
}

#[tokio::test]
async fn what_waited_too_long_is_shown_as_expired() {
    let (host, app) = (memory(), app());
    write(&host, &app, &[Row { state: "awaiting-approval", ..row(0) }]).await;
    host.database.execute("UPDATE removals SET reference = 'K7Q2M9XA', expires_at = ?1", [START + 5000]).unwrap();
    let answer = list_as(&host, &app, "state=expired", None).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(
        (&body["removals"][0]["state"], &body["removals"][0]["code"]),
        (&json!("expired"), &json!("OFFBOARD.40906"))
    );
    assert_eq!(events(&host)[&row(0).id]["by"], Value::Null);
    the_log_is_the_ledger(&host, &app).await;
}

/// The last line about each row, by its id.
fn events(host: &Memory) -> BTreeMap<String, Value> {
    let lines = host.lines.borrow();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // Somebody's look at a row is no event of the row.
    lines
        .filter(|line| line.get("written").is_some())
        .map(|line| (line["id"].as_str().unwrap().to_owned(), line))
        .collect()
}

/// Every row of the ledger, as somebody who may look at it sees it, is the last line that the log has about it.
async fn the_log_is_the_ledger(host: &Memory, app: &App) -> BTreeSet<String> {
    let mut events = events(host);
    let rows: Vec<(String, String)> = {
        let mut statement = host.database.prepare("SELECT id, state FROM removals").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(rows.iter().map(|(id, _)| id).collect::<BTreeSet<_>>(), events.keys().collect());
    for (id, state) in &rows {
        if state == "unknown" {
            // The list cannot be read, so the look leaves it as it is.
            host.will_answer(500, "");
        }
        let looked = ask(host, app, portal(seconds(host), Method::GET, &format!("/removals/{id}"), "")).await;
        let record: Value = serde_json::from_slice(looked.body()).unwrap();
        let mut line = events.remove(id).unwrap();
        assert_eq!(line["written"], true);
        for own in ["event", "by", "answered", "meaning", "late", "written"] {
            assert!(line.as_object_mut().unwrap().remove(own).is_some(), "{own} of {line}");
        }
        assert_eq!(line, record);
    }
    assert_eq!(host.answers.borrow().len(), 0, "answers were lined up that nobody asked for: {rows:?}");
    rows.into_iter().map(|(_, state)| state).collect()
}

/// A decision of the portal's about what waits.
fn decision(host: &Memory, reference: &str, body: Value) -> Inbound {
    let (path, body) = (format!("/approvals/{reference}"), Bytes::from(body.to_string()));
    let date = sdk_hmac::sdk_date(DateTime::from_timestamp(seconds(host), 0).unwrap());
    let mut headers = HeaderMap::new();
    headers.insert(sdk_hmac::SDK_DATE, date.parse().unwrap());
    let message =
        sdk_hmac::Message { method: "POST", path: &path, query: "", headers: &headers, host: "localhost", body: &body };
    let authorization = sdk_hmac::sign(&message, "HPUAPORTALKEY0000001", SECRETS[3].as_bytes(), &date).unwrap();
    headers.insert("authorization", authorization.parse().unwrap());
    Inbound { method: Method::POST, path, query: String::new(), host: "localhost".into(), headers, body }
}

/// Whatever happens to a row is in the log, whole: what succeeds, what does not, what waits, and what nobody asked for.
#[tokio::test]
async fn the_log_and_the_ledger_say_the_same() {
    let host = memory();
    let policy = format!(
        "{POLICY} @id(\"not-carol\") forbid (principal, action in [Action::\"delete\", Action::\"request\"], resource)
         when {{ resource.user_name == \"carol\" }};"
    );
    let app = gateway_of(&policy);
    let tick = || host.now.set(host.now.get() + 1000);
    let delete = |user_name: &str| {
        tick();
        documented(seconds(&host), &format!("user_name={user_name}"))
    };
    let said = |words: &str| {
        tick();
        slash(seconds(&host), words)
    };
    let waiting = || -> String {
        let sql = "SELECT reference FROM removals WHERE reference IS NOT NULL ORDER BY rowid DESC LIMIT 1";
        host.database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let mut seen = BTreeSet::new();

    host.will_answer(200, SUCCESS);
    Box::pin(then(&host, &app, delete("alice"), "removed", &mut seen)).await;
    host.will_answer(400, r#"{"error_code":"DBS.200819","error_msg":"no"}"#);
    Box::pin(then(&host, &app, delete("anna"), "refused-upstream", &mut seen)).await;
    Box::pin(then(&host, &app, delete("carol"), "denied", &mut seen)).await;
    let mut forged = delete("alice");
    forged.query = "user_name=bob".into();
    Box::pin(then(&host, &app, forged, "refused", &mut seen)).await;
    Box::pin(then(&host, &app, delete("root"), "refused", &mut seen)).await;
    host.will_answer(400, r#"{"error_code":"DBS.200824","error_msg":"not there"}"#);
    host.will_list(&[]);
    Box::pin(then(&host, &app, delete("bea"), "already-gone", &mut seen)).await;
    host.will_answer_with(429, &[("retry-after", "100")], r#"{"error_code":"APIGW.0308","error_msg":"slow"}"#);
    Box::pin(then(&host, &app, delete("bob"), "not-removed", &mut seen)).await;
    host.will_fail(SendError::NotAllowed("host".into()));
    Box::pin(then(&host, &app, delete("bob"), "not-sent", &mut seen)).await;
    host.will_list(&["dora"]);
    tick();
    Box::pin(then(&host, &app, documented(seconds(&host), "user_name=dora&dry_run=true"), "dry-run", &mut seen)).await;

    // Nobody knows; a repeat, another removal and a look settle it.
    for settles in ["repeat", "another", "look"] {
        host.will_fail(SendError::Broken("reset".into()));
        host.will_answer(500, "");
        let first = delete("erin");
        Box::pin(then(&host, &app, first.clone(), "unknown", &mut seen)).await;
        match settles {
            "repeat" => {
                host.will_list(&["erin"]);
                ask(&host, &app, first).await;
            }
            "another" => {
                host.will_list(&["erin"]);
                host.will_answer(200, SUCCESS);
                ask(&host, &app, delete("erin")).await;
            }
            _ => {
                host.will_list(&[]);
                let id: String = host
                    .database
                    .query_row("SELECT id FROM removals WHERE state = 'unknown'", [], |row| row.get(0))
                    .unwrap();
                tick();
                ask(&host, &app, portal(seconds(&host), Method::GET, &format!("/removals/{id}"), "")).await;
                assert_eq!(events(&host)[&id]["by"], PORTAL);
            }
        }
        let states = the_log_is_the_ledger(&host, &app).await;
        assert!(!states.contains("unknown"), "{settles}");
    }

    // What waits for whoever asked, and for others.
    Box::pin(then(&host, &app, said("fay analytics left"), "awaiting-confirmation", &mut seen)).await;
    host.will_answer(200, SUCCESS);
    Box::pin(then(&host, &app, said(&format!("confirm {}", waiting())), "removed", &mut seen)).await;
    Box::pin(then(&host, &app, said("gil analytics"), "awaiting-confirmation", &mut seen)).await;
    Box::pin(then(&host, &app, said(&format!("cancel {}", waiting())), "cancelled", &mut seen)).await;
    Box::pin(then(&host, &app, said(&format!("cancel {}", waiting())), "cancelled", &mut seen)).await;
    for (words, decided, state) in [
        ("hal warehouse", json!({"decision": "approve"}), "removed"),
        ("ida warehouse", json!({"decision": "deny", "reason": "still on call"}), "rejected"),
    ] {
        Box::pin(then(&host, &app, said(words), "awaiting-confirmation", &mut seen)).await;
        Box::pin(then(&host, &app, said(&format!("confirm {}", waiting())), "awaiting-approval", &mut seen)).await;
        Box::pin(then(&host, &app, said(&format!("approve {}", waiting())), "denied", &mut seen)).await;
        if state == "removed" {
            host.will_answer(200, SUCCESS);
        }
        tick();
        Box::pin(then(&host, &app, decision(&host, &waiting(), decided), state, &mut seen)).await;
        let approvals = &the_rows(&host, &app).await[0]["approvals"];
        assert_eq!(approvals.as_array().map_or(0, Vec::len), 1, "{approvals}");
    }
    // What nobody comes back to ends when somebody looks for anything.
    Box::pin(then(&host, &app, said("jon analytics"), "awaiting-confirmation", &mut seen)).await;
    host.now.set(host.now.get() + 301_000);
    Box::pin(then(&host, &app, said("status 00"), "expired", &mut seen)).await;

    // Of a removal that is being carried out there is no line yet.
    let all: BTreeSet<_> = State::ALL.map(State::as_str).into_iter().filter(|state| *state != "in-flight").collect();
    assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), all);
    assert!(host.sent.borrow().iter().all(|request| request.uri().path().starts_with(&DOCUMENTED[..10])));
}

/// Asks, holds the log to the ledger, which then has a row in this state, and keeps which states were seen.
async fn then(host: &Memory, app: &App, inbound: Inbound, state: &str, seen: &mut BTreeSet<String>) {
    ask(host, app, inbound).await;
    let states = the_log_is_the_ledger(host, app).await;
    assert!(states.contains(state), "{state} is not in {states:?}");
    seen.extend(states);
}

/// The rows about accounts that were decided by others, newest first.
async fn the_rows(host: &Memory, app: &App) -> Vec<Value> {
    let answer = list_as(host, app, "actor=slack%2FU2CERLKJA&instance=warehouse", None).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    body["removals"].as_array().unwrap().clone()
}
