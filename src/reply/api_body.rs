//! The answer as TaurusDB's API page documents it: `{"result":"SUCCESS"}`, otherwise `{"error_code":"…","error_msg":"…"}` (API page
//! "Deleting a Database Account of a StarRocks Instance", 2025-07-29). Dry runs and leavers have keys of the gateway's own.

use serde_json::{Value, json};

use crate::outcome::{DryRun, Outcome};
use crate::reply::{Rendered, Reply};

/// Renders an outcome with its own status.
pub fn api_body(reply: &Reply<'_>) -> Rendered {
    let Reply { outcome, language, .. } = reply;
    let error = || json!({"error_code": outcome.code(), "error_msg": outcome.message(*language)});
    let body = match outcome {
        Outcome::Removed(_) => json!({"result": "SUCCESS"}),
        Outcome::DryRun(DryRun { decision, account, policies }) => json!({
            "result": "DRY_RUN",
            "would": decision.as_str(),
            "account": account.as_str(),
            "policies": policies,
        }),
        Outcome::Offboarded(results) => {
            let mut body = if outcome.status().is_success() { json!({"result": "SUCCESS"}) } else { error() };
            if let Value::Object(fields) = &mut body {
                if results.is_empty() {
                    fields.insert("message".into(), outcome.message(*language).into());
                }
                fields.insert("removals".into(), json!(results));
            }
            body
        }
        _ => error(),
    };
    Rendered::json(outcome.status(), body.to_string())
}
