//! A row of the ledger, as the suites read it.

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) delivery: Option<String>,
    pub(crate) state: String,
    pub(crate) asked_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) caller: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) policies: String,
    pub(crate) attempts: i64,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) confirmed_by: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) dry_run: bool,
}
