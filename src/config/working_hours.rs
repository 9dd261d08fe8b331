//! Working hours, such as `Mon-Fri 09:00-18:00`.

use chrono::{DateTime, Datelike, FixedOffset, NaiveTime, TimeDelta, Utc, Weekday};

/// Hours of some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingHours {
    first: Weekday,
    last: Weekday,
    from: NaiveTime,
    to: NaiveTime,
}

/// Reads `Mon-Fri 09:00-18:00`, or one day. The first day and hour are before the last; `None` for anything else.
pub(super) fn parse(text: &str) -> Option<WorkingHours> {
    let (days, hours) = text.split_once(' ')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (from, to) = hours.split_once('-')?;
    let day = |name: &str| DAYS.into_iter().find(|(known, _)| *known == name).map(|(_, day)| day);
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5);
    let read = WorkingHours { first: day(first)?, last: day(last)?, from: time(from)?, to: time(to)? };
    (read.first.num_days_from_monday() <= read.last.num_days_from_monday() && read.from < read.to).then_some(read)
}

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Mon),
    ("Tue", Weekday::Tue),
    ("Wed", Weekday::Wed),
    ("Thu", Weekday::Thu),
    ("Fri", Weekday::Fri),
    ("Sat", Weekday::Sat),
    ("Sun", Weekday::Sun),
];

impl WorkingHours {
    /// Returns this moment if it is in the hours, else when they begin next, by the clock at `offset`.
    pub fn not_before(&self, at: DateTime<Utc>, offset: FixedOffset) -> DateTime<Utc> {
        let mut local = at.with_timezone(&offset).naive_local();
        // Today, and the seven days behind it: the same day of next week at the latest.
        for _ in 0..=7 {
            let day = local.weekday().num_days_from_monday();
            let is_day = (self.first.num_days_from_monday()..=self.last.num_days_from_monday()).contains(&day);
            if is_day && local.time() < self.to {
                let opens = local.date().and_time(local.time().max(self.from));
                return opens.and_local_timezone(offset).single().map_or(at, |opens| opens.with_timezone(&Utc));
            }
            let Some(next) = local.date().succ_opt() else { return at };
            local = next.and_time(NaiveTime::MIN);
        }
        at
    }

    /// Returns the moment, or the beginning of the next hours, and then as long again into them as `spread`.
    pub fn spread(&self, at: DateTime<Utc>, offset: FixedOffset, spread: TimeDelta) -> DateTime<Utc> {
        let opens = self.not_before(at, offset);
        if opens == at { at } else { opens.checked_add_signed(spread).unwrap_or(opens) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read() {
        for text in ["Mon-Fri 09:00-18:00", "Sun 00:00-23:59", "Sat-Sun 10:00-12:30"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "Mon-Fri",
            "Fri-Mon 09:00-18:00",
            "Mon 18:00-09:00",
            "Mon 9:00-18:00",
            "mon 09:00-18:00",
            "Mon 09:00-24:00",
            "Mon-Fri 09:00",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_outside_waits_for_the_next_hours() {
        let hours = parse("Mon-Fri 09:00-18:00").unwrap();
        let offset = FixedOffset::east_opt(8 * 3600).unwrap();
        // 2026-06-01 is a Monday.
        for (at, expected) in [
            ("2026-06-01T10:00:00+08:00", "2026-06-01T10:00:00+08:00"),
            ("2026-06-01T08:59:59+08:00", "2026-06-01T09:00:00+08:00"),
            ("2026-06-01T18:00:00+08:00", "2026-06-02T09:00:00+08:00"),
            ("2026-06-05T20:00:00+08:00", "2026-06-08T09:00:00+08:00"),
            ("2026-06-07T00:00:00+08:00", "2026-06-08T09:00:00+08:00"),
        ] {
            let moment = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
            assert_eq!(hours.not_before(moment(at), offset), moment(expected), "{at}");
        }
    }
}
