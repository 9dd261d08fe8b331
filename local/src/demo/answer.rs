//! Reads the gateway's answer as a script would: status, headers, codes; never the wording.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::page::Tone;
use crate::later::unescaped;

const REMOVAL: &str = "x-offboard-removal";
const POLICY: &str = "x-offboard-policy";
const CODE: &str = "x-offboard-code";
const REFERENCE: &str = "x-offboard-reference";
const SUCCESS: &str = "SUCCESS";
const DENIED: &str = "OFFBOARD.40301";

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The id of the ledger's row; none when nothing was asked of the gateway but help.
    pub(super) removal: Option<String>,
    /// The ids of the policies that decided.
    pub(super) policies: Vec<String>,
    /// `SUCCESS`, or why not; none when nothing was asked of the gateway but help.
    pub(super) code: Option<String>,
    /// What to confirm or approve, while it waits for that.
    pub(super) reference: Option<String>,
    /// The body, or the message in it that a chat platform shows.
    pub(super) shown: String,
}

impl Answer {
    pub(super) fn read(response: &Response<Bytes>) -> Self {
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
            shown: text.map(unescaped).unwrap_or(body),
        }
    }

    /// Whether the account is gone.
    pub(super) fn is_removed(&self) -> bool {
        self.code.as_deref() == Some(SUCCESS)
    }

    /// What policy said.
    pub(super) fn verdict(&self) -> (Tone, String) {
        let ids = self.policies.join(", ");
        match self.code.as_deref() {
            None if self.status == StatusCode::OK => (Tone::Plain, "not asked: this was no removal".to_owned()),
            None => (Tone::Bad, "not known: the answer is none of the gateway's".to_owned()),
            Some(DENIED) if ids.is_empty() => (Tone::Bad, format!("no: no policy permits it ({DENIED})")),
            Some(DENIED) => (Tone::Bad, format!("no: forbidden by {ids} ({DENIED})")),
            Some(code) if ids.is_empty() => (Tone::Bad, format!("not asked: refused before that ({code})")),
            Some(_) => (Tone::Good, format!("yes, by {ids}")),
        }
    }
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
        for (status, headers, removed, verdict) in [
            (200, &[row, policy, (CODE, "SUCCESS")][..], true, "yes, by a, b"),
            (200, &[row, policy, (CODE, "DBS.200824")], false, "yes, by a, b"),
            (200, &[row, (CODE, DENIED)], false, "no: no policy permits it (OFFBOARD.40301)"),
            (403, &[row, policy, (CODE, DENIED)], false, "no: forbidden by a, b (OFFBOARD.40301)"),
            (401, &[row, (CODE, "OFFBOARD.40105")], false, "not asked: refused before that (OFFBOARD.40105)"),
            (200, &[], false, "not asked: this was no removal"),
            (500, &[], false, "not known: the answer is none of the gateway's"),
        ] {
            let answer = answer(status, headers, "");
            assert_eq!(answer.is_removed(), removed, "{headers:?}");
            assert_eq!(answer.verdict().1, verdict, "{headers:?}");
        }
    }
}
