//! All that TaurusDB, its account list and IAM can do wrong, in the words of `serve --fault`, through the component: what the
//! asker is told, what the ledger keeps, what was sent how often, and whether the account is there.

use std::sync::Arc;

use support::case;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::harness::agreement::assert_agreement;
use crate::harness::answer::Answer;
use crate::harness::credentials::Credentials;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;

/// How many cases run at once: most of them wait, and what does not wait has to be answered within the limits.
const AT_ONCE: usize = 12;

/// Short where a limit is waited for, and long enough even then for a busy machine to answer what is answered.
fn limits(faults: &str) -> String {
    let first_byte = if faults.contains("hang") { "\nfirst_byte_ms = 1200" } else { "" };
    let call = if faults.contains("drip") { "\ncall_ms = 1500" } else { "" };
    format!("attempts = 3{first_byte}{call}")
}

/// What comes of a removal of alice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Came<'a> {
    status: u16,
    code: &'a str,
    state: &'a str,
    /// DELETEs, by the row and by what reached TaurusDB.
    attempts: usize,
    gone: bool,
    confirmed_by: Option<&'a str>,
    token_calls: usize,
}

const LIST: Option<&str> = Some("account-list");

fn removed(attempts: usize, confirmed_by: Option<&str>) -> Came<'_> {
    Came { status: 200, code: "SUCCESS", state: "removed", attempts, gone: true, confirmed_by, token_calls: 0 }
}

fn failed<'a>(status: u16, code: &'a str, state: &'a str, attempts: usize) -> Came<'a> {
    Came { status, code, state, attempts, gone: false, confirmed_by: None, token_calls: 0 }
}

/// The account list still has the account.
fn not_removed() -> Came<'static> {
    Came { confirmed_by: LIST, ..failed(502, "OFFBOARD.50204", "not-removed", 1) }
}

fn not_sent(status: u16, code: &str, token_calls: usize) -> Came<'_> {
    Came { token_calls, ..failed(status, code, "not-sent", 0) }
}

/// A removal by a gateway with these credentials, in a cloud that does this wrong.
#[derive(Debug)]
struct Case {
    credentials: Credentials,
    /// Rules, with spaces between them.
    faults: String,
    came: Came<'static>,
    /// The same delivery again, when the cloud does nothing wrong any more.
    repeated: Option<Came<'static>>,
}

impl Case {
    fn setup(&self) -> Setup {
        let setup = self.credentials.setup().limits(&limits(&self.faults));
        self.faults.split(' ').fold(setup, Setup::fault)
    }
}

async fn check(cases: impl IntoIterator<Item = Case>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for case in cases {
        let places = places.clone();
        running.spawn(async move {
            let _place = places.acquire().await;
            let about = format!("{case:?}");
            // In a task, so that the case of an assertion further down is named, and the others are tried.
            match tokio::spawn(run(case)).await {
                Ok(differences) if differences.is_empty() => String::new(),
                Ok(differences) => format!("\n{about}{differences}"),
                Err(_) => format!("\n{about}\nfailed an assertion, see above"),
            }
        });
    }
    let failures = running.join_all().await.concat();
    assert!(failures.is_empty(), "{failures}");
}

async fn run(case: Case) -> String {
    let gateway = Gateway::start(case.setup()).await;
    let wire = Ask::default().wire(Kind::Api, &gateway.address.to_string(), gateway.now());
    let answer = gateway.send(wire.request()).await;
    let row = gateway.row();
    assert_agreement(&gateway, &answer, &row);
    let mut differences = differences(&gateway, &answer, case.came, case.credentials);
    if let Some(repeated) = case.repeated {
        gateway.simulator.clear_faults();
        // A credential that IAM refused is not tried again for a minute.
        gateway.advance(60_000);
        let answer = gateway.send(wire.request()).await;
        differences += &self::differences(&gateway, &answer, repeated, case.credentials);
    }
    differences
}

fn differences(gateway: &Gateway, answer: &Answer, expected: Came<'_>, credentials: Credentials) -> String {
    let row = gateway.row();
    let (code, sent) = (answer.code(), gateway.deletes());
    let came = Came {
        status: answer.status,
        code: &code,
        state: &row.state,
        attempts: sent,
        gone: !gateway.has_account("alice"),
        confirmed_by: row.confirmed_by.as_deref(),
        token_calls: gateway.simulator.token_calls(),
    };
    let seen = gateway.simulator.requests();
    let at_taurusdb = seen.iter().filter(|seen| seen.method != http::Method::POST);
    let proved = at_taurusdb.clone().all(|seen| case::credentials(&seen.headers) == credentials.carried());
    if came == expected && usize::try_from(row.attempts) == Ok(sent) && proved {
        return String::new();
    }
    format!("\nexpected {expected:#?}\nbut it was {came:#?}\nin {row:#?}\n{}", gateway.logs.lines().join("\n"))
}

/// With every kind of credentials: what they are makes no difference, but for the tokens that have to be had first.
#[tokio::test(flavor = "multi_thread")]
async fn what_taurusdb_does_wrong_is_the_same_whatever_the_credentials() {
    let throttled = |attempts| failed(429, "APIGW.0308", "not-removed", attempts);
    let table: [(&str, Came<'static>); 27] = [
        ("latency=50ms", removed(1, None)),
        ("reset-before", not_removed()),
        ("reset-after", removed(1, LIST)),
        ("down", not_removed()),
        ("hang", not_removed()),
        ("hang-after", removed(1, LIST)),
        ("throttled*2", removed(3, None)),
        ("throttled", throttled(3)),
        ("throttled=1", throttled(3)),
        ("throttled=1000", throttled(1)),
        ("busy*2", removed(3, None)),
        ("busy", failed(409, "DBS.200019", "not-removed", 3)),
        ("busy=DBS.280406", failed(409, "DBS.280406", "refused-upstream", 1)),
        ("status=500", failed(500, "DBS.200005", "refused-upstream", 1)),
        ("status=503", failed(503, "DBS.200005", "not-removed", 1)),
        ("status=503,1*1", removed(2, None)),
        ("status=503,1", failed(503, "DBS.200005", "not-removed", 3)),
        ("html", not_removed()),
        ("html=503", not_removed()),
        ("html=403", failed(403, "OFFBOARD.40390", "refused-upstream", 1)),
        ("truncated", not_removed()),
        ("truncated-after", removed(1, LIST)),
        ("huge", not_removed()),
        ("drip", not_removed()),
        ("drip-after", removed(1, LIST)),
        ("wrong-json", not_removed()),
        // The account list knows better than the code.
        ("gone", failed(400, "DBS.200824", "refused-upstream", 1)),
    ];
    check(table.into_iter().flat_map(|(faults, came)| {
        Credentials::ALL.map(|credentials| Case {
            credentials,
            faults: faults.into(),
            came: Came { token_calls: credentials.token_calls(), ..came },
            repeated: None,
        })
    }))
    .await;
}

/// A token of IAM's is renewed, once; a signature and the operator's own token are never sent again.
#[tokio::test(flavor = "multi_thread")]
async fn what_taurusdb_refuses_is_sent_again_only_with_a_new_token() {
    let mut cases = Vec::new();
    for credentials in Credentials::ALL {
        let renews = Credentials::FROM_IAM.contains(&credentials);
        let token_calls = credentials.token_calls() + usize::from(renews);
        for (faults, code, is_for_ever) in [
            ("expired-token*1", "APIGW.0307", false),
            ("expired-token", "APIGW.0307", true),
            ("unauthorized*1", "APIGW.0301", false),
            ("unauthorized", "APIGW.0301", true),
        ] {
            let came = match (renews, is_for_ever) {
                (false, _) => failed(401, code, "refused-upstream", 1),
                (true, false) => removed(2, None),
                (true, true) => failed(401, code, "refused-upstream", 2),
            };
            cases.push(Case { credentials, faults: faults.into(), came: Came { token_calls, ..came }, repeated: None });
        }
    }
    check(cases).await;
}

/// The code says what was seen of the DELETE, whatever the list did; and when the list can be read again, the same delivery is
/// settled by it, without a second DELETE.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_unknown_until_the_list_can_be_read() {
    let unknown = [
        ("reset-before", 502, "OFFBOARD.50202", false),
        ("reset-after", 502, "OFFBOARD.50202", true),
        ("hang", 504, "OFFBOARD.50401", false),
        ("hang-after", 504, "OFFBOARD.50401", true),
        ("html", 502, "OFFBOARD.50290", false),
        ("html=503", 503, "OFFBOARD.50390", false),
        ("status=504", 504, "DBS.200005", false),
        ("truncated", 502, "OFFBOARD.50202", false),
        ("truncated-after", 502, "OFFBOARD.50202", true),
        ("huge", 502, "OFFBOARD.50202", false),
        ("drip", 504, "OFFBOARD.50403", false),
        ("drip-after", 504, "OFFBOARD.50403", true),
        ("wrong-json", 502, "OFFBOARD.50202", false),
    ];
    let lists = ["list:down", "list:hang", "list:html", "list:drip", "list:huge", "list:wrong-json"];
    let mut cases = Vec::new();
    for (delete, status, code, gone) in unknown {
        for list in lists {
            let faults = format!("{delete} {list}");
            let came = Came { gone, ..failed(status, code, "unknown", 1) };
            let repeated = Some(if gone { removed(1, LIST) } else { not_removed() });
            cases.push(Case { credentials: Credentials::Aksk, faults, came, repeated });
        }
    }
    check(cases).await;
}

/// The list is asked for with the same credentials, renewed and repeated by the same rules.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_asked_for_as_the_rest_is() {
    let unknown = Came { gone: true, ..failed(502, "OFFBOARD.50202", "unknown", 1) };
    let mut cases = Vec::new();
    for credentials in Credentials::ALL {
        let renews = Credentials::FROM_IAM.contains(&credentials);
        let first = credentials.token_calls();
        for (faults, came, token_calls) in [
            ("reset-after list:throttled*2", removed(1, LIST), first),
            ("reset-after list:busy*1", removed(1, LIST), first),
            ("reset-after list:throttled", unknown, first),
            ("reset-after list:status=500*1", unknown, first),
            ("reset-after list:gone", unknown, first),
            (
                "reset-after list:expired-token*1",
                if renews { removed(1, LIST) } else { unknown },
                first + usize::from(renews),
            ),
            ("reset-after list:unauthorized", unknown, first + usize::from(renews)),
        ] {
            cases.push(Case { credentials, faults: faults.into(), came: Came { token_calls, ..came }, repeated: None });
        }
    }
    check(cases).await;
}

/// Nothing is sent, and IAM is asked again only where it turned the call away: a wrong password or signature that is repeated
/// locks the user or the key. When IAM is itself again, the same delivery is removed.
#[tokio::test(flavor = "multi_thread")]
async fn what_iam_does_wrong_ends_before_anything_is_sent() {
    const UNAVAILABLE: (u16, &str) = (502, "OFFBOARD.50203");
    const REFUSED: (u16, &str) = (503, "OFFBOARD.50304");
    let mut cases = Vec::new();
    for credentials in Credentials::FROM_IAM {
        let first = credentials.token_calls();
        for (faults, (status, code), calls) in [
            ("iam:down", UNAVAILABLE, 1),
            ("iam:reset-after", UNAVAILABLE, 1),
            ("iam:html", UNAVAILABLE, 1),
            ("iam:html=403", REFUSED, 1),
            ("iam:throttled", UNAVAILABLE, 3),
            ("iam:throttled=1000", UNAVAILABLE, 1),
            ("iam:status=500", UNAVAILABLE, 1),
            ("iam:status=503", UNAVAILABLE, 1),
            ("iam:status=403", REFUSED, 1),
            ("iam:hang", UNAVAILABLE, 1),
            ("iam:hang-after", UNAVAILABLE, 1),
            ("iam:unauthorized", REFUSED, 1),
            ("iam:drip", UNAVAILABLE, 1),
            ("iam:drip-after", UNAVAILABLE, 1),
            ("iam:truncated-after", UNAVAILABLE, 1),
            ("iam:wrong-json", UNAVAILABLE, 1),
            ("iam:huge", UNAVAILABLE, 1),
        ] {
            let repeated = Some(Came { token_calls: calls + first, ..removed(1, None) });
            cases.push(Case { credentials, faults: faults.into(), came: not_sent(status, code, calls), repeated });
        }
        for (faults, more) in [("iam:throttled*2", 2), ("iam:status=503,0*1", 1)] {
            let came = Came { token_calls: first + more, ..removed(1, None) };
            cases.push(Case { credentials, faults: faults.into(), came, repeated: None });
        }
    }
    check(cases).await;
}

/// The second call to IAM, with the user's own token: that one is renewed when it is refused, once.
#[tokio::test(flavor = "multi_thread")]
async fn an_agency_that_cannot_be_assumed() {
    let cases: [(&str, Came<'static>); 5] = [
        ("iam:latency=0ms*1 iam:unauthorized*1", Came { token_calls: 4, ..removed(1, None) }),
        ("iam:latency=0ms*1 iam:unauthorized", not_sent(503, "OFFBOARD.50304", 3)),
        ("iam:latency=0ms*1 iam:status=403", not_sent(503, "OFFBOARD.50304", 2)),
        ("iam:latency=0ms*1 iam:html", not_sent(502, "OFFBOARD.50203", 2)),
        ("iam:latency=0ms*1 iam:hang", not_sent(502, "OFFBOARD.50203", 2)),
    ];
    check(cases.map(|(faults, came)| Case {
        credentials: Credentials::AgencyOnPassword,
        faults: faults.into(),
        came,
        repeated: None,
    }))
    .await;
}
