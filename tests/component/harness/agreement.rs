//! Answer, row and log line of a request.

use crate::harness::answer::Answer;
use crate::harness::gateway::Gateway;
use crate::harness::row::Row;

/// Asserts that answer, row and log line say the same.
pub(crate) fn assert_agreement(gateway: &Gateway, answer: &Answer, row: &Row) {
    assert_eq!(answer.header("x-offboard-removal"), Some(row.id.as_str()), "{row:#?}");
    assert_eq!(row.code, Some(answer.code()), "{answer:#?}");
    assert_eq!(row.confirmed_by.as_deref(), answer.header("x-offboard-confirmed-by"), "{answer:#?}");
    assert_eq!(answer.header("x-offboard-policy").unwrap_or_default(), row.policies, "{row:#?}");
    if !answer.is_in_words() {
        assert_eq!(row.status, Some(answer.status), "{answer:#?}");
    }
    if answer.code() != "SUCCESS" && !answer.was_not_there() {
        assert!(answer.says(row.message.as_ref().unwrap()), "{answer:#?}\n{row:#?}");
    }
    let expected_id = row.request_id.as_ref().unwrap_or(&row.id);
    assert_eq!(answer.header("x-request-id"), Some(expected_id.as_str()), "{row:#?}");
    assert_eq!(row.asked_at, gateway.clock.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(row.ended_at, Some(row.asked_at));
    assert_eq!(row.kind, row.caller.as_ref().map(|caller| gateway.kind_of(caller)));

    let lines = gateway.request_lines();
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let told = |name: &str| line[name].as_str();
    assert_eq!(told("asked_at"), Some("2026-06-01T10:00:00.000Z"));
    assert_eq!(told("id"), Some(row.id.as_str()));
    assert_eq!(told("event"), Some(row.state.as_str()));
    assert_eq!(told("state"), Some(row.state.as_str()));
    assert_eq!(told("code"), row.code.as_deref());
    assert_eq!(told("caller"), row.caller.as_deref());
    assert_eq!(told("actor"), row.actor.as_deref());
    assert_eq!(told("user_name"), row.user_name.as_deref());
    assert_eq!(told("request_id"), row.request_id.as_deref());
    assert_eq!(told("confirmed_by"), row.confirmed_by.as_deref());
    assert_eq!(line["attempts"].as_i64(), Some(row.attempts));
}
