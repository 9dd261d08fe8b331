//! The forms of messages, one a platform: what is made out of a [`ChatMessage`](crate::callers::chat::message::ChatMessage).
//! `tests/node` holds them against the platforms' own types.

pub(super) mod discord;
pub(super) mod feishu;
pub(super) mod google_chat;
pub(super) mod mattermost;
pub(super) mod plain;
pub(super) mod slack;
pub(super) mod teams;
pub(super) mod wecom;
