//! What waits for the yes of others: of any requester, by any kind of caller, and any approver, by any way.

use local::http_client as client;
use local::simulator::target::Target;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{Answer, PATIENCE, send};
use crate::harness::gateway::{Gateway, settled};
use crate::harness::requests::{Ask, Kind, WAREHOUSE, Way, Who};
use crate::harness::setup::Setup;

/// Who asks, and whether they are asked first if they mean it.
const ASKED: [(Kind, bool); 4] =
    [(Kind::Slack, false), (Kind::Slack, true), (Kind::StandardWebhooks, false), (Kind::Api, false)];

async fn gateway(confirm: bool) -> Gateway {
    Gateway::start(Setup { confirm, ..Setup::default() }.people()).await
}

/// A request for a removal from production, as far as it gets without others: its reference, and where the requester in Slack
/// is told of it.
async fn asked(gateway: &Gateway, (kind, confirm): (Kind, bool), user_name: &str) -> (String, String) {
    gateway.advance(1000);
    gateway.simulator.add_account(WAREHOUSE, user_name);
    let ask = Ask {
        reason: Some("left".into()),
        webhook_id: format!("msg_{user_name}"),
        response_url: format!("https://hooks.slack.com/commands/{user_name}"),
        ..Ask::on_production(user_name)
    };
    let mut answer = gateway.ask(kind, &ask).await;
    let reference = answer.header("x-offboard-reference").unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    let mut told_at = ask.response_url;
    if confirm {
        assert_eq!(answer.code(), "OFFBOARD.40903");
        let confirms = Ask::word(Way::Typed, "confirm", &reference);
        answer = gateway.hears(Way::Typed, &confirms).await;
        told_at = confirms.response_url;
    }
    assert_eq!((answer.code().as_str(), answer.header("x-offboard-reference")), ("OFFBOARD.40904", Some(&*reference)));
    assert_eq!(gateway.waiting(&reference).state, "awaiting-approval");
    (reference, told_at)
}

/// What they hear who decide about it.
async fn decides(gateway: &Gateway, way: Way, who: Who, how: &str, reference: &str) -> Answer {
    gateway.hears(way, &Ask::word(way, how, reference).by(who)).await
}

fn state(gateway: &Gateway, reference: &str) -> String {
    gateway.waiting(reference).state
}

fn is_there(gateway: &Gateway, user_name: &str) -> bool {
    gateway.simulator.accounts(WAREHOUSE).contains(user_name)
}

/// What the API tells of its approvals.
async fn approvals(gateway: &Gateway, reference: &str) -> Value {
    let id = gateway.waiting(reference).id;
    let looked = gateway.ask(Kind::Api, &Ask::word(Way::Call, "status", &id)).await;
    assert_eq!(looked.status, 200, "{looked:?}");
    let mut approvals = looked.json()["approvals"].clone();
    for approval in approvals.as_array_mut().unwrap() {
        approval.as_object_mut().unwrap().remove("at").unwrap();
    }
    approvals
}

/// Every kind of request, decided in every way there is; `(number, asked, way)` of each.
fn every_pair(confirm: bool) -> impl Iterator<Item = (usize, (Kind, bool), Way)> {
    let asked = ASKED.into_iter().filter(move |asked| asked.1 == confirm);
    asked
        .flat_map(|asked| Way::ALL.map(|way| (asked, way)))
        .enumerate()
        .map(|(number, (asked, way))| (number, asked, way))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_way_it_was_asked_it_is_approved_in_every_way() {
    for confirm in [false, true] {
        let gateway = gateway(confirm).await;
        for (number, asked_by, way) in every_pair(confirm) {
            let user_name = format!("leaver_{number}");
            let (reference, told_at) = asked(&gateway, asked_by, &user_name).await;
            assert_eq!(gateway.deletes(), number, "nothing is sent before the yes");

            let reason = matches!(way, Way::Event | Way::Call).then(|| "agreed".to_owned());
            let yes = Ask { reason: reason.clone(), ..Ask::word(way, "approve", &reference) }.by(Who::Colleague);
            let answer = gateway.hears(way, &yes).await;
            assert_eq!(answer.code(), "SUCCESS", "{asked_by:?} {way:?}");
            assert!(!is_there(&gateway, &user_name));
            assert_eq!(gateway.deletes(), number + 1);

            let row = gateway.waiting(&reference);
            assert_eq!((row.state.as_str(), row.code.as_deref(), row.attempts), ("removed", Some("SUCCESS"), 1));
            assert_eq!(row.actor.as_deref(), Some(asked_by.0.principal()));
            assert_eq!(row.policies, "dba-approves,dba-asks-on-production");
            let by = Who::Colleague.principal(way.kind());
            let approved = json!([{ "actor": by, "decision": "approve", "reason": reason }]);
            assert_eq!(approvals(&gateway, &reference).await, approved, "{asked_by:?} {way:?}");

            // The requester in Slack is told there; the others look.
            if asked_by.0 == Kind::Slack {
                let told = gateway.told_at(&told_at).await.text();
                let removed = format!("✅ Removed `{user_name}` from `warehouse`\nApproved by ");
                assert!(told.starts_with(&removed) && told.contains(&format!("`{by}`")), "{told}");
            }
            let again = decides(&gateway, way, Who::Colleague, "approve", &reference).await;
            assert_eq!((again.code().as_str(), gateway.deletes()), ("SUCCESS", number + 1));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_way_it_was_asked_it_is_denied_in_every_way() {
    for confirm in [false, true] {
        let gateway = gateway(confirm).await;
        for (number, asked_by, way) in every_pair(confirm) {
            let user_name = format!("leaver_{number}");
            let (reference, told_at) = asked(&gateway, asked_by, &user_name).await;
            let reason = (way != Way::Button).then(|| "still on call".to_owned());
            let no = Ask { reason: reason.clone(), ..Ask::word(way, "deny", &reference) }.by(Who::Colleague);
            let answer = gateway.hears(way, &no).await;
            assert_eq!(answer.code(), "OFFBOARD.40305", "{asked_by:?} {way:?}");
            let by = Who::Colleague.principal(way.kind());
            let why = reason.as_ref().map(|reason| format!(": `{reason}`")).unwrap_or_default();
            assert!(answer.says(&format!("`{by}` denied the request{why}; no removal was sent")), "{answer:?}");

            let row = gateway.waiting(&reference);
            assert_eq!(
                (row.state.as_str(), row.code.as_deref(), row.attempts),
                ("rejected", Some("OFFBOARD.40305"), 0)
            );
            let denied = json!([{ "actor": by, "decision": "deny", "reason": reason }]);
            assert_eq!(approvals(&gateway, &reference).await, denied, "{asked_by:?} {way:?}");
            if asked_by.0 == Kind::Slack {
                let told = gateway.told_at(&told_at).await.text();
                let why = why.replace('`', "");
                assert!(told.contains(&format!("`{by}` denied the request{why}. Nothing has been removed.")), "{told}");
            }

            // A yes comes too late.
            for later in Way::ALL {
                let answer = decides(&gateway, later, Who::Colleague, "approve", &reference).await;
                assert_eq!(answer.code(), "OFFBOARD.40305", "{asked_by:?} {way:?} {later:?}");
            }
            assert!(is_there(&gateway, &user_name));
        }
        assert_eq!(gateway.simulator.requests().len(), 0);
    }
}

/// The requester may think better of it, and no other person; nor do they say yes to themselves.
#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_asked_cancels_and_only_others_approve() {
    for confirm in [false, true] {
        let gateway = gateway(confirm).await;
        for (number, asked_by, way) in every_pair(confirm) {
            let (reference, _) = asked(&gateway, asked_by, &format!("leaver_{number}")).await;
            let is_own = way.kind() == asked_by.0;
            let refused: &[_] = &[
                (Who::Colleague, "cancel", "OFFBOARD.40307"),
                (Who::Colleague, "confirm", "OFFBOARD.40307"),
                (Who::Stranger, "cancel", "OFFBOARD.40307"),
                (Who::Stranger, "approve", "OFFBOARD.40308"),
                (Who::Stranger, "deny", "OFFBOARD.40308"),
            ];
            let own: &[_] = &[
                (Who::Asker, "approve", "OFFBOARD.40306"),
                (Who::Asker, "deny", "OFFBOARD.40306"),
                // It has been said, or needs not be.
                (Who::Asker, "confirm", "OFFBOARD.40904"),
            ];
            let own = if is_own { own } else { &[] };
            for (who, how, code) in refused.iter().chain(own) {
                // What a second click on Confirm shows is no sentence about an outcome.
                if way == Way::Button && (*who, *how) == (Who::Asker, "confirm") {
                    continue;
                }
                // The URL of the typed yes is not the button's.
                let mut word = Ask::word(way, how, &reference).by(*who);
                word.response_url += "/again";
                let answer = gateway.hears(way, &word).await;
                assert_eq!(answer.code(), *code, "{asked_by:?} {way:?} {who:?} {how}");
                assert_eq!(state(&gateway, &reference), "awaiting-approval");
            }
            if is_own {
                let cancelled = decides(&gateway, way, Who::Asker, "cancel", &reference).await;
                assert_eq!(cancelled.code(), "OFFBOARD.40905", "{asked_by:?} {way:?}");
                assert_eq!(state(&gateway, &reference), "cancelled");
                let late = decides(&gateway, way, Who::Colleague, "approve", &reference).await;
                assert_eq!(late.code(), "OFFBOARD.40905");
            }
        }
        assert_eq!(gateway.simulator.requests().len(), 0);
        // Each no has a row of its own, which names who was told it.
        let denied: Vec<_> = gateway.rows().into_iter().filter(|row| row.state == "denied").collect();
        let strangers = denied.iter().filter(|row| row.code.as_deref() == Some("OFFBOARD.40308"));
        let known = Kind::ALL.map(|kind| Who::Stranger.principal(kind));
        assert!(strangers.clone().all(|row| known.contains(row.actor.as_ref().unwrap())), "{denied:#?}");
        assert_eq!(strangers.count(), every_pair(confirm).count() * 2);
    }
}

/// One person by three ways is one person.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_their_own_by_another_way() {
    let all = Kind::ALL.map(|kind| format!("\"{}\"", kind.principal())).join(", ");
    let setup = Setup::default().people().replace(
        "offboard.toml",
        "principals = [\"slack/U2CERLKJA\"]",
        &format!("principals = [{all}]"),
    );
    let gateway = Gateway::start(setup).await;
    for (number, asked_by, way) in every_pair(false) {
        let (reference, _) = asked(&gateway, asked_by, &format!("leaver_{number}")).await;
        let own = decides(&gateway, way, Who::Asker, "approve", &reference).await;
        assert_eq!(own.code(), "OFFBOARD.40306", "{asked_by:?} {way:?}");
        assert_eq!(state(&gateway, &reference), "awaiting-approval");
        // They may take it back by any way.
        let cancelled = decides(&gateway, way, Who::Asker, "cancel", &reference).await;
        assert_eq!(cancelled.code(), "OFFBOARD.40905", "{asked_by:?} {way:?}");
    }
    assert_eq!(gateway.simulator.requests().len(), 0);
}

/// The references that a person is shown.
async fn pending(gateway: &Gateway, way: Way, who: Who) -> Vec<String> {
    let answer = gateway.hears(way, &Ask::word(way, "pending", "").by(who)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    if way != Way::Typed {
        let rows = answer.json()["approvals"].as_array().unwrap().clone();
        return rows.iter().map(|row| row["reference"].as_str().unwrap().to_owned()).collect();
    }
    match answer.text().as_str() {
        "No requests are waiting for you." => Vec::new(),
        lines => lines.lines().skip(1).map(|line| line.split('`').nth(1).unwrap().to_owned()).collect(),
    }
}

/// States, and how people read them.
const STATES: [(&str, &str); 3] =
    [("removed", "Removed"), ("rejected", "Denied by an approver"), ("awaiting-approval", "Waiting for approval")];

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_what_waits_for_them_and_what_became_of_it() {
    let gateway = gateway(false).await;
    let mut waiting = Vec::new();
    for kind in Kind::ALL {
        let user_name = format!("leaver_{}", waiting.len());
        waiting.push(asked(&gateway, (kind, false), &user_name).await.0);
    }
    let ways = [Way::Typed, Way::Event, Way::Call];
    let newest_first: Vec<_> = waiting.iter().rev().cloned().collect();
    for way in ways {
        for (who, sees) in [(Who::Asker, &newest_first[..]), (Who::Colleague, &newest_first), (Who::Stranger, &[])] {
            assert_eq!(pending(&gateway, way, who).await, sees, "{way:?} {who:?}");
        }
    }

    let line = gateway.hears(Way::Typed, &Ask::word(Way::Typed, "pending", "")).await.text();
    let line = line.lines().nth(2).unwrap().to_owned();
    let expected = format!(
        "`{}` · `leaver_1` on `warehouse` (`production`) · requested by `hr`: left · needs 1 more approval · before 2026-06-02 10:00 +00:00",
        waiting[1]
    );
    assert_eq!(line, expected);

    decides(&gateway, Way::Event, Who::Colleague, "approve", &waiting[0]).await;
    decides(&gateway, Way::Button, Who::Colleague, "deny", &waiting[1]).await;
    for way in ways {
        assert_eq!(pending(&gateway, way, Who::Colleague).await, waiting[2..]);
        for (reference, (state, word)) in waiting.iter().zip(STATES) {
            for (who, may) in [(Who::Asker, true), (Who::Colleague, true), (Who::Stranger, false)] {
                let looked = decides(&gateway, way, who, "status", reference).await;
                match (may, way) {
                    (false, _) => assert_eq!(looked.code(), "OFFBOARD.40304", "{way:?} {who:?}"),
                    (true, Way::Typed) => assert!(looked.text().contains(&format!(": {word}")), "{looked:?}"),
                    (true, _) => assert_eq!(looked.json()["state"], state, "{way:?} {who:?}"),
                }
            }
        }
    }
    assert_eq!(gateway.deletes(), 1);
}

/// The approvals of 32 people, by every way that is answered at once, over two processes.
fn thirty_two(gateways: [&Gateway; 2], reference: &str) -> JoinSet<Answer> {
    let mut running = JoinSet::new();
    for number in 0..32 {
        let gateway = gateways[number % 2];
        let (kind, ask) = match number {
            0 => (Kind::StandardWebhooks, Ask::word(Way::Event, "approve", reference).by(Who::Colleague)),
            1 => (Kind::Api, Ask::word(Way::Call, "approve", reference).by(Who::Colleague)),
            _ => (Kind::Slack, Ask { user_id: format!("U0P{number}"), ..Ask::word(Way::Typed, "approve", reference) }),
        };
        let wire = ask.wire(kind, &gateway.address.to_string(), gateway.now());
        running.spawn(send(gateway.address, wire.request()));
    }
    running
}

/// With 32 people in the team, of whom this many have to approve.
async fn crowded(required: u32) -> Gateway {
    let people: String = (2..32).map(|number| format!("\"slack/U0P{number}\", ")).collect();
    let setup = Setup::default()
        .people()
        .replace("offboard.toml", "members = [", &format!("members = [{people}"))
        .replace("offboard.toml", "production = 1", &format!("production = {required}"))
        // No requester in Slack is told to wait, however slow this machine is.
        .limits("early_answer_ms = 29000");
    Gateway::start(setup).await
}

/// One DELETE waits until all the others have their answer.
#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_approvals_at_once_are_one_delete() {
    for kind in Kind::ALL {
        let gateway = crowded(1).await;
        let other = gateway.another().await;
        let (reference, _) = asked(&gateway, (kind, false), "alice").await;
        let hold = gateway.simulator.hold_only(Target::Delete);
        let mut running = thirty_two([&gateway, &other], &reference);
        for answered in 0..31 {
            let answer = timeout(PATIENCE, running.join_next()).await;
            let answer = answer.unwrap_or_else(|_| panic!("{answered} answers came")).unwrap().unwrap();
            assert_eq!(answer.code(), "OFFBOARD.40901");
            assert_eq!(answer.header("x-offboard-removal"), Some(&*gateway.waiting(&reference).id));
        }
        hold.release();
        let last = timeout(PATIENCE, running.join_next()).await.expect("the last in time").unwrap().unwrap();
        assert_eq!((last.code().as_str(), gateway.deletes()), ("SUCCESS", 1));
        settled([&gateway, &other]).await;

        // A requester who asks again hears what became of it, and sends nothing.
        for answer in thirty_two([&gateway, &other], &reference).join_all().await {
            assert_eq!(answer.code(), "SUCCESS");
        }
        assert_eq!((gateway.deletes(), state(&gateway, &reference).as_str()), (1, "removed"));
        assert!(!is_there(&gateway, "alice"));
    }
}

/// Without anything that keeps them apart, and where more than one has to say yes.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_thirty_two_that_it_takes_removes_it() {
    for (required, waits) in [(1, false), (5, true), (10, true)] {
        let gateway = crowded(required).await;
        let other = gateway.another().await;
        let (reference, _) = asked(&gateway, (Kind::StandardWebhooks, false), "alice").await;
        let codes: Vec<_> =
            thirty_two([&gateway, &other], &reference).join_all().await.iter().map(Answer::code).collect();
        settled([&gateway, &other]).await;
        let count = |code: &str| codes.iter().filter(|known| *known == code).count();
        let (removed, running, waiting) = (count("SUCCESS"), count("OFFBOARD.40901"), count("OFFBOARD.40904"));
        assert_eq!(removed + running + waiting, 32, "{required} {codes:?}");
        assert!(removed > 0 && (waits || waiting == 0), "{required} {codes:?}");
        assert_eq!((gateway.deletes(), state(&gateway, &reference).as_str()), (1, "removed"));
        let said = approvals(&gateway, &reference).await.as_array().unwrap().len();
        assert!(said >= usize::try_from(required).unwrap(), "{required} {said}");
    }
}

/// A yes and a no at once: one of them is first, and the other hears it.
#[tokio::test(flavor = "multi_thread")]
async fn a_yes_and_a_no_at_once_are_one_of_both() {
    let gateway = crowded(1).await;
    let other = gateway.another().await;
    for number in 0..16 {
        let user_name = format!("leaver_{number}");
        let (reference, _) = asked(&gateway, (Kind::Api, false), &user_name).await;
        let before = gateway.deletes();
        let say = |how| Ask { user_id: format!("U0P{}", 2 + number), ..Ask::word(Way::Typed, how, &reference) };
        let (yes, no) = (say("approve"), Ask::word(Way::Event, "deny", &reference).by(Who::Colleague));
        let (yes, no) = tokio::join!(gateway.ask(Kind::Slack, &yes), other.ask(Kind::StandardWebhooks, &no));
        let sent = gateway.deletes() - before;
        match state(&gateway, &reference).as_str() {
            "removed" => {
                assert_eq!((yes.code().as_str(), sent), ("SUCCESS", 1));
                assert!(["SUCCESS", "OFFBOARD.40901"].contains(&no.code().as_str()), "{no:?}");
            }
            "rejected" => {
                let heard = (yes.code(), no.code());
                assert_eq!((heard, sent), (("OFFBOARD.40305".into(), "OFFBOARD.40305".into()), 0));
            }
            state => panic!("{state} {yes:?} {no:?}"),
        }
    }
}

/// What waits outlives the process, and so does where the requester is told.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_outlives_the_process() {
    for asked_by in ASKED {
        let mut gateway = gateway(asked_by.1).await;
        let (reference, told_at) = asked(&gateway, asked_by, "alice").await;
        gateway.stop().await;
        let mut gateway = gateway.another().await;
        assert_eq!(pending(&gateway, Way::Call, Who::Colleague).await, [reference.as_str()]);

        // Killed while the DELETE is out: the list says what became of it, and nothing is sent again.
        let hold = gateway.simulator.hold_only(Target::Delete);
        let yes = Ask::word(Way::Call, "approve", &reference).by(Who::Colleague);
        let wire = yes.wire(Kind::Api, &gateway.address.to_string(), gateway.now());
        let sent = tokio::spawn(client::send(gateway.address, wire.request()));
        timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
        gateway.kill();
        assert!(sent.await.unwrap().is_err(), "the process answered after its end");
        hold.release();
        gateway.simulator.finished(1).await;

        let gateway = gateway.another().await;
        assert_eq!(decides(&gateway, Way::Typed, Who::Colleague, "approve", &reference).await.code(), "OFFBOARD.40901");
        gateway.advance(35_000);
        let settled = decides(&gateway, Way::Typed, Who::Colleague, "approve", &reference).await;
        assert_eq!(
            (settled.code().as_str(), settled.header("x-offboard-confirmed-by")),
            ("SUCCESS", Some("account-list")),
            "{asked_by:?}"
        );
        assert_eq!((gateway.deletes(), state(&gateway, &reference).as_str()), (1, "removed"));
        assert!(gateway.later.posted().iter().all(|posted| told_at.ends_with(&posted.path)));
    }
}

/// A day later nothing is approved any more, whatever the process remembers.
#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_day_is_over() {
    for asked_by in ASKED {
        let mut gateway = gateway(asked_by.1).await;
        let (reference, _) = asked(&gateway, asked_by, "alice").await;
        gateway.stop().await;
        let gateway = gateway.another().await;
        gateway.advance(24 * 3_600_000);
        for (number, way) in Way::ALL.into_iter().enumerate() {
            let mut yes = Ask::word(way, "approve", &reference).by(Who::Colleague);
            yes.response_url += &number.to_string();
            let late = gateway.hears(way, &yes).await;
            assert_eq!(late.code(), "OFFBOARD.40906", "{asked_by:?} {way:?}");
        }
        assert_eq!(state(&gateway, &reference), "expired");
        assert_eq!(pending(&gateway, Way::Call, Who::Asker).await, [""; 0]);
        assert_eq!(gateway.simulator.requests().len(), 0);
    }
}
