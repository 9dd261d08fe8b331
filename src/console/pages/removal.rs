//! A removal: what happened, step by step, and the row.
//!
//! Steps that the ledger does not know are left out: when a confirmation came, when the DELETE left, which job settled it.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here};
use crate::console::states::{Tone, of_state};
use crate::console::view::{Account, Owner, Requester, Vote};
use crate::console::{href, words};
use crate::outcome::state::State;

/// A removal: what its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The row's id.
    pub id: String,
    /// What people type to refer to it.
    pub reference: Option<String>,
    /// The account; `None` if the request named none.
    pub account: Option<Account>,
    /// How far it came.
    pub state: State,
    /// The requester, if one was proved.
    pub requester: Option<Requester>,
    /// Whose account it is, if that is known.
    pub owner: Option<Owner>,
    /// The requester's reason.
    pub reason: Option<String>,
    /// When it was asked.
    pub asked_at: i64,
    /// Until when it waits, or waited.
    pub expires_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// The digest of the policy set.
    pub policy_set: Option<String>,
    /// What approvers said about what it asks for.
    pub votes: Vec<Vote>,
    /// How many approvals it needs, if it waits or waited for them; 0 otherwise.
    pub required: u32,
    /// How many DELETEs were sent.
    pub attempts: i64,
    /// The answer's code; empty of an account that was removed.
    pub code: Option<String>,
    /// The answer's message.
    pub message: Option<String>,
    /// TaurusDB's request id.
    pub request_id: Option<String>,
    /// Whether the outcome is known from the account list and not from TaurusDB's answer.
    pub is_from_account_list: bool,
    /// The row as `GET /removals/{id}` gives it, over several lines.
    pub raw: String,
    /// Whether the reader can act on it at *Waiting*.
    pub waits_for_reader: bool,
}

/// A step of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    tone: Tone,
    icon: Icon,
    at: Option<i64>,
    /// The day, where it is another one than that of the step before.
    day: Option<Markup>,
    /// Since the step that started the clock, in milliseconds.
    since: Option<i64>,
    title: Markup,
    detail: Markup,
}

#[derive(Template)]
#[template(path = "removal.html")]
struct Page<'a> {
    l: Locale,
    frame: &'a Frame,
    view: &'a Removal,
    steps: Vec<Step>,
}

/// Returns the page.
pub fn page(frame: &Frame, view: &Removal) -> String {
    let l = frame.locale;
    let title = match &view.account {
        Some(account) => l.plain_account(account),
        None => Markup::text(l.text(words::NO_ACCOUNT)),
    };
    let content = Markup::of(&Page { l, frame, view, steps: view.steps(l) });
    frame.around(Here::Removals, &title, content)
}

impl Page<'_> {
    fn short_id(&self) -> String {
        self.view.id.chars().take(8).collect()
    }

    fn raw_title(&self) -> Markup {
        let request = Markup::code(&format!("GET /removals/{}", self.view.id));
        Markup::dim(self.l.fill(words::AS_THE_API_GIVES_IT, &[("request", request)]))
    }
}

impl Step {
    fn after(&self, l: Locale) -> Option<String> {
        self.since.filter(|since| *since > 0).map(|since| l.rough(since))
    }
}

impl Removal {
    /// What became of it, in a sentence.
    fn headline(&self, l: Locale) -> Markup {
        let at = self.ended_at.unwrap_or(self.asked_at);
        let text = match self.state {
            State::AwaitingConfirmation | State::AwaitingApproval => words::HEADLINE_WAITS,
            State::InFlight => words::HEADLINE_IN_FLIGHT,
            State::Removed if self.is_from_account_list => words::HEADLINE_REMOVED_BY_LIST,
            State::Removed => words::HEADLINE_REMOVED,
            State::AlreadyGone => words::HEADLINE_ALREADY_GONE,
            State::Unknown => words::HEADLINE_UNKNOWN,
            State::DryRun => words::HEADLINE_DRY_RUN,
            State::NotRemoved | State::RefusedUpstream => words::HEADLINE_NOT_REMOVED,
            State::NotSent | State::Denied | State::Refused | State::Rejected | State::Cancelled | State::Expired => {
                words::HEADLINE_NOT_SENT
            }
        };
        let values = [
            ("state", Markup::text(l.text(of_state(self.state).words))),
            ("time", l.full(at)),
            ("until", self.expires_at.map(|until| l.moment(until)).unwrap_or_default()),
        ];
        l.fill(text, &values)
    }

    fn approvals(&self) -> impl Iterator<Item = &Vote> {
        self.votes.iter().filter(|vote| vote.is_approval)
    }

    fn steps(&self, l: Locale) -> Vec<Step> {
        let mut steps = vec![self.asked(l)];
        steps.extend(self.proved(l));
        steps.extend(self.policy(l));
        steps.extend(self.waited(l));
        steps.extend(self.votes.iter().enumerate().map(|(nth, vote)| self.voted(nth, vote, l)));
        steps.extend(self.sent(l));
        steps.extend(self.ended(l));
        let mut last = l.day_of(self.asked_at);
        for step in &mut steps {
            let Some(at) = step.at else { continue };
            let day = l.day_of(at);
            step.day = (day != last).then(|| l.date(at));
            last = day;
        }
        steps
    }

    fn asked(&self, l: Locale) -> Step {
        let name = self.requester.as_ref().map(|requester| l.name(&requester.person));
        let values = [
            ("requester", name.clone().unwrap_or_default()),
            ("through", self.requester.as_ref().map(|requester| l.through(&requester.kind)).unwrap_or_default()),
            ("account", self.account.as_ref().map(|account| Markup::code(&account.user_name)).unwrap_or_default()),
            ("place", self.account.as_ref().map(|account| l.place(&account.place)).unwrap_or_default()),
            ("reason", Markup::text(self.reason.as_deref().unwrap_or_default())),
        ];
        let title = if name.is_some() { words::STEP_ASKED } else { words::STEP_ASKED_WITHOUT_PROOF };
        let detail = match (&self.account, &self.reason) {
            (None, _) => words::STEP_NAMED_NO_ACCOUNT,
            (Some(_), None) => words::STEP_REMOVE_WITHOUT_REASON,
            (Some(_), Some(_)) => words::STEP_REMOVE_BECAUSE,
        };
        Step {
            tone: Tone::Off,
            icon: Icon::User,
            at: Some(self.asked_at),
            day: None,
            since: None,
            title: l.fill(title, &values),
            detail: l.fill(detail, &values),
        }
    }

    fn proved(&self, l: Locale) -> Option<Step> {
        let requester = self.requester.as_ref()?;
        let values = [
            ("kind", l.kind(&requester.kind)),
            ("principal", Markup::code(&requester.person.principal)),
            ("person", requester.caused_by.as_ref().map(|person| l.person(person)).unwrap_or_default()),
        ];
        let detail = if requester.caused_by.is_some() { words::STEP_PRINCIPAL_FOR } else { words::STEP_PRINCIPAL };
        Some(Step {
            tone: Tone::Off,
            icon: Icon::Shield,
            at: Some(self.asked_at),
            day: None,
            since: None,
            title: l.fill(words::STEP_PROVED, &values),
            detail: Markup::dim(l.fill(detail, &values)),
        })
    }

    fn policy(&self, l: Locale) -> Option<Step> {
        if self.policies.is_empty() && self.state != State::Denied {
            return None;
        }
        let digest: String = self.policy_set.as_deref().unwrap_or_default().chars().take(8).collect();
        let values = [("policies", l.policies(&self.policies)), ("digest", Markup::code(&digest))];
        let (tone, icon, title) = match self.state {
            State::Denied => (Tone::No, Icon::Ban, words::STEP_POLICY_NO),
            _ if self.required > 0 => (Tone::Off, Icon::Shield, words::STEP_POLICY_ASK),
            _ => (Tone::Off, Icon::Shield, words::STEP_POLICY_YES),
        };
        let mut detail = if self.policies.is_empty() {
            l.fill(words::STEP_NO_POLICY, &[])
        } else {
            l.fill(words::STEP_DECIDED_BY, &values)
        };
        if !digest.is_empty() {
            detail = detail.and(&Markup::text(l.text(words::SPACE))).and(&l.fill(words::STEP_POLICY_SET, &values));
        }
        let (title, detail) = (l.fill(title, &[]), Markup::dim(detail));
        // The row has the policies that decided last: of a request that waited, after its last vote perhaps.
        let at = self.expires_at.is_none().then_some(self.asked_at);
        Some(Step { tone, icon, at, day: None, since: None, title, detail })
    }

    fn waited(&self, l: Locale) -> Option<Step> {
        let until = self.expires_at?;
        let values = [("n", Markup::text(&self.required.to_string())), ("until", l.moment(until))];
        let is_open = matches!(self.state, State::AwaitingApproval | State::AwaitingConfirmation);
        let title = match (self.required, is_open) {
            _ if self.state == State::AwaitingConfirmation => words::STEP_WAITS_FOR_CONFIRMATION,
            (0, _) => words::STEP_WAITED_FOR_CONFIRMATION,
            (1, true) => words::STEP_WAITS_FOR_ONE,
            (1, false) => words::STEP_WAITED_FOR_ONE,
            (_, true) => words::STEP_WAITS,
            (_, false) => words::STEP_WAITED,
        };
        let detail = if is_open { words::STEP_EXPIRES } else { words::STEP_WOULD_HAVE_EXPIRED };
        Some(Step {
            tone: Tone::Wait,
            icon: Icon::Clock,
            at: None,
            day: None,
            since: None,
            title: l.fill(title, &values),
            detail: Markup::dim(l.fill(detail, &values)),
        })
    }

    fn voted(&self, nth: usize, vote: &Vote, l: Locale) -> Step {
        let values = [
            ("person", l.name(&vote.person)),
            ("through", l.through(&vote.kind)),
            ("nth", Markup::text(&nth.saturating_add(1).to_string())),
            ("required", Markup::text(&self.required.to_string())),
        ];
        let (tone, icon, title) = match vote.is_approval {
            true => (Tone::Ok, Icon::Check, words::STEP_APPROVED),
            false => (Tone::No, Icon::X, words::STEP_DENIED),
        };
        let detail = match &vote.reason {
            Some(reason) => l.fill(words::QUOTED, &[("text", Markup::text(reason))]),
            None if vote.is_approval && self.required > 0 => Markup::dim(l.fill(words::STEP_NTH_OF, &values)),
            None => Markup::dim(l.fill(words::STEP_NO_REASON, &[])),
        };
        let since = Some(vote.at.saturating_sub(self.asked_at));
        Step { tone, icon, at: Some(vote.at), day: None, since, title: l.fill(title, &values), detail }
    }

    fn sent(&self, l: Locale) -> Option<Step> {
        if self.attempts < 1 {
            return None;
        }
        let values = [
            ("n", Markup::text(&self.attempts.to_string())),
            ("account", self.account.as_ref().map(|account| Markup::code(&account.user_name)).unwrap_or_default()),
        ];
        let (title, detail) = match self.attempts {
            1 => (words::STEP_SENT, words::STEP_ONE_DELETE),
            _ => (words::STEP_SENT_SEVERAL, words::STEP_SEVERAL_DELETES),
        };
        Some(Step {
            tone: Tone::Run,
            icon: Icon::Send,
            at: None,
            day: None,
            since: None,
            title: l.fill(title, &values),
            detail: Markup::dim(l.fill(detail, &values)),
        })
    }

    fn ended(&self, l: Locale) -> Option<Step> {
        let at = self.ended_at?;
        let look = of_state(self.state);
        let state = Markup::text(l.text(look.words));
        let title = match self.is_from_account_list {
            true => l.fill(words::STEP_SETTLED, &[("state", state)]),
            false => state,
        };
        let code = self.code.as_deref().filter(|code| !code.is_empty());
        let message = self.message.as_deref().filter(|message| !message.is_empty());
        let detail = match (message, code) {
            (Some(message), Some(code)) => l.sentence(message).and(&Markup::text(" ")).and(&Markup::code(code)),
            (Some(message), None) => l.sentence(message),
            (None, Some(code)) => Markup::code(code),
            (None, None) => Markup::default(),
        };
        let since = self.votes.last().map_or(self.asked_at, |vote| vote.at);
        let since = Some(at.saturating_sub(since));
        let (tone, icon, at, detail) = (look.tone, look.icon, Some(at), Markup::dim(detail));
        Some(Step { tone, icon, at, day: None, since, title, detail })
    }

    fn took(&self, l: Locale) -> Option<Markup> {
        let ended_at = self.ended_at?;
        let Some(last) = self.votes.last().filter(|_| self.attempts > 0) else {
            return Some(Markup::text(&l.duration(ended_at.saturating_sub(self.asked_at))));
        };
        let values = [
            ("decide", Markup::text(&l.duration(last.at.saturating_sub(self.asked_at)))),
            ("settle", Markup::text(&l.duration(ended_at.saturating_sub(last.at)))),
        ];
        Some(l.fill(words::TOOK_TO_DECIDE_AND_SETTLE, &values))
    }
}
