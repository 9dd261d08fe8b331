//! A notice: what a target is told, before its platform gives it a form.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::callers::chat::format::{ChatFormat, truncate};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{ChatMessage, Next};
use crate::callers::chat::text::Text;
use crate::config::notify::NotifyEvent;
use crate::notify::verdict::Handle;
use crate::outcome::language::Localized;

/// What a target is told.
#[derive(Debug, Clone)]
pub struct Notice<'a> {
    /// Of what.
    pub event: NotifyEvent,
    /// The message to people.
    pub message: ChatMessage,
    /// The page of the request.
    pub link: Option<String>,
    /// What systems are told: the facts of the removal by name.
    pub facts: Map<String, Value>,
    /// What this notice is about: the same for everything that is told of one request.
    pub thread: String,
    /// Which notice it is: the same at each attempt. Letters, digits, `-` and `_`.
    pub key: String,
    /// The message that told first of the request, if the platform said how to refer to it.
    pub earlier: Option<&'a Handle>,
    /// When what it tells of happened.
    pub since: DateTime<Utc>,
    /// The time of this attempt.
    pub at: DateTime<Utc>,
}

/// See [`Notice::with_keyword`].
const KEYWORD: &str = "OFFBOARD";

/// The label of the link.
const OPEN: Localized = Localized { en: "Open", zh: "查看" };

impl Notice<'_> {
    /// The message as this reader gets it: with its buttons, or with the words that stand for them. Reminders have no buttons, because
    /// those of the first message are still there.
    pub(super) fn shown(&self, has_buttons: bool) -> ChatMessage {
        let message = self.message.clone();
        if has_buttons && self.event == NotifyEvent::Waiting {
            return message;
        }
        let in_words = message.next.in_words.clone();
        ChatMessage { next: Next { with_buttons: in_words.clone(), in_words, buttons: Vec::new() }, ..message }
    }

    /// The same with a constant word: robots may be set to take only what has one, against messages of others.
    pub(super) fn with_keyword(&self) -> ChatMessage {
        let mut message = self.shown(false);
        message.small_print.push(Text::words(KEYWORD));
        message
    }

    /// The label of the link, in the message's language.
    pub(super) fn open(&self) -> &'static str {
        OPEN.in_language(self.message.language)
    }

    /// The title in plain text.
    pub(super) fn title(&self) -> String {
        self.message.heading().render(&ChatFormat::PLAIN)
    }

    /// The message in plain text, with the link on a line of its own.
    pub(super) fn plain(&self, longest: usize) -> String {
        let link = self.link.as_ref().map(|link| format!("\n{link}")).unwrap_or_default();
        let longest = longest.saturating_sub(link.chars().count());
        plain::text(&self.message, &ChatFormat::PLAIN, longest, plain::characters) + &link
    }

    /// What has to be known at least, in so many characters: the title, the words to type, the link.
    pub(super) fn short(&self, longest: usize) -> String {
        let words = self.message.next.in_words.render(&ChatFormat::PLAIN);
        let tail = [words].into_iter().chain(self.link.clone()).filter(|line| !line.is_empty());
        let tail: String = tail.map(|line| format!("\n{line}")).collect();
        truncate(&self.title(), longest.saturating_sub(tail.chars().count())) + &tail
    }
}
