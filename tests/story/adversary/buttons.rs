//! A yes that is not one: from the requester, from a stranger, too late, too early, to something else, or said twice.
//!
//! Where the kind has buttons, one is pressed; elsewhere the same is typed.

use crate::adversary::shared::{WITH_PEOPLE, answered, app, app_with, kinds_of, made, reference, state};
use crate::callers::kinds::InMemory;
use support::kind::Kind;
use support::stage::{Stage, Wire};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Asker,
    /// May approve.
    Other,
    /// May nothing.
    Stranger,
    /// The requester, as another caller of the same platform knows them.
    AskerElsewhere,
}

/// What has happened before.
#[derive(Debug, Clone, Copy)]
enum After {
    Nothing,
    /// This one pressed this one.
    Pressed(Who, &'static str),
    /// Hours.
    Time(i64),
    /// The configuration changed so.
    Change(&'static str, &'static str),
    /// This one pressed this one, and then the configuration changed so.
    PressedThenChange(Who, &'static str, (&'static str, &'static str)),
    /// Policy got this one, too.
    Policy(&'static str),
    /// This one caused the event that the request came of.
    CausedBy(Who),
    /// The approver is in no team any more.
    OtherLeft,
    /// Nor is the requester.
    AskerLeft,
    /// The caller is not configured any more.
    CallerGone,
    /// Its secrets are others.
    SecretChanged,
}

/// What is pressed on.
#[derive(Debug, Clone, Copy)]
enum On {
    Right,
    Another(&'static str),
}

struct Try {
    idea: &'static str,
    after: After,
    who: Who,
    action: &'static str,
    on: On,
    code: &'static str,
    state: &'static str,
    deletes: usize,
}

const WAITS: &str = "awaiting-approval";

const fn pressed(idea: &'static str, who: Who, action: &'static str, code: &'static str) -> Try {
    Try { idea, after: After::Nothing, who, action, on: On::Right, code, state: WAITS, deletes: 0 }
}

const fn approved(idea: &'static str, after: After, code: &'static str, state: &'static str) -> Try {
    Try { idea, after, who: Who::Other, action: "approve", on: On::Right, code, state, deletes: 0 }
}

impl Try {
    /// Its DELETE was or is sent.
    const fn once(self) -> Self {
        Self { deletes: 1, ..self }
    }
}

const NOT_ALICE: &str = "@id(\"not-alice\") forbid (principal, action == Action::\"delete\", resource)
    when { resource.user_name == \"alice\" };";

const FAILS_IF_APPROVED: &str = "@id(\"fails\") forbid (principal, action == Action::\"delete\", resource)
    when { context.approved && context.hour * 9223372036854775807 > 0 };";

const fn on(idea: &'static str, id: &'static str) -> Try {
    let try_ = pressed(idea, Who::Other, "approve", "OFFBOARD.40405");
    Try { on: On::Another(id), ..try_ }
}

const TRIES: &[Try] = &[
    pressed("whoever asked approves it", Who::Asker, "approve", "OFFBOARD.40306"),
    pressed("whoever asked denies it, to see whether that is a yes", Who::Asker, "deny", "OFFBOARD.40306"),
    pressed("whoever asked confirms what only another can approve", Who::Asker, "confirm", "OFFBOARD.40904"),
    pressed("whoever asked approves it through another caller", Who::AskerElsewhere, "approve", "OFFBOARD.40306"),
    pressed("a stranger approves it", Who::Stranger, "approve", "OFFBOARD.40308"),
    pressed("a stranger denies it", Who::Stranger, "deny", "OFFBOARD.40308"),
    pressed("a stranger confirms it", Who::Stranger, "confirm", "OFFBOARD.40307"),
    pressed("a stranger cancels it", Who::Stranger, "cancel", "OFFBOARD.40307"),
    pressed("somebody who may approve confirms it", Who::Other, "confirm", "OFFBOARD.40307"),
    pressed("somebody who may approve cancels it", Who::Other, "cancel", "OFFBOARD.40307"),
    on("a reference that nobody has", "00000000"),
    on("the id of a row that there is not", "0123456789abcdef0123456789abcdef"),
    on("a pattern of SQL for a reference", "%"),
    on("SQL for a reference", "x'OR'1'='1"),
    on("a long reference", "K7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XAK7Q2M9XA"),
    approved("after it expired", After::Time(25), "OFFBOARD.40906", "expired"),
    approved("after another denied it", After::Pressed(Who::Other, "deny"), "OFFBOARD.40305", "rejected"),
    approved("after whoever asked cancelled it", After::Pressed(Who::Asker, "cancel"), "OFFBOARD.40905", "cancelled"),
    Try {
        deletes: 1,
        ..approved("after it was carried out", After::Pressed(Who::Other, "approve"), "SUCCESS", "removed")
    },
    approved("after the approver left the team", After::OtherLeft, "OFFBOARD.40308", WAITS),
    approved("after whoever asked left the team", After::AskerLeft, "OFFBOARD.40301", "denied"),
    approved(
        "after the account was protected",
        After::Change("protected = [\"etl_*\"]", "protected = [\"ali*\"]"),
        "OFFBOARD.40907",
        WAITS,
    ),
    approved(
        "after the name was given to another instance",
        After::Change("86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17", "00cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"),
        "OFFBOARD.40907",
        "denied",
    ),
    approved(
        "after the instance got another environment, where the account would be removed at once",
        After::Change("environment = \"production\"", "environment = \"staging\""),
        "OFFBOARD.40907",
        "denied",
    ),
    approved(
        "after the instance was taken out",
        After::Change("name = \"warehouse\"", "name = \"warehouse-2\""),
        "OFFBOARD.40907",
        WAITS,
    ),
    approved("after policy forbade to remove it", After::Policy(NOT_ALICE), "OFFBOARD.40301", "denied"),
    approved(
        "after policy forbade to remove it in a way that fails",
        After::Policy(FAILS_IF_APPROVED),
        "OFFBOARD.40301",
        "denied",
    ),
    approved("by the person who caused the request", After::CausedBy(Who::Other), "OFFBOARD.40306", WAITS),
    Try {
        action: "deny",
        ..approved("denied by the person who caused the request", After::CausedBy(Who::Other), "OFFBOARD.40306", WAITS)
    },
    approved(
        "after it was carried out and the instance taken out",
        After::PressedThenChange(Who::Other, "approve", ("name = \"warehouse\"", "name = \"warehouse-2\"")),
        "SUCCESS",
        "removed",
    )
    .once(),
    approved(
        "after it was carried out and the account protected",
        After::PressedThenChange(Who::Other, "approve", ("protected = [\"etl_*\"]", "protected = [\"ali*\"]")),
        "SUCCESS",
        "removed",
    )
    .once(),
    Try {
        who: Who::Stranger,
        ..approved(
            "a stranger asks for what was carried out, after the instance was taken out",
            After::PressedThenChange(Who::Other, "approve", ("name = \"warehouse\"", "name = \"warehouse-2\"")),
            "OFFBOARD.40304",
            "removed",
        )
        .once()
    },
    approved("after the caller was taken out", After::CallerGone, "OFFBOARD.40402", WAITS),
    approved("with a secret that was rotated out", After::SecretChanged, "", WAITS),
];

const BUTTONS: &[&str] = &["slack", "discord", "feishu", "google-chat"];

pub(super) fn names() -> Vec<String> {
    let of = |kind: &Kind| -> Vec<String> {
        let mut ideas: Vec<_> = TRIES.iter().filter(|one| applies(kind, one)).map(|one| one.idea).collect();
        ideas.extend(["the same bytes once more", "twice at once"]);
        if kind.is(BUTTONS) {
            ideas.push("a button that is not ours");
        }
        if kind.proof.body_is_signed {
            ideas.push("another reference, after it was signed");
        }
        ideas.into_iter().map(|idea| format!("{}/buttons: {idea}", kind.name)).collect()
    };
    kinds_of(WITH_PEOPLE).iter().flat_map(of).collect()
}

fn applies(kind: &Kind, one: &Try) -> bool {
    // Keys that Google publishes are no caller's secret here.
    !(matches!(one.after, After::SecretChanged) && kind.variables.is_empty())
}

/// A person's id, in the platform's own form.
pub(super) fn id(kind: &Kind, who: Who) -> String {
    let asker = kind.say["user"].as_str().unwrap().to_owned();
    let with_end = |end: &str| format!("{}{end}", &asker[..asker.len() - end.len()]);
    match (who, kind.name.as_str()) {
        (Who::Asker | Who::AskerElsewhere, _) => asker,
        (Who::Other, "slack") => with_end("E"),
        (Who::Stranger, "slack") => with_end("S"),
        (Who::Other, _) => with_end("1"),
        (Who::Stranger, _) => with_end("9"),
    }
}

fn principal(kind: &Kind, who: Who) -> String {
    let caller = kind.caller_name();
    let too = if who == Who::AskerElsewhere { "-too" } else { "" };
    format!("{caller}{too}/{}", id(kind, who))
}

/// Alice is to go from the warehouse, and everything is there for it but a yes.
async fn waiting(kind: &Kind) -> (InMemory, String) {
    let (stage, offboard) = gateway(kind).await;
    let wire = made(&stage, kind, |ask| ask["say"]["text"] = "alice warehouse".into());
    stage.send(&wire).await;
    if state(&stage) == "awaiting-confirmation" {
        press(&stage, kind, Who::Asker, "confirm", &reference(&stage)).await;
    }
    assert_eq!((state(&stage).as_str(), stage.deletes()), (WAITS, 0), "{}", kind.name);
    (stage, offboard)
}

/// A gateway with the kind's requester and approvers, and its configuration.
pub(super) async fn gateway(kind: &Kind) -> (InMemory, String) {
    let name = kind.caller_name();
    let mut setup = kind.setup(false, &[]);
    let too = kind.caller.replacen(&format!("name = \"{name}\""), &format!("name = \"{name}-too\""), 1);
    let [other, elsewhere] = [Who::Other, Who::AskerElsewhere].map(|who| principal(kind, who));
    for (from, to) in [
        ("members = [", format!("members = [\"{other}\", \"{elsewhere}\", ")),
        ("principals = [\"slack/U2CERLKJA\"]", format!("principals = [\"{}\", \"{elsewhere}\"]", kind.principal)),
        ("\n[accounts]", format!("\n{too}\n[accounts]")),
    ] {
        setup.offboard = setup.offboard.replacen(from, &to, 1);
    }
    let offboard = setup.offboard.clone();
    let stage = InMemory::open(setup).await;
    (stage, offboard)
}

fn pressing(stage: &InMemory, kind: &Kind, who: Who, action: &str, on: &str) -> Wire {
    let mut wire = made(stage, kind, |ask| {
        ask["say"]["user"] = id(kind, who).into();
        if kind.is(BUTTONS) {
            ask["say"]["click"] = action.into();
            ask["say"]["id"] = on.into();
        } else {
            ask["say"]["text"] = format!("{action} {on}").into();
        }
    });
    if who == Who::AskerElsewhere {
        let name = kind.caller_name();
        wire.target = wire.target.replacen(&format!("/{name}"), &format!("/{name}-too"), 1);
    }
    wire
}

async fn press(stage: &InMemory, kind: &Kind, who: Who, action: &str, on: &str) -> String {
    stage.send(&pressing(stage, kind, who, action, on)).await;
    answered(stage)
}

#[tokio::test]
async fn what_is_no_yes_removes_nothing() {
    let mut failures = String::new();
    for kind in kinds_of(WITH_PEOPLE) {
        for one in TRIES.iter().filter(|one| applies(&kind, one)) {
            let (mut stage, offboard) = waiting(&kind).await;
            let reference = reference(&stage);
            let without = |who| offboard.replace(&format!("\"{}\", ", principal(&kind, who)), "");
            let mut code = one.code;
            match one.after {
                After::Nothing => {}
                After::Pressed(who, action) => {
                    press(&stage, &kind, who, action, &reference).await;
                }
                After::Time(hours) => stage.host.now.set(stage.host.now.get() + hours * 3_600_000),
                After::Change(from, to) => {
                    assert!(offboard.contains(from), "{from}");
                    stage.app = app(&offboard.replacen(from, to, 1));
                }
                After::PressedThenChange(who, action, (from, to)) => {
                    press(&stage, &kind, who, action, &reference).await;
                    stage.app = app(&offboard.replacen(from, to, 1));
                }
                After::Policy(more) => stage.app = app_with(&offboard, more),
                After::CausedBy(who) => {
                    let sql = "UPDATE removals SET caused_by = ?1 WHERE reference = ?2";
                    let person = principal(&kind, who);
                    stage.host.database.execute(sql, &[person.as_str().into(), reference.as_str().into()]);
                }
                After::OtherLeft => stage.app = app(&without(Who::Other)),
                After::AskerLeft => stage.app = app(&without(Who::Asker)),
                After::CallerGone => {
                    let named = format!("name = \"{}\"", kind.caller_name());
                    stage.app = app(&offboard.replacen(&named, "name = \"another\"", 1));
                }
                After::SecretChanged => {
                    for (name, value) in &mut stage.host.variables {
                        if kind.variables.contains_key(name) {
                            *value = kind.other_variables.get(name).cloned().unwrap_or_else(|| {
                                let parts = kind.secret.as_object().unwrap();
                                let (part, _) = parts.iter().find(|(_, known)| *known == value).unwrap();
                                kind.other_secret[part].as_str().unwrap().to_owned()
                            });
                        }
                    }
                    code = "OFFBOARD.40105";
                }
            }
            let on = match one.on {
                On::Right => reference.as_str(),
                On::Another(id) => id,
            };
            let seen = press(&stage, &kind, one.who, one.action, on).await;
            let seen = (seen.as_str(), state(&stage), stage.deletes());
            let expected = (code, one.state.to_owned(), one.deletes);
            if seen != expected {
                failures += &format!("{}/buttons: {}: {seen:?}, not {expected:?}\n", kind.name, one.idea);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[tokio::test]
async fn a_yes_counts_once_and_for_what_it_was_said_to() {
    let mut failures = String::new();
    for kind in kinds_of(WITH_PEOPLE) {
        let mut check = |idea: &str, seen: (String, String, usize), expected: (&str, &str, usize)| {
            if (seen.0.as_str(), seen.1.as_str(), seen.2) != expected {
                failures += &format!("{}/buttons: {idea}: {seen:?}, not {expected:?}\n", kind.name);
            }
        };
        let (stage, _) = waiting(&kind).await;
        let wire = pressing(&stage, &kind, Who::Other, "approve", &reference(&stage));
        for _ in 0..3 {
            stage.send(&wire).await;
        }
        check(
            "the same bytes once more",
            (answered(&stage), state(&stage), stage.deletes()),
            ("SUCCESS", "removed", 1),
        );

        for bits in [0b1010_1010, 0b1100_1100, 0b1111_0000, u64::MAX] {
            let (stage, _) = waiting(&kind).await;
            let reference = reference(&stage);
            let (one, two) = (
                pressing(&stage, &kind, Who::Other, "approve", &reference),
                pressing(&stage, &kind, Who::Other, "approve", &reference),
            );
            stage.host.yields.set(bits);
            tokio::join!(stage.send(&one), stage.send(&two));
            check("twice at once", (String::new(), state(&stage), stage.deletes()), ("", "removed", 1));
        }

        if kind.is(BUTTONS) {
            let (stage, _) = waiting(&kind).await;
            let wire = pressing(&stage, &kind, Who::Other, "launch", &reference(&stage));
            stage.send(&wire).await;
            let seen = (answered(&stage), state(&stage), stage.deletes());
            check("a button that is not ours", seen, ("OFFBOARD.40010", WAITS, 0));
        }

        if kind.proof.body_is_signed {
            let (stage, _) = waiting(&kind).await;
            let mut wire = pressing(&stage, &kind, Who::Other, "approve", "K7Q2M9XA");
            wire.body = if kind.name == "feishu" {
                // Encrypted: an attacker takes another's.
                let other = pressing(&stage, &kind, Who::Other, "approve", &reference(&stage));
                other.body
            } else {
                assert!(wire.body.contains("K7Q2M9XA"), "{}", wire.body);
                wire.body.replace("K7Q2M9XA", &reference(&stage))
            };
            stage.send(&wire).await;
            let seen = (answered(&stage), state(&stage), stage.deletes());
            check("another reference, after it was signed", seen, ("OFFBOARD.40105", WAITS, 0));
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// The table would see a yes that counts: this is one.
#[tokio::test]
async fn the_right_yes_removes_it() {
    for kind in kinds_of(WITH_PEOPLE) {
        let (stage, _) = waiting(&kind).await;
        let answered = press(&stage, &kind, Who::Other, "approve", &reference(&stage)).await;
        assert_eq!(
            (answered.as_str(), state(&stage).as_str(), stage.deletes()),
            ("SUCCESS", "removed", 1),
            "{}",
            kind.name
        );
        let yeses: Vec<String> = stage.host.database.rows("SELECT actor FROM approvals WHERE approved = 1", &[]);
        assert_eq!(yeses, [principal(&kind, Who::Other)]);
    }
}
