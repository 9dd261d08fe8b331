//! Texts, times, durations and lists in the language of the reader, at the operator's offset from UTC.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat, TimeDelta};

use crate::console::markup::Markup;
use crate::console::words;
use crate::outcome::language::{Language, Localized};

/// The language of the reader, and the time at which the page is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    /// The language.
    pub language: Language,
    /// The time of the request, at the operator's offset from UTC.
    pub now: DateTime<FixedOffset>,
}

/// The values of a text, by the names of its placeholders.
pub(super) type Values = [(&'static str, Markup)];

impl Locale {
    /// Returns the value of `lang`.
    pub(super) fn tag(self) -> &'static str {
        self.text(words::TAG)
    }

    /// Returns a text without placeholders.
    pub(super) fn text(self, text: Localized) -> &'static str {
        text.in_language(self.language)
    }

    /// Returns a text with its placeholders filled in. What stands between two `**` is bold.
    ///
    /// In Chinese, a space separates code from ideographs, and nothing else does.
    pub(super) fn fill(self, text: Localized, values: &Values) -> Markup {
        let mut filled = String::new();
        for (at, part) in self.text(text).split("**").enumerate() {
            let before = filled.chars().last();
            let inner = fill_part(part, values, before);
            filled.push_str(if at % 2 == 0 { "" } else { "<b>" });
            filled.push_str(&inner);
            filled.push_str(if at % 2 == 0 { "" } else { "</b>" });
        }
        Markup::filled(filled)
    }

    /// Returns the message of an outcome as a sentence: it begins with a capital and ends, and what is in backticks is code.
    pub(super) fn sentence(self, message: &str) -> Markup {
        let mut characters = message.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        let message: String = first.into_iter().chain(characters).collect();
        let parts = message.split('`').enumerate();
        let parts = parts.map(|(at, part)| if at % 2 == 0 { Markup::text(part) } else { Markup::code(part) });
        let text = parts.reduce(|text, part| text.and(&part)).unwrap_or_default();
        if message.is_empty() || message.ends_with(['.', '。', '!', '?']) {
            return text;
        }
        text.and(&Markup::text(self.text(words::END)))
    }

    /// Returns a list such as "A, B and C".
    pub(super) fn and(self, items: Vec<Markup>) -> Markup {
        self.list(items, words::AND)
    }

    /// Returns a list such as "A, B or C".
    pub(super) fn or(self, items: Vec<Markup>) -> Markup {
        self.list(items, words::OR)
    }

    /// Returns a list such as "A, B, C".
    pub(super) fn enumerate(self, items: Vec<Markup>) -> Markup {
        self.list(items, words::BETWEEN)
    }

    fn list(self, mut items: Vec<Markup>, last: Localized) -> Markup {
        let end = items.pop().unwrap_or_default();
        let Some(rest) = items.into_iter().reduce(|list, item| {
            self.fill(words::PAIR, &[("a", list), ("between", Markup::text(self.text(words::BETWEEN))), ("b", item)])
        }) else {
            return end;
        };
        self.fill(words::PAIR, &[("a", rest), ("between", Markup::text(self.text(last))), ("b", end)])
    }

    /// Returns a time at the operator's offset.
    fn at(self, millis: i64) -> DateTime<FixedOffset> {
        DateTime::from_timestamp_millis(millis).unwrap_or_default().with_timezone(self.now.offset())
    }

    /// Returns the day of a time, at the operator's offset.
    pub fn day_of(self, millis: i64) -> NaiveDate {
        self.at(millis).date_naive()
    }

    /// Returns a time, as a machine reads it and as it is shown.
    pub(super) fn element(self, millis: i64, shown: &str) -> Markup {
        let machine = self.at(millis).to_rfc3339_opts(SecondsFormat::Secs, false);
        Markup::element("time", &[("datetime", &machine)], Markup::text(shown))
    }

    /// Returns "today 13:46", "yesterday 11:15", "18 Nov 16:41", with the year if it is another one.
    pub(super) fn moment(self, millis: i64) -> Markup {
        self.element(millis, &self.moment_text(millis))
    }

    fn moment_text(self, millis: i64) -> String {
        let at = self.at(millis);
        let days = at.date_naive().signed_duration_since(self.now.date_naive()).num_days();
        let near = match days {
            0 => words::TODAY,
            -1 => words::YESTERDAY,
            1 => words::TOMORROW,
            _ => return self.stamp_text(millis),
        };
        format!("{}{}", self.text(near), at.format("%H:%M"))
    }

    /// Returns "18 Nov 16:41", with the year if it is another one.
    pub(super) fn stamp(self, millis: i64) -> Markup {
        self.element(millis, &self.stamp_text(millis))
    }

    fn stamp_text(self, millis: i64) -> String {
        let at = self.at(millis);
        let pattern = match at.year() == self.now.year() {
            true => words::STAMP,
            false => words::STAMP_WITH_YEAR,
        };
        self.with_month(pattern, at.date_naive()).replace("{time}", &at.format("%H:%M").to_string())
    }

    /// Returns "13:46" of a time today, and a stamp of any other.
    pub(super) fn clock(self, millis: i64) -> Markup {
        let at = self.at(millis);
        if at.date_naive() == self.now.date_naive() {
            return self.element(millis, &at.format("%H:%M").to_string());
        }
        self.stamp(millis)
    }

    /// Returns "10:04:11".
    pub(super) fn seconds(self, millis: i64) -> Markup {
        self.element(millis, &self.at(millis).format("%H:%M:%S").to_string())
    }

    /// Returns "18 Nov", with the year if it is another one.
    pub(super) fn date(self, millis: i64) -> Markup {
        self.element(millis, &self.date_text(self.day_of(millis)))
    }

    /// Returns "18 Nov 2026".
    pub(super) fn full_date(self, millis: i64) -> Markup {
        self.element(millis, &self.with_month(words::DATE_WITH_YEAR, self.day_of(millis)))
    }

    /// Returns "18 Nov 2026, 16:41".
    pub(super) fn full(self, millis: i64) -> Markup {
        let day = self.with_month(words::DATE_WITH_YEAR, self.day_of(millis));
        let text = self.text(words::DATE_AND_TIME);
        self.element(
            millis,
            &text.replace("{date}", &day).replace("{time}", &self.at(millis).format("%H:%M").to_string()),
        )
    }

    /// Returns "18 Nov", with the year if it is another one.
    pub(super) fn date_text(self, date: NaiveDate) -> String {
        let pattern = if date.year() == self.now.year() { words::DATE } else { words::DATE_WITH_YEAR };
        self.with_month(pattern, date)
    }

    fn with_month(self, pattern: Localized, date: NaiveDate) -> String {
        let month = match self.language {
            Language::English => date.format("%b").to_string(),
            Language::Chinese => date.month().to_string(),
        };
        let day = date.day().to_string();
        let year = date.year().to_string();
        self.text(pattern).replace("{day}", &day).replace("{month}", &month).replace("{year}", &year)
    }

    /// Returns "UTC+08:00".
    pub(super) fn offset(self) -> String {
        format!("UTC{}", self.now.format("%:z"))
    }

    /// Returns how long it lasted: "0.4 s", "46 min", "1 h 26 min", "3 d".
    pub(super) fn duration(self, millis: i64) -> String {
        let seconds = millis.max(0).unsigned_abs() / 1000;
        let minutes = seconds / 60;
        let hours = minutes / 60;
        let one = |pattern: Localized, n: &str| self.text(pattern).replace("{n}", n);
        match seconds {
            0..10 => {
                let tenths = millis.max(0).unsigned_abs() / 100;
                one(words::SECONDS, &format!("{}.{}", tenths / 10, tenths % 10))
            }
            10..60 => one(words::SECONDS, &seconds.to_string()),
            60..3600 => one(words::MINUTES, &minutes.to_string()),
            3600..172_800 if minutes.is_multiple_of(60) => one(words::HOURS, &hours.to_string()),
            3600..172_800 => self
                .text(words::HOURS_AND_MINUTES)
                .replace("{h}", &hours.to_string())
                .replace("{n}", &(minutes % 60).to_string()),
            _ => one(words::DAYS, &(hours / 24).to_string()),
        }
    }

    /// Returns a duration in its largest unit alone: "27 s", "46 min", "3 h", "2 d".
    pub(super) fn rough(self, millis: i64) -> String {
        let minutes = millis.max(0).unsigned_abs() / 60_000;
        if minutes == 0 {
            return self.duration(millis);
        }
        let (pattern, n) = match minutes {
            0..60 => (words::MINUTES, minutes),
            60..2880 => (words::HOURS, minutes / 60),
            _ => (words::DAYS, minutes / 1440),
        };
        self.text(pattern).replace("{n}", &n.to_string())
    }

    /// Returns "46 min ago", or that it is just now.
    pub(super) fn ago(self, millis: i64) -> String {
        let passed = self.now.timestamp_millis().saturating_sub(millis);
        if passed < 60_000 {
            return self.text(words::JUST_NOW).to_owned();
        }
        self.text(words::AGO).replace("{time}", &self.rough(passed))
    }

    /// Returns how long it is until then, if that is less than twelve hours: "in 4 h".
    pub(super) fn soon(self, millis: i64) -> Option<String> {
        let left = millis.saturating_sub(self.now.timestamp_millis());
        (left > 0 && left < 12 * 3_600_000).then(|| self.text(words::IN).replace("{time}", &self.rough(left)))
    }

    /// Returns "4 min left".
    pub(super) fn left(self, millis: i64) -> String {
        let left = millis.saturating_sub(self.now.timestamp_millis());
        if left < 60_000 {
            return self.text(words::LESS_THAN_A_MINUTE_LEFT).to_owned();
        }
        self.text(words::LEFT).replace("{time}", &self.rough(left))
    }

    /// Returns the days before today, with today as the last: `count` of them.
    pub fn last_days(self, count: i64) -> Vec<NaiveDate> {
        let today = self.now.date_naive();
        (0..count).rev().filter_map(|back| today.checked_sub_signed(TimeDelta::try_days(back)?)).collect()
    }
}

/// Fills in one part of a text. `before` is what stands before the part.
fn fill_part(part: &str, values: &Values, before: Option<char>) -> String {
    let mut filled = String::new();
    let mut rest = part;
    while let Some((text, behind)) = rest.split_once('{') {
        filled.push_str(Markup::text(text).as_str());
        let Some((name, after)) = behind.split_once('}') else { break };
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
        let is_code_behind = value.starts_with("<code>") && filled.chars().last().or(before).is_some_and(is_ideograph);
        let is_behind_code = is_code(&filled) && value.chars().next().is_some_and(is_ideograph);
        if is_code_behind || is_behind_code {
            filled.push(' ');
        }
        filled.push_str(value);
        rest = after;
        if is_code(value) && rest.chars().next().is_some_and(is_ideograph) {
            filled.push(' ');
        }
    }
    filled.push_str(Markup::text(rest).as_str());
    filled
}

/// Whether this ends with code, or with code that is a link.
fn is_code(html: &str) -> bool {
    html.ends_with("</code>") || html.ends_with("</code></a>")
}

/// Whether a character is one of the ideographs of Chinese, and not its punctuation.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(language: Language) -> Locale {
        Locale { language, now: "2026-11-24T14:32:08+08:00".parse().unwrap() }
    }

    fn shown(markup: &Markup) -> &str {
        markup.as_str().trim_end_matches("</time>").rsplit('>').next().unwrap()
    }

    fn millis(time: &str) -> i64 {
        time.parse::<DateTime<FixedOffset>>().unwrap().timestamp_millis()
    }

    #[test]
    fn times_are_as_near_as_they_are() {
        let (en, zh) = (locale(Language::English), locale(Language::Chinese));
        for (time, english, chinese) in [
            ("2026-11-24T13:46:02+08:00", "today 13:46", "今天13:46"),
            // The same moment in another zone.
            ("2026-11-24T05:46:02Z", "today 13:46", "今天13:46"),
            ("2026-11-24T00:00:00+08:00", "today 00:00", "今天00:00"),
            ("2026-11-23T23:59:59+08:00", "yesterday 23:59", "昨天23:59"),
            ("2026-11-25T23:59:59+08:00", "tomorrow 23:59", "明天23:59"),
            ("2026-11-18T16:41:00+08:00", "18 Nov 16:41", "11月18日16:41"),
            ("2026-11-26T16:41:00+08:00", "26 Nov 16:41", "11月26日16:41"),
            ("2026-01-01T00:00:00+08:00", "1 Jan 00:00", "1月1日00:00"),
            ("2025-12-31T23:59:59+08:00", "31 Dec 2025 23:59", "2025年12月31日23:59"),
        ] {
            let both = [en, zh].map(|locale| shown(&locale.moment(millis(time))).to_owned());
            assert_eq!(both, [english, chinese], "{time}");
        }
    }

    #[test]
    fn machines_read_the_offset() {
        let at = millis("2026-11-24T05:46:02Z");
        let en = locale(Language::English);
        assert_eq!(en.moment(at).as_str(), "<time datetime=\"2026-11-24T13:46:02+08:00\">today 13:46</time>");
        for (markup, text) in [
            (en.stamp(at), "24 Nov 13:46"),
            (en.clock(at), "13:46"),
            (en.seconds(at), "13:46:02"),
            (en.date(at), "24 Nov"),
            (en.full_date(at), "24 Nov 2026"),
            (en.full(at), "24 Nov 2026, 13:46"),
            (en.clock(at - 86_400_000), "23 Nov 13:46"),
        ] {
            assert_eq!(shown(&markup), text);
        }
        assert_eq!(en.offset(), "UTC+08:00");
    }

    #[test]
    fn durations() {
        let (en, zh) = (locale(Language::English), locale(Language::Chinese));
        for (millis, english, chinese) in [
            (-5, "0.0 s", "0.0秒"),
            (432, "0.4 s", "0.4秒"),
            (9_999, "9.9 s", "9.9秒"),
            (10_000, "10 s", "10秒"),
            (59_999, "59 s", "59秒"),
            (60_000, "1 min", "1分钟"),
            (46 * 60_000, "46 min", "46分钟"),
            (3_600_000, "1 h", "1小时"),
            (86 * 60_000, "1 h 26 min", "1小时26分钟"),
            (24 * 3_600_000, "24 h", "24小时"),
            (48 * 3_600_000, "2 d", "2天"),
            (i64::MAX, "106751991167 d", "106751991167天"),
        ] {
            assert_eq!([en.duration(millis), zh.duration(millis)], [english, chinese]);
        }
    }

    #[test]
    fn what_was_and_what_will_be() {
        let (en, zh) = (locale(Language::English), locale(Language::Chinese));
        let now = en.now.timestamp_millis();
        for (passed, english, chinese) in [
            (-60_000, "just now", "刚刚"),
            (59_999, "just now", "刚刚"),
            (60_000, "1 min ago", "1分钟前"),
            (20 * 3_600_000 + 1, "20 h ago", "20小时前"),
            (49 * 3_600_000, "2 d ago", "2天前"),
        ] {
            assert_eq!([en.ago(now - passed), zh.ago(now - passed)], [english, chinese]);
        }
        assert_eq!(en.soon(now + 4 * 3_600_000).as_deref(), Some("in 4 h"));
        assert_eq!(zh.soon(now + 4 * 3_600_000).as_deref(), Some("4小时后"));
        assert_eq!(en.soon(now + 12 * 3_600_000), None);
        assert_eq!(en.soon(now), None);
        assert_eq!([en.left(now + 299_000), zh.left(now + 299_000)], ["4 min left", "还剩4分钟"]);
        assert_eq!(en.left(now + 59_999), "less than 1 min left");
    }

    #[test]
    fn code_stands_apart_from_ideographs_alone() {
        let text = Localized { en: "**{a} on {b}**: {a}", zh: "{b}上的{a}，**共{c}个{a}**" };
        let values = [("a", Markup::code("x")), ("b", Markup::code("y")), ("c", Markup::text("3"))];
        let filled = |language| locale(language).fill(text, &values).into_string();
        assert_eq!(filled(Language::English), "<b><code>x</code> on <code>y</code></b>: <code>x</code>");
        let chinese = "<code>y</code> 上的 <code>x</code>，<b>共3个 <code>x</code></b>";
        assert_eq!(filled(Language::Chinese), chinese);
    }

    #[test]
    fn lists() {
        let names = |n: usize| ["a", "b", "c"].iter().take(n).map(|name| Markup::text(name)).collect::<Vec<_>>();
        let (en, zh) = (locale(Language::English), locale(Language::Chinese));
        for (n, and, or, chinese) in [
            (0, "", "", ""),
            (1, "a", "a", "a"),
            (2, "a and b", "a or b", "a或b"),
            (3, "a, b and c", "a, b or c", "a、b或c"),
        ] {
            assert_eq!(
                [en.and(names(n)).as_str(), en.or(names(n)).as_str(), zh.or(names(n)).as_str()],
                [and, or, chinese]
            );
        }
        assert_eq!(en.enumerate(names(3)).as_str(), "a, b, c");
    }
}
