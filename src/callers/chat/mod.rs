//! Chat platforms: people who type commands and press buttons.

pub mod dingtalk;
pub mod discord;
pub mod feishu;
pub mod format;
pub mod google_chat;
pub mod grammar;
pub mod mattermost;
pub mod message;
pub mod platform;
pub mod slack;
pub mod teams;
pub mod wecom;
