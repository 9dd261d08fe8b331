//! What a chat platform is: it gives a message its form.

use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::reply::{Rendered, Reply};

/// A chat platform: people who read messages.
pub trait ChatPlatform: Sync {
    /// Renders a message, in which all text from outside the gateway is escaped.
    fn show(&self, message: &ChatMessage) -> Rendered;

    /// Renders the message about an outcome. Platforms whose messages replace each other have their own.
    fn reply(&self, reply: &Reply<'_>) -> Rendered {
        self.show(&of_reply::message(reply))
    }
}
