//! Names and paths of SCIM attributes, as identity systems write them.

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Returns a name without the core schema before it.
pub(crate) fn plain_name(name: &str) -> &str {
    let schema = name.get(..USER.len()).filter(|start| start.eq_ignore_ascii_case(USER));
    schema.and_then(|_| name.get(USER.len()..)).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name)
}

/// Splits a path: `name.givenName`, `emails[type eq "work"].value` (as `emails`, `work`, `value`), `urn:…:User:employeeNumber`.
pub(crate) fn parse_path(path: &str) -> Vec<String> {
    let path = plain_name(path.trim());
    if let Some(start) = path.get(..ENTERPRISE.len()).filter(|start| start.eq_ignore_ascii_case(ENTERPRISE)) {
        let rest = path.get(ENTERPRISE.len()..).and_then(|rest| rest.strip_prefix(':'));
        return [Some(start), rest].into_iter().flatten().map(str::to_owned).collect();
    }
    if let Some((outer, rest)) = path.split_once('[')
        && let Some((filter, after)) = rest.split_once(']')
    {
        let kind = filter.split('"').nth(1).unwrap_or_default();
        let inner = after.strip_prefix('.').unwrap_or("value");
        return [outer, kind, inner].map(str::to_owned).into();
    }
    path.split('.').map(str::to_owned).collect()
}
