//! Messages to those who are told: what each platform takes, and what its answer says. One file a platform.
//!
//! Pure over (notice, secrets, time): nothing is sent from here, and nothing here knows the ledger or TaurusDB. What is sent, when and
//! how often is for the operations.
//!
//! What counts as delivered is read from each platform's own answer, because several refuse a message with status 200. An answer that a
//! platform does not document is no success.

mod dingtalk;
mod discord;
mod feishu;
mod google_chat;
mod mattermost;
pub mod notice;
mod pagerduty;
pub mod platform;
mod slack;
mod smn;
mod standard_webhooks;
mod teams;
pub mod verdict;
mod webhook;
mod wecom;

use crate::config::notify::NotifyService;
use crate::notify::platform::NotifyPlatform;

/// Returns the platform of a target.
pub fn platform_of(service: &NotifyService) -> &'static dyn NotifyPlatform {
    match service {
        NotifyService::SlackWebhook { .. } => &slack::SlackWebhook,
        NotifyService::Slack { .. } => &slack::SlackBot,
        NotifyService::MattermostWebhook { .. } => &mattermost::MattermostWebhook,
        NotifyService::Mattermost { .. } => &mattermost::MattermostBot,
        NotifyService::Teams { .. } => &teams::Teams,
        NotifyService::GoogleChat { .. } => &google_chat::GoogleChat,
        NotifyService::Discord { .. } => &discord::Discord,
        NotifyService::Feishu { .. } => &feishu::Feishu,
        NotifyService::Dingtalk { .. } => &dingtalk::Dingtalk,
        NotifyService::Wecom { .. } => &wecom::Wecom,
        NotifyService::Smn(_) => &smn::Smn,
        NotifyService::Pagerduty { .. } => &pagerduty::Pagerduty,
        NotifyService::StandardWebhooks { .. } => &standard_webhooks::StandardWebhooks,
    }
}

#[cfg(test)]
mod tests;
