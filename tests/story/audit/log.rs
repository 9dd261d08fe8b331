//! The log is a copy of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use starrocks_offboard::outcome::state::State;
use starrocks_offboard::request::inbound::Inbound;
use support::memory::Memory;

use crate::audit::shared::{POLICY, PORTAL, Row, START, gateway_of, list_as, row, write};
use crate::gateway::{DOCUMENTED, SUCCESS, app, ask, documented, memory, portal, portal_with, seconds, slash};

#[tokio::test]
async fn what_waited_too_long_is_shown_as_expired() {
    let (host, app) = (memory(), app());
    write(&host, &app, &[Row { state: "awaiting-approval", ..row(0) }]).await;
    host.database.execute("UPDATE removals SET reference = 'K7Q2M9XA', expires_at = ?1", &[(START + 5000).into()]);
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
    // A caller's look at a row is no event of the row.
    lines
        .filter(|line| line.get("written").is_some())
        .map(|line| (line["id"].as_str().unwrap().to_owned(), line))
        .collect()
}

/// Every row of the ledger, as a caller who may look at it sees it, is the last line that the log has about it.
async fn the_log_is_the_ledger(host: &Memory, app: &App) -> BTreeSet<String> {
    let mut events = events(host);
    let rows: Vec<(String, String)> = host.database.rows("SELECT id, state FROM removals", &[]);
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
    portal_with(seconds(host), Method::POST, &format!("/approvals/{reference}"), "", &body.to_string())
}

/// The gateway of the test, and the states that its rows had.
struct Seen {
    host: Memory,
    app: App,
    states: BTreeSet<String>,
}

impl Seen {
    fn tick(&self) {
        self.host.now.set(self.host.now.get() + 1000);
    }

    fn delete(&self, user_name: &str) -> Inbound {
        self.tick();
        documented(seconds(&self.host), &format!("user_name={user_name}"))
    }

    fn said(&self, words: &str) -> Inbound {
        self.tick();
        slash(seconds(&self.host), words)
    }

    /// The reference of the newest request that waits.
    fn waiting(&self) -> String {
        let sql = "SELECT reference FROM removals WHERE reference IS NOT NULL ORDER BY rowid DESC LIMIT 1";
        self.host.database.row(sql, &[]).unwrap()
    }

    /// Sends the request, holds the log to the ledger, which then has a row in this state, and keeps which states there are.
    async fn then(&mut self, inbound: Inbound, state: &str) {
        ask(&self.host, &self.app, inbound).await;
        let states = the_log_is_the_ledger(&self.host, &self.app).await;
        assert!(states.contains(state), "{state} is not in {states:?}");
        self.states.extend(states);
    }
}

/// Whatever happens to a row is in the log, whole: what succeeds, what does not, what waits, and what no requester asked for.
#[tokio::test]
async fn the_log_and_the_ledger_say_the_same() {
    let policy = format!(
        "{POLICY} @id(\"not-carol\") forbid (principal, action in [Action::\"delete\", Action::\"request\"], resource)
         when {{ resource.user_name == \"carol\" }};"
    );
    let mut seen = Seen { host: memory(), app: gateway_of(&policy), states: BTreeSet::new() };
    Box::pin(answered_at_once(&mut seen)).await;
    Box::pin(settled_later(&mut seen)).await;
    Box::pin(waited(&mut seen)).await;

    // Of a removal that is being carried out there is no line yet.
    let all: BTreeSet<_> = State::ALL.map(State::as_str).into_iter().filter(|state| *state != "in-flight").collect();
    assert_eq!(seen.states.iter().map(String::as_str).collect::<BTreeSet<_>>(), all);
    assert!(seen.host.sent.borrow().iter().all(|request| request.uri().path().starts_with(&DOCUMENTED[..10])));
}

async fn answered_at_once(seen: &mut Seen) {
    seen.host.will_answer(200, SUCCESS);
    Box::pin(seen.then(seen.delete("alice"), "removed")).await;
    seen.host.will_answer(400, r#"{"error_code":"DBS.200819","error_msg":"no"}"#);
    Box::pin(seen.then(seen.delete("anna"), "refused-upstream")).await;
    Box::pin(seen.then(seen.delete("carol"), "denied")).await;
    let mut forged = seen.delete("alice");
    forged.query = "user_name=bob".into();
    Box::pin(seen.then(forged, "refused")).await;
    Box::pin(seen.then(seen.delete("root"), "refused")).await;
    seen.host.will_answer(400, r#"{"error_code":"DBS.200824","error_msg":"not there"}"#);
    seen.host.will_list(&[]);
    Box::pin(seen.then(seen.delete("bea"), "already-gone")).await;
    seen.host.will_answer_with(429, &[("retry-after", "100")], r#"{"error_code":"APIGW.0308","error_msg":"slow"}"#);
    Box::pin(seen.then(seen.delete("bob"), "not-removed")).await;
    seen.host.will_fail(SendError::NotAllowed("host".into()));
    Box::pin(seen.then(seen.delete("bob"), "not-sent")).await;
    seen.host.will_list(&["dora"]);
    seen.tick();
    Box::pin(seen.then(documented(seconds(&seen.host), "user_name=dora&dry_run=true"), "dry-run")).await;
}

/// The outcome is unknown; a repeat, another removal and a look at the row settle it.
async fn settled_later(seen: &mut Seen) {
    for settles in ["repeat", "another", "look"] {
        seen.host.will_fail(SendError::Broken("reset".into()));
        seen.host.will_answer(500, "");
        let first = seen.delete("erin");
        Box::pin(seen.then(first.clone(), "unknown")).await;
        match settles {
            "repeat" => {
                seen.host.will_list(&["erin"]);
                ask(&seen.host, &seen.app, first).await;
            }
            "another" => {
                seen.host.will_list(&["erin"]);
                seen.host.will_answer(200, SUCCESS);
                ask(&seen.host, &seen.app, seen.delete("erin")).await;
            }
            _ => {
                seen.host.will_list(&[]);
                let unknown = "SELECT id FROM removals WHERE state = 'unknown'";
                let id: String = seen.host.database.row(unknown, &[]).unwrap();
                seen.tick();
                ask(&seen.host, &seen.app, portal(seconds(&seen.host), Method::GET, &format!("/removals/{id}"), ""))
                    .await;
                assert_eq!(events(&seen.host)[&id]["by"], PORTAL);
            }
        }
        let states = the_log_is_the_ledger(&seen.host, &seen.app).await;
        assert!(!states.contains("unknown"), "{settles}");
    }
}

/// Requests wait for a confirmation and for an approval.
async fn waited(seen: &mut Seen) {
    Box::pin(seen.then(seen.said("fay analytics left"), "awaiting-confirmation")).await;
    seen.host.will_answer(200, SUCCESS);
    Box::pin(seen.then(seen.said(&format!("confirm {}", seen.waiting())), "removed")).await;
    Box::pin(seen.then(seen.said("gil analytics"), "awaiting-confirmation")).await;
    Box::pin(seen.then(seen.said(&format!("cancel {}", seen.waiting())), "cancelled")).await;
    Box::pin(seen.then(seen.said(&format!("cancel {}", seen.waiting())), "cancelled")).await;
    for (words, decided, state) in [
        ("hal warehouse", json!({"decision": "approve"}), "removed"),
        ("ida warehouse", json!({"decision": "deny", "reason": "still on call"}), "rejected"),
    ] {
        Box::pin(seen.then(seen.said(words), "awaiting-confirmation")).await;
        Box::pin(seen.then(seen.said(&format!("confirm {}", seen.waiting())), "awaiting-approval")).await;
        Box::pin(seen.then(seen.said(&format!("approve {}", seen.waiting())), "denied")).await;
        if state == "removed" {
            seen.host.will_answer(200, SUCCESS);
        }
        seen.tick();
        Box::pin(seen.then(decision(&seen.host, &seen.waiting(), decided), state)).await;
        let approvals = &the_rows(&seen.host, &seen.app).await[0]["approvals"];
        assert_eq!(approvals.as_array().map_or(0, Vec::len), 1, "{approvals}");
    }
    // What no requester comes back to ends when a caller looks for anything.
    Box::pin(seen.then(seen.said("jon analytics"), "awaiting-confirmation")).await;
    seen.host.now.set(seen.host.now.get() + 301_000);
    Box::pin(seen.then(seen.said("status 00"), "expired")).await;
}

/// The rows about accounts that were decided by others, newest first.
async fn the_rows(host: &Memory, app: &App) -> Vec<Value> {
    let answer = list_as(host, app, "actor=slack%2FU2CERLKJA&instance=warehouse", None).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    body["removals"].as_array().unwrap().clone()
}
