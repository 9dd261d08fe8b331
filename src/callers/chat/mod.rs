//! Chat platforms: people who type commands and press buttons.

mod clauses;
mod delivery;
pub mod dingtalk;
pub mod discord;
pub mod feishu;
mod feishu_text;
pub mod format;
pub(crate) mod forms;
pub mod google_chat;
mod google_chat_event;
pub mod grammar;
pub mod mattermost;
mod mentions;
pub mod message;
pub mod of_reply;
pub mod platform;
pub mod slack;
pub mod teams;
mod tenant;
pub mod text;
pub mod wecom;
mod wecom_xml;
mod wording;
