//! Requests, decisions, time and restarts in any order: a model of what may be sent.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::Inbound;
use support::database::cases;

use crate::approvals::shared::{DANA, ERIN, FAY, STRANGER, deletes, gateway_with, row_of, row_of_delivery, says};
use crate::gateway::{SUCCESS, ask, memory, seconds, slash_as};

/// An approver decides about the newest request for an account.
type Decision = (usize, &'static str, &'static str);

/// What a person does in the property test.
#[derive(Debug, Clone)]
enum Act {
    /// Dana asks to remove account number `0` or `1` from production.
    Ask(usize),
    /// An approver decides.
    Decide(Decision),
    /// Two decide at once; the bits say who of them is held up at which statement.
    DecideAtOnce(Decision, Decision, u64),
    /// The first delivery of an account's newest request comes again.
    Repeat(usize),
    /// Minutes go by.
    Wait(i64),
    /// The process ends, and another begins.
    Restart,
    /// The next DELETE brings no answer, and the account list says this.
    LoseAnswer(bool),
}

const ACCOUNTS: [&str; 2] = ["alice", "bob"];

fn any_decision() -> impl Strategy<Value = Decision> {
    let likely = prop::sample::select(vec![
        (DANA, "confirm"),
        (DANA, "confirm"),
        (ERIN, "approve"),
        (FAY, "approve"),
        (DANA, "approve"),
        (STRANGER, "approve"),
        (ERIN, "confirm"),
        (FAY, "deny"),
        (DANA, "cancel"),
    ]);
    // Most of it about one account, so that it gets somewhere.
    (prop_oneof![4 => Just(0_usize), 1 => Just(1)], likely).prop_map(|(account, (who, how))| (account, who, how))
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => prop_oneof![3 => Just(0_usize), 1 => Just(1)].prop_map(Act::Ask),
        10 => any_decision().prop_map(Act::Decide),
        5 => (any_decision(), any_decision(), any::<u64>()).prop_map(|(one, two, bits)| Act::DecideAtOnce(one, two, bits)),
        1 => (0_usize..2).prop_map(Act::Repeat),
        1 => prop::sample::select(vec![1_i64, 4, 60]).prop_map(Act::Wait),
        1 => Just(Act::Restart),
        1 => any::<bool>().prop_map(Act::LoseAnswer),
    ]
}

/// What the model knows of a request.
#[derive(Debug, Default)]
struct Request {
    confirmed: bool,
    approved_by: BTreeSet<&'static str>,
    deletes: usize,
}

impl Request {
    /// What was said counts when the row waited for it, or may have come to while it was said.
    fn hears(&mut self, (_, who, how): Decision, state: &str, at_once: bool) {
        self.confirmed |= how == "confirm" && who == DANA && state == "awaiting-confirmation";
        let may_wait = state == "awaiting-approval" || (at_once && state == "awaiting-confirmation" && self.confirmed);
        if how == "approve" && [ERIN, FAY].contains(&who) && may_wait {
            self.approved_by.insert(who);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(200), ..ProptestConfig::default() })]

    /// However people, time and restarts interleave: never two DELETEs for one request, never one without the yes of its
    /// requester and of as many others as it takes, never a row that is lost.
    #[test]
    fn the_state_machine_holds(required in 1_usize..=2, acts in prop::collection::vec(any_act(), 10..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let changes = [("production = 1", if required == 1 { "production = 1" } else { "production = 2" })];
            let (host, mut app) = (memory(), gateway_with(&changes));
            let mut requests: BTreeMap<String, Request> = BTreeMap::new();
            let mut newest: [Option<(String, Inbound)>; 2] = [None, None];
            let mut lose = None;
            for act in acts {
                host.answers.borrow_mut().clear();
                match lose {
                    None => host.will_answer(200, SUCCESS),
                    Some(gone) => {
                        host.will_fail(SendError::Broken("reset".into()));
                        host.will_list(if gone { &[] } else { &["alice", "bob"] });
                    }
                }
                let before = deletes(&host);
                let mut about = None;
                match act.clone() {
                    Act::Ask(account) => {
                        host.now.set(host.now.get() + 1000);
                        let inbound = slash_as(DANA, seconds(&host), &format!("{} warehouse", ACCOUNTS[account]), "");
                        ask(&host, &app, inbound.clone()).await;
                        let reference = row_of(&host, ACCOUNTS[account]).1;
                        prop_assert!(!requests.contains_key(&reference) || reference.is_empty());
                        if !reference.is_empty() {
                            requests.insert(reference.clone(), Request::default());
                            newest[account] = Some((reference, inbound));
                        }
                    }
                    Act::Decide(decision) => {
                        let Some((reference, _)) = &newest[decision.0] else { continue };
                        let state = row_of(&host, ACCOUNTS[decision.0]).0;
                        requests.get_mut(reference).unwrap().hears(decision, &state, false);
                        says(&host, &app, decision.1, &format!("{} {reference}", decision.2)).await;
                        about = Some(reference.clone());
                    }
                    Act::DecideAtOnce(one, two, bits) => {
                        // About the same, or nothing can happen between them.
                        let two = (one.0, two.1, two.2);
                        let Some((reference, _)) = &newest[one.0] else { continue };
                        let state = row_of(&host, ACCOUNTS[one.0]).0;
                        let request = requests.get_mut(reference).unwrap();
                        for decision in [one, two, one] {
                            request.hears(decision, &state, true);
                        }
                        let words = |decision: Decision| format!("{} {reference}", decision.2);
                        let (first, second) = (words(one), words(two));
                        host.yields.set(bits);
                        tokio::join!(says(&host, &app, one.1, &first), says(&host, &app, two.1, &second));
                        host.yields.set(0);
                        about = Some(reference.clone());
                    }
                    Act::Repeat(account) => {
                        let Some((reference, inbound)) = &newest[account] else { continue };
                        ask(&host, &app, inbound.clone()).await;
                        // What came to nothing is asked for anew, and no approver has said anything to it yet.
                        let now = row_of_delivery(&host, reference).unwrap_or_else(|| row_of(&host, ACCOUNTS[account]).1);
                        if now != *reference {
                            requests.remove(reference);
                            requests.insert(now.clone(), Request::default());
                        }
                        about = Some(now.clone());
                        newest[account] = Some((now, inbound.clone()));
                    }
                    Act::Wait(minutes) => host.now.set(host.now.get() + minutes * 60_000),
                    Act::Restart => app = gateway_with(&changes),
                    Act::LoseAnswer(gone) => lose = Some(gone),
                }
                let sent = deletes(&host) - before;
                if sent > 0 {
                    lose = None;
                    let request = about.and_then(|reference| requests.get_mut(&reference));
                    let Some(request) = request else { panic!("a DELETE out of nowhere after {act:?}") };
                    request.deletes += sent;
                    prop_assert_eq!(request.deletes, 1, "{:?}", act);
                    prop_assert!(request.confirmed && request.approved_by.len() >= required, "{act:?} {request:?}");
                }
                let rows = host.database.count("removals WHERE reference IS NOT NULL");
                prop_assert_eq!(rows, requests.len(), "{:?}", act);
            }
            Ok(())
        })?;
    }
}
