//! The outcome of an event about people who leave: several removals, one answer.

use serde::{Serialize, Serializer};

use super::catalog::{self, Entry};
use super::language::{Language, Localized};
use super::message::{Argument, format, quoted};
use super::state::State;

/// What became of one account of a leaver, or of an event that is about none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountResult {
    /// The id of an event that could not be understood, and so has no account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The instance's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// The account.
    #[serde(skip_serializing_if = "String::is_empty")]
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
    /// Whose account it may be as well, if that is not clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
}

fn as_word<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}

/// Two people who may have one account, each as a text to be shown: backticks around what a sender wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contested {
    /// The person who leaves.
    pub leaver: String,
    /// The person who does not.
    pub other: String,
}

impl Contested {
    /// Names both.
    pub fn text(&self, language: Language) -> String {
        let arguments = [
            ("leaver", Argument::Plain(self.leaver.clone().into())),
            ("other", Argument::Plain(self.other.clone().into())),
        ];
        format(catalog::other::CONTESTED, &arguments, language)
    }
}

/// How bad an account's result is for the answer about all of them, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BatchSeverity {
    Gone,
    /// An approver said that it is another person's.
    Kept,
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
            State::Rejected if result.contested.is_some() => Self::Kept,
            _ => Self::Refused,
        }
    }

    /// The clause about the accounts of this group; none about those that are gone.
    fn clause(self) -> Option<Localized> {
        match self {
            Self::Gone => None,
            Self::Unconfirmed => Some(catalog::other::LEFT_UNCONFIRMED),
            Self::Waiting => Some(catalog::other::LEFT_WAITING),
            Self::Refused => Some(catalog::other::LEFT_REFUSED),
            Self::Kept => Some(catalog::other::LEFT_KEPT),
        }
    }
}

/// The groups in the order in which they are named.
const GROUPS: [BatchSeverity; 4] =
    [BatchSeverity::Unconfirmed, BatchSeverity::Waiting, BatchSeverity::Refused, BatchSeverity::Kept];

/// The entry about all results, by the worst of them; `None` if nothing is left to do.
pub(super) fn entry(results: &[AccountResult]) -> Option<&'static Entry> {
    match results.iter().map(BatchSeverity::of).max() {
        None | Some(BatchSeverity::Gone | BatchSeverity::Kept) => None,
        Some(BatchSeverity::Unconfirmed) => Some(&catalog::LEAVERS_UNCONFIRMED),
        Some(BatchSeverity::Waiting) => Some(&catalog::LEAVERS_WAITING),
        Some(BatchSeverity::Refused) => Some(&catalog::LEAVERS_REFUSED),
    }
}

/// The sentence about results of which nothing is left to do.
pub(super) fn success(results: &[AccountResult]) -> Localized {
    match results {
        [] => catalog::other::NO_ACCOUNT,
        some if some.iter().any(|result| BatchSeverity::of(result) == BatchSeverity::Kept) => catalog::other::SOME_KEPT,
        [_] => catalog::other::ACCOUNT_GONE,
        _ => catalog::other::ALL_GONE,
    }
}

/// What fills in the sentence's placeholders.
pub(super) fn arguments(results: &[AccountResult]) -> Vec<(&'static str, Argument)> {
    let gone = results.iter().filter(|result| BatchSeverity::of(result) == BatchSeverity::Gone).count();
    let all = results.iter().filter(|result| result.event.is_none()).count();
    let (en, zh) = (left(results, Language::English), left(results, Language::Chinese));
    vec![
        ("gone", Argument::Plain(gone.to_string().into())),
        ("all", Argument::Plain(all.to_string().into())),
        ("left", Argument::PerLanguage(en, zh)),
    ]
}

/// One clause a group, without those that are empty.
fn left(results: &[AccountResult], language: Language) -> String {
    let between = Localized { en: "; ", zh: "；" }.in_language(language);
    let clauses = GROUPS.iter().filter_map(|group| {
        let clause = group.clause()?;
        let named: Vec<_> = results.iter().filter(|result| BatchSeverity::of(result) == *group).collect();
        let named = (!named.is_empty()).then(|| names(&named, language))?;
        Some(format(clause, &[("named", Argument::Plain(named.into()))], language))
    });
    clauses.collect::<Vec<_>>().join(between)
}

fn names(results: &[&AccountResult], language: Language) -> String {
    /// The most accounts that a clause names.
    const NAMED: usize = 5;

    let between = Localized { en: ", ", zh: "、" }.in_language(language);
    let name = |result: &&AccountResult| {
        let why = result.reference.as_ref().unwrap_or(&result.code);
        let contested = result.contested.as_ref().map(|contested| {
            let before = Localized { en: ": ", zh: "：" }.in_language(language);
            std::format!("{before}{}", contested.text(language))
        });
        if let Some(event) = &result.event {
            let arguments = [
                ("event", Argument::Plain(quoted(event).into())),
                ("why", Argument::Plain(result.code.clone().into())),
            ];
            return format(catalog::other::EVENT, &arguments, language);
        }
        let arguments = [
            ("user_name", Argument::Plain(quoted(&result.user_name).into())),
            ("instance", Argument::Plain(quoted(&result.instance).into())),
            ("why", Argument::Plain(std::format!("{why}{}", contested.unwrap_or_default()).into())),
        ];
        format(catalog::other::ACCOUNT_ON, &arguments, language)
    };
    let mut text = results.iter().take(NAMED).map(name).collect::<Vec<_>>().join(between);
    if results.len() > NAMED {
        text += between;
        text.push('…');
    }
    text
}
