//! Settles removals of unknown outcome by the account list of their instance, and never by a second DELETE.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::jobs::summary::{Summary, is_out_of_time};
use crate::operations::reader::account_of;
use crate::operations::reconcile::{log_reconciled, outcome_from_presence, reconcile_row};
use crate::outcome::{AccountPresence, NotSent, Outcome};

/// How many rows are read at once.
const PAGE: usize = 200;

/// What a run knows so far.
#[derive(Default)]
struct Run {
    /// By instance and account: an account of several rows is looked for once.
    presences: BTreeMap<(String, String), AccountPresence>,
    /// The instances whose list could not be read: one that does not answer is asked once a run.
    unreadable: BTreeSet<String>,
    looked_at: usize,
    removed: usize,
    still_there: usize,
}

/// Settles the rows that it can, oldest first.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn settle<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Summary<'c>, NotSent> {
    let ledger = ctx.ledger().await?;
    let mut run = Run::default();
    let mut after = String::new();
    loop {
        let mut rows = ctx.stored(ledger.all_unresolved(&after, PAGE, ctx.host.now()).await)?;
        let is_last = rows.len() < PAGE;
        after = rows.last().map(|row| row.id.as_str().to_owned()).unwrap_or_default();
        take_turns(&mut rows, ctx.host.random());
        for row in &rows {
            if is_out_of_time(ctx) {
                return Ok(run.summary(true));
            }
            settle_row(ctx, &mut run, row).await;
        }
        if is_last {
            return Ok(run.summary(false));
        }
    }
}

/// Orders rows by instance, beginning with any, so that an instance that answers slowly does not take the time of the others in
/// every run.
fn take_turns(rows: &mut [RemovalRow], random: u128) {
    rows.sort_by(|one, other| one.instance.cmp(&other.instance));
    let first = usize::try_from(random >> 96).ok().and_then(|random| random.checked_rem(rows.len()));
    rows.rotate_left(first.unwrap_or_default());
}

async fn settle_row<H: Host>(ctx: &Ctx<'_, H>, run: &mut Run, row: &RemovalRow) {
    run.looked_at = run.looked_at.saturating_add(1);
    let Some(outcome) = outcome(ctx, run, row).await else { return };
    let Some(unresolved) = row.unresolved(ctx.host.now()) else { return };
    let Some(settled) = reconcile_row(ctx, &unresolved, &outcome).await else { return };
    log_reconciled(ctx, &settled, &outcome, &ctx.actor.principal);
    let count = if matches!(outcome, Outcome::Removed(_)) { &mut run.removed } else { &mut run.still_there };
    *count = count.saturating_add(1);
}

/// What the account list says about a row; `None` if it says nothing about it, or cannot be read.
async fn outcome<H: Host>(ctx: &Ctx<'_, H>, run: &mut Run, row: &RemovalRow) -> Option<Outcome> {
    let account = account_of(&ctx.app.config, row)?;
    let instance = account.instance;
    if row.targets_other_instance(instance) || run.unreadable.contains(&instance.name) {
        return None;
    }
    let key = (instance.name.clone(), account.user_name.to_owned());
    let presence = match run.presences.get(&key) {
        Some(presence) => *presence,
        None => match ctx.taurusdb(instance).await {
            Ok(taurusdb) => taurusdb.account_presence(account.user_name).await,
            Err(_) => AccountPresence::Unknown,
        },
    };
    if presence == AccountPresence::Unknown {
        run.unreadable.insert(instance.name.clone());
    }
    run.presences.insert(key, presence);
    outcome_from_presence(presence)
}

impl Run {
    fn summary<'c>(self, more: bool) -> Summary<'c> {
        let settled = self.removed.saturating_add(self.still_there);
        let left = self.looked_at.saturating_sub(settled);
        let counted = vec![
            ("looked_at", self.looked_at),
            ("removed", self.removed),
            ("still_there", self.still_there),
            ("left", left),
        ];
        Summary { counted, more, expired: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_instance_may_be_the_first() {
        let row = |instance: &str| RemovalRow { instance: Some(instance.into()), ..RemovalRow::default() };
        let mut firsts = BTreeSet::new();
        for random in 0..3_u128 {
            let mut rows = [row("b"), row("a"), row("b")];
            take_turns(&mut rows, random << 96);
            firsts.insert(rows[0].instance.clone());
        }
        assert_eq!(firsts, [Some("a".to_owned()), Some("b".to_owned())].into());
        take_turns(&mut [], 1);
    }
}
