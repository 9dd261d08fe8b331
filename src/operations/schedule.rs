//! When reminders are due: first after 15 minutes, then after twice as long each time, by up to a fifth earlier or later, and in working
//! hours only if the operator says so.
//!
//! Every instance computes the same times, because what is random in them is drawn from the removal and the target.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::config::working_hours::WorkingHours;

/// The time before the first reminder, in seconds.
const FIRST: i64 = 900;

/// The most reminders of one request: the last is due after 42 days, and no request waits as long.
const MOST: i64 = 12;

/// How far into the working hours a reminder is that waited for them, in seconds at most. Not at their beginning, when Feishu's robots
/// are busy.
const SPREAD: i64 = 600;

/// The reminders of one removal to one target.
pub(super) struct Schedule<'a> {
    /// When the target was told of it.
    pub(super) told_at: DateTime<Utc>,
    /// What the times are drawn from: the removal and the target.
    pub(super) seed: &'a str,
    pub(super) working_hours: Option<WorkingHours>,
    pub(super) offset: FixedOffset,
}

impl Schedule<'_> {
    /// The number of the last reminder that is due by now; 0 for none.
    pub(super) fn due(&self, now: DateTime<Utc>) -> i64 {
        (1..=MOST)
            .take_while(|number| self.earliest(*number) <= now)
            .filter(|number| self.at(*number) <= now)
            .last()
            .unwrap_or(0)
    }

    /// When the first reminder behind this number is due that is due after `now`; `None` if there is none.
    pub(super) fn next(&self, number: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = number.saturating_add(1)..=MOST;
        next.map(|number| self.at(number)).filter(|at| *at > now).min()
    }

    fn at(&self, number: i64) -> DateTime<Utc> {
        let earliest = self.earliest(number);
        let spread = TimeDelta::seconds(self.draw(number, SPREAD).saturating_add(1));
        self.working_hours.map_or(earliest, |hours| hours.spread(earliest, self.offset, spread))
    }

    /// When it is due at any hour.
    fn earliest(&self, number: i64) -> DateTime<Utc> {
        let interval = |number: i64| {
            let usual =
                FIRST.saturating_mul(1_i64.checked_shl(u32::try_from(number).unwrap_or(31)).unwrap_or(i64::MAX)) >> 1;
            // From four fifths to six fifths.
            let fifth = usual.checked_div(5).unwrap_or_default();
            usual.saturating_sub(fifth).saturating_add(self.draw(number, fifth.saturating_mul(2)))
        };
        let seconds = (1..=number).map(interval).fold(0, i64::saturating_add);
        self.told_at.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// A number from 0 to `most`, always the same.
    fn draw(&self, number: i64, most: i64) -> i64 {
        let digest = Sha256::digest(format!("{number}/{}", self.seed));
        let drawn = digest.iter().take(4).fold(0_i64, |drawn, byte| (drawn << 8) | i64::from(*byte));
        drawn.checked_rem(most.saturating_add(1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    fn schedule(seed: &str) -> Schedule<'_> {
        Schedule {
            told_at: moment("2026-06-01T10:00:00Z"),
            seed,
            working_hours: None,
            offset: FixedOffset::east_opt(0).unwrap(),
        }
    }

    #[test]
    fn each_wait_is_twice_as_long_and_a_fifth_off_at_most() {
        for seed in ["a/dba", "b/dba", "b/ops"] {
            let schedule = schedule(seed);
            let mut before = schedule.told_at;
            for number in 1..=MOST {
                let at = schedule.at(number);
                let usual = FIRST << (number - 1);
                let waited = (at - before).num_seconds();
                assert!((usual * 4 / 5..=usual * 6 / 5).contains(&waited), "{number}: {waited}");
                assert_eq!((schedule.due(at - TimeDelta::seconds(1)), schedule.due(at)), (number - 1, number));
                assert_eq!(schedule.next(number - 1, before), Some(at));
                before = at;
            }
            assert_eq!(schedule.next(MOST, before), None);
        }
        assert_ne!(schedule("a/dba").at(1), schedule("b/dba").at(1));
    }

    #[test]
    fn reminders_of_the_night_are_one_in_the_morning() {
        let hours = crate::config::Config::parse(
            &format!(
                "{}\n[[notify]]\nname = \"a\"\nkind = \"teams\"\nurl = \"u\"\nevents = [\"waiting\", \"reminder\"]\nworking_hours = \"Mon-Fri 09:00-18:00\"\n",
                include_str!("../../config/offboard.toml")
            ),
            &crate::callers::shapes(),
        )
        .unwrap()
        .notify[0]
            .working_hours;
        let told_at = moment("2026-06-05T17:55:00Z");
        let schedule = Schedule { told_at, working_hours: hours, ..schedule("a/dba") };
        assert_eq!(schedule.due(moment("2026-06-08T09:00:00Z")), 0);
        // Friday evening to Monday morning: every reminder in between is one.
        assert!(schedule.due(moment("2026-06-08T09:10:01Z")) >= 7);
        let next = schedule.next(0, told_at).unwrap();
        assert!(next > moment("2026-06-08T09:00:00Z") && next <= moment("2026-06-08T09:10:01Z"), "{next}");
    }
}
