//! *Ask*: choose an account, see what would happen, send.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here};
use crate::console::sentence::{Button, Request};
use crate::console::states::Tone;
use crate::console::view::{Account, Approvers, FieldError, Owner, Place, Standing};
use crate::console::{href, words};

/// The form, as far as it is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// The instances on which the reader may ask.
    pub instances: Vec<InstanceChoice>,
    /// The accounts of the chosen instance; `None` if none is chosen.
    pub accounts: Option<AccountChoices>,
    /// What the reader looks for.
    pub search: String,
    /// The chosen account.
    pub user_name: String,
    /// The reason.
    pub reason: String,
    /// The token of the form that checks.
    pub token: String,
    /// What is wrong with a field.
    pub error: Option<FieldError>,
    /// What would happen, once it was checked.
    pub checked: Option<Checked>,
}

/// An instance to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceChoice {
    /// The instance.
    pub place: Place,
    /// How many accounts it has, if its list was read.
    pub accounts: Option<usize>,
}

/// The accounts of the chosen instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChoices {
    /// The instance.
    pub place: Place,
    /// What of them is shown; `None` if the account list could not be read.
    pub shown: Option<Vec<AccountChoice>>,
    /// How many accounts there are; `None` if the reader may not list them, and is shown their own.
    pub total: Option<usize>,
}

/// An account to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChoice {
    /// Its name.
    pub user_name: String,
    /// Its owner, if something is known.
    pub owner: Option<Owner>,
    /// The pattern that protects it.
    pub protected_by: Option<String>,
}

/// What a dry run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// When.
    pub at: i64,
    /// The account.
    pub account: Account,
    /// What would happen.
    pub verdict: Verdict,
    /// Why.
    pub findings: Vec<Finding>,
}

/// What would happen if the request were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It can be sent.
    Sendable(Sendable),
    /// It would be refused: nothing can be sent.
    No,
}

/// A request that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sendable {
    /// How many approvals it would wait for; 0 if the account is removed at once.
    pub missing: u32,
    /// Who could approve it.
    pub approvers: Approvers,
    /// Until when it would wait.
    pub until: Option<i64>,
    /// The reason, if one is given.
    pub reason: Option<String>,
    /// The policies that permit it.
    pub policies: Vec<String>,
    /// The token of the form that sends exactly what was checked.
    pub token: String,
}

/// Something that a dry run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The account list has the account.
    OnTheList,
    /// The account list does not have it.
    NotOnTheList,
    /// The account list could not be read.
    ListUnreadable,
    /// Whose account it is.
    Owner(Owner),
    /// These policies permit to remove it at once.
    MayRemove(Vec<String>),
    /// These policies permit to ask for it.
    MayAsk(Vec<String>),
    /// No policy permits to remove it at once.
    MayNotRemoveAtOnce,
    /// No policy permits to ask for it either.
    MayNotAsk,
    /// These policies forbid it.
    Forbidden(Vec<String>),
    /// These policies forbid it under conditions that do not hold now.
    ForbiddenAtTimes(Vec<String>),
    /// The operator protects it with this pattern.
    Protected(String),
    /// The same account waits already, under this reference.
    AlreadyWaits(String),
    /// Approvals are missing.
    Missing(u32, Approvers),
}

#[derive(Template)]
#[template(path = "ask.html")]
struct Page<'a> {
    l: Locale,
    frame: &'a Frame,
    view: &'a Ask,
}

/// Returns the page.
pub fn page(frame: &Frame, view: &Ask) -> String {
    let l = frame.locale;
    let title = Markup::text(l.text(words::ASK_FOR_A_REMOVAL));
    frame.around(Here::Ask, &title, Markup::of(&Page { l, frame, view }))
}

impl Page<'_> {
    fn instance(&self) -> &str {
        self.view.accounts.as_ref().map_or("", |accounts| &accounts.place.instance)
    }

    fn is_chosen(&self, choice: &InstanceChoice) -> bool {
        choice.place.instance == self.instance()
    }

    fn choose(&self, choice: &InstanceChoice) -> String {
        href::with_query(href::ASK, &[("instance", &choice.place.instance)])
    }

    fn count(&self, n: usize) -> Markup {
        let text = if n == 1 { words::ONE_ACCOUNT } else { words::ACCOUNTS_COUNTED };
        self.l.fill(text, &[("n", Markup::text(&n.to_string()))])
    }

    fn legend(&self, accounts: &AccountChoices, shown: usize) -> Markup {
        let Some(total) = accounts.total else { return Markup::text(self.l.text(words::OWN_ACCOUNTS)) };
        let values = [
            ("shown", Markup::text(&shown.to_string())),
            ("total", Markup::text(&total.to_string())),
            ("instance", Markup::code(&accounts.place.instance)),
        ];
        self.l.fill(words::SHOWN_OF_TOTAL, &values)
    }

    fn detail(&self, choice: &AccountChoice) -> Markup {
        if let Some(pattern) = &choice.protected_by {
            return self.l.fill(words::MATCHES_PATTERN, &[("pattern", Markup::code(pattern))]);
        }
        choice.owner.as_ref().map(|owner| self.l.owner_people(owner)).unwrap_or_default()
    }

    fn unreadable(&self) -> Markup {
        self.l.note(Tone::Odd, Icon::Help, self.l.fill(words::LIST_UNREADABLE_ASK, &[]))
    }

    fn wrong(&self) -> Option<Markup> {
        let error = self.view.error.as_ref()?;
        Some(self.l.wrong(self.l.fill(words::NOT_CHECKED, &[("why", self.l.sentence(&error.message))])))
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.view.error.as_ref().is_some_and(|error| error.field == field)
    }

    fn nowhere(&self) -> Markup {
        self.l.note(Tone::No, Icon::Ban, self.l.fill(words::MAY_ASK_NOWHERE, &[]))
    }
}

impl Checked {
    fn headline(&self, l: Locale) -> Markup {
        let (tone, icon, text, n) = match &self.verdict {
            Verdict::No => (Tone::No, Icon::Ban, words::WOULD_BE_REFUSED, 0),
            Verdict::Sendable(Sendable { missing: 0, .. }) => (Tone::Bad, Icon::Alert, words::WOULD_BE_REMOVED, 0),
            Verdict::Sendable(Sendable { missing: 1, .. }) => (Tone::Wait, Icon::Clock, words::WOULD_WAIT_FOR_ONE, 1),
            Verdict::Sendable(Sendable { missing, .. }) => (Tone::Wait, Icon::Clock, words::WOULD_WAIT, *missing),
        };
        l.note(tone, icon, l.fill(text, &[("n", Markup::text(&n.to_string()))]))
    }

    fn sendable(&self) -> Option<&Sendable> {
        match &self.verdict {
            Verdict::Sendable(sendable) => Some(sendable),
            Verdict::No => None,
        }
    }

    fn sentence(&self, sendable: &Sendable, l: Locale) -> Markup {
        let request = Request {
            account: &self.account,
            requester: None,
            through: None,
            reason: sendable.reason.as_deref(),
            policies: &sendable.policies,
            approvers: &sendable.approvers,
        };
        request.sentence(sendable.button(), l)
    }

    fn finding(&self, finding: &Finding, l: Locale) -> Markup {
        let (tone, icon, text) = self.said(finding, l);
        let item = icon.markup().and(&Markup::element("span", &[], text));
        Markup::element("li", &[("class", tone.class())], item)
    }

    fn said(&self, finding: &Finding, l: Locale) -> (Tone, Icon, Markup) {
        let account = ("account", Markup::code(&self.account.user_name));
        let instance = ("instance", Markup::code(&self.account.place.instance));
        let by = |policies: &[String]| [("policies", l.policies(policies))];
        match finding {
            Finding::OnTheList => (Tone::Ok, Icon::Check, l.fill(words::ON_THE_LIST, &[account, instance])),
            Finding::NotOnTheList => (Tone::No, Icon::X, l.fill(words::NOT_ON_THE_LIST, &[account, instance])),
            Finding::ListUnreadable => (Tone::Odd, Icon::Help, l.fill(words::LIST_UNREADABLE, &[])),
            Finding::Owner(owner) => owner_finding(owner, l),
            Finding::MayRemove(policies) => (Tone::Ok, Icon::Check, l.fill(words::MAY_REMOVE, &by(policies))),
            Finding::MayAsk(policies) => (Tone::Ok, Icon::Check, l.fill(words::MAY_ASK, &by(policies))),
            Finding::MayNotRemoveAtOnce => (Tone::Off, Icon::Minus, l.fill(words::MAY_NOT_REMOVE_AT_ONCE, &[])),
            Finding::MayNotAsk => (Tone::No, Icon::Ban, l.fill(words::MAY_NOT_ASK, &[])),
            Finding::Forbidden(policies) => (Tone::No, Icon::Ban, l.fill(words::FORBIDDEN, &by(policies))),
            Finding::ForbiddenAtTimes(policies) => {
                (Tone::Off, Icon::Minus, l.fill(words::FORBIDDEN_AT_TIMES, &by(policies)))
            }
            Finding::Protected(pattern) => {
                let text = l.fill(words::PROTECTED_BY, &[account, ("pattern", Markup::code(pattern))]);
                (Tone::No, Icon::Lock, text)
            }
            Finding::AlreadyWaits(reference) => {
                let link = Markup::link(&href::removal(reference), Markup::code(reference));
                (Tone::Wait, Icon::Clock, l.fill(words::ALREADY_WAITS, &[("reference", link)]))
            }
            Finding::Missing(n, approvers) => {
                let names = l.approvers(approvers);
                let text = match (n, names.is_empty()) {
                    (1, true) => words::MISSING_ONE,
                    (1, false) => words::MISSING_ONE_FROM,
                    (_, true) => words::MISSING,
                    (_, false) => words::MISSING_FROM,
                };
                let values = [("n", Markup::text(&n.to_string())), ("approvers", names)];
                (Tone::Wait, Icon::Clock, l.fill(text, &values))
            }
        }
    }
}

impl Sendable {
    fn button(&self) -> Button {
        Button::Send { missing: self.missing, until: self.until }
    }
}

fn owner_finding(owner: &Owner, l: Locale) -> (Tone, Icon, Markup) {
    let (tone, icon, text) = match owner.standing {
        Standing::OwnerLeft => (Tone::Ok, Icon::Check, words::OWNER_LEFT),
        Standing::OwnerActive => (Tone::Wait, Icon::Alert, words::OWNER_IS_ACTIVE),
        Standing::CameBack => (Tone::Odd, Icon::Again, words::OWNER_CAME_BACK),
        Standing::Ownerless => (Tone::Odd, Icon::Help, words::OWNER_UNKNOWN),
        Standing::Contested => (Tone::Odd, Icon::Help, words::OWNER_CONTESTED),
        Standing::Protected => (Tone::Off, Icon::Lock, words::OWNER_IS_OPERATOR),
    };
    (tone, icon, l.fill(text, &[("owner", l.owner_people(owner))]))
}
