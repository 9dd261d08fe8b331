//! *Policy*: who reads it, and what its form explains.

use http::StatusCode;

use crate::console::reading::{DBA, EVE, Reading};

const PERSON: &str = "/console/policy?as=slack%2FU2CERLKJA";

#[tokio::test]
async fn policies_are_for_who_may_audit_the_ledger() {
    let reading = Reading::new();
    let answer = reading.get(DBA, "/console/policy").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
    for policy in reading.0.app.policies.in_force() {
        assert!(answer.body.contains(&format!("<code>{}</code>", policy.id)), "{}: {answer:#?}", policy.id);
    }
    assert!(answer.body.contains(reading.0.app.policies.whole_digest()) && !answer.body.contains("id=\"answer\""));
    for path in ["/console/policy", "/console/policy?as=slack%2FU2CERLKJA&instance=analytics&user_name=alice"] {
        let refused = reading.get(EVE, path).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "OFFBOARD.40304"), "{path}");
        assert!(!refused.body.contains("dba-"), "{refused:#?}");
    }
}

#[tokio::test]
async fn decisions_are_explained_as_the_command_does() {
    let reading = Reading::new();
    for (question, verdict) in [
        ("&instance=analytics&user_name=alice", "<code>dba-removes-on-staging</code> permits it."),
        (
            "&instance=warehouse&user_name=alice&action=&at=2026-06-01T10:00&reason=&removals_last_hour=0",
            "Only after approval. <code>dba-asks-on-production</code> permits the request.",
        ),
        (
            "&instance=warehouse&user_name=alice&at=2026-06-01T20%3A00",
            "No. <code>production-in-working-hours</code> forbids it.",
        ),
        ("&instance=analytics&user_name=alice&removals_last_hour=20", "<code>brake-twenty-an-hour</code> forbids it."),
        ("&instance=analytics&user_name=&action=list", "<code>dba-lists</code> permits it."),
    ] {
        let answer = reading.get(DBA, &format!("{PERSON}{question}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.contains(verdict) && answer.body.contains("id=\"answer\""), "{question}: {answer:#?}");
    }
    let night = reading.get(DBA, &format!("{PERSON}&instance=warehouse&user_name=alice&at=2026-06-01T20:00")).await;
    assert!(night.body.contains("Without it, <code>dba-asks-on-production</code> would permit it."), "{night:#?}");
    assert!(night.body.contains("value=\"2026-06-01T20:00\""), "{night:#?}");
    let stranger = reading.get(DBA, "/console/policy?as=slack%2FU1&instance=analytics&user_name=alice").await;
    assert!(stranger.body.contains("No. No policy permits it."), "{stranger:#?}");
    assert!(reading.0.host.sent.borrow().iter().all(|request| !request.uri().path().contains("/users")));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_names_its_field() {
    let reading = Reading::new();
    let of = |rest: &str| format!("{PERSON}&instance=analytics&user_name=alice{rest}");
    for (path, why) in [
        ("/console/policy?as=&instance=analytics&user_name=alice".to_owned(), "id=\"wrong\""),
        ("/console/policy?as=pager%2FU1&instance=analytics&user_name=alice".to_owned(), "<code>pager</code>"),
        (format!("{PERSON}&instance=lake&user_name=alice"), "<code>lake</code>"),
        (format!("{PERSON}&instance=analytics"), "<code>user_name</code>"),
        (format!("{PERSON}&instance=analytics&user_name=root"), "<code>root</code>"),
        (of("&at=2026-6-1T10:00"), "<code>2026-6-1T10:00</code>"),
        (of("&at=2026-06-01T25:00"), "<code>2026-06-01T25:00</code>"),
        (of("&action=operate"), "<code>operate</code>"),
        (of("&removals_last_hour=-1"), "<code>-1</code>"),
        (of("&instance_removals_last_hour=1e3"), "<code>1e3</code>"),
        (of("&confirmed=yes"), "<code>yes</code>"),
        (of("&reason=a%00b"), "id=\"wrong\""),
    ] {
        let answer = reading.get(DBA, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.contains("The question cannot be answered:"), "{path}: {answer:#?}");
        assert!(answer.body.contains(why) && !answer.body.contains("id=\"answer\""), "{path}: {answer:#?}");
    }
    let hostile = "%22%3E%3Cscript%3E";
    let path =
        format!("/console/policy?as={hostile}&instance={hostile}&user_name={hostile}&reason={hostile}&at={hostile}");
    let answer = reading.get(DBA, &path).await;
    assert!(!answer.body.contains("<script") && answer.body.contains("&#60;script"), "{answer:#?}");
}
