//! *Removals*: who sees which rows, by which filter, as a page and as CSV.

use http::StatusCode;
use starrocks_offboard::ledger::export::csv_header;

use crate::console::reading::{DBA, EVE, Reading};
use crate::console::shared::{Row, write};
use crate::console::sign_in::Answer;

const DAY: i64 = 86_400_000;

/// The rows that a page shows, by their ids.
fn shown<'i>(answer: &Answer, ids: &'i [String]) -> Vec<&'i str> {
    let (_, table) = answer.body.split_once("<tbody").unwrap_or_default();
    ids.iter().map(String::as_str).filter(|id| table.contains(&format!("/console/removals/{id}"))).collect()
}

async fn written(reading: &Reading) -> Vec<String> {
    let rows = [
        Row::default(),
        Row { instance: "warehouse", user_name: "bob", state: "denied", ago: DAY, ..Row::default() },
        Row { instance: "warehouse", user_name: "carol", actor: EVE, ago: 2 * DAY, ..Row::default() },
        Row { user_name: "dave", state: "unknown", ago: 3 * DAY, ..Row::default() },
        Row { instance: "gone", user_name: "erin", ago: 40 * DAY, ..Row::default() },
    ];
    write(&reading.0.host, &reading.0.app, &rows).await
}

#[tokio::test]
async fn readers_see_their_own_rows_and_what_policy_lets_them_see() {
    let reading = Reading::new();
    let ids = written(&reading).await;
    let all = reading.get(DBA, "/console/removals").await;
    assert_eq!((all.status, shown(&all, &ids).len()), (StatusCode::OK, 5), "{all:#?}");
    assert!(all.body.contains("role=\"img\"") && all.body.contains("The outcome of 1 removal is unknown"), "{all:#?}");
    assert!(all.body.contains("<option>warehouse</option>"), "{all:#?}");
    let own = reading.get(EVE, "/console/removals").await;
    assert_eq!((own.status, shown(&own, &ids)), (StatusCode::OK, vec![ids[2].as_str()]), "{own:#?}");
    for hidden in ["role=\"img\"", "outcome of", "<option>warehouse</option>", "bob", "/console/policy"] {
        assert!(!own.body.contains(hidden), "{hidden}: {own:#?}");
    }
    // Of the rows of others, a filter does not tell that they are there.
    let of_bob = reading.get(EVE, "/console/removals?user_name=bob").await;
    let of_none = reading.get(EVE, "/console/removals?user_name=zed").await;
    assert_eq!(of_bob.body.replace("bob", "zed"), of_none.body);
    assert_eq!(of_bob.status, StatusCode::OK);
    assert!(of_bob.body.contains("No removal matches."), "{of_bob:#?}");
}

#[tokio::test]
async fn filters_are_those_of_the_list_and_days_include_the_last() {
    let reading = Reading::new();
    let ids = written(&reading).await;
    let date = |ago: i64| {
        let at = chrono::DateTime::from_timestamp_millis(reading.0.host.now.get() - ago).unwrap();
        at.date_naive().to_string()
    };
    for (query, expected) in [
        ("user_name=bob".to_owned(), vec![1]),
        ("instance=gone".to_owned(), vec![4]),
        ("state=denied&user_name=&instance=&actor=&since=&until=".to_owned(), vec![1]),
        (format!("actor={}", EVE.replace('/', "%2F")), vec![2]),
        (format!("since={}", date(2 * DAY)), vec![0, 1, 2]),
        (format!("until={}", date(2 * DAY)), vec![2, 3, 4]),
        (format!("since={0}&until={0}", date(DAY)), vec![1]),
        ("user_name=zed".to_owned(), vec![]),
    ] {
        let answer = reading.get(DBA, &format!("/console/removals?{query}")).await;
        let expected: Vec<_> = expected.into_iter().map(|row: usize| ids[row].as_str()).collect();
        assert_eq!((answer.status, shown(&answer, &ids)), (StatusCode::OK, expected), "{query}: {answer:#?}");
    }
}

#[tokio::test]
async fn a_wrong_filter_is_named_and_all_rows_are_shown() {
    let reading = Reading::new();
    let ids = written(&reading).await;
    for (query, why) in [
        ("since=2026-6-1", "2026-6-1"),
        ("until=%2B12026-06-01", "+12026-06-01"),
        ("until=2026-02-30", "2026-02-30"),
        ("state=none", "none"),
        ("cursor=newest", "newest"),
    ] {
        let answer = reading.get(DBA, &format!("/console/removals?{query}")).await;
        assert_eq!((answer.status, shown(&answer, &ids).len()), (StatusCode::OK, 5), "{query}: {answer:#?}");
        assert!(answer.body.contains("The filter cannot be used") && answer.body.contains(why), "{query}: {answer:#?}");
        let is_day = query.starts_with("since") || query.starts_with("until");
        assert_eq!(answer.body.contains("aria-invalid=\"true\""), is_day, "{query}: {answer:#?}");
        let csv = reading.get(DBA, &format!("/console/removals.csv?{query}")).await;
        assert_eq!(csv.status, StatusCode::BAD_REQUEST, "{query}: {csv:#?}");
    }
}

#[tokio::test]
async fn older_rows_are_on_the_next_page() {
    let reading = Reading::new();
    let rows: Vec<_> = (0..101).map(|number| Row { ago: 1000 * number, ..Row::default() }).collect();
    let ids = write(&reading.0.host, &reading.0.app, &rows).await;
    let newest = reading.get(DBA, "/console/removals?user_name=alice").await;
    assert_eq!(shown(&newest, &ids).len(), 100);
    let next = format!("/console/removals?user_name=alice&cursor={}", ids[99]);
    assert!(newest.body.contains(&next.replace('&', "&#38;")) && !newest.body.contains("rel=\"first\""), "{newest:#?}");
    let oldest = reading.get(DBA, &next).await;
    assert_eq!(shown(&oldest, &ids), [ids[100].as_str()]);
    assert!(oldest.body.contains("rel=\"first\"") && !oldest.body.contains("rel=\"next\""), "{oldest:#?}");
}

#[tokio::test]
async fn rows_are_exported_as_the_list_does() {
    let reading = Reading::new();
    let ids = written(&reading).await;
    let exported = reading.get(DBA, "/console/removals.csv?instance=warehouse").await;
    assert_eq!(exported.status, StatusCode::OK);
    assert_eq!(exported.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(exported.headers["content-disposition"], "attachment; filename=\"removals.csv\"");
    let lines: Vec<_> = exported.body.split_inclusive("\r\n").collect();
    assert_eq!((lines.len(), lines[0]), (3, csv_header().as_str()), "{exported:#?}");
    assert!(lines[1].contains(&ids[1]) && lines[2].contains(&ids[2]), "{exported:#?}");
    let own = reading.get(EVE, "/console/removals.csv").await;
    assert_eq!((own.body.lines().count(), own.body.contains(&ids[2])), (2, true), "{own:#?}");
    let refused = reading.get(EVE, "/console/removals.csv?user_name=bob").await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "OFFBOARD.40304"));
}

#[tokio::test]
async fn names_of_others_are_text() {
    const HOSTILE: &str = "\"><script>alert(1)</script>";
    let reading = Reading::new();
    let row = Row { user_name: HOSTILE, instance: HOSTILE, actor: HOSTILE, state: "unknown", ..Row::default() };
    write(&reading.0.host, &reading.0.app, &[row]).await;
    let given = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        "/console/removals".to_owned(),
        format!("/console/removals?user_name={given}&instance={given}&actor={given}&since={given}&until={given}"),
        format!("/console/removals?state={given}&cursor={given}&{given}={given}"),
    ] {
        let answer = reading.get(DBA, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
        assert!(!answer.body.contains("<script") && answer.body.contains("&#60;script"), "{answer:#?}");
    }
}
