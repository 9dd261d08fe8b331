//! The adversary's table: attacks, one row a case, for every kind that it applies to.
//!
//! A row ([`Row`]) is a request that is almost right, and what exactly must come of it: status, code, whether a principal was taken
//! for proved, how many rows the ledger has more. No row sends a DELETE. Rows of one kind share a gateway, and the honest
//! request comes on that same gateway, before them or after them, so that a refusal is due to the attack alone. A scene
//! ([`Scene`]) has a gateway of its own, because its configuration or its secrets are others, or because it does send something.
//!
//! No answer and no line of the log may have a secret in it, whatever the row.
//!
//! What only a runtime that fails or changes on command can show is in `tests/story/adversary`, in the same form. What is
//! there already is not repeated here: `refusals`, the kinds' own cases, `tests/fixtures/bad-input`.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use starrocks_offboard::callers;

use crate::kind::{Kind, Setup};
use crate::platforms::Platforms;
use crate::stage::{Reply, Stage, Wire};

mod bodies;
mod encodings;
mod names;
mod replays;
mod routes;
mod secrets;
mod signatures;
mod timestamps;
mod tokens;

/// A request that must come to nothing.
pub struct Row {
    /// What is tried; unique within its kind.
    pub idea: String,
    /// The request.
    pub wire: Wire,
    /// The HTTP status of the answer.
    pub status: u16,
    /// `X-Offboard-Code`: one, but for the few rows that say why it may be another.
    pub codes: Vec<&'static str>,
    /// Whether the request proves a principal: then the request is refused, not the proof.
    pub proved: bool,
    /// How many rows it leaves.
    pub rows: usize,
}

impl Row {
    /// A row whose request proves no principal.
    fn unproved(idea: impl Into<String>, wire: Wire, code: &'static str) -> Self {
        Self { idea: idea.into(), wire, status: status_of(code), codes: vec![code], proved: false, rows: 1 }
    }
}

/// How a setup is another one.
pub type Change = Box<dyn Fn(&mut Setup)>;
/// What is sent.
pub type Made = Box<dyn Fn(&Forge<'_>) -> Vec<Wire>>;

/// A gateway of its own, and what is sent to it, one after the other.
pub struct Scene {
    /// What is tried; unique within its kind.
    pub idea: String,
    /// As it is configured here.
    pub kind: Kind,
    /// What differs from the usual setup.
    pub change: Change,
    /// What is sent, in order.
    pub wires: Made,
    /// Of the last answer.
    pub status: u16,
    /// `X-Offboard-Code` of the last answer.
    pub code: &'static str,
    /// How many DELETEs there were, all in all.
    pub deletes: usize,
    /// Who was proved, in the newest row.
    pub actor: Option<String>,
}

/// Where requests of a kind are made.
pub struct Forge<'k> {
    /// The kind whose requests are forged.
    pub kind: &'k Kind,
    /// The authority that the requests are sent to.
    pub host: String,
    made: Cell<usize>,
}

impl<'k> Forge<'k> {
    /// Forges requests of this kind for a gateway at `host`.
    pub fn new(kind: &'k Kind, host: String) -> Self {
        Self { kind, host, made: Cell::new(0) }
    }

    /// The platform's own request, another one each time.
    pub fn honest(&self) -> Wire {
        self.with(|_| ())
    }

    /// What the platform sends when it is asked for something else.
    pub fn with(&self, change: impl FnOnce(&mut Value)) -> Wire {
        self.made.set(self.made.get() + 1);
        let mut ask = self.kind.ask(&self.host, &format!("a{}", self.made.get()));
        change(&mut ask);
        Platforms::request(&self.kind.name, &ask)
    }

    /// The platform's own request, the first one that is so.
    fn which(&self, is_so: impl Fn(&Wire) -> bool) -> Wire {
        (0..200).map(|_| self.honest()).find(is_so).unwrap_or_else(|| panic!("{}: no such request", self.kind.name))
    }

    /// A row whose request proves its principal, and is refused.
    fn proved(&self, idea: impl Into<String>, wire: Wire, code: &'static str) -> Row {
        let status = if self.kind.speaks() { 200 } else { status_of(code) };
        Row { idea: idea.into(), wire, status, codes: vec![code], proved: true, rows: 1 }
    }
}

/// `OFFBOARD.40105` is a 401.
pub fn status_of(code: &str) -> u16 {
    code["OFFBOARD.".len()..][..3].parse().unwrap_or_else(|_| panic!("{code}"))
}

impl Kind {
    /// Whether requesters read its answers in a chat, which then have status 200 for every outcome.
    pub fn speaks(&self) -> bool {
        callers::kind(&self.kind()).is_some_and(|kind| kind.chat().is_some())
    }

    /// Whether the kind has one of these names.
    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// The setup of the table: no confirmation, and one instance.
    pub fn open_to_attack(&self) -> Setup {
        let both = ("instances = [\"analytics\", \"warehouse\"]".to_owned(), "instances = [\"analytics\"]".to_owned());
        self.setup(false, if self.name == "scim" { std::slice::from_ref(&both) } else { &[] })
    }

    /// The target with another name where the caller's is.
    fn to_another(&self, target: &str, name: &str) -> String {
        let (before, after) = self.around_the_name(target);
        format!("{before}{name}{after}")
    }

    /// What of a target stands before the caller's name, and what behind it.
    fn around_the_name<'t>(&self, target: &'t str) -> (&'t str, &'t str) {
        let before = if self.name == "scim" { "/scim/v2/" } else { "/hooks/" };
        let after = target.strip_prefix(before).and_then(|rest| rest.strip_prefix(&self.caller_name()));
        (&target[..before.len()], after.unwrap_or_else(|| panic!("{target}")))
    }

    /// What no answer and no log may show.
    fn hidden(&self) -> Vec<&str> {
        let is_public = |value: &str| value.contains("PUBLIC KEY") || value.starts_with("whpk_");
        let values = self.variables.iter().filter(|(name, value)| !name.contains("public_key") && !is_public(value));
        values.map(|(_, value)| value.as_str()).collect()
    }
}

/// The rows of a kind: those that come before the honest request, and those that come after it and repeat it.
type Table = fn(&Forge<'_>) -> Vec<Row>;

const BEFORE: &[(&str, Table)] = &[
    ("timestamps", timestamps::rows),
    ("encodings", encodings::rows),
    ("signatures", signatures::rows),
    ("tokens", tokens::rows),
    ("routes", routes::rows),
    ("names", names::rows),
    ("bodies", bodies::rows),
];

type Scenes = fn(&Kind) -> Vec<Scene>;

const SCENES: &[(&str, Scenes)] = &[
    ("secrets", secrets::scenes),
    ("tokens", tokens::scenes),
    ("signatures", signatures::scenes),
    ("replays", replays::scenes),
];

fn kinds() -> Vec<Kind> {
    let only = std::env::var("KIND").unwrap_or_default();
    Kind::all().into_iter().filter(|kind| only.is_empty() || kind.name == only).collect()
}

/// The name of every row, as failures say it.
pub fn names() -> Vec<String> {
    let mut names = Vec::new();
    for kind in kinds() {
        let forge = Forge::new(&kind, "localhost".into());
        let mut add = |theme: &str, idea: &str| names.push(format!("{}/{theme}: {idea}", kind.name));
        for (theme, rows) in BEFORE {
            rows(&forge).iter().for_each(|row| add(theme, &row.idea));
        }
        replays::rows(&forge, &forge.honest()).iter().for_each(|row| add("replays", &row.idea));
        for (theme, scenes) in SCENES {
            scenes(&kind).iter().for_each(|scene| add(theme, &scene.idea));
        }
    }
    names
}

/// Tries all of it, on every kind but these.
pub async fn run<S: Stage>(without: &[&str]) {
    let mut failures = String::new();
    for kind in kinds().into_iter().filter(|kind| !without.contains(&kind.name.as_str())) {
        // After all the attacks, the honest request is still carried out.
        let stage = S::open(kind.open_to_attack()).await;
        let forge = Forge::new(&kind, stage.host());
        for (theme, rows) in BEFORE {
            for row in rows(&forge) {
                failures += &attempt(&stage, &kind, theme, row).await;
            }
        }
        failures += &honest(&stage, &forge).await.1;

        let stage = S::open(kind.open_to_attack()).await;
        let forge = Forge::new(&kind, stage.host());
        let (wire, failed) = honest(&stage, &forge).await;
        failures += &failed;
        // So that there is something to remove twice.
        stage.again();
        for row in replays::rows(&forge, &wire) {
            failures += &attempt(&stage, &kind, "replays", row).await;
        }

        for (theme, scenes) in SCENES {
            for scene in scenes(&kind) {
                failures += &play::<S>(theme, scene).await;
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// The honest request, and what is wrong with how it was heard.
async fn honest<S: Stage>(stage: &S, forge: &Forge<'_>) -> (Wire, String) {
    let kind = forge.kind;
    let mut created = Value::Null;
    if kind.name == "scim" {
        let wire = forge.with(|ask| ask["say"] = json!({"do": "create", "userName": "alice@example.com"}));
        let reply = stage.send(&wire).await;
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        created = body["id"].clone();
    }
    let before = stage.deletes();
    let wire = forge.with(|ask| {
        if !created.is_null() {
            ask["say"]["id"] = created;
        }
    });
    let reply = stage.send(&wire).await;
    let expected = honest_answer(kind);
    let seen = (reply.status, code_of(&reply), stage.deletes() - before);
    let wrong = format!("{}: the honest request: {seen:?}, not {expected:?}\n", kind.name);
    (wire, if seen == expected { String::new() } else { wrong })
}

/// Status, code and DELETEs.
pub fn honest_answer(kind: &Kind) -> (u16, &'static str, usize) {
    match kind.name.as_str() {
        // Its body is not signed, so that people are always asked back.
        "dingtalk" => (200, "OFFBOARD.40903", 0),
        // Told elsewhere, and in the directory's own form.
        "feishu" | "scim" => (200, "", 1),
        _ => (200, "SUCCESS", 1),
    }
}

fn code_of(reply: &Reply) -> &'static str {
    let known = |code: &str| CODES.iter().find(|known| **known == code).copied();
    let code = reply.header("x-offboard-code").unwrap_or_default();
    known(code).unwrap_or_else(|| String::leak(code.to_owned()))
}

const CODES: [&str; 2] = ["", "SUCCESS"];

async fn attempt<S: Stage>(stage: &S, kind: &Kind, theme: &str, row: Row) -> String {
    let (deletes, rows) = (stage.deletes(), stage.rows().len());
    let reply = stage.send(&row.wire).await;
    let code = code_of(&reply);
    let mut wrong = Vec::new();
    if reply.status != row.status || !row.codes.contains(&code) {
        wrong.push(format!("{} {code:?}, not {} {:?}", reply.status, row.status, row.codes));
    }
    if stage.deletes() != deletes {
        wrong.push("a DELETE was sent".into());
    }
    let newer = stage.rows().split_off(rows);
    if newer.len() != row.rows {
        wrong.push(format!("{} rows more, not {}", newer.len(), row.rows));
    }
    if !row.proved && newer.iter().any(|row| row.actor.is_some()) {
        wrong.push(format!("somebody was taken for proved: {newer:?}"));
    }
    if row.proved && newer.iter().any(|row| row.actor.as_ref() != Some(&kind.principal)) {
        wrong.push(format!("somebody else than {}: {newer:?}", kind.principal));
    }
    wrong.extend(leaks(stage, kind, &reply));
    report(kind, theme, &row.idea, &wrong)
}

fn report(kind: &Kind, theme: &str, idea: &str, wrong: &[String]) -> String {
    wrong.iter().map(|wrong| format!("{}/{theme}: {idea}: {wrong}\n", kind.name)).collect()
}

/// Secrets in an answer or in the log.
fn leaks<S: Stage>(stage: &S, kind: &Kind, reply: &Reply) -> Vec<String> {
    let answer = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
    let log = stage.log().join("\n");
    let mut found = Vec::new();
    for secret in kind.hidden() {
        for (place, text) in [("answer", &answer), ("log", &log)] {
            if text.contains(secret) {
                found.push(format!("a secret is in the {place}"));
            }
        }
    }
    found
}

async fn play<S: Stage>(theme: &str, scene: Scene) -> String {
    let kind = &scene.kind;
    let mut setup = kind.open_to_attack();
    (scene.change)(&mut setup);
    let stage = S::open(setup).await;
    let forge = Forge::new(kind, stage.host());
    let mut last = None;
    for wire in (scene.wires)(&forge) {
        last = Some(stage.send(&wire).await);
    }
    let reply = last.unwrap_or_else(|| panic!("{}: nothing is sent", scene.idea));
    let mut wrong = Vec::new();
    if (reply.status, code_of(&reply)) != (scene.status, scene.code) {
        wrong.push(format!("{} {:?}, not {} {:?}", reply.status, code_of(&reply), scene.status, scene.code));
    }
    if stage.deletes() != scene.deletes {
        wrong.push(format!("{} DELETEs, not {}", stage.deletes(), scene.deletes));
    }
    let actor = stage.rows().last().and_then(|row| row.actor.clone());
    if actor != scene.actor {
        wrong.push(format!("proved was {actor:?}, not {:?}", scene.actor));
    }
    wrong.extend(leaks(&stage, kind, &reply));
    report(kind, theme, &scene.idea, &wrong)
}

/// What is wrong with the names of rows: one that stands twice could hide another.
pub fn twice(names: &[String]) -> Vec<&String> {
    let mut known = BTreeSet::new();
    names.iter().filter(|name| !known.insert(*name)).collect()
}
