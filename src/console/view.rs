//! The data that several views have. Times are in milliseconds since 1970-01-01T00:00:00Z.

use crate::outcome::state::State;

/// An account on an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub user_name: String,
    /// Where it is.
    pub place: Place,
}

/// An instance, and the environment that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The instance's name.
    pub instance: String,
    /// Its environment; `None` if the instance is not configured any more.
    pub environment: Option<Environment>,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Whether `[approvals] required` names it.
    pub is_guarded: bool,
}

/// A person or a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The operator's name for the person (`[[person]]`), or the caller's name of a system.
    pub name: Option<String>,
    /// The principal.
    pub principal: String,
}

/// Who asked for a removal, and through which caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// The person or system.
    pub person: Person,
    /// The kind of its caller, such as `slack`.
    pub kind: String,
    /// Whether it is a system: its principal is the caller's name.
    pub is_system: bool,
    /// The person who caused the event for which a system asked.
    pub caused_by: Option<Person>,
}

/// Those who may approve a request, without the reader and without those who have approved it already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approvers {
    /// The people who are known.
    pub people: Vec<Person>,
    /// The teams that come from tokens, whose members are not known.
    pub teams: Vec<String>,
    /// Whether the reader is one of them.
    pub has_reader: bool,
}

/// What an approver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The approver.
    pub person: Person,
    /// The kind of the caller through which it came.
    pub kind: String,
    /// Whether it is an approval; otherwise, it is a denial.
    pub is_approval: bool,
    /// The approver's reason.
    pub reason: Option<String>,
    /// When.
    pub at: i64,
}

/// Whose account it is, and how that person stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// How the account stands.
    pub standing: Standing,
    /// The people whose account it may be.
    pub people: Vec<OwnerPerson>,
}

/// A person whose account it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerPerson {
    /// The attribute that an administrator owns: SCIM's `userName`, or the operator's name for the person.
    pub name: String,
    /// Whether the person has left.
    pub has_left: bool,
    /// When, if that is known.
    pub left_at: Option<i64>,
    /// Whether it is the reader.
    pub is_reader: bool,
}

/// How an account stands to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was removed and is there again.
    CameBack,
    /// Its owner has left.
    OwnerLeft,
    /// No person is known for it.
    Ownerless,
    /// It may be the account of two people or more.
    Contested,
    /// It is never removed here.
    Protected,
    /// Its owner is active.
    OwnerActive,
}

impl Standing {
    /// Every standing, what needs a look first.
    pub const ALL: [Self; 6] =
        [Self::CameBack, Self::OwnerLeft, Self::Ownerless, Self::Contested, Self::Protected, Self::OwnerActive];

    /// Returns the word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CameBack => "came-back",
            Self::OwnerLeft => "owner-left",
            Self::Ownerless => "ownerless",
            Self::Contested => "contested",
            Self::Protected => "protected",
            Self::OwnerActive => "owner-active",
        }
    }

    /// Returns the standing of a word in an address.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// A removal to link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalLink {
    /// The row's id.
    pub id: String,
    /// When it ended, or else when it was asked.
    pub at: i64,
}

/// What is wrong with a field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What is wrong, in the reader's language.
    pub message: String,
}

/// What the reader has just done, and what came of it: the banner of the page behind a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What was done.
    pub act: Act,
    /// The account.
    pub account: Account,
    /// The row's id.
    pub id: String,
    /// The state of the request by now.
    pub state: State,
    /// When it came to this state.
    pub at: i64,
    /// How many approvals are missing still.
    pub missing: u32,
    /// The sentence of the outcome, in the reader's language, where the state alone does not say it.
    pub message: Option<String>,
    /// The person who was faster, if the reader's decision came too late.
    pub faster: Option<Person>,
}

/// What a form does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Asks for a removal.
    Ask,
    /// Approves a request.
    Approve,
    /// Denies a request.
    Deny,
    /// Confirms the reader's own request.
    Confirm,
    /// Cancels it.
    Cancel,
}
