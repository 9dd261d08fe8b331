//! What must be refused, for every kind alike: the rules of a proof, each broken in turn.

use crate::kind::{Kind, NOW};
use crate::platforms::Platforms;
use crate::stage::{Stage, Wire};

/// A rule, and how the base request breaks it.
struct Breach {
    rule: String,
    /// The codes that say so.
    codes: &'static [&'static str],
    wire: Wire,
}

/// Breaks every rule for every kind. Nothing is sent, no principal is proved, and the base request itself is right.
pub async fn run<S: Stage>() {
    let mut failures = String::new();
    for kind in Kind::of_interest() {
        let stage = S::open(kind.setup(false, &[])).await;
        let breaches = breaches(&kind, &stage.host());
        assert!(breaches.len() > 4, "{}", kind.name);
        for Breach { rule, codes, wire } in breaches {
            let reply = stage.send(&wire).await;
            let code = reply.header("x-offboard-code").unwrap_or_default();
            if !codes.contains(&code) {
                failures += &format!("{}: {rule}: {} {code}, not one of {codes:?}\n", kind.name, reply.status);
            }
            if stage.deletes() > 0 {
                failures += &format!("{}: {rule}: a DELETE was sent\n", kind.name);
            }
            let rows = stage.rows();
            if code.starts_with("OFFBOARD.401") && rows.iter().any(|row| row.actor.is_some()) {
                failures += &format!("{}: {rule}: somebody was taken for proved\n", kind.name);
            }
        }
        // Variables that are not set, or empty, prove nothing.
        if !kind.variables.is_empty() {
            let mut setup = kind.setup(false, &[]);
            setup.variables.retain(|name, _| !kind.variables.contains_key(name));
            let stage = S::open(setup).await;
            let reply = stage.send(&Platforms::request(&kind.name, &kind.ask(&stage.host(), "unset"))).await;
            let code = reply.header("x-offboard-code").unwrap_or_default();
            if !["OFFBOARD.40106", "OFFBOARD.40105"].contains(&code) {
                failures += &format!("{}: a secret that is not set: {code}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn breaches(kind: &Kind, host: &str) -> Vec<Breach> {
    let ask = |nonce: &str| kind.ask(host, nonce);
    let base = |nonce: &str| Platforms::request(&kind.name, &ask(nonce));
    let mut breaches = Vec::new();
    let mut breach = |rule: String, codes: &'static [&'static str], wire: Wire| {
        breaches.push(Breach { rule, codes, wire });
    };
    for header in &kind.proof.headers {
        let value = base("header").header(header).unwrap_or_else(|| panic!("{}: no {header}", kind.name)).to_owned();
        let mut wire = base("missing");
        wire.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
        breach(format!("{header} missing"), &["OFFBOARD.40101"], wire);
        let mut wire = base("empty");
        wire.set(header, "");
        breach(format!("{header} empty"), &["OFFBOARD.40101", "OFFBOARD.40102"], wire);
        let mut wire = base("doubled");
        wire.headers.push((header.clone(), value.clone()));
        breach(format!("{header} doubled"), &["OFFBOARD.40103"], wire);
        let mut wire = base("space");
        wire.set(header, &format!("{value}\u{e4}"));
        breach(format!("{header} not ASCII"), &["OFFBOARD.40102", "OFFBOARD.40105"], wire);
    }
    if let Some(header) = &kind.proof.signature {
        let value = base("altered").header(header).unwrap().to_owned();
        for place in [value.len() - 3, value.len() - 8] {
            let mut wire = base("altered");
            wire.set(header, &altered(&value, place));
            breach(format!("{header} altered at {place}"), &["OFFBOARD.40105", "OFFBOARD.40102"], wire);
        }
        let mut wire = base("cut");
        wire.set(header, &value[..value.len() - 1]);
        breach(format!("{header} cut short"), &["OFFBOARD.40102", "OFFBOARD.40105"], wire);
        let upper = value.to_uppercase();
        if upper != value {
            let mut wire = base("upper");
            wire.set(header, &upper);
            breach(format!("{header} in upper case"), &["OFFBOARD.40102", "OFFBOARD.40105"], wire);
        }
    }
    let mut other = ask("other");
    other["secret"] = kind.other_secret.clone();
    breach("another secret".into(), &["OFFBOARD.40105"], Platforms::request(&kind.name, &other));
    if let Some(window) = kind.proof.window_s {
        for (rule, seconds) in [("too old", -window - 1), ("from the future", window + 1)] {
            let mut late = ask(rule);
            late["now"] = (NOW + seconds).into();
            let wire = Platforms::request(&kind.name, &late);
            breach(rule.into(), &["OFFBOARD.40104", "OFFBOARD.40107"], wire);
        }
    }
    if kind.proof.body_is_signed && !base("body").body.is_empty() {
        let mut wire = base("body");
        wire.body.push(' ');
        breach("another body".into(), &["OFFBOARD.40105", "OFFBOARD.40102"], wire);
        let mut wire = base("no body");
        wire.body.clear();
        breach("no body".into(), &["OFFBOARD.40105", "OFFBOARD.40102", "OFFBOARD.40001"], wire);
    }
    if let Some(body) = doubled(kind, &base("plain").body) {
        let mut twice = ask("twice");
        twice["body"] = body.into();
        breach("something stands twice".into(), &["OFFBOARD.40002"], Platforms::request(&kind.name, &twice));
    }
    let has_body = !base("has").body.is_empty();
    if has_body {
        let mut wire = base("compressed");
        wire.set("content-encoding", "gzip");
        breach("compressed".into(), &["OFFBOARD.41502"], wire);
        let mut wire = base("type");
        wire.set("content-type", "text/html");
        breach("another content type".into(), &["OFFBOARD.41501"], wire);
    }
    let mut wire = base("language");
    wire.set("x-language", "fr-fr");
    breach("an unknown language".into(), &["OFFBOARD.40007", "OFFBOARD.40102", "OFFBOARD.40105"], wire);
    breaches
}

/// With another character at this place.
fn altered(value: &str, place: usize) -> String {
    let other = |c: char| if c == 'a' { 'b' } else { 'a' };
    value.char_indices().map(|(at, c)| if at == place { other(c) } else { c }).collect()
}

/// A body in which something stands twice; `None` for a kind without one.
fn doubled(kind: &Kind, body: &str) -> Option<String> {
    if let Some(body) = &kind.proof.doubled {
        return Some(body.clone());
    }
    match body.chars().next()? {
        '{' => Some(body.replacen('{', r#"{"twice":1,"twice":2,"#, 1)),
        _ => Some(format!("{body}&twice=1&twice=2")),
    }
}
