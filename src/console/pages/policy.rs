//! *Policy*: the policies in force, and a form that explains a decision.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here};
use crate::console::states::Tone;
use crate::console::view::{Account, FieldError, Person};
use crate::console::{href, words};
use crate::outcome::language::Localized;

/// The policies in force, and what the reader wants to have explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The digest of the policy set.
    pub digest: String,
    /// When the first request was decided by it, if the ledger has one.
    pub since: Option<i64>,
    /// The names of the files.
    pub files: Vec<String>,
    /// Whether `prepared.json` is of these policies; `None` if there is no such file.
    pub is_prepared: Option<bool>,
    /// The policies, by effect and id.
    pub policies: Vec<PolicyText>,
    /// The instances to choose from.
    pub instances: Vec<String>,
    /// The form, as far as it is filled in.
    pub question: Question,
    /// What is wrong with a field.
    pub error: Option<FieldError>,
    /// The answer, if the form was sent.
    pub answer: Option<Answer>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// Its id.
    pub id: String,
    /// Whether it is a `permit`; otherwise it is a `forbid`.
    pub is_permit: bool,
    /// Its text.
    pub text: String,
    /// Whom it is about; `None` for everyone.
    pub principal: Option<String>,
    /// The actions that it is about; empty for all.
    pub actions: Vec<String>,
    /// Where it applies; `None` for everywhere.
    pub resource: Option<String>,
    /// Whether it has conditions.
    pub has_conditions: bool,
}

/// What the reader wants to have explained: the fields of the form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// The principal.
    pub principal: String,
    /// The instance.
    pub instance: String,
    /// The account.
    pub user_name: String,
    /// The action; empty for removing at once, or else asking.
    pub action: String,
    /// When, `2026-11-24T20:00` at the operator's offset.
    pub at: String,
    /// The reason.
    pub reason: String,
    /// Removals of the principal in the last hour.
    pub removals_last_hour: String,
    /// Removals on the instance in the last hour.
    pub instance_removals_last_hour: String,
    /// Whether the requester confirmed.
    pub confirmed: bool,
    /// Whether it is a dry run.
    pub dry_run: bool,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// In short.
    pub verdict: Verdict,
    /// The principal.
    pub who: Person,
    /// The kind of its caller.
    pub kind: String,
    /// Its teams.
    pub teams: Vec<String>,
    /// Its own accounts.
    pub accounts: Vec<String>,
    /// The account.
    pub account: Account,
    /// When.
    pub at: i64,
    /// The rest of the context, by the names that policies use.
    pub context: Vec<(String, String)>,
    /// The actions that were looked at.
    pub parts: Vec<Part>,
}

/// An answer in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It would be removed at once.
    Permitted(Vec<String>),
    /// It would wait for approval.
    NeedsApproval(Vec<String>),
    /// These policies forbid it. Without them, these others would permit it.
    Forbidden(Vec<String>, Vec<String>),
    /// No policy permits it.
    NotPermitted,
    /// A policy could not be evaluated.
    Failed(Vec<String>),
}

/// An action, and each policy's part in its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The action's name in policies.
    pub action: String,
    /// Whether it is permitted.
    pub allowed: bool,
    /// The policies whose scope matches.
    pub policies: Vec<Evaluated>,
}

/// A policy, and its part in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// Its id.
    pub id: String,
    /// Whether it is a `permit`.
    pub is_permit: bool,
    /// Its text.
    pub text: String,
    /// Its part.
    pub role: Role,
}

/// The part of a policy in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It decided.
    Decided,
    /// It failed to evaluate; the text says why.
    Failed(String),
    /// It applies and is overridden.
    Overridden,
    /// Its conditions are not met.
    AlmostApplies,
}

/// The actions of the form: the value, and what it is called.
const ACTIONS: [(&str, Localized); 6] = [
    ("", words::ACTION_REMOVE_OR_ASK),
    ("delete", words::ACTION_DELETE),
    ("request", words::ACTION_REQUEST),
    ("approve", words::ACTION_APPROVE),
    ("list", words::ACTION_LIST),
    ("audit", words::ACTION_AUDIT),
];

#[derive(Template)]
#[template(path = "policy.html")]
struct Page<'a> {
    l: Locale,
    frame: &'a Frame,
    view: &'a Policy,
}

/// Returns the page.
pub fn page(frame: &Frame, view: &Policy) -> String {
    let l = frame.locale;
    let content = Markup::of(&Page { l, frame, view });
    frame.around(Here::Policy, &Markup::text(l.text(words::POLICY)), content)
}

impl Page<'_> {
    fn headline(&self) -> Markup {
        let n = self.view.policies.len();
        let text = if n == 1 { words::ONE_POLICY_IN_FORCE } else { words::POLICIES_IN_FORCE };
        self.l.fill(text, &[("n", Markup::text(&n.to_string()))])
    }

    fn files(&self) -> Markup {
        let l = self.l;
        let files = l.enumerate(self.view.files.iter().map(|file| Markup::code(file)).collect());
        let badge = match self.view.is_prepared {
            None => return files,
            Some(true) => l.badge(Tone::Ok, Icon::Check, &Markup::text(l.text(words::MATCHES))),
            Some(false) => l.badge(Tone::Bad, Icon::Alert, &Markup::text(l.text(words::DOES_NOT_MATCH))),
        };
        files.and(&Markup::text(" ")).and(&badge)
    }

    fn since(&self, since: i64) -> Markup {
        let note = Markup::dim(Markup::text(self.l.text(words::WHEN_FIRST_DECIDED)));
        self.l.full(since).and(&Markup::text(" ")).and(&note)
    }

    fn who_hint(&self) -> Markup {
        self.l.fill(words::WHO_HINT, &[("person", Markup::code("slack/…")), ("system", Markup::code("hr"))])
    }

    fn actions(&self) -> [(&'static str, Localized); 6] {
        ACTIONS
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.view.error.as_ref().is_some_and(|error| error.field == field)
    }

    fn wrong(&self) -> Option<Markup> {
        let error = self.view.error.as_ref()?;
        let text = self.l.fill(words::NOT_EXPLAINED, &[("why", self.l.sentence(&error.message))]);
        Some(self.l.wrong(text))
    }

    /// The small digest of the policies.
    fn by_policy_set(&self) -> Markup {
        let digest: String = self.view.digest.chars().take(8).collect();
        self.l.fill(words::BY_POLICY_SET, &[("digest", Markup::code(&digest))])
    }

    fn effect(&self, policy: &PolicyText) -> Markup {
        let (tone, icon, words) = match policy.is_permit {
            true => (Tone::Ok, Icon::Check, words::PERMIT),
            false => (Tone::No, Icon::Ban, words::FORBID),
        };
        self.l.badge(tone, icon, &Markup::text(self.l.text(words)))
    }

    /// Whom a policy is about, which actions, where, and whether it has conditions.
    fn scope(&self, policy: &PolicyText) -> Markup {
        let l = self.l;
        let text = |words| Markup::text(l.text(words));
        let or =
            |given: &Option<String>, words| given.as_ref().map_or_else(|| text(words), |given| Markup::text(given));
        let actions: Vec<_> = policy.actions.iter().map(|action| Markup::text(action)).collect();
        let actions = if actions.is_empty() { text(words::ALL_ACTIONS) } else { l.enumerate(actions) };
        let parts = [or(&policy.principal, words::ALL_PRINCIPALS), actions, or(&policy.resource, words::EVERYWHERE)];
        let conditions = policy.has_conditions.then(|| text(words::WITH_CONDITIONS));
        let parts = parts.into_iter().chain(conditions);
        parts.reduce(|scope, part| scope.and(&Markup::text(" · ")).and(&part)).unwrap_or_default()
    }

    fn verdict(&self, answer: &Answer) -> Markup {
        let l = self.l;
        let values = |policies: &[String], others: &[String]| {
            [
                ("policies", l.and(policies.iter().map(|id| Markup::code(id)).collect())),
                ("others", l.and(others.iter().map(|id| Markup::code(id)).collect())),
            ]
        };
        let several = |policies: &[String], one, more| if policies.len() == 1 { one } else { more };
        let (tone, icon, text) = match &answer.verdict {
            Verdict::Permitted(by) => {
                let words = several(by, words::YES_PERMITS, words::YES_PERMIT);
                (Tone::Ok, Icon::Check, l.fill(words, &values(by, &[])))
            }
            Verdict::NeedsApproval(by) => {
                let words = several(by, words::ASK_PERMITS, words::ASK_PERMIT);
                (Tone::Wait, Icon::Clock, l.fill(words, &values(by, &[])))
            }
            Verdict::Forbidden(by, others) => {
                let no = several(by, words::NO_FORBIDS, words::NO_FORBID);
                let mut text = l.fill(no, &values(by, others));
                if !others.is_empty() {
                    let without = several(others, words::WITHOUT_PERMITS, words::WITHOUT_PERMIT);
                    text = text.and(&Markup::text(l.text(words::SPACE))).and(&l.fill(without, &values(by, others)));
                }
                (Tone::No, Icon::Ban, text)
            }
            Verdict::NotPermitted => (Tone::No, Icon::Ban, l.fill(words::NO_POLICY_PERMITS, &[])),
            Verdict::Failed(by) => (Tone::Bad, Icon::Alert, l.fill(words::POLICY_FAILED, &values(by, &[]))),
        };
        l.note(tone, icon, text)
    }

    fn kind(&self, answer: &Answer) -> Markup {
        let values = [("principal", Markup::text(&answer.who.principal)), ("kind", Markup::text(&answer.kind))];
        let named = answer.who.name.as_ref().map(|name| Markup::bold(Markup::text(name)).and(&Markup::text(" ")));
        let principal = self.l.fill(words::PRINCIPAL_AND_KIND, &values);
        named.unwrap_or_default().and(&Markup::element("span", &[("class", "dim small")], principal))
    }

    fn codes(&self, names: &[String]) -> Markup {
        if names.is_empty() {
            return Markup::dim(Markup::text(self.l.text(words::NONE)));
        }
        self.l.enumerate(names.iter().map(|name| Markup::code(name)).collect())
    }

    fn at(&self, answer: &Answer) -> Markup {
        let offset = Markup::dim(Markup::text(&self.l.offset()));
        self.l.full(answer.at).and(&Markup::text(" ")).and(&offset)
    }

    fn context(&self, answer: &Answer) -> Markup {
        let facts = answer
            .context
            .iter()
            .map(|(name, value)| Markup::code(name).and(&Markup::text(" ")).and(&Markup::text(value)));
        Markup::dim(self.l.enumerate(facts.collect()))
    }

    fn part_title(&self, part: &Part) -> Markup {
        let known = ACTIONS.iter().find(|(action, _)| *action == part.action);
        let action = known.map_or_else(|| Markup::code(&part.action), |(_, words)| Markup::text(self.l.text(*words)));
        let answer = if part.allowed { words::YES } else { words::NO };
        self.l.fill(words::ACTION_AND_ANSWER, &[("action", action), ("answer", Markup::text(self.l.text(answer)))])
    }

    fn role(&self, policy: &Evaluated) -> Markup {
        let (tone, icon, words) = match (&policy.role, policy.is_permit) {
            (Role::Decided, true) => (Tone::Ok, Icon::Check, words::PERMITS_IT),
            (Role::Decided, false) => (Tone::No, Icon::Ban, words::FORBIDS_IT),
            (Role::Failed(_), _) => (Tone::Bad, Icon::Alert, words::FAILED),
            (Role::Overridden, true) => (Tone::Off, Icon::Minus, words::PERMIT_OVERRULED),
            (Role::Overridden, false) => (Tone::Off, Icon::Minus, words::FORBID_OVERRULED),
            (Role::AlmostApplies, true) => (Tone::Off, Icon::Minus, words::PERMIT_NOT_MET),
            (Role::AlmostApplies, false) => (Tone::Off, Icon::Minus, words::FORBID_NOT_MET),
        };
        self.l.badge(tone, icon, &Markup::text(self.l.text(words)))
    }

    fn failure<'p>(&self, policy: &'p Evaluated) -> Option<&'p str> {
        match &policy.role {
            Role::Failed(why) => Some(why),
            Role::Decided | Role::Overridden | Role::AlmostApplies => None,
        }
    }

    /// The policies that decided are open.
    fn is_open(&self, part: &Part, policy: &Evaluated) -> bool {
        let decided = matches!(policy.role, Role::Decided | Role::Failed(_));
        let first = self.view.answer.as_ref().and_then(|answer| answer.parts.first());
        decided && first == Some(part)
    }

    fn text_of(&self, id: &str) -> Markup {
        self.l.fill(words::TEXT_OF_POLICY, &[("id", Markup::text(id))])
    }

    fn text_in(&self, part: &Part, id: &str) -> Markup {
        self.l.fill(words::TEXT_OF_POLICY_FOR, &[("id", Markup::text(id)), ("action", Markup::text(&part.action))])
    }
}
