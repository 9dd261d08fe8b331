//! The outcome of an event about people who leave: several removals, one answer.

use serde::{Serialize, Serializer};

use super::catalog::{self, Entry};
use super::message::{Argument, quoted};
use super::state::State;

/// What became of one account of a leaver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountResult {
    /// The instance's name.
    pub instance: String,
    /// The account.
    pub user_name: String,
    /// How far its removal came.
    #[serde(serialize_with = "as_word")]
    pub state: State,
    /// The code of its own outcome.
    pub code: String,
    /// The id of its row.
    pub removal: String,
    /// The reference under which it waits for approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

fn as_word<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}

/// How bad an account's result is for the answer about all of them, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BatchSeverity {
    Gone,
    Refused,
    Waiting,
    /// The same event again may help.
    Unconfirmed,
}

impl BatchSeverity {
    fn of(result: &AccountResult) -> Self {
        match result.state {
            State::Removed | State::AlreadyGone => Self::Gone,
            State::InFlight | State::NotRemoved | State::NotSent | State::Unknown => Self::Unconfirmed,
            State::AwaitingConfirmation | State::AwaitingApproval => Self::Waiting,
            _ => Self::Refused,
        }
    }
}

/// The entry about all results, by the worst of them; `None` if all accounts are gone.
pub(super) fn entry(results: &[AccountResult]) -> Option<&'static Entry> {
    match results.iter().map(BatchSeverity::of).max() {
        None | Some(BatchSeverity::Gone) => None,
        Some(BatchSeverity::Unconfirmed) => Some(&catalog::LEAVERS_UNCONFIRMED),
        Some(BatchSeverity::Waiting) => Some(&catalog::LEAVERS_WAITING),
        Some(BatchSeverity::Refused) => Some(&catalog::LEAVERS_REFUSED),
    }
}

/// What fills in the entry's placeholders.
pub(super) fn arguments(results: &[AccountResult]) -> Vec<(&'static str, Argument)> {
    /// The most accounts that a message names.
    const NAMED: usize = 5;

    let left: Vec<_> = results.iter().filter(|result| BatchSeverity::of(result) != BatchSeverity::Gone).collect();
    let gone = results.len().saturating_sub(left.len());
    let name = |result: &&AccountResult| {
        let why = result.reference.as_ref().unwrap_or(&result.code);
        let (user_name, instance) = (quoted(&result.user_name), quoted(&result.instance));
        (format!("{user_name} on {instance} ({why})"), format!("{instance} 上的 {user_name}（{why}）"))
    };
    let (en, zh): (Vec<_>, Vec<_>) = left.iter().take(NAMED).map(name).unzip();
    let (mut en, mut zh) = (en.join(", "), zh.join("、"));
    if left.len() > NAMED {
        en += ", …";
        zh += "、…";
    }
    vec![
        ("gone", Argument::Plain(gone.to_string().into())),
        ("all", Argument::Plain(results.len().to_string().into())),
        ("named", Argument::PerLanguage(en, zh)),
    ]
}
