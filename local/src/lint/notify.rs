//! `[[notify]]`: whether its variables are set and its hosts allowed, and what its platforms do not tell by themselves.

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::notify::{NotifyService, NotifyTarget, URL};
use starrocks_offboard::config::source_map::{NotifyLocations, SourceMap};
use starrocks_offboard::diagnostic::Diagnostic;

use super::spin_toml::SpinToml;
use crate::words::quoted_with;

/// Each target and its lines.
fn located<'a>(
    config: &'a Config,
    source_map: &'a SourceMap,
) -> impl Iterator<Item = (&'a NotifyTarget, &'a NotifyLocations)> {
    config.notify.iter().zip(&source_map.notify)
}

/// Warns of workflows of Teams, which end with the person who made them.
pub(super) fn owned_by_one_person(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let workflows = located(config, source_map).filter(|(target, _)| target.service.kind() == "teams");
    let diagnostics = workflows.map(|(target, located)| {
        let message = format!(
            "notify `{}`: a workflow of Teams belongs to the person who made it and stops when they leave; give it a second owner",
            target.name
        );
        Diagnostic::warning(OFFBOARD, Some(located.name.line), message)
    });
    diagnostics.collect()
}

/// Reports variables that spin.toml does not declare, and warns of those that are not set.
pub(super) fn without_secrets(spin: &SpinToml, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (target, located) in located(config, source_map) {
        let namer = format!("notify `{}` names", target.name);
        let undeclared = located.variables.iter();
        diagnostics.extend(undeclared.filter_map(|named| spin.undeclared(&namer, &named.text, named.line)));
        let variables = target.service.variables().into_iter().map(|(_, variable)| variable);
        let unset: Vec<_> = variables.filter(|name| spin.hands_over(name) && !spin.is_set(name)).collect();
        if !unset.is_empty() {
            let message = format!(
                "notify `{}` is not complete, so nothing is told there; set {}",
                target.name,
                quoted_with(&unset, "and")
            );
            diagnostics.push(Diagnostic::warning(OFFBOARD, Some(located.name.line), message));
        }
    }
    diagnostics
}

/// Warns of hosts that spin.toml does not allow. Of a webhook's URL nothing is shown but its origin: the rest is the secret.
pub(super) fn refused_hosts(spin: &SpinToml, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (target, located) in located(config, source_map) {
        let Some(origin) = origin(spin, &target.service).filter(|origin| !spin.allows(origin)) else { continue };
        let message = format!(
            "spin.toml does not allow the host of notify `{}`, `{origin}`; add it to allowed_outbound_hosts",
            target.name
        );
        diagnostics.push(Diagnostic::warning(OFFBOARD, Some(located.name.line), message));
    }
    diagnostics
}

/// Where the messages of a target go; `None` if only a variable says it that is not set.
fn origin(spin: &SpinToml, service: &NotifyService) -> Option<String> {
    let usual = match service {
        NotifyService::Slack { .. } => return Some("https://slack.com".to_owned()),
        NotifyService::Mattermost { server, .. } | NotifyService::Pagerduty { server, .. } => {
            return Some(server.clone());
        }
        NotifyService::Smn(topic) => return Some(topic.origin()),
        NotifyService::SlackWebhook { .. } => Some("https://hooks.slack.com"),
        NotifyService::GoogleChat { .. } => Some("https://chat.googleapis.com"),
        NotifyService::Discord { .. } => Some("https://discord.com"),
        NotifyService::Feishu { .. } => Some("https://open.feishu.cn"),
        NotifyService::Dingtalk { .. } => Some("https://oapi.dingtalk.com"),
        NotifyService::Wecom { .. } => Some("https://qyapi.weixin.qq.com"),
        NotifyService::MattermostWebhook { .. }
        | NotifyService::Teams { .. }
        | NotifyService::StandardWebhooks { .. } => None,
    };
    let (_, variable) = service.variables().into_iter().find(|(key, _)| *key == URL)?;
    let given = spin.secret(variable).and_then(|url| {
        let uri: http::Uri = url.expose().parse().ok()?;
        Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
    });
    given.or(usual.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, found_with_spin};

    const AFTER: &str = "secrets = [\"new_secret\", \"old_secret\"]";

    fn with(table: &str, set: &[(&str, &str)]) -> Vec<String> {
        found_with_spin(
            &[(AFTER, &format!("{AFTER}\n[[notify]]\nname = \"ops\"\nevents = [\"unknown\"]\n{table}"))],
            set,
        )
    }

    #[test]
    fn variables_that_spin_toml_does_not_hand_over_are_errors() {
        let undeclared = "which spin.toml does not declare; add it to `[variables]` and to the component's `variables`";
        let found = with("kind = \"slack-webhook\"\nurl = \"slack_url\"", &[]);
        let expected =
            format!("error: offboard.toml, line 27: notify `ops` names the Spin variable `slack_url`, {undeclared}");
        assert!(found.contains(&expected), "{found:#?}");
    }

    #[test]
    fn hosts_that_spin_toml_refuses_are_reported_without_the_secret() {
        for (table, expected) in [
            (
                "kind = \"slack\"\ntoken = \"old_secret\"\nchannel = \"C0123ABCD\"",
                &[
                    "warning: offboard.toml, line 24: notify `ops` is not complete, so nothing is told there; set `old_secret`",
                    "warning: offboard.toml, line 24: spin.toml does not allow the host of notify `ops`, `https://slack.com`; add it to allowed_outbound_hosts",
                ][..],
            ),
            (
                "kind = \"slack-webhook\"\nurl = \"new_secret\"",
                &[
                    "warning: offboard.toml, line 24: spin.toml does not allow the host of notify `ops`, `https://hooks.slack.com`; add it to allowed_outbound_hosts",
                ],
            ),
            ("kind = \"smn\"\ntopic = \"urn:smn:ap-southeast-3:23a50154cf494ec9ad6883979a12db0a:approvers\"", &[]),
        ] {
            let found = with(table, &[("new_secret", "https://hooks.slack.com/services/T0/B0/secret")]);
            assert_eq!(found, expected, "{table}");
        }
    }

    #[test]
    fn a_workflow_is_its_maker_s() {
        let after = "access_keys = [{ id = \"KEY1\", secret = \"portal_secret\" }]";
        let table = "[[notify]]\nname = \"ops\"\nkind = \"teams\"\nurl = \"teams_url\"\nevents = [\"unknown\"]";
        assert_eq!(
            found(after, &format!("{after}\n{table}")),
            [
                "warning: offboard.toml, line 30: notify `ops`: a workflow of Teams belongs to the person who made it and stops when they leave; give it a second owner"
            ]
        );
    }
}
