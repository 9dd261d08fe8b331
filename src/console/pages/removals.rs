//! *Removals*: what became of the requests that the reader may see, with two charts.

use askama::Template;

use crate::console::chart::{DayBar, DaysChart, DecisionsChart, Statistics, Week, counted, percentile, weeks};
use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::pages::frame::{Frame, Here};
use crate::console::states::{Group, Tone, of_state};
use crate::console::view::{Account, FieldError, Requester, Vote};
use crate::console::{href, words};
use crate::outcome::state::State;

/// A page of removals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removals {
    /// The rows, newest first.
    pub rows: Vec<RemovalSummary>,
    /// What they are filtered by.
    pub filter: Filter,
    /// The instances to choose from.
    pub instances: Vec<String>,
    /// What became of the last requests; `None` if the reader may not see all of them.
    pub statistics: Option<Statistics>,
    /// The removals of unknown outcome that the reader may audit.
    pub unknown: Vec<UnknownRemoval>,
    /// The cursor of this page; `None` on the newest.
    pub cursor: Option<String>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// What is wrong with the filter.
    pub error: Option<FieldError>,
}

/// What the rows are filtered by. What is empty does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The account.
    pub user_name: String,
    /// The instance.
    pub instance: String,
    /// The state.
    pub state: Option<State>,
    /// The requester's principal.
    pub actor: String,
    /// The first day, `2026-11-20`.
    pub since: String,
    /// The last day.
    pub until: String,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalSummary {
    /// Its id.
    pub id: String,
    /// The account; `None` if the request named none.
    pub account: Option<Account>,
    /// How far it came.
    pub state: State,
    /// The requester, if one was proved.
    pub requester: Option<Requester>,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// What approvers said about it.
    pub votes: Vec<Vote>,
    /// How many approvals it needs, if it waited for them.
    pub required: u32,
    /// The pattern that protects the account, if that is why it was refused.
    pub protected_by: Option<String>,
    /// When it was asked.
    pub asked_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// A removal whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRemoval {
    /// The row's id.
    pub id: String,
    /// The account.
    pub account: Account,
    /// When it was found to be unknown.
    pub at: i64,
}

#[derive(Template)]
#[template(path = "removals.html")]
struct Page<'a> {
    l: Locale,
    frame: &'a Frame,
    view: &'a Removals,
    charts: Option<Markup>,
}

#[derive(Template)]
#[template(path = "charts.html")]
struct Charts<'a> {
    l: Locale,
    statistics: &'a Statistics,
    days: DaysChart,
    decisions: DecisionsChart,
    weeks: Vec<Week>,
}

/// Returns the page.
pub fn page(frame: &Frame, view: &Removals) -> String {
    let l = frame.locale;
    let charts = view.statistics.as_ref().map(|statistics| {
        Markup::of(&Charts {
            l,
            statistics,
            days: DaysChart::draw(&statistics.days, l),
            decisions: DecisionsChart::draw(statistics, l),
            weeks: weeks(&statistics.days, l),
        })
    });
    let content = Markup::of(&Page { l, frame, view, charts });
    frame.around(Here::Removals, &Markup::text(l.text(words::REMOVALS)), content)
}

impl Page<'_> {
    fn address(&self, path: &str, cursor: Option<&str>) -> String {
        let filter = &self.view.filter;
        href::with_query(
            path,
            &[
                ("user_name", &filter.user_name),
                ("instance", &filter.instance),
                ("state", filter.state.map_or("", State::as_str)),
                ("actor", &filter.actor),
                ("since", &filter.since),
                ("until", &filter.until),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }

    fn csv(&self) -> String {
        self.address(&format!("{}.csv", href::REMOVALS), self.view.cursor.as_deref())
    }

    fn older(&self) -> Option<String> {
        Some(self.address(href::REMOVALS, Some(self.view.next.as_deref()?)))
    }

    fn newest(&self) -> Option<String> {
        self.view.cursor.as_ref().map(|_| self.address(href::REMOVALS, None))
    }

    /// Whether an instance of the filter is none of those to choose from: it is not configured any more.
    fn is_unlisted(&self) -> bool {
        let instance = &self.view.filter.instance;
        !instance.is_empty() && !self.view.instances.contains(instance)
    }

    fn is_chosen(&self, state: State) -> bool {
        self.view.filter.state == Some(state)
    }

    fn state_word(&self, state: State) -> &'static str {
        self.l.text(of_state(state).words)
    }

    fn unknown(&self) -> Option<Markup> {
        let first = self.view.unknown.first()?;
        let n = self.view.unknown.len();
        let values = [
            ("n", Markup::text(&n.to_string())),
            ("time", self.l.clock(first.at)),
            ("account", self.l.linked_account(&first.account, &first.id)),
        ];
        let text = if n == 1 { words::ONE_IS_UNKNOWN } else { words::SOME_ARE_UNKNOWN };
        Some(self.l.note(Tone::Odd, Icon::Help, self.l.fill(text, &values)))
    }

    fn wrong(&self) -> Option<Markup> {
        let error = self.view.error.as_ref()?;
        let text = self.l.fill(words::NOT_FILTERED, &[("why", self.l.sentence(&error.message))]);
        Some(self.l.wrong(text))
    }

    fn invalid(&self, field: &str) -> bool {
        self.view.error.as_ref().is_some_and(|error| error.field == field)
    }

    fn caption(&self) -> Markup {
        let l = self.l;
        let day = |text: &str| -> Option<Markup> {
            Some(Markup::text(&l.date_text(text.parse::<chrono::NaiveDate>().ok()?)))
        };
        let filter = &self.view.filter;
        // A filter that is wrong selects all rows.
        let days = match self.view.error {
            None => (day(&filter.since), day(&filter.until)),
            Some(_) => (None, None),
        };
        match days {
            (None, None) => l.fill(words::NEWEST_FIRST, &[]),
            (Some(since), None) => l.fill(words::ASKED_SINCE, &[("since", since)]),
            (None, Some(until)) => l.fill(words::ASKED_UNTIL, &[("until", until)]),
            (Some(since), Some(until)) => l.fill(words::ASKED_BETWEEN, &[("since", since), ("until", until)]),
        }
    }

    fn extent(&self) -> Markup {
        let rows = &self.view.rows;
        let stamp = |row: Option<&RemovalSummary>| row.map(|row| self.l.stamp(row.asked_at)).unwrap_or_default();
        let values = [
            ("n", Markup::text(&rows.len().to_string())),
            ("newest", stamp(rows.first())),
            ("oldest", stamp(rows.last())),
        ];
        self.l.fill(if rows.len() == 1 { words::ONE_ROW } else { words::ROWS }, &values)
    }
}

impl Charts<'_> {
    fn total(&self) -> usize {
        let counts = self.weeks.iter().flat_map(|week| &week.counts);
        counts.fold(0_usize, |sum, count| sum.saturating_add(usize::try_from(*count).unwrap_or(usize::MAX)))
    }

    fn sum(&self, group: Group) -> u32 {
        self.statistics.days.iter().fold(0, |sum, day| sum.saturating_add(day.count(group)))
    }

    fn requests(&self) -> Markup {
        let text = if self.total() == 1 { words::ONE_REQUEST_BY_GROUP } else { words::REQUESTS_BY_GROUP };
        self.l.fill(text, &[("n", Markup::text(&self.total().to_string()))])
    }

    fn title(&self) -> String {
        let day =
            |day: Option<&crate::console::chart::Day>| day.map(|day| self.l.date_text(day.date)).unwrap_or_default();
        let days = &self.statistics.days;
        let text = self.l.text(words::REQUESTS_A_DAY);
        text.replace("{a}", &day(days.first())).replace("{b}", &day(days.last()))
    }

    fn description(&self) -> String {
        let counts = Group::ALL.into_iter().map(|group| counted(group, self.sum(group), self.l));
        let counts: Vec<_> = counts.collect();
        let text = self.l.text(words::CHART_DESCRIPTION);
        text.replace("{n}", &self.total().to_string()).replace("{counts}", &counts.join(self.l.text(words::BETWEEN)))
    }

    fn decided(&self) -> Markup {
        let after = &self.statistics.decided_after;
        let (Some(half), Some(nine)) = (percentile(after, 5), percentile(after, 9)) else {
            return Markup::text(self.l.text(words::NONE_WAITED));
        };
        let values = [
            ("n", Markup::text(&self.decisions.decided.to_string())),
            ("half", Markup::text(&self.l.duration(half))),
            ("nine", Markup::text(&self.l.duration(nine))),
        ];
        self.l.fill(if after.len() == 1 { words::ONE_WAITED } else { words::WAITED }, &values)
    }

    fn decisions_description(&self) -> String {
        let counts = self.decisions.rows.iter().map(|row| {
            let text = self.l.text(words::RANGE_AND_COUNT);
            text.replace("{range}", row.label).replace("{n}", &row.count.to_string())
        });
        counts.collect::<Vec<_>>().join(self.l.text(words::BETWEEN))
    }

    fn bars(&self) -> &[DayBar] {
        &self.days.bars
    }
}

impl RemovalSummary {
    fn decided_by(&self, l: Locale) -> Markup {
        let approvals: Vec<_> = self.votes.iter().filter(|vote| vote.is_approval).collect();
        let names = || l.enumerate(approvals.iter().map(|vote| l.name(&vote.person)).collect());
        if let Some(pattern) = &self.protected_by {
            return l.fill(words::PROTECTED_BY_PATTERN, &[("pattern", Markup::code(pattern))]);
        }
        if let Some(denial) = self.votes.iter().rfind(|vote| !vote.is_approval) {
            let name = l.name(&denial.person);
            return match &denial.reason {
                None => name,
                Some(reason) => l.fill(words::NAME_AND_WORDS, &[("name", name), ("text", Markup::text(reason))]),
            };
        }
        let waited = matches!(self.state, State::AwaitingApproval | State::Expired | State::Cancelled);
        if waited && self.required > 0 {
            let given = approvals.len().to_string();
            let values = [
                ("given", Markup::text(&given)),
                ("required", Markup::text(&self.required.to_string())),
                ("names", names()),
            ];
            return l.fill(if approvals.is_empty() { words::OF } else { words::OF_AND_NAMES }, &values);
        }
        if approvals.is_empty() { l.policies(&self.policies) } else { names() }
    }

    fn took(&self, l: Locale) -> Option<String> {
        let ended_at = self.ended_at?;
        Some(l.duration(ended_at.saturating_sub(self.asked_at)))
    }
}
