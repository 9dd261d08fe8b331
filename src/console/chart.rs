//! Charts as SVG: x and width in per cent, y and height in pixels, no viewBox, so that text keeps its size on every screen.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::console::locale::Locale;
use crate::console::states::Group;
use crate::console::words;
use crate::outcome::language::Localized;
use crate::outcome::state::State;

/// How many days the first chart has.
pub const DAYS: u16 = 30;

/// What became of requests, day by day, and how long people took to decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// The last [`DAYS`] days, today last.
    pub days: Vec<Day>,
    /// How long each request waited that people decided, from the first request to the last vote, in milliseconds.
    pub decided_after: Vec<i64>,
    /// How many requests expired that waited for people.
    pub expired: u32,
}

/// A day, and what became of the requests that were asked on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day, at the operator's offset from UTC.
    pub date: NaiveDate,
    /// The account is gone.
    pub gone: u32,
    /// Policy, an approver or the gateway said no.
    pub said_no: u32,
    /// It ended without effect.
    pub no_effect: u32,
    /// It went wrong, or its outcome is not known.
    pub failed: u32,
    /// It waits, or is under way.
    pub waiting: u32,
}

impl Day {
    /// A day without requests.
    pub fn new(date: NaiveDate) -> Self {
        Self { date, gone: 0, said_no: 0, no_effect: 0, failed: 0, waiting: 0 }
    }

    /// Counts requests that came to this state.
    pub fn add(&mut self, state: State, more: u32) {
        let Some(group) = Group::ALL.into_iter().find(|group| group.states().contains(&state)) else { return };
        let count = match group {
            Group::Gone => &mut self.gone,
            Group::SaidNo => &mut self.said_no,
            Group::NoEffect => &mut self.no_effect,
            Group::Failed => &mut self.failed,
            Group::Waiting => &mut self.waiting,
        };
        *count = count.saturating_add(more);
    }

    pub(super) fn count(&self, group: Group) -> u32 {
        match group {
            Group::Gone => self.gone,
            Group::SaidNo => self.said_no,
            Group::NoEffect => self.no_effect,
            Group::Failed => self.failed,
            Group::Waiting => self.waiting,
        }
    }

    fn total(&self) -> u32 {
        Group::ALL.iter().fold(0, |sum, group| sum.saturating_add(self.count(*group)))
    }
}

/// The pixels of the first chart: its highest line, its lowest line.
const TOP: f64 = 12.0;
const BASE: f64 = 162.0;

/// Where the days begin, in per cent: the numbers of the lines are left of it.
const LEFT: f64 = 5.0;

/// The part of its day that a bar takes.
const BAR: f64 = 0.72;

/// The pixels between two parts of a bar.
const GAP: f64 = 0.75;

/// How many lines are above the lowest one.
const LINES: u32 = 3;

/// The first chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DaysChart {
    /// The lines above the lowest one, from below: their y, and the number that each stands for.
    pub(super) lines: Vec<(String, u32)>,
    /// The bars, of days that have requests.
    pub(super) bars: Vec<DayBar>,
    /// The labels of the days: their x, and the text.
    pub(super) labels: Vec<(String, String)>,
}

/// The bar of a day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DayBar {
    /// The text that a pointer shows.
    pub(super) title: String,
    pub(super) x: String,
    pub(super) width: String,
    pub(super) parts: Vec<Part>,
}

/// A part of a bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// The class of its colour; `None` if it is hatched.
    pub(super) class: Option<&'static str>,
    pub(super) y: String,
    pub(super) height: String,
}

impl DaysChart {
    /// Draws the chart.
    pub(super) fn draw(days: &[Day], locale: Locale) -> Self {
        let most = days.iter().map(Day::total).max().unwrap_or_default();
        let step = most.div_ceil(LINES).max(1);
        let unit = (BASE - TOP) / (f64::from(step) * f64::from(LINES));
        let lines = (1..=LINES).map(|line| {
            let number = step.saturating_mul(line);
            (pixels(unit.mul_add(-f64::from(number), BASE)), number)
        });
        let slot = (100.0 - LEFT) / f64::from(u32::try_from(days.len()).unwrap_or(u32::MAX).max(1));
        let mut left = LEFT;
        let (mut bars, mut labels) = (Vec::new(), Vec::new());
        for day in days {
            if day.total() > 0 {
                bars.push(DayBar {
                    title: title(day, locale),
                    x: percent(slot.mul_add((1.0 - BAR) / 2.0, left)),
                    width: percent(slot * BAR),
                    parts: parts(day, unit),
                });
            }
            if day.date.weekday() == Weekday::Mon {
                labels.push((percent(slot.mul_add(0.5, left)), locale.date_text(day.date)));
            }
            left += slot;
        }
        Self { lines: lines.collect(), bars, labels }
    }
}

/// The parts of a day's bar, from below. Each has a height, however high the others are.
fn parts(day: &Day, unit: f64) -> Vec<Part> {
    let mut bottom = BASE;
    let mut parts = Vec::new();
    for group in Group::ALL {
        let count = day.count(group);
        if count == 0 {
            continue;
        }
        let full = unit * f64::from(count);
        let height = full - GAP.min(full / 2.0);
        parts.push(Part { class: group.class(), y: pixels(bottom - height), height: pixels(height) });
        bottom -= full;
    }
    parts
}

fn title(day: &Day, locale: Locale) -> String {
    let counts = Group::ALL.into_iter().filter(|group| day.count(*group) > 0);
    let counts: Vec<_> = counts.map(|group| counted(group, day.count(group), locale)).collect();
    let text = locale.text(words::DAY_AND_COUNTS);
    let counts = counts.join(locale.text(words::BETWEEN));
    text.replace("{day}", &locale.date_text(day.date)).replace("{counts}", &counts)
}

/// Returns "3 removed or already gone".
pub(super) fn counted(group: Group, count: u32, locale: Locale) -> String {
    locale.text(group.counted()).replace("{n}", &count.to_string())
}

/// The ranges of the second chart: what each is called, and where it ends, in milliseconds.
const RANGES: [(Localized, i64); 6] = [
    (words::UNDER_5_MIN, 5 * 60_000),
    (words::UP_TO_15_MIN, 15 * 60_000),
    (words::UP_TO_60_MIN, 60 * 60_000),
    (words::UP_TO_4_H, 4 * 3_600_000),
    (words::UP_TO_24_H, 24 * 3_600_000),
    (words::OVER_24_H, i64::MAX),
];

/// Where the bars of the second chart begin, and how wide the widest is, in per cent: the number behind it needs the rest.
const START: f64 = 24.0;
const WIDEST: f64 = 64.0;

/// The pixels of a row.
const ROW: u16 = 27;

/// The second chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DecisionsChart {
    pub(super) height: u16,
    pub(super) rows: Vec<DecisionRow>,
    /// How many requests waited for people and were decided.
    pub(super) decided: usize,
}

/// A range of times to decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DecisionRow {
    pub(super) label: &'static str,
    pub(super) count: u32,
    pub(super) class: &'static str,
    pub(super) text_y: u16,
    pub(super) bar_y: u16,
    pub(super) width: String,
    /// Where the bar ends, and its number begins.
    pub(super) end: String,
}

impl DecisionsChart {
    /// Draws the chart. The last range is left out if nothing is in it.
    pub(super) fn draw(statistics: &Statistics, locale: Locale) -> Self {
        let decided = &statistics.decided_after;
        let mut from = i64::MIN;
        let mut counts = Vec::new();
        for (words, until) in RANGES {
            let count = decided.iter().filter(|after| (from..until).contains(*after)).count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            if until != i64::MAX || count > 0 {
                counts.push((words, count, "run"));
            }
            from = until;
        }
        counts.push((words::RANGE_EXPIRED, statistics.expired, "off"));
        let most = counts.iter().map(|(_, count, _)| *count).max().unwrap_or_default().max(1);
        let mut top = 0_u16;
        let rows = counts.into_iter().map(|(words, count, class)| {
            let width = WIDEST * f64::from(count) / f64::from(most);
            let row = DecisionRow {
                label: locale.text(words),
                count,
                class,
                text_y: top.saturating_add(17),
                bar_y: top.saturating_add(4),
                width: percent(width),
                end: percent(START + width),
            };
            top = top.saturating_add(ROW);
            row
        });
        let rows: Vec<_> = rows.collect();
        Self { height: top, rows, decided: decided.len() }
    }
}

/// The value that so many in ten do not exceed, by nearest rank; `None` of nothing.
pub(super) fn percentile(values: &[i64], tenths: usize) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = sorted.len().saturating_mul(tenths).div_ceil(10);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

fn pixels(value: f64) -> String {
    format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A week of the table below the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Week {
    pub(super) name: String,
    pub(super) counts: Vec<u32>,
}

/// Sums the days up by weeks, which begin on Monday.
pub(super) fn weeks(days: &[Day], locale: Locale) -> Vec<Week> {
    let weeks = days.chunk_by(|_, day| day.date.weekday() != Weekday::Mon);
    let week = |days: &[Day]| -> Option<Week> {
        let [first, last] = [days.first()?, days.last()?].map(|day| locale.date_text(day.date));
        let sum = |group| days.iter().fold(0_u32, |sum, day| sum.saturating_add(day.count(group)));
        let name = if first == last {
            first
        } else {
            locale.text(words::FROM_TO).replace("{a}", &first).replace("{b}", &last)
        };
        Some(Week { name, counts: Group::ALL.into_iter().map(sum).collect() })
    };
    weeks.filter_map(week).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::language::Language;

    fn locale() -> Locale {
        Locale { language: Language::English, now: "2026-11-24T14:32:08+08:00".parse().unwrap() }
    }

    fn days(counts: &[[u32; 5]]) -> Vec<Day> {
        let dates = locale().last_days(i64::try_from(counts.len()).unwrap());
        let day = |(date, [gone, said_no, no_effect, failed, waiting]): (NaiveDate, &[u32; 5])| Day {
            date,
            gone: *gone,
            said_no: *said_no,
            no_effect: *no_effect,
            failed: *failed,
            waiting: *waiting,
        };
        dates.into_iter().zip(counts).map(day).collect()
    }

    fn number(text: &str) -> f64 {
        text.trim_end_matches('%').parse().unwrap()
    }

    #[test]
    fn the_design_s_example() {
        let mut counts = vec![[0; 5]; 30];
        counts[0] = [5, 1, 0, 0, 0];
        counts[22] = [9, 1, 1, 0, 1];
        let chart = DaysChart::draw(&days(&counts), locale());
        assert_eq!(chart.lines, [("112".to_owned(), 4), ("62".to_owned(), 8), ("12".to_owned(), 12)]);
        let bar = &chart.bars[0];
        assert_eq!((bar.x.as_str(), bar.width.as_str()), ("5.44%", "2.28%"));
        assert_eq!(bar.title, "26 Oct: 5 removed or already gone, 1 refused or denied");
        let shown: Vec<_> = bar.parts.iter().map(|part| (part.class, part.y.as_str(), part.height.as_str())).collect();
        assert_eq!(shown, [(Some("ok"), "100.25", "61.75"), (None, "87.75", "11.75")]);
        let labels: Vec<_> = chart.labels.iter().map(|(x, text)| (x.as_str(), text.as_str())).collect();
        assert_eq!(labels[0], ("6.58%", "26 Oct"));
        assert_eq!(labels.len(), 5);
        let weeks = weeks(&days(&counts), locale());
        assert_eq!(weeks[0], Week { name: "26 Oct to 1 Nov".into(), counts: vec![5, 1, 0, 0, 0] });
        assert_eq!(weeks.len(), 5);
    }

    #[test]
    fn ranks() {
        assert_eq!(percentile(&[], 5), None);
        assert_eq!(percentile(&[7], 9), Some(7));
        assert_eq!(percentile(&[4, 1, 3, 2], 5), Some(2));
        assert_eq!(percentile(&(1..=10).collect::<Vec<_>>(), 9), Some(9));
        assert_eq!(percentile(&(1..=11).collect::<Vec<_>>(), 9), Some(10));
    }

    #[test]
    fn every_time_to_decision_is_in_one_range() {
        let after = [-1, 0, 299_999, 300_000, 899_999, 900_000, 3_600_000, 14_399_999, 86_400_000, i64::MAX - 1];
        let statistics = Statistics { decided_after: after.to_vec(), expired: 2, ..Statistics::default() };
        let chart = DecisionsChart::draw(&statistics, locale());
        let counts: Vec<_> = chart.rows.iter().map(|row| (row.label, row.count)).collect();
        let expected =
            [("under 5 min", 3), ("5–15 min", 2), ("15–60 min", 1), ("1–4 h", 2), ("4–24 h", 0), ("over 24 h", 2)];
        assert_eq!(counts, [expected.as_slice(), &[("expired", 2)]].concat());
        assert_eq!(chart.height, 7 * ROW);
    }

    proptest! {
        /// Whatever the numbers are: everything is within the chart, every count that is not 0 is drawn, and nothing overlaps.
        #[test]
        fn all_of_it_is_shown(
            counts in proptest::collection::vec(proptest::array::uniform5(0_u32..40), 0..=30),
            scale in prop_oneof![Just(1_u32), Just(1000), Just(20_000_000)],
        ) {
            let counts: Vec<_> = counts.iter().map(|day| day.map(|count| count.saturating_mul(scale))).collect();
            let chart = DaysChart::draw(&days(&counts), locale());
            let drawn: usize = chart.bars.iter().map(|bar| bar.parts.len()).sum();
            prop_assert_eq!(drawn, counts.iter().flatten().filter(|count| **count > 0).count());
            let mut left = LEFT;
            for bar in &chart.bars {
                let (x, width) = (number(&bar.x), number(&bar.width));
                prop_assert!(x >= left && x + width <= 100.0, "{bar:?}");
                left = x + width;
                let mut bottom = BASE;
                for part in &bar.parts {
                    let (y, height) = (number(&part.y), number(&part.height));
                    prop_assert!(y >= TOP - 0.01 && y + height <= bottom + 0.02, "{bar:?}");
                    prop_assert!(height >= 0.0);
                    bottom = y;
                }
            }
        }

        #[test]
        fn no_bar_is_wider_than_its_chart(after in proptest::collection::vec(any::<i64>(), 0..50), expired in any::<u32>()) {
            let statistics = Statistics { decided_after: after.clone(), expired, ..Statistics::default() };
            let chart = DecisionsChart::draw(&statistics, locale());
            for row in &chart.rows {
                prop_assert!(number(&row.end) <= START + WIDEST);
                prop_assert!(row.count > 0 || number(&row.width) == 0.0);
            }
            let shown: u32 = chart.rows.iter().filter(|row| row.class == "run").map(|row| row.count).sum();
            // The last moment that there is has no range: nothing ends behind it.
            prop_assert_eq!(shown as usize, after.iter().filter(|after| **after < i64::MAX).count());
        }
    }
}
