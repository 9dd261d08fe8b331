//! Signing in, and signing in again: pages without navigation.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::bare;
use crate::console::states::Tone;
use crate::console::view::{Account, Act};
use crate::console::{href, words};

/// What both pages have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The language, and the time.
    pub locale: Locale,
    /// This page in the other language.
    pub other_language: String,
    /// The host of the identity provider; `None` if there is none, and a proxy signs people in.
    pub provider: Option<String>,
    /// Where signing in begins.
    pub begin: String,
    /// How many hours a session lasts at most.
    pub hours: u32,
    /// The version of the gateway.
    pub version: String,
    /// Why the reader is here.
    pub why: Why,
}

/// Why the reader sees the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// To sign in.
    New,
    /// The reader has signed out.
    SignedOut,
    /// The session is over.
    Over(Over),
    /// Signing in failed: a sentence in the reader's language.
    Failed(String),
}

/// A session that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// When it ended, if that is known.
    pub ended_at: Option<i64>,
    /// What the reader sent with it, which did not count: what was done, the request's reference if it has one, and the account if
    /// it is known.
    pub lost: Option<(Act, Option<String>, Option<Account>)>,
}

#[derive(Template)]
#[template(path = "signin.html")]
struct Page<'a> {
    l: Locale,
    view: &'a SignIn,
}

/// Returns the page.
pub fn page(view: &SignIn) -> String {
    let l = view.locale;
    let title = match view.why {
        Why::Over(_) => words::SIGN_IN_AGAIN_TITLE,
        Why::New | Why::SignedOut | Why::Failed(_) => words::SIGN_IN,
    };
    bare(l, &Markup::text(l.text(title)), Markup::of(&Page { l, view }))
}

impl Page<'_> {
    fn over(&self) -> Option<&Over> {
        match &self.view.why {
            Why::Over(over) => Some(over),
            Why::New | Why::SignedOut | Why::Failed(_) => None,
        }
    }

    fn note(&self) -> Option<Markup> {
        let l = self.l;
        let (tone, icon, text) = match &self.view.why {
            Why::SignedOut => (Tone::Off, Icon::Check, Markup::text(l.text(words::SIGNED_OUT))),
            Why::Failed(why) => (Tone::Bad, Icon::Alert, l.fill(words::SIGN_IN_FAILED, &[("why", l.sentence(why))])),
            Why::New | Why::Over(_) => return None,
        };
        let class = format!("note {}", tone.class());
        let text = Markup::element("span", &[], text);
        Some(Markup::element("p", &[("class", &class), ("role", "status")], icon.markup().and(&text)))
    }

    fn badge(&self) -> Markup {
        self.l.badge(Tone::Wait, Icon::Clock, &Markup::text(self.l.text(words::SESSION_OVER)))
    }

    fn go_on(&self) -> Markup {
        match &self.view.provider {
            None => Markup::text(self.l.text(words::CONTINUE)),
            Some(provider) => self.l.fill(words::CONTINUE_WITH, &[("provider", Markup::text(provider))]),
        }
    }

    fn hint(&self) -> Markup {
        let text = if self.view.hours == 1 { words::SIGNED_IN_FOR_ONE_HOUR } else { words::SIGNED_IN_FOR };
        self.l.fill(text, &[("n", Markup::text(&self.view.hours.to_string()))])
    }

    fn ended(&self, over: &Over) -> Markup {
        let l = self.l;
        let hours = Markup::text(&self.view.hours.to_string());
        let ended = match over.ended_at {
            None => l.fill(words::SESSION_ENDED, &[]),
            Some(at) => l.fill(words::SESSION_ENDED_AT, &[("time", l.clock(at)), ("n", hours)]),
        };
        match &over.lost {
            None => ended,
            Some((act, reference, account)) => {
                let lost = self.lost(*act, reference.as_deref(), account.as_ref());
                ended.and(&Markup::text(l.text(words::SPACE))).and(&lost)
            }
        }
    }

    fn lost(&self, act: Act, reference: Option<&str>, account: Option<&Account>) -> Markup {
        let l = self.l;
        let which = match (reference, account) {
            (Some(reference), Some(account)) => l.fill(
                words::REFERENCE_AND_ACCOUNT,
                &[("reference", Markup::code(reference)), ("account", l.account(account))],
            ),
            (Some(reference), None) => Markup::code(reference),
            (None, Some(account)) => l.account(account),
            (None, None) => return l.fill(words::LOST, &[]),
        };
        let text = match act {
            Act::Ask => words::LOST_REQUEST,
            Act::Approve => words::LOST_APPROVAL,
            Act::Deny => words::LOST_DENIAL,
            Act::Confirm => words::LOST_CONFIRMATION,
            Act::Cancel => words::LOST_CANCELLATION,
        };
        l.fill(text, &[("which", which)])
    }
}
