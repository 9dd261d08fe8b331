//! WeCom, by a group robot (<https://developer.work.weixin.qq.com/document/path/99110>): Markdown of 4,096 bytes at most. A robot takes
//! 20 messages a minute, so requests that wait share a message.
//!
//! Not supported: messages of an app, which can be changed.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::callers::chat::forms::wecom;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered_with, by_status, json as read, undocumented};
use crate::notify::webhook;

pub(super) struct Wecom;

/// The most bytes of a text.
const LONGEST: usize = 4096;

impl NotifyPlatform for Wecom {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let expected = "the URL of a group robot, `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…`";
        let uri = webhook::url_at(to, &["https://qyapi.weixin.qq.com"], expected)?;
        let link = notice.link.as_ref().map(|link| format!("\n[{}]({link})", notice.open())).unwrap_or_default();
        let longest = LONGEST.saturating_sub(link.len());
        let text = cut(&wecom::group(&notice.shown(false), longest), longest).to_owned() + &link;
        Ok(webhook::json(Method::POST, uri, &json!({"msgtype": "markdown", "markdown": {"content": text}})))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let said = |code: i64| answered_with(answer, &code.to_string());
        match read(answer).get("errcode").and_then(Value::as_i64) {
            Some(0) if answer.status().is_success() => Verdict::Delivered(None),
            Some(code @ (-1 | 45_009 | 45_033)) => Verdict::Retry(None, said(code)),
            Some(code @ 93_000) => Verdict::Dead(said(code)),
            Some(code) => Verdict::Refused(said(code)),
            None if answer.status().is_client_error() => Verdict::Refused(answered_with(answer, "")),
            None => undocumented(answer),
        }
    }

    fn merges(&self) -> bool {
        true
    }
}

/// At most so many bytes of a text, and no part of a character.
fn cut(text: &str, longest: usize) -> &str {
    let end = text.char_indices().map(|(at, character)| at.saturating_add(character.len_utf8()));
    let end = end.take_while(|end| *end <= longest).last().unwrap_or_default();
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_text_is_cut_at_the_edge_of_a_character() {
        assert_eq!((cut("账号", 5), cut("账号", 6), cut("a账", 0), cut("", 3)), ("账", "账号", "", ""));
    }
}
