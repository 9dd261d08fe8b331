//! What a chat platform is: how it marks up text, and how a message to it looks.

use crate::callers::chat::format::ChatFormat;
use crate::callers::chat::message;
use crate::reply::{Rendered, Reply};

/// A chat platform: people who read messages.
pub trait ChatPlatform: Sync {
    /// How the platform marks up text.
    fn format(&self) -> ChatFormat;

    /// Renders a message with this text, in which all text from outside the gateway is escaped.
    fn message(&self, text: &str) -> Rendered;

    /// Escapes the words of a person in the middle of a sentence of the gateway's, where they could begin or end markup.
    fn quote(&self, words: &str) -> String {
        (self.format().escape)(words)
    }

    /// Renders the message about an outcome. Platforms with buttons, or with messages that one person alone sees, have their
    /// own.
    fn reply(&self, reply: &Reply<'_>) -> Rendered {
        self.message(&message::text(reply, self.format()))
    }
}
