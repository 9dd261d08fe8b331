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
    /// How long each one that was decided took, in milliseconds, the shortest first.
    pub took: Vec<i64>,
    /// How many expired without a decision.
    pub expired: usize,
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
        let decisions = Decisions { took: self.took, expired: self.expired };
        let days = self.days.into_iter().map(|(day, counts)| DayCounts { day, counts }).collect();
        RemovalHistory { days, decisions, is_complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_begin_at_midnight_at_the_offset() {
        let counting = Counting::new("2026-11-24T03:00:00+08:00".parse().unwrap());
        assert_eq!(counting.days.len(), 30);
        assert_eq!(counting.days.keys().next(), NaiveDate::from_ymd_opt(2026, 10, 26).as_ref());
        let midnight: DateTime<FixedOffset> = "2026-10-26T00:00:00+08:00".parse().unwrap();
        assert_eq!(counting.since, midnight.timestamp_millis());
    }
}
