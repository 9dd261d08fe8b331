//! The workspaces and tenants that a caller's people may be of, for platforms that sign them.

use crate::config::callers::Caller;
use crate::outcome::language::Localized;
use crate::request::error::RequestError;

/// Checks the tenant of a request against those of offboard.toml. Without that setting, people of every tenant are heard.
///
/// # Errors
///
/// If the request names another tenant, or none.
pub(super) fn check(
    caller: &Caller,
    setting: &str,
    field: &'static str,
    given: Option<&str>,
) -> Result<(), RequestError> {
    let allowed = caller.settings(setting);
    match given {
        _ if allowed.is_empty() => Ok(()),
        Some(given) if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(given)) => Ok(()),
        Some(given) => Err(foreign(field, given)),
        None => Err(RequestError::FieldMissing { name: field }),
    }
}

/// The refusal of a request from another tenant.
pub(super) fn foreign(field: &'static str, given: &str) -> RequestError {
    let expected = Localized {
        en: "a workspace or tenant that this caller serves", zh: "此调用方服务的工作区或租户"
    };
    RequestError::invalid(field, given, expected)
}
