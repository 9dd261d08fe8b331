//! What waits, listed: newest first, to its end, whatever else waits.

use http::Method;
use serde_json::Value;
use starrocks_offboard::app::App;
use support::memory::Memory;

use crate::approvals::shared::{DANA, ERIN, STRANGER, app, gateway_of, row_of, says};
use crate::gateway::{ask, memory, portal, seconds};

/// Rows that wait for approval: of whom, for which account, on which instance.
fn wait(host: &Memory, count: usize, actor: &str, instance: &str) {
    let letters = instance.to_uppercase().replace(['L', 'I', 'O', 'U'], "0");
    let before = host.database.count("removals");
    for number in 1..=count {
        let unique = before + number;
        let id = format!("{:012x}{unique:020}", host.now.get() + i64::try_from(number).unwrap());
        let (delivery, user_name) = (format!("{actor}{instance}{number}"), format!("user{number}"));
        let reference = format!("{:0<4.4}{unique:04}", letters);
        let sql = "INSERT INTO removals (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, policies, attempts,
                reference, expires_at, fingerprint)
            VALUES (?1, ?2, 'awaiting-approval', 1780308000000, 'slack', 'slack', ?3, ?4, ?5, '', 0, ?6, 1780394400000, 'digest')";
        host.database.execute(sql, &[&id, &delivery, actor, instance, &user_name, &reference].map(Into::into));
    }
}

async fn page(host: &Memory, app: &App, query: &str) -> (Vec<String>, Option<String>) {
    let answer = ask(host, app, portal(seconds(host), Method::GET, "/approvals", query)).await;
    assert_eq!(answer.status().as_u16(), 200);
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    let header = answer.headers().get("x-offboard-next").map(|next| next.to_str().unwrap().to_owned());
    assert_eq!(body["next"].as_str().map(str::to_owned), header);
    let rows = body["approvals"].as_array().unwrap().iter();
    (rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect(), header)
}

/// Case A3: 200 waiting requests of one person hide none of another, and the newest is first.
#[tokio::test]
async fn requests_of_others_hide_none() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.map(drop).unwrap();
    wait(&host, 450, "slack/U0FLOOD", "lake");
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &app, DANA, &format!("confirm {reference}")).await;
    wait(&host, 450, "slack/U0FLOOD", "lake-2");
    // No approver is permitted on instances that are not configured: Erin sees the one, also behind those.
    let pending = says(&host, &app, ERIN, "pending").await;
    assert!(pending.contains(&reference) && !pending.contains("lake"), "{pending}");
    let (ids, next) = page(&host, &app, "limit=1").await;
    assert_eq!((ids.len(), next), (1, None));
    assert_eq!(says(&host, &app, STRANGER, "pending").await, "No requests are waiting for you.");
}

#[tokio::test]
async fn a_portal_reads_all_that_waits_in_pages() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.map(drop).unwrap();
    wait(&host, 333, "slack/U0FLOOD", "warehouse");
    wait(&host, 120, "slack/U0OTHER", "lake");
    for limit in [1, 100, 332, 333, 500] {
        let (mut seen, mut query) = (Vec::new(), format!("limit={limit}"));
        loop {
            let (ids, next) = page(&host, &app, &query).await;
            assert!(ids.len() == limit || next.is_none(), "{query}");
            seen.extend(ids);
            let Some(next) = next else { break };
            query = format!("limit={limit}&cursor={next}");
            if limit == 1 && seen.len() == 3 {
                break;
            }
        }
        assert!(seen.is_sorted_by(|newer, older| newer > older), "newest first");
        assert_eq!(seen.len(), if limit == 1 { 3 } else { 333 });
    }
    for (query, code) in [("limit=0", "40010"), ("cursor=1", "40010"), ("state=removed", "40009")] {
        let answer = ask(&host, &app, portal(seconds(&host), Method::GET, "/approvals", query)).await;
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error_code"], format!("OFFBOARD.{code}"), "{query}");
    }
}

/// A message has room for some; the last line says how to go on.
#[tokio::test]
async fn a_chat_reads_all_that_waits() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.map(drop).unwrap();
    wait(&host, 50, "slack/U0FLOOD", "warehouse");
    let (mut words, mut seen) = ("pending".to_owned(), Vec::new());
    for _ in 0..50 {
        let shown = says(&host, &app, ERIN, &words).await;
        assert!(shown.len() <= 3000, "{}", shown.len());
        let rows: Vec<_> = shown.lines().filter(|line| line.contains("warehouse")).collect();
        assert!((1..=20).contains(&rows.len()), "{shown}");
        seen.extend(rows.iter().filter_map(|row| row.split('`').nth(1)).map(str::to_owned));
        let more = shown.lines().last().and_then(|line| line.strip_prefix("To see more, write `pending "));
        let Some(more) = more else { break };
        assert_eq!(Some(more.trim_end_matches("`.")), seen.last().map(String::as_str));
        words = format!("pending {}", more.trim_end_matches("`."));
    }
    seen.dedup();
    assert_eq!(seen.len(), 50);
    let unknown = says(&host, &app, ERIN, "pending ZZZZZZZZ").await;
    assert!(unknown.contains("OFFBOARD.40405"), "{unknown}");
}

/// How much may wait for one person is policy's to say: in the demonstration twenty.
#[tokio::test]
async fn what_waits_for_one_person_is_bounded() {
    let (host, app) = (memory(), app());
    for number in 0..20 {
        says(&host, &app, DANA, &format!("user{number} warehouse")).await;
        says(&host, &app, DANA, &format!("confirm {}", row_of(&host, &format!("user{number}")).1)).await;
    }
    let waits = |host: &Memory| host.database.count("removals WHERE state = 'awaiting-approval'");
    assert_eq!(waits(&host), 20, "each of the twenty was confirmed, although the others wait");
    let denied = says(&host, &app, DANA, "user20 warehouse").await;
    assert!(denied.contains("twenty-requests-wait"), "{denied}");
    // Another person's requests are their own, and one that is decided makes room.
    says(&host, &app, ERIN, "erika warehouse").await;
    assert_eq!(row_of(&host, "erika").0, "awaiting-confirmation");
    says(&host, &app, DANA, &format!("cancel {}", row_of(&host, "user3").1)).await;
    says(&host, &app, DANA, "user21 warehouse").await;
    assert_eq!(row_of(&host, "user21").0, "awaiting-confirmation");
    // The twentieth is still approved: the bound is for asking.
    host.will_answer(200, r#"{"result":"SUCCESS"}"#);
    let approved = says(&host, &app, ERIN, &format!("approve {}", row_of(&host, "user19").1)).await;
    assert!(approved.contains("Removed `user19`"), "{approved}");
}

/// A person who may approve on one instance sees what waits there, and nothing else.
#[tokio::test]
async fn visibility_is_policys() {
    let forbids = "@id(\"not-on-staging\") forbid (principal, action == Action::\"approve\", resource in Environment::\"staging\");";
    let (host, app) = (memory(), gateway_of(forbids));
    app.ledger(&host).await.map(drop).unwrap();
    wait(&host, 3, "slack/U0FLOOD", "analytics");
    wait(&host, 2, "slack/U0FLOOD", "warehouse");
    assert_eq!(page(&host, &app, "").await.0.len(), 2);
    let own = says(&host, &app, "U0FLOOD", "pending").await;
    assert!(own.starts_with("5 pending requests\n") && own.lines().count() == 6, "{own}");
}
