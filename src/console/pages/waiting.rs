//! *Waiting*: what waits for the reader, and what the reader waits for.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here};
use crate::console::sentence::{Button, Request};
use crate::console::states::Tone;
use crate::console::view::{Account, Approvers, Owner, Requester, Standing, Vote};
use crate::console::{href, words};
use crate::outcome::language::Localized;
use crate::outcome::state::State;

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The requests that the reader can decide, newest first.
    pub decisions: Vec<PendingRequest>,
    /// The reader's own requests that wait.
    pub own: Vec<PendingRequest>,
    /// The reader's last decisions; shown if nothing waits.
    pub last_decisions: Vec<LastDecision>,
    /// The reader's last own request; shown if none waits.
    pub last_own: Option<LastOwn>,
    /// Where else approvers are told: the names of the `[[notify]]` targets.
    pub told_in: Vec<String>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRequest {
    /// The row's id.
    pub id: String,
    /// What people type to refer to it.
    pub reference: String,
    /// Whether it waits for the requester's confirmation; otherwise, it waits for approval.
    pub needs_confirmation: bool,
    /// The account.
    pub account: Account,
    /// The requester.
    pub requester: Requester,
    /// The requester's reason.
    pub reason: Option<String>,
    /// Whose account it is, if that is known.
    pub owner: Option<Owner>,
    /// When it was asked.
    pub asked_at: i64,
    /// When it expires.
    pub expires_at: i64,
    /// The approvals so far.
    pub approvals: Vec<Vote>,
    /// How many it needs.
    pub required: u32,
    /// Who else can approve it; `None` if that cannot be told.
    pub approvers: Option<Approvers>,
    /// The policies that permit to ask for it.
    pub policies: Vec<String>,
    /// The policies that would forbid the removal at this moment: an approval would end the request.
    pub forbidden_by: Vec<String>,
    /// The token of its form, bound to reader, row and fingerprint.
    pub token: String,
}

/// A decision of the reader in the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDecision {
    /// The row's id.
    pub id: String,
    /// The account.
    pub account: Account,
    /// The requester.
    pub requester: Requester,
    /// What the reader said.
    pub vote: Vote,
    /// How the request ended.
    pub state: State,
}

/// The reader's last own request, which has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastOwn {
    /// The row's id.
    pub id: String,
    /// The account.
    pub account: Account,
    /// How it ended.
    pub state: State,
    /// When.
    pub ended_at: i64,
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct Page<'a> {
    l: Locale,
    frame: &'a Frame,
    view: &'a Waiting,
}

/// Returns the page.
pub fn page(frame: &Frame, view: &Waiting) -> String {
    let l = frame.locale;
    let title = match frame.waiting {
        0 => Markup::text(l.text(words::WAITING)),
        n => l.fill(words::WAITING_COUNTED, &[("n", Markup::text(&n.to_string()))]),
    };
    frame.around(Here::Waiting, &title, Markup::of(&Page { l, frame, view }))
}

impl Page<'_> {
    fn older(&self) -> Option<String> {
        Some(href::with_query(href::WAITING, &[("cursor", self.view.next.as_deref()?)]))
    }

    fn told_in(&self) -> Markup {
        let targets = self.view.told_in.iter().map(|target| Markup::bold(Markup::text(target)));
        self.l.fill(words::TOLD_IN, &[("targets", self.l.and(targets.collect()))])
    }

    fn ways_on(&self) -> Markup {
        let ask = Markup::link(href::ASK, Markup::text(self.l.text(words::ASK_FOR_A_REMOVAL)));
        let look = Markup::link(href::REMOVALS, Markup::text(self.l.text(words::LOOK_ONE_UP)));
        if self.frame.permitted.ask { self.l.or(vec![ask, look]) } else { look }
    }

    fn last_own(&self, last: &LastOwn) -> Markup {
        let values = [
            ("account", self.l.linked_account(&last.account, &last.id)),
            ("state", self.l.state(last.state)),
            ("time", self.l.moment(last.ended_at)),
        ];
        self.l.fill(words::NONE_IS_OPEN_THE_LAST, &values)
    }
}

impl LastDecision {
    fn said(&self, l: Locale) -> Markup {
        let said = if self.vote.is_approval { words::APPROVE } else { words::DENY };
        let said = Markup::text(l.text(said));
        match &self.vote.reason {
            None => said,
            Some(reason) => {
                let quoted = l.fill(words::QUOTED, &[("text", Markup::text(reason))]);
                said.and(&Markup::text(" ")).and(&Markup::dim(quoted))
            }
        }
    }
}

impl PendingRequest {
    /// How many approvals are missing after one more.
    fn missing_after(&self) -> u32 {
        self.missing().saturating_sub(1)
    }

    fn missing(&self) -> u32 {
        self.required.saturating_sub(u32::try_from(self.approvals.len()).unwrap_or(u32::MAX))
    }

    fn button(&self) -> Button {
        Button::Approve { missing: self.missing_after() }
    }

    /// Confirming sends the request at once where nothing else is required.
    fn confirmation(&self) -> Button {
        Button::Confirm { missing: self.missing() }
    }

    fn is_forbidden(&self) -> bool {
        !self.forbidden_by.is_empty()
    }

    fn sentence(&self, l: Locale) -> Markup {
        self.request(Some(&self.requester), None, &self.approvers.clone().unwrap_or_default())
            .sentence(self.button(), l)
    }

    fn own_sentence(&self, l: Locale) -> Markup {
        self.request(None, Some(&self.requester.kind), &self.approvers.clone().unwrap_or_default())
            .sentence(self.confirmation(), l)
    }

    fn request<'a>(
        &'a self,
        requester: Option<&'a Requester>,
        through: Option<&'a str>,
        approvers: &'a Approvers,
    ) -> Request<'a> {
        let (reason, policies) = (self.reason.as_deref(), self.policies.as_slice());
        Request { account: &self.account, requester, through, reason, policies, approvers }
    }

    fn expires(&self, l: Locale) -> Markup {
        let moment = l.moment(self.expires_at);
        match l.soon(self.expires_at) {
            None => moment,
            Some(soon) => {
                l.fill(words::SOON_AND_TIME, &[("soon", Markup::bold(Markup::text(&soon))), ("time", moment)])
            }
        }
    }

    fn contested(&self, l: Locale) -> Option<Markup> {
        let owner = self.owner.as_ref().filter(|owner| owner.standing == Standing::Contested)?;
        let values = [("account", Markup::code(&self.account.user_name)), ("people", l.owner_people(owner))];
        Some(l.note(Tone::Wait, Icon::Alert, l.fill(words::CONTESTED_NOTE, &values)))
    }

    fn forbidden(&self, l: Locale) -> Markup {
        let values = [("policies", l.policies(&self.forbidden_by)), ("time", l.moment(self.expires_at))];
        l.note(Tone::Wait, Icon::Alert, l.fill(words::FORBIDDEN_NOW, &values))
    }

    fn hint(&self, l: Locale) -> Markup {
        if self.requester.is_system {
            return Markup::text(l.text(words::REASON_IS_KEPT));
        }
        l.fill(words::REASON_IS_READ, &[("person", l.name(&self.requester.person))])
    }

    /// How far the reader's own request has come.
    fn progress(&self, l: Locale) -> Markup {
        let approvers = self.approvers.as_ref().map(|approvers| l.approvers(approvers)).unwrap_or_default();
        let votes = self
            .approvals
            .iter()
            .map(|vote| l.fill(words::APPROVED_AT, &[("person", l.name(&vote.person)), ("time", l.clock(vote.at))]));
        let votes = votes.reduce(|all, vote| all.and(&Markup::text(l.text(words::SPACE))).and(&vote));
        let given = self.approvals.len().to_string();
        let values = [
            ("given", Markup::text(&given)),
            ("required", Markup::text(&self.required.to_string())),
            ("votes", votes.map(|votes| votes.and(&Markup::text(l.text(words::SPACE)))).unwrap_or_default()),
            ("n", Markup::text(&self.missing().to_string())),
            ("until", l.moment(self.expires_at)),
            ("account", Markup::code(&self.account.user_name)),
            ("place", l.place(&self.account.place)),
            ("approvers", approvers.clone()),
        ];
        let text = match (self.missing(), approvers.is_empty()) {
            (0 | 1, true) => words::PROGRESS_ONE,
            (0 | 1, false) => words::PROGRESS_ONE_FROM,
            (_, true) => words::PROGRESS_MORE,
            (_, false) => words::PROGRESS_MORE_FROM,
        };
        l.fill(text, &values)
    }

    /// How and why the reader asked.
    fn you_asked(&self, l: Locale) -> Markup {
        let values = [
            ("through", l.through(&self.requester.kind)),
            ("reason", Markup::text(self.reason.as_deref().unwrap_or_default())),
            ("policies", l.and(self.policies.iter().map(|id| Markup::code(id)).collect())),
        ];
        let text: Localized = match (&self.reason, self.policies.len()) {
            (Some(_), 0) => words::OWN_REASON,
            (None, 0) => words::OWN_WITHOUT_REASON,
            (Some(_), 1) => words::OWN_REASON_AND_POLICY,
            (None, 1) => words::OWN_POLICY,
            (Some(_), _) => words::OWN_REASON_AND_POLICIES,
            (None, _) => words::OWN_POLICIES,
        };
        l.fill(text, &values)
    }
}
