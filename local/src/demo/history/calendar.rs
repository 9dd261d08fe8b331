//! Times of the history: working days and hours in UTC, which is `utc_offset` of config/offboard.toml.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Timelike, Utc, Weekday};

/// The hours in which policy permits requests for production.
const WORKING_HOURS: std::ops::Range<u32> = 8..18;

/// How long before now a request may have been sent that waits yet: less than `expire_hours`.
const WAITS_FOR: TimeDelta = TimeDelta::hours(20);

/// When an episode begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// So many working days before today, at this hour and minute.
    WorkingDay(u32, u32, u32),
    /// So many minutes before now.
    MinutesAgo(i64),
    /// The last working hour of the past 20 hours, or never, as on a Sunday.
    LastWorkingHour,
}

impl When {
    /// Returns the time, seen from `now`.
    pub(super) fn time(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::WorkingDay(days, hour, minute) => {
                let day = working_day_before(now.date_naive(), days)?;
                Some(day.and_hms_opt(hour, minute, 0)?.and_utc())
            }
            Self::MinutesAgo(minutes) => Some(now - TimeDelta::minutes(minutes)),
            Self::LastWorkingHour => {
                let latest = now - TimeDelta::minutes(50);
                (0..WAITS_FOR.num_hours())
                    .map(|hours| latest - TimeDelta::hours(hours))
                    .find(|time| is_working_day(time.date_naive()) && WORKING_HOURS.contains(&time.hour()))
            }
        }
    }
}

fn working_day_before(today: NaiveDate, days: u32) -> Option<NaiveDate> {
    let mut day = today;
    for _ in 0..days {
        day = day.checked_sub_days(Days::new(1))?;
        while !is_working_day(day) {
            day = day.checked_sub_days(Days::new(1))?;
        }
    }
    Some(day)
}

fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (now, when, expected) in [
            ("2026-06-01T10:00:00Z", When::WorkingDay(1, 9, 5), Some("2026-05-29T09:05:00Z")),
            ("2026-06-03T10:00:00Z", When::WorkingDay(2, 9, 5), Some("2026-06-01T09:05:00Z")),
            ("2026-06-07T10:00:00Z", When::WorkingDay(6, 23, 0), Some("2026-05-29T23:00:00Z")),
            ("2026-06-01T00:10:00Z", When::MinutesAgo(25), Some("2026-05-31T23:45:00Z")),
            ("2026-06-02T10:00:00Z", When::LastWorkingHour, Some("2026-06-02T09:10:00Z")),
            ("2026-06-02T23:00:00Z", When::LastWorkingHour, Some("2026-06-02T17:10:00Z")),
            ("2026-06-02T07:00:00Z", When::LastWorkingHour, Some("2026-06-01T17:10:00Z")),
            // A Saturday afternoon, a Sunday, and a Monday before eight.
            ("2026-06-06T16:00:00Z", When::LastWorkingHour, None),
            ("2026-06-07T12:00:00Z", When::LastWorkingHour, None),
            ("2026-06-08T07:00:00Z", When::LastWorkingHour, None),
        ] {
            let time = when.time(now.parse().unwrap());
            assert_eq!(time, expected.map(|time: &str| time.parse().unwrap()), "{now} {when:?}");
        }
    }
}
