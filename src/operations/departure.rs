//! A person of a directory leaves, comes back, or is found to have left: the leaving half of what identity systems say by SCIM.
//!
//! Who leaves is the person whom the directory knew while they were active, by all names of that time. A change of name says
//! nothing about leaving, and a name that was given to a person who is not active has no accounts of theirs.

use http::HeaderName;
use serde_json::json;

use crate::host::{Host, StoreError};
use crate::ledger::people::{Directory, StoredPerson};
use crate::operations::Ctx;
use crate::operations::leaver_accounts::{cancel_waiting, is_done};
use crate::operations::offboard_leavers::offboard_leavers;
use crate::operations::report::Refusal;
use crate::outcome::leavers::AccountResult;
use crate::outcome::log_event::log_event;
use crate::outcome::message::Message;
use crate::outcome::state::State;
use crate::outcome::{NotSent, Outcome, catalog};
use crate::reply::Rendered;
use crate::request::leaver::Leaver;

const CODE: HeaderName = HeaderName::from_static("x-offboard-code");

/// The people of a caller, who come and go.
pub(super) struct Departures<'a, 'c, H> {
    pub(super) ctx: &'a Ctx<'c, H>,
    pub(super) directory: &'a Directory<'a, H>,
}

/// A departure of which nothing is left to do.
#[must_use]
pub(super) struct Departed {
    /// What became of the accounts; `None` of a person who never was active.
    outcome: Option<Outcome>,
}

impl Departed {
    /// Says in the answer that no account was found: an answer about a person has no other place for it.
    pub(super) fn said_in(&self, mut rendered: Rendered) -> Rendered {
        if let Some(outcome) = self.outcome.as_ref().filter(|_| self.has_none()) {
            rendered.headers.push((CODE, outcome.code().into_owned()));
        }
        rendered
    }

    fn has_none(&self) -> bool {
        matches!(&self.outcome, Some(Outcome::Offboarded(results)) if results.is_empty())
    }
}

impl<'c, H: Host> Departures<'_, 'c, H> {
    /// Removes all accounts of a person who leaves, and lets the directory know that they are gone. A person whom the directory is
    /// to forget may have no account name.
    ///
    /// # Errors
    ///
    /// If something is left to do, or the ledger cannot be used.
    pub(super) async fn depart(&self, stored: &StoredPerson, is_deleted: bool) -> Result<Departed, Refusal<'c>> {
        if !stored.has_left() {
            // Created as inactive, and never active since: another person may have the account by now.
            let event = json!({"event": "never-active", "by": self.ctx.actor.principal, "person": stored.id});
            log_event(self.ctx.host, event);
            self.ctx.stored(self.conclude(stored, is_deleted).await)?;
            return Ok(Departed { outcome: None });
        }
        let leaver = Leaver { is_deleted, ..leaver(stored) };
        let report = offboard_leavers(self.ctx, &[leaver]).await?;
        let is_done = match &report.outcome {
            // The departure of a person who is deleted at last was done before: what is there now is not about it, and was said.
            Outcome::Offboarded(results) if is_deleted && !stored.is_active() && !stored.is_leaving() => {
                report.outcome.status().is_success() || results.iter().all(is_over)
            }
            outcome => outcome.status().is_success(),
        };
        if !is_done {
            return Err(Refusal(Box::new(report)));
        }
        let departed = Departed { outcome: Some(report.outcome) };
        self.conclude(stored, is_deleted).await.map_err(|why| {
            self.ctx.host.log(&format!("ledger: {why}"));
            match departed.has_none() {
                true => Refusal::from(NotSent::from(&why)),
                false => Outcome::Refused(Message::new(&catalog::PERSON_NOT_UPDATED)).into(),
            }
        })?;
        Ok(departed)
    }

    /// Ends the departure of a person who has come back: what waits for approval is cancelled.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub(super) async fn come_back(&self, known: &StoredPerson) -> Result<(), Refusal<'c>> {
        if known.is_leaving() { cancel_waiting(self.ctx, &leaver(known)).await } else { Ok(()) }
    }

    /// Returns a person as they are by now: of a person who is leaving, all accounts may have gone by approvals, and no request of
    /// the identity system said so. `None` if the person was to be forgotten then.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written or read.
    pub(super) async fn settled(&self, stored: StoredPerson) -> Result<Option<StoredPerson>, Refusal<'c>> {
        // Whether accounts are left may not be known at this moment: then the person is still leaving.
        if !stored.is_leaving() || !is_done(self.ctx, &leaver(&stored)).await.unwrap_or_default() {
            return Ok(Some(stored));
        }
        self.ctx.stored(self.conclude(&stored, stored.is_deleted()).await)?;
        let event = json!({
            "event": "left",
            "by": self.ctx.actor.principal,
            "events": [leaver(&stored).event],
            "settled": true,
        });
        log_event(self.ctx.host, event);
        Ok(self.directory.person(&stored.id).await.ok())
    }

    async fn conclude(&self, stored: &StoredPerson, is_deleted: bool) -> Result<(), StoreError> {
        match is_deleted {
            true => self.directory.delete(&stored.id, stored.departures).await,
            false => self.directory.left(&stored.id, stored.departures).await,
        }
    }
}

/// Whether an account is gone, or is there again after it was.
fn is_over(result: &AccountResult) -> bool {
    matches!(result.state, State::Removed | State::AlreadyGone) || result.code == catalog::ACCOUNT_EXISTS_AGAIN.code()
}

/// The person as a leaver: by the names of the time when they were active.
fn leaver(stored: &StoredPerson) -> Leaver {
    let mut known = stored.names_while_active().into_iter();
    let identity = known.next().unwrap_or_default();
    Leaver {
        event: format!("{}/{}", stored.id, stored.departures),
        identity,
        former: known.collect(),
        person: Some(stored.id.clone()),
        is_deleted: stored.is_deleted(),
        ..Leaver::default()
    }
}
