//! Which trace, gateway and policies a line of the log belongs to.

use serde_json::Value;
use starrocks_offboard::ledger::GATEWAY;

use crate::gateway::{SUCCESS, app, ask, documented, memory, seconds};
use crate::production::shared::{operated, run};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn lines_name_the_trace_of_their_request() {
    for (traceparent, expected) in
        [(format!("00-{TRACE}-00f067aa0ba902b7-01"), Some(TRACE)), (format!("00-{TRACE}-00f067aa0ba902b7"), None)]
    {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        let mut inbound = documented(seconds(&host), "user_name=alice");
        inbound.headers.insert("traceparent", traceparent.parse().unwrap());
        ask(&host, &app, inbound).await;
        let lines: Vec<Value> = host.lines.borrow().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].get("trace_id").and_then(Value::as_str), expected);
        assert_eq!((&lines[0]["gateway"], &lines[0]["policy_set"]), (&GATEWAY.into(), &app.policies.digest().into()));
    }
}

/// Refusals and jobs as well, whose lines are no decision of policy's.
#[tokio::test]
async fn every_line_names_gateway_and_policies() {
    let (host, app) = (memory(), operated());
    let mut unsigned = documented(seconds(&host), "user_name=alice");
    unsigned.headers.clear();
    ask(&host, &app, unsigned).await;
    run(&host, &app, "settle").await;
    let row: (String, String) = host.database.row("SELECT gateway, policy_set FROM removals", &[]).unwrap();
    assert_eq!(row, (GATEWAY.to_owned(), app.policies.digest().to_owned()));
    for line in host.lines.borrow().iter() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["gateway"], &line["policy_set"]), (&GATEWAY.into(), &app.policies.digest().into()), "{line}");
    }
}
