//! The same request once more, dressed up: it is the same delivery, and gets the same answer.
//!
//! What a proof does not cover does not count. So a header that a proxy or another framework would believe changes nothing:
//! not who asks, not where it goes, not what it is.

use super::{Forge, Row, Scene, honest_answer, status_of};
use crate::kind::Kind;
use crate::stage::Wire;

/// Headers that some proxy or framework trusts.
const BELIEVED_ELSEWHERE: &[(&str, &str)] = &[
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-Prefix", "/healthz"),
    ("X-Forwarded-Uri", "/healthz"),
    ("X-Forwarded-User", "root"),
    ("X-Forwarded-Client-Cert", "Subject=\"CN=root\""),
    ("Forwarded", "for=127.0.0.1;host=evil.example;proto=http"),
    ("X-Real-IP", "127.0.0.1"),
    ("True-Client-IP", "127.0.0.1"),
    ("Remote-User", "root"),
    ("X-Original-URL", "/hooks/nobody"),
    ("X-Original-Host", "evil.example"),
    ("X-Rewrite-URL", "/healthz"),
    ("X-Host", "evil.example"),
    ("X-HTTP-Method-Override", "GET"),
    ("X-HTTP-Method", "DELETE"),
    ("X-Method-Override", "OPTIONS"),
    ("spin-full-url", "https://evil.example/hooks/nobody"),
    ("spin-path-info", "/healthz"),
    ("spin-base-path", "/hooks/nobody"),
    ("spin-component-route", "/healthz"),
    ("spin-raw-component-route", "/healthz"),
    ("spin-matched-route", "/healthz"),
    ("spin-client-addr", "127.0.0.1:1"),
    ("Cookie", "session=root"),
    ("X-Request-Id", "another"),
    ("X-Correlation-Id", "another"),
    ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
    ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("X-Offboard-Code", "SUCCESS"),
    ("X-Offboard-Reference", "K7Q2M9XA"),
    ("X-Offboard-Dry-Run", "true"),
    ("X-Auth-Token", "MIIFxgYJKoZIhvcNAQcC"),
    ("Proxy-Authorization", "Basic cm9vdDpyb290"),
    ("X-Api-Key", "another"),
];

pub(super) fn rows(forge: &Forge<'_>, honest: &Wire) -> Vec<Row> {
    let kind = forge.kind;
    // A person who leaves once does not take along the person who has an account of that name now.
    let (status, code, rows) = match honest_answer(kind) {
        _ if kind.is_of_leavers() => (403, "OFFBOARD.40309", 1),
        (status, code, _) => (status, code, 0),
    };
    let same = |idea: String, wire: Wire| Row { idea, wire, status, codes: vec![code], proved: true, rows };
    let mut rows = vec![same("nothing is changed".into(), honest.clone())];
    for (name, value) in BELIEVED_ELSEWHERE {
        let mut wire = honest.clone();
        wire.set(name, value);
        rows.push(same(format!("with {name}: {value}"), wire));
    }
    rows.extend(ids(kind, honest).into_iter().map(|(idea, wire)| same(idea, wire)));

    // Only what a proof covers of the URL tells two requests apart.
    let mut more = honest.clone();
    more.target += if more.target.contains('?') { "&again=1" } else { "?again=1" };
    match kind.name.as_str() {
        "api-access-key" | "http-signature" => {
            rows.push(Row::unproved("with a parameter more", more, "OFFBOARD.40105"));
        }
        "api-token" => rows.push(forge.proved("with a parameter more", more, "OFFBOARD.40009")),
        _ => rows.push(same("with a parameter more".into(), more)),
    }
    let name = kind.caller_name();
    if !honest.target.starts_with("/v3/") {
        let mut wire = honest.clone();
        let encoded = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
        wire.target = kind.to_another(&wire.target, &encoded);
        rows.push(same("with the caller's name percent-encoded".into(), wire));
    } else if kind.name == "api-access-key" {
        let mut wire = honest.clone();
        wire.target = wire.target.replacen("/instances/5", "/instances/%35", 1);
        rows.push(same("with a digit of the instance percent-encoded, which signs the same".into(), wire));
    }
    rows
}

/// What the platform sends beside its proof to tell one delivery from another, or what a bearer's scheme may look like.
fn ids(kind: &Kind, honest: &Wire) -> Vec<(String, Wire)> {
    let ids: &[&str] = match kind.name.as_str() {
        "github" => {
            &["X-GitHub-Delivery", "X-GitHub-Event", "X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-ID"]
        }
        "gitlab" | "gitlab-token" => {
            &["Idempotency-Key", "X-Gitlab-Event", "X-Gitlab-Event-UUID", "X-Gitlab-Webhook-UUID", "X-Gitlab-Instance"]
        }
        "teams" => &["X-MS-Request-Id", "X-MS-Session-Id", "Referer"],
        "cloudevents" | "cloudevents-binary" => &["WebHook-Request-Origin"],
        "api-access-key" | "http-signature" => &["Accept"],
        "slack" | "discord" | "mattermost" | "feishu" | "google-chat" | "wecom" | "wecom-bot" => &["User-Agent"],
        _ => &[],
    };
    let mut changed = Vec::new();
    for name in ids {
        assert!(honest.header(name).is_some(), "{}: {name}", kind.name);
        let mut without = honest.clone();
        without.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        changed.push((format!("without {name}"), without));
        let mut other = honest.clone();
        other.set(name, "another");
        changed.push((format!("with another {name}"), other));
    }
    // Names of ids that other kinds have.
    for name in ["webhook-id", "svix-id", "ce-id", "X-Slack-Retry-Num", "Idempotency-Key", "X-GitHub-Delivery"] {
        if honest.header(name).is_none() {
            let mut wire = honest.clone();
            wire.set(name, "another");
            changed.push((format!("with {name}, which is another kind's"), wire));
        }
    }
    let bearer = honest.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    if let Some(token) = bearer {
        for scheme in ["bearer", "BEARER", "bEaReR"] {
            let mut wire = honest.clone();
            wire.set("Authorization", &format!("{scheme} {token}"));
            changed.push((format!("with {scheme} for Bearer"), wire));
        }
    }
    changed
}

/// Two callers that were given the same secret are two callers all the same: what was sent to the one is not the other's, and
/// no person has the rights there that they have here.
pub(super) fn scenes(kind: &Kind) -> Vec<Scene> {
    if kind.is(&["api-access-key", "api-token", "http-signature"]) {
        // Their keys say whose they are.
        return Vec::new();
    }
    let name = kind.caller_name();
    let caller = kind.caller.replacen(&format!("name = \"{name}\""), &format!("name = \"{name}-too\""), 1);
    let code = match kind.name.as_str() {
        // People are told elsewhere.
        "feishu" => "",
        // That caller's directory is empty.
        "scim" => "OFFBOARD.40406",
        _ if kind.is_of_leavers() => "OFFBOARD.40309",
        _ => "OFFBOARD.40301",
    };
    let confirm = if kind.speaks() && kind.name != "dingtalk" { "confirm = false\nkind = " } else { "kind = " };
    let caller = format!("{}\n{}", caller.replacen("kind = ", confirm, 1), kind.config);
    let actor = kind.principal.replacen(&name, &format!("{name}-too"), 1);
    let status = if kind.speaks() { 200 } else { status_of(code) };
    vec![Scene {
        idea: "to another caller that has the same secret".into(),
        kind: kind.clone(),
        change: Box::new(move |setup| {
            setup.offboard = setup.offboard.replacen("\n[accounts]", &format!("\n{caller}\n[accounts]"), 1);
        }),
        wires: Box::new(move |forge| {
            let mut wire = forge.honest();
            wire.target = forge.kind.to_another(&wire.target, &format!("{name}-too"));
            vec![wire]
        }),
        status,
        code,
        deletes: 0,
        actor: Some(actor),
    }]
}

impl Kind {
    /// Whether its base request is about a leaver.
    fn is_of_leavers(&self) -> bool {
        self.config.contains("[caller.leavers]")
    }
}
