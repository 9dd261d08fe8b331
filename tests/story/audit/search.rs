//! `GET /removals`: filters, pages, indexes.

use std::time::Duration;

use chrono::DateTime;
use http::Method;
use serde_json::Value;
use starrocks_offboard::ledger::query;
use starrocks_offboard::request::removal_query::RemovalQuery;

use crate::audit::shared::{
    ANALYTICS_ONLY, Row, START, gateway_of, ids, list_as, newest_first, page, pages, pages_from, row, write,
};
use crate::gateway::{app, ask, memory, portal, seconds};

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
            "sqlite_autoindex_removals_1 (id<?)",
            false,
        ),
        (
            RemovalQuery { actor, instance, since: Some(1), ..usual },
            "removals_by_actor (actor=? AND asked_at>? AND",
            true,
        ),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN {}", query::statement(&search));
        let mut statement = host.database.sqlite().prepare(&sql).unwrap();
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
    let later = "UPDATE removals SET asked_at = ?1 WHERE id = ?2";
    host.database.execute(later, &[(START + 9000).into(), rows[1].id.as_str().into()]);
    seen.extend(pages_from(&host, &app, "limit=2", format!("&cursor={}", next.unwrap())).await.concat());
    assert_eq!(seen, newest_first(&rows));
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
async fn bad_parameters() {
    let (host, app) = (memory(), app());
    for (query, code, says) in [
        (
            "force=1",
            "40009",
            "takes only `instance`, `user_name`, `actor`, `state`, `since`, `until`, `limit` and `cursor`",
        ),
        ("limit=1&limit=2", "40002", "`limit` appears more than once"),
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
        ("cursor=", "40010", "`cursor` is ``; expected the `next` value of the previous page"),
        ("cursor=019E0000000000000000000000000001", "40010", "`cursor` is"),
        ("cursor=019e", "40010", "`cursor` is"),
        ("instance=%ff", "40008", "the path or query is ambiguous"),
    ] {
        let answer = list_as(&host, &app, query, None).await;
        assert_eq!(answer.status().as_u16(), 400, "{query}");
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error_code"], format!("OFFBOARD.{code}"), "{query} {body}");
        assert!(body["error_msg"].as_str().unwrap().contains(says), "{query}: {body}");
    }
    let posted = ask(&host, &app, portal(seconds(&host), Method::POST, "/removals", "")).await;
    assert_eq!((posted.status().as_u16(), &posted.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
    // The signature covers the query, and without one no caller reads anything.
    let mut changed = portal(seconds(&host), Method::GET, "/removals", "limit=1");
    changed.query = "limit=2".into();
    assert_eq!(ask(&host, &app, changed).await.status().as_u16(), 401);
    // Signed as it was sent, so the slash is the caller's own.
    let slash = ask(&host, &app, portal(seconds(&host), Method::GET, "/removals/", "")).await;
    assert_eq!(slash.status().as_u16(), 200);
}
