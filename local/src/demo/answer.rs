//! Reads an answer of the gateway as a script would: status, headers and codes, never the wording.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::page::Tone;
use crate::simulator::chat_platform::unescaped;

const REMOVAL: &str = "x-offboard-removal";
const POLICY: &str = "x-offboard-policy";
const CODE: &str = "x-offboard-code";
const REFERENCE: &str = "x-offboard-reference";
const SUCCESS: &str = "SUCCESS";

/// The codes of a denial by policy: of a removal, of viewing it, of approving it.
const DENIED: [&str; 3] = ["OFFBOARD.40301", "OFFBOARD.40304", "OFFBOARD.40308"];

/// The codes of a request that the requester has to confirm first.
const AWAITING_CONFIRMATION: &str = "OFFBOARD.40903";

/// The codes of a request that waits for other people, or that ended while it waited: denied by an approver, cancelled, expired.
const ASKED_FOR: [&str; 4] = ["OFFBOARD.40904", "OFFBOARD.40305", "OFFBOARD.40905", "OFFBOARD.40906"];

/// The codes of refusals that policy was not asked about; the policies in such an answer are those of the request's row.
const NOT_EVALUATED: [&str; 3] = ["OFFBOARD.40306", "OFFBOARD.40307", "OFFBOARD.40907"];

/// The codes of answers about several removals or about an earlier answer, which name no policy.
const NAMES_NONE: [&str; 7] = [
    SUCCESS,
    "OFFBOARD.40309",
    "OFFBOARD.40901",
    "OFFBOARD.40902",
    "OFFBOARD.40908",
    "OFFBOARD.40910",
    "OFFBOARD.50205",
];

/// An answer of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The ID of the ledger row; `None` if the request concerned no removal, such as `help`.
    pub(crate) removal: Option<String>,
    /// The IDs of the policies that decided.
    pub(crate) policies: Vec<String>,
    /// `SUCCESS` or an error code; `None` if the request concerned no removal, such as `help`.
    pub(crate) code: Option<String>,
    /// The reference of a request that waits for confirmation or approval.
    pub(crate) reference: Option<String>,
    /// The body, or the message in it that a chat platform shows.
    pub(crate) shown: String,
    /// What a dry run found, in the documented body.
    would: Option<String>,
}

impl Answer {
    pub(crate) fn read(response: &Response<Bytes>) -> Self {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        let text = json["text"].as_str();
        Self {
            status: response.status(),
            removal: header(REMOVAL).map(str::to_owned),
            policies: header(POLICY).map(|ids| ids.split(',').map(str::to_owned).collect()).unwrap_or_default(),
            code: header(CODE).map(str::to_owned),
            reference: header(REFERENCE).map(str::to_owned),
            would: json["would"].as_str().map(str::to_owned),
            shown: text.map(unescaped).unwrap_or(body),
        }
    }

    /// Returns whether the account was removed.
    pub(crate) fn is_removed(&self) -> bool {
        self.code.as_deref() == Some(SUCCESS)
    }

    /// Returns what policy decided, in words.
    pub(crate) fn policy(&self) -> (Tone, String) {
        let ids = self.policies.join(", ");
        match self.code.as_deref() {
            None if self.status == StatusCode::OK => (Tone::Plain, "not evaluated: not a removal".to_owned()),
            None => (Tone::Bad, "not known: not an answer of the gateway".to_owned()),
            Some(code) if DENIED.contains(&code) => denied(&ids, code),
            Some("DRY_RUN") => self.of_dry_run(&ids),
            Some(code) if ids.is_empty() && NAMES_NONE.contains(&code) => {
                (Tone::Plain, format!("not known: the answer names no policy ({code})"))
            }
            Some(code) if ids.is_empty() || NOT_EVALUATED.contains(&code) => {
                (Tone::Bad, format!("not evaluated: refused earlier ({code})"))
            }
            Some(AWAITING_CONFIRMATION) => (Tone::Plain, format!("to be confirmed, request permitted by {ids}")),
            Some(code) if ASKED_FOR.contains(&code) => {
                (Tone::Plain, format!("needs approval, request permitted by {ids}"))
            }
            Some(_) => (Tone::Good, format!("permitted by {ids}")),
        }
    }

    fn of_dry_run(&self, ids: &str) -> (Tone, String) {
        match self.would.as_deref() {
            Some("remove") => (Tone::Good, format!("permitted by {ids}")),
            Some("request-approval") => (Tone::Plain, format!("needs approval, request permitted by {ids}")),
            Some(_) => denied(ids, "DRY_RUN"),
            // In a chat, the sentence says it.
            None if ids.is_empty() => denied(ids, "DRY_RUN"),
            None => (Tone::Plain, format!("dry run, decided by {ids}")),
        }
    }
}

fn denied(ids: &str, code: &str) -> (Tone, String) {
    let why = if ids.is_empty() { "no policy permits it".to_owned() } else { format!("forbidden by {ids}") };
    (Tone::Bad, format!("denied: {why} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Answer::read(&response.body(body.to_owned().into()).unwrap())
    }

    #[test]
    fn the_code_says_how_it_ended() {
        let (row, policy) = ((REMOVAL, "r1"), (POLICY, "a,b"));
        for (status, headers, removed, policy_text) in [
            (200, &[row, policy, (CODE, "SUCCESS")][..], true, "permitted by a, b"),
            (200, &[row, policy, (CODE, "DBS.200824")], false, "permitted by a, b"),
            (200, &[row, (CODE, "OFFBOARD.40301")], false, "denied: no policy permits it (OFFBOARD.40301)"),
            (403, &[row, policy, (CODE, "OFFBOARD.40301")], false, "denied: forbidden by a, b (OFFBOARD.40301)"),
            (403, &[row, policy, (CODE, "OFFBOARD.40304")], false, "denied: forbidden by a, b (OFFBOARD.40304)"),
            (403, &[row, (CODE, "OFFBOARD.40308")], false, "denied: no policy permits it (OFFBOARD.40308)"),
            (409, &[row, policy, (CODE, "OFFBOARD.40904")], false, "needs approval, request permitted by a, b"),
            (409, &[row, policy, (CODE, "OFFBOARD.40903")], false, "to be confirmed, request permitted by a, b"),
            (403, &[row, policy, (CODE, "OFFBOARD.40306")], false, "not evaluated: refused earlier (OFFBOARD.40306)"),
            (200, &[(CODE, "SUCCESS")], true, "not known: the answer names no policy (SUCCESS)"),
            (502, &[(CODE, "OFFBOARD.50205")], false, "not known: the answer names no policy (OFFBOARD.50205)"),
            (200, &[row, policy, (CODE, "DRY_RUN")], false, "dry run, decided by a, b"),
            (401, &[row, (CODE, "OFFBOARD.40105")], false, "not evaluated: refused earlier (OFFBOARD.40105)"),
            (200, &[], false, "not evaluated: not a removal"),
            (500, &[], false, "not known: not an answer of the gateway"),
        ] {
            let answer = answer(status, headers, "");
            assert_eq!(answer.is_removed(), removed, "{headers:?}");
            assert_eq!(answer.policy().1, policy_text, "{headers:?}");
        }
    }

    #[test]
    fn a_dry_run_says_what_policy_said() {
        for (would, policies, expected) in [
            ("remove", "a", "permitted by a"),
            ("request-approval", "a", "needs approval, request permitted by a"),
            ("deny", "a", "denied: forbidden by a (DRY_RUN)"),
            ("deny", "", "denied: no policy permits it (DRY_RUN)"),
        ] {
            let mut headers = vec![(CODE, "DRY_RUN")];
            if !policies.is_empty() {
                headers.push((POLICY, policies));
            }
            let body = format!(r#"{{"result":"DRY_RUN","would":"{would}"}}"#);
            assert_eq!(answer(200, &headers, &body).policy().1, expected, "{would}");
        }
    }
}
