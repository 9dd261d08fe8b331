//! *Accounts*: the accounts of an instance, and what is known of their owners.

use askama::Template;

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here};
use crate::console::states::{Tone, of_standing};
use crate::console::view::{Owner, Person, Place, RemovalLink, Standing};
use crate::console::{href, words};

/// The accounts of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// The instances whose accounts the reader may list.
    pub instances: Vec<String>,
    /// The chosen instance.
    pub place: Place,
    /// When the account list was read; `None` if it could not be read, and the accounts are those of rows.
    pub read_at: Option<i64>,
    /// Where owners are known from.
    pub sources: Vec<Source>,
    /// How many accounts there are of each standing, in the order of [`Standing::ALL`].
    pub counts: [usize; 6],
    /// The standing that is shown; `None` for all.
    pub standing: Option<Standing>,
    /// What the reader looks for.
    pub search: String,
    /// The accounts, what needs a look first.
    pub rows: Vec<AccountRow>,
    /// The cursor of this page; `None` on the first.
    pub cursor: Option<String>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its name.
    pub user_name: String,
    /// Its owner.
    pub owner: Owner,
    /// Where its owner is known from.
    pub sources: Vec<Source>,
    /// What happened to it before.
    pub before: Option<Before>,
    /// What the reader can do.
    pub action: Action,
}

/// Where an owner is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `[[person]]`.
    Configured,
    /// The identities of this SCIM caller.
    Scim(String),
    /// `map` of `[leavers]`.
    Map,
    /// The pattern that protects the account.
    Pattern(String),
    /// A system account of TaurusDB.
    BuiltIn,
}

/// What happened to an account before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// It was removed here, and is there again.
    Removed(RemovalLink),
    /// An approver denied its removal, with this reason.
    Denied(RemovalLink, Person, Option<String>),
    /// Its removal was refused.
    Refused(RemovalLink),
}

/// What the reader can do about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask for its removal.
    Ask,
    /// A request about it waits: the row's id.
    Waits(String),
    /// It is never removed here.
    Never,
    /// Nothing: the reader may not ask.
    Nothing,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct Page<'a> {
    l: Locale,
    frame: &'a Frame,
    view: &'a Accounts,
}

/// Returns the page.
pub fn page(frame: &Frame, view: &Accounts) -> String {
    let l = frame.locale;
    let content = Markup::of(&Page { l, frame, view });
    frame.around(Here::Accounts, &Markup::text(l.text(words::ACCOUNTS)), content)
}

impl Page<'_> {
    fn address(&self, path: &str, standing: Option<Standing>, cursor: &str) -> String {
        let Accounts { place, search, .. } = self.view;
        let standing = standing.map_or("", Standing::as_str);
        let parameters =
            [("instance", place.instance.as_str()), ("state", standing), ("q", search), ("cursor", cursor)];
        href::with_query(path, &parameters)
    }

    fn csv(&self) -> String {
        self.address(&format!("{}.csv", href::ACCOUNTS), self.view.standing, "")
    }

    fn only(&self, standing: Option<Standing>) -> String {
        self.address(href::ACCOUNTS, standing, "")
    }

    fn next(&self) -> Option<String> {
        Some(self.address(href::ACCOUNTS, self.view.standing, self.view.next.as_deref()?))
    }

    fn first(&self) -> Option<String> {
        self.view.cursor.as_ref().map(|_| self.address(href::ACCOUNTS, self.view.standing, ""))
    }

    fn total(&self) -> usize {
        self.view.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn count(&self, standing: Standing) -> usize {
        let counts = Standing::ALL.into_iter().zip(self.view.counts);
        counts.filter(|(of, _)| *of == standing).map(|(_, count)| count).sum()
    }

    /// The tiles: how many accounts there are of each standing. A tile of none is left out, unless it is the one that is shown.
    fn tiles(&self) -> Vec<(Standing, usize)> {
        let all = Standing::ALL.into_iter().map(|standing| (standing, self.count(standing)));
        all.filter(|(standing, count)| *count > 0 || self.is_shown(Some(*standing))).collect()
    }

    fn owner(&self, row: &AccountRow) -> Markup {
        if row.sources.contains(&Source::BuiltIn) {
            return Markup::dim(Markup::text(self.l.text(words::TAURUSDB_S_OWN)));
        }
        self.l.owner_people(&row.owner)
    }

    fn tone(&self, standing: Standing) -> &'static str {
        of_standing(standing).tone.class()
    }

    fn icon(&self, standing: Standing) -> Markup {
        of_standing(standing).icon.markup()
    }

    fn word(&self, standing: Standing) -> &'static str {
        self.l.text(of_standing(standing).words)
    }

    fn is_shown(&self, standing: Option<Standing>) -> bool {
        self.view.standing == standing
    }

    fn headline(&self) -> Markup {
        let l = self.l;
        let number = |n: usize| Markup::text(&n.to_string());
        let (left, back) = (self.count(Standing::OwnerLeft), self.count(Standing::CameBack));
        let values = [
            ("n", number(left.saturating_add(back))),
            ("total", number(self.total())),
            ("left", number(left)),
            ("back", number(back)),
            ("instance", Markup::code(&self.view.place.instance)),
        ];
        match (left, back) {
            (0, 0) => l.fill(words::ALL_IN_ORDER, &values),
            (_, 0) => l.fill(words::SHOULD_BE_GONE_LEFT, &values),
            (0, _) => l.fill(words::SHOULD_BE_GONE_BACK, &values),
            _ => l.fill(words::SHOULD_BE_GONE, &values),
        }
    }

    fn read_from(&self) -> Markup {
        let Some(read_at) = self.view.read_at else { return Markup::default() };
        let values = [("time", self.l.clock(read_at)), ("sources", self.sources(&self.view.sources))];
        let text = if self.view.sources.is_empty() { words::READ_FROM_TAURUSDB } else { words::READ_FROM };
        self.l.fill(text, &values)
    }

    fn sources(&self, sources: &[Source]) -> Markup {
        self.l.enumerate(sources.iter().map(|source| self.source(source)).collect())
    }

    fn source(&self, source: &Source) -> Markup {
        match source {
            Source::Configured => Markup::code("[[person]]"),
            Source::Scim(caller) => self.l.fill(words::SCIM_CALLER, &[("caller", Markup::code(caller))]),
            Source::Map => Markup::code("map"),
            Source::Pattern(pattern) => Markup::code(pattern),
            Source::BuiltIn => Markup::dim(Markup::text(self.l.text(words::SYSTEM_ACCOUNT))),
        }
    }

    fn before(&self, before: &Before) -> Markup {
        let link = |to: &RemovalLink| Markup::link(&href::removal(&to.id), self.l.date(to.at));
        match before {
            Before::Removed(to) => self.l.fill(words::REMOVED_BEFORE, &[("date", link(to))]),
            Before::Refused(to) => self.l.fill(words::REFUSED_BEFORE, &[("date", link(to))]),
            Before::Denied(to, person, reason) => {
                let values = [
                    ("date", link(to)),
                    ("person", self.l.name(person)),
                    ("reason", Markup::text(reason.as_deref().unwrap_or_default())),
                ];
                let text = if reason.is_some() { words::DENIED_BEFORE_BECAUSE } else { words::DENIED_BEFORE };
                self.l.fill(text, &values)
            }
        }
    }

    fn action(&self, row: &AccountRow) -> Markup {
        let l = self.l;
        let text = |words| Markup::text(l.text(words));
        match &row.action {
            Action::Ask => {
                let account = [("instance", self.view.place.instance.as_str()), ("user_name", row.user_name.as_str())];
                let which = l.fill(words::OF_ACCOUNT, &[("account", Markup::text(&row.user_name))]);
                let which = Markup::element("span", &[("class", "sr")], which);
                Markup::link(&href::with_query(href::ASK, &account), text(words::ASK_FOR_REMOVAL).and(&which))
            }
            Action::Waits(id) => Markup::link(&href::removal(id), text(words::STATE_AWAITING_APPROVAL)),
            Action::Never => Markup::dim(text(words::NEVER_REMOVED)),
            Action::Nothing => Markup::default(),
        }
    }

    fn unreadable(&self) -> Markup {
        self.l.note(Tone::Odd, Icon::Help, self.l.fill(words::LIST_UNREADABLE_ACCOUNTS, &[]))
    }

    fn extent(&self) -> Markup {
        let values = [
            ("shown", Markup::text(&self.view.rows.len().to_string())),
            ("total", Markup::text(&self.total().to_string())),
        ];
        self.l.fill(words::EXTENT_OF_ACCOUNTS, &values)
    }
}
