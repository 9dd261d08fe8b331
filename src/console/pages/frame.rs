//! What is around every page: navigation, who the reader is, the language, the way out.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::view::{Done, Person};
use crate::console::{href, stylesheet, words};
use crate::outcome::language::Localized;

/// What the pages of a reader who has signed in have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The language, and the time.
    pub locale: Locale,
    /// The reader.
    pub reader: Person,
    /// What the reader's policies permit at all.
    pub permitted: Navigation,
    /// How much waits for the reader: decisions, and own requests to confirm.
    pub waiting: usize,
    /// The token of the form that signs out; `None` if the session is a proxy's, where people sign out.
    pub sign_out_token: Option<String>,
    /// This page in the other language.
    pub other_language: String,
    /// The digest of the policies in force.
    pub policy_set: String,
    /// The version of the gateway.
    pub version: String,
    /// What the reader has just done.
    pub done: Option<Done>,
}

/// Which pages the reader is shown the way to, beside *Waiting* and *Removals*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Navigation {
    /// *Ask*: `delete` or `request` is permitted on an instance.
    pub ask: bool,
    /// *Accounts*: `list` is permitted on an instance.
    pub accounts: bool,
    /// *Policy*: `audit` of the ledger is permitted.
    pub policy: bool,
}

/// A page of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Waiting,
    Ask,
    Removals,
    Accounts,
    Policy,
    Nowhere,
}

/// An entry of the navigation.
struct Entry {
    here: Here,
    icon: Icon,
    words: Localized,
    href: &'static str,
}

const ENTRIES: [Entry; 5] = [
    Entry { here: Here::Waiting, icon: Icon::Inbox, words: words::WAITING, href: href::WAITING },
    Entry { here: Here::Ask, icon: Icon::Ask, words: words::NAV_ASK, href: href::ASK },
    Entry { here: Here::Removals, icon: Icon::List, words: words::REMOVALS, href: href::REMOVALS },
    Entry { here: Here::Accounts, icon: Icon::Users, words: words::ACCOUNTS, href: href::ACCOUNTS },
    Entry { here: Here::Policy, icon: Icon::Shield, words: words::POLICY, href: href::POLICY },
];

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    l: Locale,
    title: Markup,
    body: Markup,
    class: Option<&'static str>,
    stylesheet: String,
    icons: Vec<(&'static str, Markup)>,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct FrameTemplate<'a> {
    l: Locale,
    frame: &'a Frame,
    here: Here,
    entries: Vec<&'static Entry>,
    content: Markup,
}

impl FrameTemplate<'_> {
    fn policy_set(&self) -> String {
        self.frame.policy_set.chars().take(8).collect()
    }
}

impl Frame {
    /// Returns the whole page around this content. `title` is a text without markup.
    pub(super) fn around(&self, here: Here, title: &Markup, content: Markup) -> String {
        let permitted = self.permitted;
        let is_shown = |entry: &&Entry| match entry.here {
            Here::Ask => permitted.ask,
            Here::Accounts => permitted.accounts,
            Here::Policy => permitted.policy,
            Here::Waiting | Here::Removals | Here::Nowhere => true,
        };
        let entries = ENTRIES.iter().filter(is_shown).collect();
        let body = Markup::of(&FrameTemplate { l: self.locale, frame: self, here, entries, content });
        page(self.locale, title, body, None)
    }
}

/// Returns the whole page around a body that has no navigation.
pub(super) fn bare(locale: Locale, title: &Markup, body: Markup) -> String {
    page(locale, title, body, Some("bare"))
}

fn page(locale: Locale, title: &Markup, body: Markup, class: Option<&'static str>) -> String {
    let used = Icon::used_in(body.as_str()).into_iter();
    let page = Page {
        l: locale,
        title: locale.fill(words::TITLE, &[("page", title.clone())]),
        class,
        stylesheet: stylesheet::path(),
        icons: used.map(|icon| (icon.id(), icon.shape())).collect(),
        body,
    };
    Markup::of(&page).into_string()
}
