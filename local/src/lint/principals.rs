//! Principals: which of them can send a request.

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers::actors::actor;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::source_map::{Located, SourceMap};
use starrocks_offboard::diagnostic::Diagnostic;

/// Warns of team members and persons who can never send a request.
pub(super) fn unreachable(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let members = source_map.teams.iter().flat_map(|team| &team.members).map(|member| ("team.members", member));
    // People of a caller that reports leavers send nothing; who they are still matters when one of them leaves.
    let may_leave = |principal: &&Located| {
        let caller = principal.text.split_once('/').and_then(|(caller, _)| config.caller(caller).ok());
        caller.is_some_and(|caller| caller.leavers.is_some())
    };
    let principals = source_map.principals.iter().filter(|principal| !may_leave(principal));
    let principals = principals.map(|principal| ("person.principals", principal));
    let unreachable = members.chain(principals).filter_map(|(key, principal)| {
        let why = actor(config, &principal.text).err()?;
        Some(Diagnostic::warning(OFFBOARD, Some(principal.line), format!("{key} {why}")))
    });
    unreachable.collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    #[test]
    fn members_who_can_never_send_a_request_are_reported() {
        let never = |line: usize, why: &str| format!("warning: offboard.toml, line {line}: team.members {why}");
        assert_eq!(
            found(
                "[\"slack/U1\", \"hr\", \"portal/KEY1\"]",
                "[\n\"pager/U1\",\n\"hr/U1\",\n\"portal/KEY2\",\n\"slack\",\n\"portal\",\n\"slack/\"]",
            ),
            [
                never(
                    14,
                    "`pager/U1` can never send a request: caller `pager` is not configured; correct the name or add the caller"
                ),
                never(
                    15,
                    "`hr/U1` can never send a request: a caller of kind `standard-webhooks` acts under its own name; write `hr`"
                ),
                never(
                    16,
                    "`portal/KEY2` can never send a request: caller `portal` has no access key `KEY2`; correct the ID or add the key"
                ),
                never(
                    17,
                    "`slack` can never send a request: caller `slack` is for people; write `slack/` and the person's ID"
                ),
                never(
                    18,
                    "`portal` can never send a request: caller `portal` is for access keys; write `portal/` and an access key ID"
                ),
                never(
                    19,
                    "`slack/` can never send a request: caller `slack` is for people; write `slack/` and the person's ID"
                ),
            ]
        );
    }

    #[test]
    fn persons_who_can_never_send_a_request_are_reported() {
        assert_eq!(
            found("principals = [\"slack/U1\"]", "principals = [\"slack/U1\", \"Slack/U1\"]"),
            [
                "warning: offboard.toml, line 16: person.principals `Slack/U1` can never send a request: caller `Slack` is not configured; correct the name or add the caller"
            ]
        );
    }
}
