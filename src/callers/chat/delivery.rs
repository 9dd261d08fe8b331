//! What platforms answer to a follow-up message. Several refuse one with status 200; an answer that none of them documents is no
//! success.

use serde_json::Value;

use crate::callers::follow_up::Delivery;

/// Slack and Mattermost: `ok` as text, or JSON with `ok` or `status`; a refusal is a code such as `no_text`, as text or in `error` or
/// `id` (<https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>; `commandWebhook` and `AppError` in
/// Mattermost's server).
pub(super) fn said_ok(body: &[u8]) -> Delivery {
    let text = String::from_utf8_lossy(body);
    match (text.trim(), serde_json::from_slice::<Value>(body)) {
        ("ok", _) => Delivery::Accepted,
        (_, Ok(answer)) if answer.get("ok") == Some(&true.into()) => Delivery::Accepted,
        (_, Ok(answer)) if answer.get("status") == Some(&"OK".into()) => Delivery::Accepted,
        (_, Ok(answer)) => {
            let code = ["error", "id"].into_iter().find_map(|key| answer.get(key)?.as_str());
            code.and_then(code_of).map_or(Delivery::Unknown, Delivery::Refused)
        }
        (text, Err(_)) if text.contains('_') => code_of(text).map_or(Delivery::Unknown, Delivery::Refused),
        (_, Err(_)) => Delivery::Unknown,
    }
}

/// Feishu: `code`, 0 for a success (<https://open.feishu.cn/document/ukTMukTMukTM/ugjM14COyUjL4ITN>).
pub(super) fn code(body: &[u8]) -> Delivery {
    number(body, "code")
}

/// DingTalk and WeCom: `errcode`, 0 for a success; DingTalk's limits answer `status` without it.
pub(super) fn errcode(body: &[u8]) -> Delivery {
    match number(body, "errcode") {
        Delivery::Unknown => match number(body, "status") {
            Delivery::Accepted => Delivery::Unknown,
            other => other,
        },
        known => known,
    }
}

/// Discord: the status says everything.
pub(super) fn by_status(_: &[u8]) -> Delivery {
    Delivery::Accepted
}

fn number(body: &[u8], key: &str) -> Delivery {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer.get(key).and_then(Value::as_i64) {
        Some(0) => Delivery::Accepted,
        Some(code) => Delivery::Refused(code.to_string()),
        None => Delivery::Unknown,
    }
}

/// A code that can stand in the log: it is no text of its own and no address.
fn code_of(text: &str) -> Option<String> {
    let is_code = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    is_code.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_s_refusal_is_read_and_no_other_answer_is_a_success() {
        let refused = |code: &str| Delivery::Refused(code.to_owned());
        for (read, body, expected) in [
            (said_ok as fn(&[u8]) -> Delivery, "ok", Delivery::Accepted),
            (said_ok, "ok\n", Delivery::Accepted),
            (said_ok, r#"{"ok":true}"#, Delivery::Accepted),
            (said_ok, r#"{"status":"OK"}"#, Delivery::Accepted),
            (said_ok, r#"{"ok":false,"error":"used_url"}"#, refused("used_url")),
            (said_ok, "no_text", refused("no_text")),
            (
                said_ok,
                r#"{"id":"web.command_webhook.command.app_error","status_code":400}"#,
                refused("web.command_webhook.command.app_error"),
            ),
            (said_ok, r#"{"ok":false,"error":"see https://hooks.slack.com/x"}"#, Delivery::Unknown),
            (said_ok, "<html>log_in</html>", Delivery::Unknown),
            (said_ok, "", Delivery::Unknown),
            (said_ok, "{}", Delivery::Unknown),
            (code, r#"{"code":0,"msg":"success"}"#, Delivery::Accepted),
            (code, r#"{"code":230002,"msg":"Bot can NOT be out of the chat."}"#, refused("230002")),
            (code, r#"{"code":"0"}"#, Delivery::Unknown),
            (code, "ok", Delivery::Unknown),
            (errcode, r#"{"errcode":0,"errmsg":"ok"}"#, Delivery::Accepted),
            (errcode, r#"{"errcode":310000,"errmsg":"keywords not in content"}"#, refused("310000")),
            (errcode, r#"{"errcode":-1}"#, refused("-1")),
            (errcode, r#"{"status":1111,"wait":5,"punish":"deny"}"#, refused("1111")),
            (errcode, r#"{"status":0}"#, Delivery::Unknown),
            (errcode, "", Delivery::Unknown),
            (by_status, "", Delivery::Accepted),
        ] {
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
    }
}
