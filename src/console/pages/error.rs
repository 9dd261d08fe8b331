//! What went wrong: not permitted, not found, the gateway cannot work, and every other refusal.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here, bare};
use crate::console::states::Tone;
use crate::console::view::Account;
use crate::console::{href, words};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which of them it is.
    pub kind: FailureKind,
    /// The sentence of the outcome, in the reader's language.
    pub message: String,
    /// The code, such as `OFFBOARD.40304`.
    pub code: String,
    /// The id of the HTTP request.
    pub request: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// Policy says no.
    NotPermitted(Denied),
    /// There is no such page or removal.
    NotFound,
    /// The gateway cannot work now: 503.
    Unavailable,
    /// The form is not one that this page gave to this reader, or it is too old.
    Stale,
    /// The request was refused for another reason.
    Refused,
    /// Something failed that should not: 500, 502, 504.
    Broken,
}

/// What policy said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The action's name in policies.
    pub action: String,
    /// The account, if it is about one.
    pub account: Option<Account>,
    /// The policies that forbid it; empty if none permits it.
    pub forbidden_by: Vec<String>,
    /// The reader's teams.
    pub teams: Vec<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    l: Locale,
    frame: Option<&'a Frame>,
    view: &'a Failure,
    may_sign_in: bool,
}

/// Returns the page for a reader who has signed in.
pub fn page(frame: &Frame, view: &Failure) -> String {
    let l = frame.locale;
    let page = Page { l, frame: Some(frame), view, may_sign_in: false };
    frame.around(Here::Nowhere, &page.badge_words(), Markup::of(&page))
}

/// Returns the page for a reader who is not known; `may_sign_in` if the console itself is where people sign in, not a proxy before it.
pub fn page_of_stranger(locale: Locale, view: &Failure, may_sign_in: bool) -> String {
    let page = Page { l: locale, frame: None, view, may_sign_in };
    let content = Markup::element("main", &[("id", "main")], Markup::of(&page));
    bare(locale, &page.badge_words(), content)
}

impl Page<'_> {
    fn badge_words(&self) -> Markup {
        let words = match self.view.kind {
            FailureKind::NotPermitted(_) => words::NOT_PERMITTED,
            FailureKind::NotFound => words::NOT_FOUND,
            FailureKind::Unavailable => words::UNAVAILABLE,
            FailureKind::Stale => words::NOT_COUNTED,
            FailureKind::Refused => words::STATE_REFUSED,
            FailureKind::Broken => words::FAILED_TITLE,
        };
        Markup::text(self.l.text(words))
    }

    /// Whether the page says that nothing was changed: not if what failed may have had an effect, nor if the message says it.
    fn says_that_nothing_changed(&self) -> bool {
        !matches!(self.view.kind, FailureKind::Broken | FailureKind::Stale)
    }

    fn badge(&self) -> Markup {
        let (tone, icon) = match self.view.kind {
            FailureKind::NotPermitted(_) | FailureKind::Refused => (Tone::No, Icon::Ban),
            FailureKind::NotFound | FailureKind::Stale => (Tone::Off, Icon::Minus),
            FailureKind::Unavailable | FailureKind::Broken => (Tone::Bad, Icon::Alert),
        };
        self.l.badge(tone, icon, &self.badge_words())
    }

    fn title(&self) -> &'static str {
        let words = match &self.view.kind {
            FailureKind::NotPermitted(denied) => match denied.action.as_str() {
                "audit" if denied.account.is_some() => words::MAY_NOT_SEE_THIS_REMOVAL,
                "audit" => words::MAY_NOT_SEE_THIS,
                "list" => words::MAY_NOT_SEE_THE_ACCOUNTS,
                "approve" => words::MAY_NOT_DECIDE_THIS,
                _ => words::MAY_NOT_ASK_FOR_THIS,
            },
            FailureKind::NotFound => words::NOTHING_IS_HERE,
            FailureKind::Unavailable => words::CANNOT_WORK_NOW,
            FailureKind::Stale => words::FORM_IS_STALE,
            FailureKind::Refused => words::REQUEST_REFUSED,
            FailureKind::Broken => words::SOMETHING_FAILED,
        };
        self.l.text(words)
    }

    fn what_next(&self) -> &'static str {
        let words = match &self.view.kind {
            FailureKind::NotPermitted(_) => words::IF_YOU_NEED_IT,
            FailureKind::NotFound => words::CHECK_THE_ADDRESS,
            FailureKind::Unavailable | FailureKind::Broken => words::TRY_AGAIN_OR_OPERATOR,
            FailureKind::Stale => words::OPEN_AND_DECIDE_AGAIN,
            FailureKind::Refused => words::GO_BACK_AND_CORRECT,
        };
        self.l.text(words)
    }

    fn denied(&self) -> Option<&Denied> {
        match &self.view.kind {
            FailureKind::NotPermitted(denied) => Some(denied),
            FailureKind::NotFound
            | FailureKind::Unavailable
            | FailureKind::Stale
            | FailureKind::Refused
            | FailureKind::Broken => None,
        }
    }

    fn teams(&self, denied: &Denied) -> Markup {
        if denied.teams.is_empty() {
            return Markup::dim(Markup::text(self.l.text(words::IN_NO_TEAM)));
        }
        self.l.enumerate(denied.teams.iter().map(|team| Markup::code(team)).collect())
    }

    fn wanted(&self, denied: &Denied) -> Markup {
        let action = Markup::code(&denied.action);
        match &denied.account {
            None => action,
            Some(account) => {
                let values = [
                    ("action", action),
                    ("account", self.l.account(account)),
                    ("environment", self.l.environment(&account.place)),
                ];
                self.l.fill(words::ACTION_ON_ACCOUNT, &values)
            }
        }
    }

    fn decided_by(&self, denied: &Denied) -> Markup {
        match denied.forbidden_by.is_empty() {
            true => Markup::dim(Markup::text(self.l.text(words::NO_POLICY_PERMITS_IT))),
            false => self.l.policies(&denied.forbidden_by),
        }
    }
}
