//! What TaurusDB turns away or does not take is sent again, within the time of a request.

use std::time::Duration;

use starrocks_offboard::host::SendError;

use crate::gateway::{SUCCESS, app, ask, documented, gateway_with, header, memory, seconds, text};
use crate::taurusdb::shared::{HTML, failure, logged, newest, remove_alice, row, sent_header};

#[tokio::test]
async fn what_was_turned_away_is_sent_again() {
    for (status, headers, body) in [
        (429, &[][..], failure("APIGW.0308")),
        (429, &[("retry-after", "2")], failure("APIGW.0308")),
        (429, &[], HTML.to_owned()),
        (409, &[], failure("DBS.200019")),
        (503, &[("retry-after", "2")], failure("DBS.200005")),
        (503, &[("retry-after", "2")], HTML.to_owned()),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer_with(status, headers, &body);
        host.will_answer_with(status, headers, &body);
        host.will_answer(200, SUCCESS);
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), host.methods().len()), (200, 3), "{status} {headers:?} {body}");
        assert_eq!(newest(&host), row("removed", "SUCCESS", 3, None));
        let waited = host.elapsed.get();
        let asked = Duration::from_secs(if headers.is_empty() { 0 } else { 4 });
        assert!(waited >= asked && waited < asked + Duration::from_secs(1), "{waited:?}");
        let dates: Vec<_> = host.sent.borrow().iter().map(|request| sent_header(request, "x-sdk-date")).collect();
        assert!(dates.iter().all(Option::is_some));
        assert!(logged(&host, r#""attempts":3"#));
    }
}

/// Longer than the request has time for, or more often than it may: what TaurusDB said passes back, with its Retry-After, and
/// the same delivery may try again.
#[tokio::test]
async fn what_stays_busy_is_passed_back() {
    for (headers, attempts) in [(&[("retry-after", "100")][..], 1), (&[("retry-after", "1")], 4), (&[], 4)] {
        let (host, app) = (memory(), app());
        for _ in 0..attempts {
            host.will_answer_with(429, headers, &failure("APIGW.0308"));
        }
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (429, failure("APIGW.0308")));
        assert_eq!(header(&answer, "retry-after"), headers.first().map(|(_, seconds)| *seconds));
        assert_eq!(newest(&host), row("not-removed", "APIGW.0308", attempts, None));

        host.will_answer(200, SUCCESS);
        let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        assert_eq!((repeat.status().as_u16(), header(&repeat, "retry-after")), (200, None));
        assert_eq!(newest(&host), row("removed", "SUCCESS", attempts + 1, None));
        assert_eq!(host.rows().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_tried_again() {
    let (host, app) = (memory(), app());
    host.will_fail(SendError::NotSent("refused".into()));
    host.will_fail(SendError::ConnectTimedOut("slow".into()));
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(newest(&host), row("removed", "SUCCESS", 3, None));

    for _ in 0..4 {
        host.will_fail(SendError::ConnectTimedOut("slow".into()));
    }
    let answer = remove_alice(&host, &app).await;
    assert_eq!(answer.status().as_u16(), 504);
    assert_eq!(newest(&host), row("not-sent", "OFFBOARD.50402", 4, None));
}

/// Whatever takes how long: the request ends within its time, with the outcome that is due.
#[tokio::test]
async fn the_time_for_a_request_is_bounded() {
    let changes = [(
        "[taurusdb]",
        "[limits]\nconnect_ms = 1000\nfirst_byte_ms = 2000\ncall_ms = 3000\ntotal_ms = 4000\n\n[taurusdb]",
    )];
    let seconds = Duration::from_secs;
    for (calls, status, expected) in [
        // (what comes of a call, how long it takes)
        (
            vec![(SendError::ConnectTimedOut(String::new()), seconds(1)); 3],
            504,
            row("not-sent", "OFFBOARD.50404", 3, None),
        ),
        (vec![(SendError::CallTimedOut(String::new()), seconds(3))], 504, row("unknown", "OFFBOARD.50403", 1, None)),
        (
            vec![
                (SendError::ConnectTimedOut(String::new()), seconds(1)),
                (SendError::CallTimedOut(String::new()), seconds(3)),
            ],
            504,
            row("unknown", "OFFBOARD.50405", 2, None),
        ),
    ] {
        let (host, app) = (memory(), gateway_with(&changes));
        for (error, takes) in calls {
            host.will_fail(error);
            host.which_takes(takes);
        }
        if expected.0 == "unknown" {
            host.will_fail(SendError::Broken(String::new()));
            host.which_takes(seconds(9));
        }
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), newest(&host)), (status, expected));
        assert!(host.elapsed.get() <= seconds(4), "{:?}", host.elapsed.get());
    }
}

/// Five wrong signatures in a row lock a key: it is never tried again, and neither is a token that the operator set.
#[tokio::test]
async fn a_refused_signature_is_not_sent_again() {
    for (changes, code) in [
        (&[][..], "APIGW.0301"),
        (&[], "APIGW.0307"),
        (&[("credentials = \"aksk\"", "credentials = \"token\"")], "APIGW.0307"),
    ] {
        let (mut host, app) = (memory(), gateway_with(changes));
        host.variables.insert("huaweicloud_token".into(), "static-token".into());
        host.will_answer(401, &failure(code));
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (401, failure(code)));
        assert_eq!(newest(&host), row("refused-upstream", code, 1, None));
        assert!(logged(&host, r#""meaning":""#));
    }
}
