//! The paths that the simulation answers.

/// The path of a request for a token.
pub(super) const TOKENS: &str = "/v3/auth/tokens";

/// Returns the project ID and the instance ID in the path of an instance's accounts, without checking either.
pub(super) fn instance_ids(path: &str) -> Option<(&str, &str)> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        ["", "v3", project_id, "instances", instance_id, "starrocks", "users"] => Some((project_id, instance_id)),
        _ => None,
    }
}

pub(super) fn is_accounts(path: &str) -> bool {
    instance_ids(path).is_some()
}
