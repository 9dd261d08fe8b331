//! WeCom: Markdown of a bot (<https://developer.work.weixin.qq.com/document/path/101138>), plain text of an app.

use crate::callers::chat::format::{ChatFormat, between_backticks, without_marks};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::ChatMessage;

const MARKDOWN: ChatFormat = ChatFormat {
    escape: quoted,
    code: Some(|value| between_backticks(&escaped(value))),
    bold: |words| format!("**{words}**"),
    small: str::to_owned,
};

const TEXT: ChatFormat = ChatFormat { escape: escaped, ..ChatFormat::PLAIN };

/// WeCom takes 20480 bytes from a bot.
const LONGEST_OF_BOT: usize = 20_000;

/// WeCom cuts the text of an app off after so many bytes.
const LONGEST_OF_APP: usize = 2048;

/// The text of a bot.
pub(crate) fn markdown(message: &ChatMessage) -> String {
    plain::text(message, &MARKDOWN, LONGEST_OF_BOT, str::len)
}

/// The text of a group's robot, with room for a link behind it.
pub(crate) fn group(message: &ChatMessage, longest: usize) -> String {
    plain::text(message, &MARKDOWN, longest, str::len)
}

/// The text of an app.
pub(crate) fn text(message: &ChatMessage) -> String {
    plain::text(message, &TEXT, LONGEST_OF_APP, str::len)
}

/// Replaces what makes links, mentions and tags with characters that look like it: neither form has an escape.
fn escaped(text: &str) -> String {
    text.replace('<', "＜").replace('>', "＞").replace("](", "］(")
}

/// Words of others in Markdown: no code and no emphasis either.
fn quoted(words: &str) -> String {
    without_marks(&escaped(words), &['`', '*'])
}
