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
//! Not supported: buttons and dialogs (`payload`), the legacy `token` field (not a signature), workflow steps.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::json;

use super::{
    ActiveKey, Answer, Inbound, Kind, Later, Proof, Reading, Rendered, Said, documented, fresh, hmac_sha256_is,
    lower_hex_32,
};
use crate::command::{Actor, Delivery, Reason};
use crate::config::{Caller, Config, KeyShape};
use crate::outcome::{Language, Outcome, State, Words};
use crate::strict::{Fields, required_header, unix_seconds};

pub(super) const KIND: Kind = Kind {
    name: "slack",
    keys: KeyShape::Secrets,
    content_type: Some("application/x-www-form-urlencoded"),
    verify,
    read,
    render,
    wait: Some(wait),
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

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, config: &'c Config, language: Language) -> Reading<'c> {
    let fields = match Fields::from_form(&inbound.body) {
        Ok(fields) => fields,
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let actor = match fields.required("user_id").and_then(user_id) {
        Ok(id) => Actor::person(caller, id),
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let said = match fields.required("text") {
        Ok(text) => command(text, config, language),
        // `/offboard` alone asks what to write.
        Err(_) => Ok(Said::Answered(help(config, language))),
    };
    let later = fields.required("response_url").ok().and_then(|url| Later::at(LATER, url));
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

/// The chat grammar: `<user_name> <instance> [reason …]`, or `help`.
fn command<'c>(text: &str, config: &'c Config, language: Language) -> Result<Said<'c>, Outcome> {
    // At spaces only: a line break inside is part of a word, and no word of a command has one.
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    match (words.next(), words.next()) {
        (None | Some("help"), None) => Ok(Said::Answered(help(config, language))),
        (Some(user_name), Some(instance)) => Ok(Said::Remove {
            user_name: config.accounts.parse(user_name)?,
            instance: config.instance(instance)?,
            reason: Reason::parse(&words.collect::<Vec<_>>().join(" "))?,
        }),
        _ => Err(Outcome::CommandMalformed),
    }
}

fn help(config: &Config, language: Language) -> Rendered {
    let names: Vec<_> = config.instances().iter().map(|instance| format!("`{}`", instance.name)).collect();
    let names = names.join(", ");
    message(&match language {
        Language::English => format!(
            "Remove a StarRocks account: `<user_name> <instance> [reason]`, for example `alice analytics left the company`.\nInstances: {names}"
        ),
        Language::Chinese => format!(
            "删除 StarRocks 账号：`<user_name> <instance> [reason]`，例如 `alice analytics 已离职`。\n实例：{names}"
        ),
    })
}

fn render(answer: &Answer<'_>) -> Rendered {
    let status = answer.outcome.status();
    if status == StatusCode::UNAUTHORIZED && answer.outcome.code().starts_with("OFFBOARD.") {
        return documented(answer);
    }
    let (user_name, instance) = answer.account.unwrap_or_default();
    let what = shortened(&answer.outcome.message(answer.language), LONGEST_MESSAGE);
    let decided: Vec<_> = answer.policies.iter().map(|id| format!("`{}`", escaped(id))).collect();
    let decided = decided.join(", ");
    let code = answer.outcome.code();
    let mut text = match (answer.outcome.state(), answer.language, answer.account) {
        (State::Removed, Language::English, _) => {
            let sure = if *answer.outcome == Outcome::RemovedByList { ", as the account list confirms" } else { "" };
            format!(":white_check_mark: Removed `{user_name}` from `{instance}`{sure} (allowed by {decided}).")
        }
        (State::Removed, Language::Chinese, _) => {
            let sure = if *answer.outcome == Outcome::RemovedByList { "，已由账号列表确认" } else { "" };
            format!(":white_check_mark: 已从 `{instance}` 删除 `{user_name}`{sure}（策略：{decided}）。")
        }
        (State::AlreadyGone, Language::English, Some(_)) => {
            return message(&format!(
                ":information_source: `{user_name}` was not there on `{instance}`, so nothing was removed ({code}).\n_request {}_",
                escaped(answer.request_id)
            ));
        }
        (State::AlreadyGone, Language::Chinese, Some(_)) => {
            return message(&format!(
                ":information_source: `{instance}` 上没有 `{user_name}`，无需删除（{code}）。\n_request {}_",
                escaped(answer.request_id)
            ));
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
    message(&format!("{text}\n_request {}_", escaped(answer.request_id)))
}

fn sign(state: State) -> &'static str {
    if state == State::Unknown { ":warning:" } else { ":x:" }
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
    let text = shortened(text, LONGEST);
    let body = json!({
        "response_type": "ephemeral",
        "text": text,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
    });
    Rendered { status: StatusCode::OK, body: body.to_string() }
}

/// Slack's three control characters; without this, what TaurusDB says could ring `<!channel>`
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
