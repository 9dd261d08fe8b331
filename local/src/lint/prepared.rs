//! prepared.json: whether it still belongs to the policies.

use starrocks_offboard::diagnostic::Diagnostic;
use starrocks_offboard::policy::Policies;
use starrocks_offboard::policy::prepared::PREPARED;

use crate::operator_files::OperatorFiles;

/// Warns of a prepared.json that the gateway ignores, and reports one that the gateway would use although its policies
/// are not those of policy.cedar.
pub(super) fn stale(files: &OperatorFiles) -> Option<Diagnostic> {
    let (prepared, policies) = (files.prepared.as_ref()?, Policies::parse(&files.policy, &files.schema).ok()?);
    match Policies::prepared(prepared, &files.policy, &files.schema) {
        Err(why) => {
            let why = why.to_string();
            let message = why.strip_prefix("prepared.json: ").unwrap_or(&why);
            let message = format!("{message}; until then each new instance parses the policies");
            Some(Diagnostic::warning(PREPARED, None, message))
        }
        Ok(_) if policies.matches(prepared) => None,
        Ok(_) => Some(Diagnostic::error(
            PREPARED,
            None,
            "its policies differ from policy.cedar although its digest matches; run `offboard prepare` again, and find out who changed it",
        )),
    }
}
