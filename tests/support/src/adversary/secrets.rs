//! Secrets that are empty, halves of two that do not belong together, and a third beside the two that count.

use serde_json::{Value, json};

use super::{Change, Made, Scene};
use crate::kind::Kind;

const WRONG: &str = "OFFBOARD.40105";
const UNSET: &str = "OFFBOARD.40106";

pub(super) fn scenes(kind: &Kind) -> Vec<Scene> {
    if kind.variables.is_empty() {
        return Vec::new();
    }
    let refused = |idea: String, kind: &Kind, change: Change, wires: Made, status, code| Scene {
        idea,
        kind: kind.clone(),
        change,
        wires,
        status,
        code,
        deletes: 0,
        actor: None,
    };
    let by = |secret: Value| -> Made { Box::new(move |forge| vec![forge.with(|ask| ask["secret"] = secret.clone())]) };
    let as_is = || -> Change { Box::new(|_| ()) };
    let mut scenes = Vec::new();

    // The empty secret is known to every attacker, so it proves no caller.
    let names: Vec<String> = kind.variables.keys().cloned().collect();
    let emptied = |of: Vec<String>| -> Change {
        Box::new(move |setup| {
            for name in &of {
                setup.variables.insert(name.clone(), String::new());
            }
        })
    };
    let secret = empty(kind).unwrap_or_else(|| kind.secret.clone());
    let idea =
        if empty(kind).is_some() { "empty secrets, and a proof under the empty secret" } else { "empty secrets" };
    // Which keys exist is told to no one.
    let code = if kind.is(&["api-access-key", "http-signature"]) { WRONG } else { UNSET };
    scenes.push(refused(idea.into(), kind, emptied(names.clone()), by(secret), 401, code));

    // Of several parts, each is needed for itself.
    let needed: &[&str] = match kind.name.as_str() {
        "wecom" | "wecom-bot" => &["wecom_token", "wecom_aes_key"],
        "oneaccess" | "oneaccess-encrypted" => &["oneaccess_token", "oneaccess_signature_key"],
        "feishu" => &["feishu_encrypt_key"],
        _ => &[],
    };
    for name in needed {
        let change = emptied(vec![(*name).to_owned()]);
        scenes.push(refused(format!("{name} is empty"), kind, change, by(kind.secret.clone()), 401, UNSET));
    }

    if let Some(both) = kind.with_a_second_secret() {
        scenes.push(refused(
            "a third secret beside two".into(),
            &both,
            as_is(),
            Box::new(|forge| vec![forge.with(|ask| ask["secret"] = third(forge.kind))]),
            401,
            WRONG,
        ));
        let mixed = |part: &str| {
            let mut secret = kind.secret.clone();
            secret[part] = kind.other_secret[part].clone();
            by(secret)
        };
        for (names, part, status, code) in [
            (&["oneaccess", "oneaccess-encrypted"][..], "token", 401, WRONG),
            (&["oneaccess", "oneaccess-encrypted"], "signature_key", 401, WRONG),
            // Its signature is right, and what it signs does not open.
            (&["oneaccess-encrypted", "wecom", "wecom-bot"], "encryption_key", 400, "OFFBOARD.40001"),
            (&["wecom", "wecom-bot"], "aes_key", 400, "OFFBOARD.40001"),
        ] {
            if kind.is(names) && kind.secret.get(part).is_some() {
                let idea = format!("the {part} of one secret and the rest of another");
                scenes.push(refused(idea, &both, as_is(), mixed(part), status, code));
            }
        }
    }
    scenes
}

/// The secret of a platform that was given none; `None` where a request cannot be signed with it.
fn empty(kind: &Kind) -> Option<Value> {
    Some(match kind.name.as_str() {
        "slack" | "github" | "dingtalk" | "teams" | "mattermost" | "welink" | "cloudevents" | "cloudevents-binary"
        | "scim" | "okta" | "gitlab-token" => json!({"secret": ""}),
        "standard-webhooks" | "gitlab" => json!({"secret": "whsec_"}),
        "feishu" => json!({"encrypt_key": ""}),
        "oneaccess" => json!({"token": "", "signature_key": ""}),
        "api-access-key" => json!({"access_key": "HPUAEXAMPLEACCESSKEY", "secret_key": ""}),
        _ => return None,
    })
}

/// Neither of the two.
fn third(kind: &Kind) -> Value {
    let change = |text: &str| {
        // Of the same form and length: two characters change places.
        let mut text: Vec<char> = text.chars().collect();
        let at = text.windows(2).position(|pair| pair[0] != pair[1] && pair.iter().all(char::is_ascii_alphanumeric));
        let at = at.unwrap_or_else(|| panic!("{}: no two characters", kind.name));
        text.swap(at, at + 1);
        text.into_iter().collect::<String>()
    };
    let is_token = |name: &str| name != "secret" && name != "kid";
    let parts = kind.secret.as_object().unwrap().iter().map(|(name, value)| {
        let text = value.as_str().unwrap();
        let changed = match text.split_once('_').filter(|(before, _)| before.starts_with("wh") && !is_token(name)) {
            Some((before, key)) => format!("{before}_{}", change(key)),
            None => change(text),
        };
        (name.clone(), Value::String(changed))
    });
    Value::Object(parts.collect())
}
