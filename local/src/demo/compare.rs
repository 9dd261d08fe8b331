//! Compares what happened in the demonstration with what should have happened.

use std::collections::BTreeSet;
use std::fmt::Display;

use http::{Method, StatusCode};

use super::answer::Answer;
use super::scenes::{SCENES, Scene};
use crate::simulator::demo;
use crate::simulator::received::ReceivedRequest;

/// What happened in a scene.
pub(super) struct Exchange {
    pub(super) request_line: String,
    pub(super) answer: Answer,
    pub(super) upstream: Vec<ReceivedRequest>,
    /// The accounts that the instance has afterwards.
    pub(super) accounts: BTreeSet<String>,
}

/// A difference between what was expected and what happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) what: &'static str,
    pub(super) expected: String,
    pub(super) got: String,
}

/// Compares an exchange with what its scene expects.
pub(super) fn compare(scene: &Scene, exchange: &Exchange) -> Vec<Mismatch> {
    let Scene { expected, account, .. } = scene;
    let removes = expected.code.is_none();
    let deletes = exchange.upstream.iter().filter(|request| request.method == Method::DELETE);
    let succeeded = deletes.clone().filter(|request| {
        request.path_and_query.ends_with(&format!("?user_name={account}")) && request.status == Some(StatusCode::OK)
    });
    let code_or_none = |code: Option<&str>| code.unwrap_or("none").to_owned();
    let presence = |exists| if exists { "exists" } else { "gone" };
    let mut found = Vec::new();
    let mut check = |what, expected: &dyn Display, got: &dyn Display| {
        let (expected, got) = (expected.to_string(), got.to_string());
        if expected != got {
            found.push(Mismatch { what, expected, got });
        }
    };
    check("status", &expected.status, &exchange.answer.status);
    check("policies", &list(expected.policies), &list(&exchange.answer.policies));
    check("error code", &expected.code.unwrap_or("SUCCESS"), &code_or_none(exchange.answer.code.as_deref()));
    check("requests to TaurusDB", &usize::from(removes), &exchange.upstream.len());
    check("DELETEs of the account that succeeded", &usize::from(removes), &succeeded.count());
    check("the account", &presence(!removes), &presence(exchange.accounts.contains(*account)));
    found
}

/// Compares the end: only the removed accounts are gone, and no system account was requested.
pub(super) fn compare_end(accounts: &BTreeSet<String>, alarms: &[String]) -> Vec<Mismatch> {
    let removed = |name: &&str| SCENES.iter().any(|scene| scene.account == *name && scene.expected.code.is_none());
    let left: BTreeSet<String> =
        demo::ACCOUNTS.iter().filter(|name| !removed(name)).map(|name| (*name).to_owned()).collect();
    let mut found = Vec::new();
    if *accounts != left {
        found.push(Mismatch { what: "accounts left", expected: list(&left), got: list(accounts) });
    }
    if !alarms.is_empty() {
        found.push(Mismatch { what: "alarms of TaurusDB", expected: "none".to_owned(), got: list(alarms) });
    }
    found
}

/// Joins items with commas; `none` if there are none.
fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    let names: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an exchange on which the instance has these accounts left.
    fn exchange(answer: Answer, upstream: Vec<ReceivedRequest>, accounts: &[&str]) -> Exchange {
        Exchange {
            request_line: String::new(),
            answer,
            upstream,
            accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Answer::read(&response.body(body.to_owned().into()).unwrap())
    }

    fn deleted(user_name: &str, status: u16) -> ReceivedRequest {
        ReceivedRequest {
            method: Method::DELETE,
            path_and_query: format!("/v3/p/instances/i/starrocks/users?user_name={user_name}"),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            request_id: String::new(),
            status: StatusCode::from_u16(status).ok(),
        }
    }

    const ROW: (&str, &str) = ("x-offboard-removal", "r1");
    const POLICY: (&str, &str) = ("x-offboard-policy", "dba-removes-on-staging");
    const SUCCESS: &str = r#"{"result":"SUCCESS"}"#;

    fn whats(scene: &Scene, exchange: &Exchange) -> Vec<&'static str> {
        compare(scene, exchange).iter().map(|mismatch| mismatch.what).collect()
    }

    #[test]
    fn a_removal_is_right_only_if_all_of_it_is() {
        let [_, _, bob, ..] = &SCENES;
        let good = || vec![deleted("bob", 200)];
        let headers = &[ROW, POLICY, ("x-offboard-code", "SUCCESS")];
        assert!(whats(bob, &exchange(answer(200, headers, SUCCESS), good(), &["dave"])).is_empty());
        for (exchange, expected) in [
            (exchange(answer(201, headers, SUCCESS), good(), &[]), &["status"][..]),
            (
                exchange(
                    answer(200, &[ROW, ("x-offboard-policy", "other"), ("x-offboard-code", "SUCCESS")], SUCCESS),
                    good(),
                    &[],
                ),
                &["policies"],
            ),
            (exchange(answer(200, &[ROW, POLICY, ("x-offboard-code", "X")], SUCCESS), good(), &[]), &["error code"]),
            (
                exchange(answer(200, headers, SUCCESS), vec![deleted("bob", 200), deleted("bob", 400)], &[]),
                &["requests to TaurusDB"],
            ),
            (
                exchange(answer(200, headers, SUCCESS), vec![deleted("dave", 200)], &["bob"]),
                &["DELETEs of the account that succeeded", "the account"],
            ),
            (
                exchange(answer(200, headers, SUCCESS), vec![], &["bob"]),
                &["requests to TaurusDB", "DELETEs of the account that succeeded", "the account"],
            ),
        ] {
            assert_eq!(whats(bob, &exchange), expected);
        }
    }

    #[test]
    fn a_refusal_is_right_only_if_nothing_was_sent() {
        let [.., etl_loader] = &SCENES;
        let headers = &[ROW, ("x-offboard-code", "OFFBOARD.40303")];
        let body = r#"{"error_code":"OFFBOARD.40303"}"#;
        assert!(whats(etl_loader, &exchange(answer(403, headers, body), vec![], &["etl_loader"])).is_empty());
        assert_eq!(
            whats(etl_loader, &exchange(answer(403, headers, body), vec![deleted("etl_loader", 400)], &["etl_loader"])),
            ["requests to TaurusDB"]
        );
    }

    #[test]
    fn the_end_is_right_only_if_no_other_account_is_gone() {
        let left: BTreeSet<String> =
            ["dave", "etl_loader", "report_reader", "user_test", "root", "rdsAdmin", "rdsMetric"]
                .map(str::to_owned)
                .into();
        assert_eq!(compare_end(&left, &[]), []);
        let mut fewer = left.clone();
        fewer.remove("user_test");
        assert_eq!(compare_end(&fewer, &[])[0].what, "accounts left");
        assert_eq!(compare_end(&left, &["root".to_owned()])[0].what, "alarms of TaurusDB");
    }
}
