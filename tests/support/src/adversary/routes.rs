//! The right request at the wrong door: another platform's route, a path that only looks like the caller's, another method.

use super::{Forge, Row};
use crate::kind::Kind;
use crate::platforms::Platforms;

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let mut rows = strangers(forge);
    rows.extend(paths(forge));
    rows.extend(methods(forge));
    rows
}

/// Every other platform's own request, with its own right proof.
fn strangers(forge: &Forge<'_>) -> Vec<Row> {
    let here = forge.honest();
    let (path, query) = here.target.split_once('?').unwrap_or((&here.target, ""));
    let mut rows = Vec::new();
    for other in Kind::all().into_iter().filter(|other| other.kind() != forge.kind.kind()) {
        let mut wire = Platforms::request(&other.name, &other.ask(&forge.host, "stranger"));
        let theirs = wire.target.split_once('?').map_or("", |(_, query)| query);
        // What is asked for stays; what would be this one's own proof does not.
        let query = if path.starts_with("/v3/") { query } else { theirs };
        wire.target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        wire.method.clone_from(&here.method);
        let mut row = Row::unproved(format!("what {} sends", other.name), wire, "OFFBOARD.40101");
        // Without the header it is missing; with one of that name it is malformed or wrong, by how much alike the two are.
        row.codes.extend(["OFFBOARD.40102", "OFFBOARD.40105"]);
        match forge.kind.name.as_str() {
            // It names its issuer, which is not the one here.
            "api-token" | "api-access-key" | "google-chat" => row.codes.push("OFFBOARD.40108"),
            // The proof is inside the body, which has to be read for it.
            "welink" if !wire_is_alike(&other) => {
                row.status = 400;
                row.codes = vec!["OFFBOARD.40001"];
            }
            _ => {}
        }
        rows.push(row);
    }
    rows
}

/// Whether its body is `{"encrypt": …}`, too.
fn wire_is_alike(other: &Kind) -> bool {
    other.is(&["feishu", "wecom-bot"])
}

fn paths(forge: &Forge<'_>) -> Vec<Row> {
    let name = forge.kind.caller_name();
    let honest = forge.honest();
    let (path, query) = honest
        .target
        .split_once('?')
        .map_or((honest.target.as_str(), ""), |(path, _)| (path, &honest.target[path.len()..]));
    let at = |idea: &str, path: String, code| {
        let mut wire = honest.clone();
        wire.target = format!("{path}{query}");
        Row::unproved(format!("at {idea}"), wire, code)
    };
    const NOTHING: &str = "OFFBOARD.40401";
    const NOBODY: &str = "OFFBOARD.40402";
    const UNREADABLE: &str = "OFFBOARD.40008";
    if path.starts_with("/v3/") {
        let mut rows = vec![
            at("a path in capitals", path.to_uppercase(), NOTHING),
            at("a path with a dot segment", path.replacen("/v3", "/v3/.", 1), NOTHING),
            at("a path with a parent segment", path.replacen("/v3", "/x/../v3", 1), NOTHING),
            at("a path with an encoded parent segment", path.replacen("/v3", "/x/%2e%2e/v3", 1), NOTHING),
            at("a path with an encoded letter", path.replacen("/v3", "/%763", 1), NOTHING),
            at("a path with a parameter of a segment", format!("{path};v=1"), NOTHING),
            at("a path with a null character", format!("{path}%00"), NOTHING),
            at("a path with an extension", format!("{path}.json"), NOTHING),
            at("a path with a backslash", path.replacen("/starrocks/", "/starrocks%5C", 1), NOTHING),
            at("another version", path.replacen("/v3", "/v4", 1), NOTHING),
        ];
        // Where the path is signed, slashes that were added on the way are not what was signed.
        const OTHER: &str = "OFFBOARD.40105";
        if forge.kind.name != "api-token" {
            rows.push(at("a path with a slash more", format!("/{path}"), OTHER));
        }
        if forge.kind.name == "http-signature" {
            rows.push(at("a path with a slash at its end", format!("{path}/"), OTHER));
        }
        return rows;
    }
    let scim = forge.kind.name == "scim";
    let (before, after) = forge.kind.around_the_name(path);
    let called = |name: &str| format!("{before}{name}{after}");
    let mut rows = vec![
        at("a path in capitals", path.to_uppercase(), NOTHING),
        at("a path with a dot segment", format!("/.{path}"), NOTHING),
        at("a path with a parent segment", format!("/x/..{path}"), NOTHING),
        at("a path with an encoded slash", format!("{}%2F{name}{after}", before.trim_end_matches('/')), NOTHING),
        at("a caller's name in capitals", called(&name.to_uppercase()), NOBODY),
        at("a caller's name and a null character", called(&format!("{name}%00")), NOBODY),
        at("a caller's name and a line break", called(&format!("{name}%0a")), NOBODY),
        at("a caller's name and an encoded slash", called(&format!("{name}%2f")), NOBODY),
        at("a caller's name with a parameter of a segment", called(&format!("{name};v=1")), NOBODY),
        at("a caller's name, encoded twice", called(&format!("%25{:02x}{}", name.as_bytes()[0], &name[1..])), NOBODY),
        at("a caller's name and a dot", called(&format!("{name}.")), NOBODY),
        at("a caller's name and an extension", called(&format!("{name}.json")), NOBODY),
        at("a caller's name with a space before it", called(&format!("%20{name}")), NOBODY),
        at("a caller's name with a zero-width space", called(&format!("{name}%E2%80%8B")), NOBODY),
        at("a caller's name with a byte that is no UTF-8", called(&format!("{name}%ff")), UNREADABLE),
        at("a caller's name with half an escape", called(&format!("{name}%2")), UNREADABLE),
        at("a caller's name that is very long", called(&name.repeat(500)), NOBODY),
        at("the name of the vendor", called("__proto__"), NOBODY),
    ];
    if !scim {
        rows.push(at("the route of directories", format!("/scim/v2/{name}/Users"), NOBODY));
        rows.push(at("a parent segment behind the name", format!("{path}/../{name}"), NOTHING));
    } else {
        rows.push(at("the route of hooks", format!("/hooks/{name}"), NOBODY));
    }
    rows
}

fn methods(forge: &Forge<'_>) -> Vec<Row> {
    let honest = forge.honest();
    let kind = forge.kind;
    if kind.name == "scim" {
        return Vec::new();
    }
    let taken: &[&str] = match kind.name.as_str() {
        "api-access-key" | "api-token" | "http-signature" => &["DELETE"],
        "mattermost" | "okta" | "wecom" | "wecom-bot" => &["GET", "POST"],
        "cloudevents" | "cloudevents-binary" => &["OPTIONS", "POST"],
        _ => &["POST"],
    };
    let reads = ["GET", "HEAD"];
    let methods = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "post", "delete"];
    let row = |method: &str| {
        let mut wire = honest.clone();
        wire.method = method.to_owned();
        // The account list is read at the same path: with a token, which covers no method, a caller that may remove may ask for it.
        let code = match kind.name.as_str() {
            "api-access-key" | "http-signature" if reads.contains(&method) => "OFFBOARD.40105",
            _ => "OFFBOARD.40501",
        };
        Row::unproved(format!("by {method}"), wire, code)
    };
    let is_taken = |method: &&str| {
        let is_read = reads.contains(method) && (kind.name == "api-token" || taken.contains(&"GET"));
        is_read || taken.contains(method)
    };
    reads.iter().chain(&methods).filter(|method| !is_taken(method)).map(|method| row(method)).collect()
}
