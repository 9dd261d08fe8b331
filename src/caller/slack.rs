//! Slack slash commands: `POST /hooks/{caller}`, e.g. `/offboard alice analytics left the company`.
//!
//! Proof: `X-Slack-Signature: v0=` and the hex HMAC-SHA256 of `v0:{X-Slack-Request-Timestamp}:{raw body}` under the signing
//! secret as text ("Verifying requests from Slack", <https://docs.slack.dev/authentication/verifying-requests-from-slack>).
//! The actor is the signed `user_id`, never `user_name`. The answer is an ephemeral message with status 200 for every
//! outcome, because Slack shows people nothing for other statuses; only a request that proves nothing is 401.
//!
//! Slack waits for three seconds. What takes longer is acknowledged, and the outcome follows at the signed `response_url`,
//! which has to be at hooks.slack.com ("Handling user interaction", <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>).
//!
//! Buttons come back to the same URL as a form with one field `payload` ("Interaction payloads",
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>), proved the same way. Slack shows nothing of
//! the answer to them: what is to be said goes to their `response_url`.
//!
//! Not supported: dialogs and other interactions than buttons, the legacy `token` field (not a signature), workflow steps.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ActiveKey, Answer, Click, Inbound, Kind, Later, LaterShape, Proof, Reading, Rendered, Said, chat, documented,
    fresh, hmac_sha256_is, lower_hex_32,
};
use crate::command::{Actor, Delivery};
use crate::config::{Caller, Config, KeyShape};
use crate::outcome::{Language, Outcome, State, Words};
use crate::strict::{Fields, json, required_header, unix_seconds};

pub(super) const KIND: Kind = Kind {
    name: "slack",
    keys: KeyShape::Secrets,
    is_chat: true,
    content_type: Some("application/x-www-form-urlencoded"),
    verify,
    read,
    render,
    say: Some(message),
    later: Some(LaterShape { host: LATER, wait, bodies }),
};

const LATER: &str = "hooks.slack.com";

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

fn verify(inbound: &Inbound, caller: &Caller, keys: &[ActiveKey], now: DateTime<Utc>) -> Result<Proof, Outcome> {
    let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
    let signature = required_header(&inbound.headers, SIGNATURE)?;
    let seconds = unix_seconds(timestamp).ok_or(Outcome::ProofMalformed { header: TIMESTAMP })?;
    let tag =
        signature.strip_prefix("v0=").and_then(lower_hex_32).ok_or(Outcome::ProofMalformed { header: SIGNATURE })?;
    fresh(seconds, now)?;
    let signed: [&[u8]; 4] = [b"v0:", timestamp.as_bytes(), b":", &inbound.body];
    if !keys.iter().any(|key| hmac_sha256_is(key.secret.expose().as_bytes(), &signed, &tag)) {
        return Err(Outcome::ProofWrong);
    }
    Ok(Proof { delivery: Delivery::new(caller, &[timestamp.as_bytes(), &inbound.body]), key_id: None })
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let fields = match Fields::from_form(&inbound.body) {
        Ok(fields) => fields,
        Err(outcome) => return Reading::unreadable(outcome),
    };
    if let Ok(payload) = fields.required("payload") {
        return clicked(payload, caller);
    }
    let actor = match fields.required("user_id").and_then(user_id) {
        Ok(id) => Actor::person(caller, id),
        Err(outcome) => return Reading::unreadable(outcome),
    };
    // `/offboard` alone asks what to write.
    let said = chat::command(fields.required("text").unwrap_or_default(), config);
    let later = fields.required("response_url").ok().and_then(|url| Later::at(LATER, url, None));
    Reading { actor: Some(actor), said, later }
}

#[derive(Deserialize)]
struct Payload {
    r#type: String,
    user: User,
    actions: Option<Vec<Action>>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    value: Option<String>,
}

/// A button below one of our messages.
fn clicked<'c>(payload: &str, caller: &Caller) -> Reading<'c> {
    let payload: Payload = match json(payload.as_bytes()) {
        Ok(payload) => payload,
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let actor = match user_id(&payload.user.id) {
        Ok(id) => Actor::person(caller, id),
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let unknown = |given: &str| Outcome::FieldInvalid {
        name: "payload",
        given: given.to_owned(),
        expected: Words { english: "one of this gateway's own buttons", chinese: "本网关自己的按钮" },
    };
    let actions = payload.actions.unwrap_or_default();
    let (how, said) = match (payload.r#type.as_str(), actions.as_slice()) {
        ("block_actions", [Action { action_id, value: Some(id) }]) => match chat::click(action_id) {
            Some(how) => (Some(how), Ok(Said::Decide { id: id.clone(), how, reason: None })),
            None => (None, Err(unknown(action_id))),
        },
        (other, _) => (None, Err(unknown(other))),
    };
    let later = payload.response_url.zip(how).and_then(|(url, how)| Later::at(LATER, &url, Some(how)));
    Reading { actor: Some(actor), said, later }
}

/// A Slack user id: `U` or `W`, then capital letters and digits.
fn user_id(given: &str) -> Result<&str, Outcome> {
    let good = given.len() <= 32
        && given.strip_prefix(['U', 'W']).is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        });
    if good {
        Ok(given)
    } else {
        Err(Outcome::FieldInvalid {
            name: "user_id",
            given: given.into(),
            expected: Words {
                english: "an id that Slack gives, such as `U2CERLKJA`",
                chinese: " Slack 给出的 ID，例如 `U2CERLKJA`",
            },
        })
    }
}

fn render(answer: &Answer<'_>) -> Rendered {
    let status = answer.outcome.status();
    if status == StatusCode::UNAUTHORIZED && answer.outcome.code().starts_with("OFFBOARD.") {
        return documented(answer);
    }
    Rendered { status: StatusCode::OK, body: body(answer).to_string() }
}

/// The message about an outcome, with the buttons of what waits.
fn body(answer: &Answer<'_>) -> Value {
    let mut text = sentence(answer);
    let more = match (answer.asked_by, answer.approved_by.as_slice(), answer.language) {
        (None, [], _) => None,
        (asked, approved, language) => {
            let ids = |ids: &[&str]| ids.iter().map(|id| format!("`{}`", escaped(id))).collect::<Vec<_>>().join(", ");
            let asked = asked.map(|asked| ids(&[asked]));
            Some(match (asked, approved, language) {
                (Some(asked), [], Language::English) => format!("asked by {asked}"),
                (Some(asked), [], Language::Chinese) => format!("申请人 {asked}"),
                (Some(asked), approved, Language::English) => {
                    format!("asked by {asked}, approved by {}", ids(approved))
                }
                (Some(asked), approved, Language::Chinese) => format!("申请人 {asked}，批准人 {}", ids(approved)),
                (None, approved, Language::English) => format!("approved by {}", ids(approved)),
                (None, approved, Language::Chinese) => format!("批准人 {}", ids(approved)),
            })
        }
    };
    let waits = matches!(answer.outcome.state(), State::AwaitingConfirmation | State::AwaitingApproval | State::DryRun);
    if let (true, Some(environment)) = (waits, answer.environment) {
        // Whoever is to say yes sees to what, and why they are asked.
        let by: Vec<_> = answer.policies.iter().map(|id| format!("`{}`", escaped(id))).collect();
        let by = if by.is_empty() { "-".to_owned() } else { by.join(", ") };
        text += &match answer.language {
            Language::English => format!("\n_environment `{environment}`, decided by {by}_"),
            Language::Chinese => format!("\n_环境 `{environment}`，策略 {by}_"),
        };
    }
    if let Some(more) = more {
        text += &format!("\n_{more}_");
    }
    text += &format!("\n_request {}_", escaped(answer.request_id));
    let mut message = shown(&text);
    let language = answer.language;
    match answer.outcome {
        Outcome::AwaitingConfirmation { reference, .. } => {
            add_buttons(&mut message, [(Click::Confirm, "primary"), (Click::Cancel, "danger")], reference, language);
        }
        Outcome::AwaitingApproval { reference, .. } => {
            // Whoever may approve has to see it.
            message.insert("response_type".into(), "in_channel".into());
            add_buttons(&mut message, [(Click::Approve, "primary"), (Click::Deny, "danger")], reference, language);
        }
        _ => {}
    }
    Value::Object(message)
}

fn add_buttons(message: &mut Map<String, Value>, buttons: [(Click, &str); 2], reference: &str, language: Language) {
    let elements = buttons.map(|(click, style)| {
        let id = Click::ALL.into_iter().find(|(_, known)| *known == click).map_or("", |(name, _)| name);
        let label = match click {
            Click::Confirm => Words { english: "Confirm", chinese: "确认" },
            Click::Cancel => Words { english: "Cancel", chinese: "取消" },
            Click::Approve => Words { english: "Approve", chinese: "批准" },
            Click::Deny => Words { english: "Deny", chinese: "拒绝" },
        };
        json!({
            "type": "button",
            "action_id": id,
            "value": reference,
            "style": style,
            "text": {"type": "plain_text", "text": label.in_language(language)},
        })
    });
    if let Some(Value::Array(blocks)) = message.get_mut("blocks") {
        blocks.push(json!({"type": "actions", "elements": elements}));
    }
}

/// What goes to a `response_url`. A click's message replaces the one with the buttons, unless the click was not for whoever
/// clicked; then only they see why.
fn bodies(answer: &Answer<'_>, click: Option<Click>) -> Vec<String> {
    let mut message = body(answer);
    let set = |message: &mut Value, key: &str, value: Value| {
        if let Value::Object(fields) = message {
            fields.insert(key.into(), value);
        }
    };
    match (click, answer.outcome) {
        (None, _) => vec![message.to_string()],
        // The message with Confirm was for one person; the one with Approve is for all.
        (Some(Click::Confirm), Outcome::AwaitingApproval { reference, .. }) => {
            let asked = match answer.language {
                Language::English => format!(":hourglass_flowing_sand: Asked for approval: `{reference}`."),
                Language::Chinese => format!(":hourglass_flowing_sand: 已提交审批：`{reference}`。"),
            };
            let mut asked = Value::Object(shown(&asked));
            set(&mut asked, "replace_original", true.into());
            set(&mut message, "replace_original", false.into());
            vec![asked.to_string(), message.to_string()]
        }
        (Some(_), outcome) => {
            let is_for_them = !matches!(outcome.state(), State::Denied | State::Refused);
            set(&mut message, "replace_original", is_for_them.into());
            vec![message.to_string()]
        }
    }
}

/// One sentence about an outcome, and what it means.
fn sentence(answer: &Answer<'_>) -> String {
    let (user_name, instance) = answer.account.unwrap_or_default();
    let what = shortened(&answer.outcome.message(answer.language), LONGEST_MESSAGE);
    let decided: Vec<_> = answer.policies.iter().map(|id| format!("`{}`", escaped(id))).collect();
    let decided = decided.join(", ");
    let code = answer.outcome.code();
    let sure = *answer.outcome == Outcome::RemovedByList;
    let mut text = match (answer.outcome.state(), answer.language, answer.account) {
        (State::Removed, Language::English, _) => {
            let sure = if sure { ", as the account list confirms" } else { "" };
            format!(":white_check_mark: Removed `{user_name}` from `{instance}`{sure} (allowed by {decided}).")
        }
        (State::Removed, Language::Chinese, _) => {
            let sure = if sure { "，已由账号列表确认" } else { "" };
            format!(":white_check_mark: 已从 `{instance}` 删除 `{user_name}`{sure}（策略：{decided}）。")
        }
        (State::AlreadyGone, Language::English, Some(_)) => {
            return format!(
                ":information_source: `{user_name}` was not there on `{instance}`, so nothing was removed ({code})."
            );
        }
        (State::AlreadyGone, Language::Chinese, Some(_)) => {
            return format!(":information_source: `{instance}` 上没有 `{user_name}`，无需删除（{code}）。");
        }
        (state, Language::English, Some(_)) => {
            format!("{} `{user_name}` on `{instance}`: {} ({code}).", sign(state), escaped(&what))
        }
        (state, Language::Chinese, Some(_)) => {
            format!("{} `{instance}` 上的 `{user_name}`：{}（{code}）。", sign(state), escaped(&what))
        }
        (state, _, None) => format!("{} {} ({code})", sign(state), escaped(&what)),
    };
    if let Some(meaning) = answer.meaning {
        let meaning = meaning.in_language(answer.language);
        text += &match answer.language {
            Language::English => format!(" That means: {meaning}."),
            Language::Chinese => format!("这表示：{meaning}。"),
        };
    }
    text
}

fn sign(state: State) -> &'static str {
    match state {
        State::Unknown => ":warning:",
        State::AwaitingConfirmation | State::AwaitingApproval => ":hourglass_flowing_sand:",
        State::DryRun | State::Cancelled => ":information_source:",
        _ => ":x:",
    }
}

fn wait(language: Language, user_name: &str, instance: &str) -> Rendered {
    message(&match language {
        Language::English => {
            format!(":hourglass_flowing_sand: Removing `{user_name}` from `{instance}`; the outcome follows here.")
        }
        Language::Chinese => {
            format!(":hourglass_flowing_sand: 正在从 `{instance}` 删除 `{user_name}`；结果将在此处显示。")
        }
    })
}

/// The most characters that Slack takes in a section; over that, it shows nothing at all
/// (<https://docs.slack.dev/reference/block-kit/blocks/section-block>).
const LONGEST: usize = 3000;

/// The most characters of a message of TaurusDB's.
const LONGEST_MESSAGE: usize = 500;

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn message(text: &str) -> Rendered {
    Rendered { status: StatusCode::OK, body: Value::Object(shown(text)).to_string() }
}

fn shown(text: &str) -> Map<String, Value> {
    let text = shortened(text, LONGEST);
    let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    Map::from_iter([
        ("response_type".to_owned(), "ephemeral".into()),
        ("text".to_owned(), text.into()),
        ("blocks".to_owned(), vec![section].into()),
    ])
}

/// Slack's three control characters; without this, what TaurusDB says could ring `<!channel>`
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
