//! What became of the requests of the last thirty days, and how long people took to decide: the numbers of two charts.
//!
//! Only rows that the reader may see are counted, as if the others did not exist: the reader's own, and those that policy lets them
//! `audit`, account by account. Days begin at midnight at the operator's offset from UTC (`taurusdb.utc_offset`).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime};

use crate::host::Host;
use crate::ledger::history::{BATCH, HistoryRow};
use crate::operations::Ctx;
use crate::operations::reader::Reader;
use crate::operations::report::Refusal;
use crate::operations::request_approval::waited_for_confirmation;
use crate::outcome::state::State;
use crate::policy::Account;

/// How many days are counted, today included.
pub const DAYS: u64 = 30;

/// How long the ledger is read for, at most. What was read by then is the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The upper bounds of the buckets of [`Decisions`], in milliseconds: 5 and 15 minutes, 1, 4 and 24 hours. A time at a bound is in
/// the bucket above it.
pub const BOUNDS: [i64; 5] = [300_000, 900_000, 3_600_000, 14_400_000, 86_400_000];

/// What became of the requests of [`DAYS`] days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalHistory {
    /// Each day, oldest first; days without a request as well.
    pub days: Vec<DayCounts>,
    /// How long people took to decide.
    pub decisions: Decisions,
    /// Whether all rows were read; if not, the oldest days lack some.
    pub is_complete: bool,
}

/// What became of the requests of a day, by the state that they have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCounts {
    /// The day.
    pub day: NaiveDate,
    /// How many, by state; none of a state is left out.
    pub counts: BTreeMap<State, usize>,
}

/// How long people took to decide the requests that waited for approvers: from the request to the last vote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decisions {
    /// How many were decided.
    pub decided: usize,
    /// How many were decided before each of [`BOUNDS`] and not before the one below, and last, how many took longer.
    pub buckets: [usize; BOUNDS.len() + 1],
    /// How many expired without a decision; they are in no bucket.
    pub expired: usize,
    /// Half of them were decided within this time, in milliseconds, by nearest rank; `None` if none was decided.
    pub half_within: Option<i64>,
    /// Nine in ten of them were.
    pub nine_in_ten_within: Option<i64>,
}

/// The history that the person of a request may see.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn removal_history<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<RemovalHistory, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    ctx.stored(ledger.expire(ctx.language, ctx.at).await)?;
    let mut reader = Reader::new(ctx);
    let mut counting = Counting::new(ctx.at.with_timezone(&ctx.app.config.utc_offset));
    let until = ctx.host.elapsed().saturating_add(PATIENCE.min(ctx.budget.left_to_send(ctx.host)));
    let mut before: Option<String> = None;
    loop {
        let rows = ctx.stored(ledger.history(counting.since, before.as_deref()).await)?;
        let is_last = rows.len() < BATCH;
        before = rows.last().map(|row| row.id.clone());
        for row in &rows {
            if counting.is_in_time(row) && may_see(ctx, &mut reader, row) {
                counting.add(row);
            }
        }
        if is_last {
            return Ok(counting.history(true));
        }
        if ctx.host.elapsed() >= until {
            return Ok(counting.history(false));
        }
    }
}

fn may_see<H: Host>(ctx: &Ctx<'_, H>, reader: &mut Reader<'_, '_, H>, row: &HistoryRow) -> bool {
    let instance = row.instance.as_deref().and_then(|name| ctx.app.config.instance(name).ok());
    let account = instance.zip(row.user_name.as_deref()).map(|(instance, user_name)| Account { instance, user_name });
    reader.may_see([row.actor.as_deref(), row.caused_by.as_deref()], account)
}

/// The counts so far.
struct Counting {
    offset: FixedOffset,
    /// The beginning of the first day, in milliseconds since 1970.
    since: i64,
    days: BTreeMap<NaiveDate, BTreeMap<State, usize>>,
    /// How long each decision took, in milliseconds.
    took: Vec<i64>,
    expired: usize,
}

impl Counting {
    fn new(now: DateTime<FixedOffset>) -> Self {
        let (offset, today) = (*now.offset(), now.date_naive());
        let days = (0..DAYS).filter_map(|ago| today.checked_sub_days(Days::new(ago)));
        let days: BTreeMap<_, _> = days.map(|day| (day, BTreeMap::new())).collect();
        let first = days.keys().next().copied().unwrap_or(today);
        let midnight = first.and_time(NaiveTime::MIN).and_local_timezone(offset).single();
        let since = midnight.map_or(i64::MIN, |midnight| midnight.timestamp_millis());
        Self { offset, since, days, took: Vec::new(), expired: 0 }
    }

    fn is_in_time(&self, row: &HistoryRow) -> bool {
        row.asked_at >= self.since
    }

    fn add(&mut self, row: &HistoryRow) {
        let asked = DateTime::from_timestamp_millis(row.asked_at).map(|at| at.with_timezone(&self.offset).date_naive());
        // A row of another gateway's clock may be of tomorrow.
        if let Some(day) = asked.and_then(|day| self.days.get_mut(&day)) {
            let count = day.entry(row.state).or_default();
            *count = count.saturating_add(1);
        }
        match (row.state, row.last_vote_at) {
            (State::Expired, _) if !waited_for_confirmation(row.asked_at, row.expires_at) => {
                self.expired = self.expired.saturating_add(1);
            }
            (State::Expired | State::AwaitingApproval | State::AwaitingConfirmation | State::Cancelled, _) => {}
            (_, Some(voted)) => self.took.push(voted.saturating_sub(row.asked_at).max(0)),
            (_, None) => {}
        }
    }

    fn history(mut self, is_complete: bool) -> RemovalHistory {
        self.took.sort_unstable();
        let mut buckets = [0_usize; BOUNDS.len() + 1];
        for took in &self.took {
            let bucket = BOUNDS.iter().filter(|bound| took >= *bound).count();
            if let Some(count) = buckets.get_mut(bucket) {
                *count = count.saturating_add(1);
            }
        }
        let decisions = Decisions {
            decided: self.took.len(),
            buckets,
            expired: self.expired,
            half_within: nearest_rank(&self.took, 50),
            nine_in_ten_within: nearest_rank(&self.took, 90),
        };
        let days = self.days.into_iter().map(|(day, counts)| DayCounts { day, counts }).collect();
        RemovalHistory { days, decisions, is_complete }
    }
}

/// The smallest of some sorted values that at least this many in a hundred are not above.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ranks() {
        let to = |last: i64| (1..=last).collect::<Vec<_>>();
        for (values, half, nine_in_ten) in [
            (vec![], None, None),
            (vec![7], Some(7), Some(7)),
            (vec![1, 2], Some(1), Some(2)),
            (vec![1, 2, 3], Some(2), Some(3)),
            (to(10), Some(5), Some(9)),
            (to(11), Some(6), Some(10)),
            (to(38), Some(19), Some(35)),
        ] {
            assert_eq!((nearest_rank(&values, 50), nearest_rank(&values, 90)), (half, nine_in_ten), "{values:?}");
        }
    }

    #[test]
    fn thirty_days_begin_at_midnight_at_the_offset() {
        let counting = Counting::new("2026-11-24T03:00:00+08:00".parse().unwrap());
        assert_eq!(counting.days.len(), 30);
        assert_eq!(counting.days.keys().next(), NaiveDate::from_ymd_opt(2026, 10, 26).as_ref());
        let midnight: DateTime<FixedOffset> = "2026-10-26T00:00:00+08:00".parse().unwrap();
        assert_eq!(counting.since, midnight.timestamp_millis());
    }
}
