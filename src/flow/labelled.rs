//! The host as one request sees it: every line that it writes to the log says which trace it belongs to, and every line of JSON
//! by which gateway and under which policy set it was written.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::host::{Answered, Batched, DatabaseKind, Host, Limits, SendError, StoreError, Value};
use crate::ledger::GATEWAY;
use crate::secret::Secret;

/// A host whose log lines carry labels. Everything else is the host's own.
pub(super) struct Labelled<'r, H> {
    pub(super) host: &'r H,
    /// The trace id of the request, which has nothing but hexadecimal digits.
    pub(super) trace_id: Option<&'r str>,
    /// The digest of the policies in force; `None` if they cannot be used.
    pub(super) policy_set: Option<&'r str>,
}

impl<H> Labelled<'_, H> {
    fn labelled(&self, line: &str) -> String {
        let Some(fields) = line.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return self.trace_id.map_or_else(|| line.to_owned(), |id| format!("{line} (trace {id})"));
        };
        let mut labelled = format!("{{{fields}");
        // A row has both already: those that it was written with. Quotes inside of a value are escaped, so this finds keys alone.
        for (key, value) in [("gateway", Some(GATEWAY)), ("policy_set", self.policy_set), ("trace_id", self.trace_id)] {
            if let Some(value) = value
                && !fields.contains(&format!("\"{key}\":"))
            {
                labelled += &format!(",\"{key}\":\"{value}\"");
            }
        }
        labelled + "}"
    }
}

impl<H: Host> Host for Labelled<'_, H> {
    fn now(&self) -> DateTime<Utc> {
        self.host.now()
    }

    fn elapsed(&self) -> Duration {
        self.host.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }

    fn random(&self) -> u128 {
        self.host.random()
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        self.host.variable(name).await
    }

    async fn file(&self, name: &str) -> Option<String> {
        self.host.file(name).await
    }

    async fn database(&self) -> Result<DatabaseKind, StoreError> {
        self.host.database().await
    }

    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        self.host.query(statement, parameters).await
    }

    async fn query_batched(
        &self,
        statement: &'static Batched,
        item: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.host.query_batched(statement, item).await
    }

    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
        self.host.send(request, limits).await
    }

    fn log(&self, line: &str) {
        self.host.log(&self.labelled(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_says_beside_its_own() {
        let with = |trace_id, policy_set| Labelled { host: &(), trace_id, policy_set };
        for (host, line, expected) in [
            (with(None, None), "ledger: gone", "ledger: gone".to_owned()),
            (with(Some("ab"), Some("12")), "ledger: gone", "ledger: gone (trace ab)".to_owned()),
            (with(None, None), r#"{"a":1}"#, format!(r#"{{"a":1,"gateway":"{GATEWAY}"}}"#)),
            (
                with(Some("ab"), Some("12")),
                r#"{"a":1}"#,
                format!(r#"{{"a":1,"gateway":"{GATEWAY}","policy_set":"12","trace_id":"ab"}}"#),
            ),
            // A row's own, and a reason that looks like one.
            (
                with(Some("ab"), Some("12")),
                r#"{"gateway":"0","policy_set":null,"reason":"\"trace_id\":\"x\""}"#,
                r#"{"gateway":"0","policy_set":null,"reason":"\"trace_id\":\"x\"","trace_id":"ab"}"#.to_owned(),
            ),
        ] {
            assert_eq!(host.labelled(line), expected);
        }
    }
}
