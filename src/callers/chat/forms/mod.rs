//! The forms of messages, one a platform: what is made out of a [`ChatMessage`](crate::callers::chat::message::ChatMessage).
//! `tests/node` holds them against the platforms' own types.

pub(crate) mod discord;
pub(crate) mod feishu;
pub(crate) mod google_chat;
pub(crate) mod mattermost;
pub(crate) mod plain;
pub(crate) mod slack;
pub(crate) mod teams;
pub(crate) mod wecom;
