//! What happened to a removal, step by step, as far as its row tells.
//!
//! The ledger keeps times of some steps only: a step without a time is known to have happened, in this order. A step that the row
//! does not tell of is left out.

use crate::config::Config;
use crate::ledger::row::RemovalRow;
use crate::operations::console::who::Who;
use crate::operations::request_approval::waited_for_confirmation;
use crate::outcome::state::State;

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, in milliseconds since 1970; `None` if the ledger does not know.
    pub at: Option<i64>,
    /// What happened.
    pub what: StepKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// A request arrived.
    Asked {
        /// The requester; `None` if the sender was not proved.
        by: Option<Who>,
        /// The person who caused the event of a system.
        caused_by: Option<Who>,
        /// The caller's name.
        caller: Option<String>,
        /// The requester's reason.
        reason: Option<String>,
    },
    /// The caller's kind has proved who sent it.
    Proved {
        /// Who.
        principal: Who,
        /// The caller's kind, which says how.
        kind: String,
        /// The requester's teams of the configuration, as they are now.
        teams: Vec<String>,
    },
    /// These policies decided, the last time that policy was asked.
    Decided {
        /// The policies' ids; empty if none permits it.
        policies: Vec<String>,
        /// The digest of the policy set.
        policy_set: String,
    },
    /// It waited for people.
    Waited {
        /// For whom.
        for_whom: WaitedFor,
        /// Until when at most, in milliseconds since 1970.
        until: i64,
    },
    /// An approver approved or denied it.
    Voted {
        /// Who.
        by: Who,
        /// The caller that the decision came through.
        caller: String,
        /// Whether it is an approval.
        is_approval: bool,
        /// The approver's reason.
        reason: Option<String>,
    },
    /// The DELETE was sent.
    Sent {
        /// How often. Only the last attempt may have had an effect.
        attempts: i64,
    },
    /// TaurusDB or the gateway answered.
    Answered {
        /// The status.
        status: u16,
        /// The code.
        code: String,
        /// The message.
        message: String,
        /// TaurusDB's request id, if TaurusDB answered.
        request_id: Option<String>,
    },
    /// What TaurusDB's answer had left open was settled.
    Settled {
        /// By what: `account-list`.
        by: String,
    },
    /// It is where it is now; of a row that ended, how it ended.
    Reached(State),
}

/// For whom a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitedFor {
    /// The requester's confirmation.
    Confirmation,
    /// This number of approvals; before them the requester's confirmation, if the caller asks for one.
    Approvals(u32),
}

/// The steps of a row, in their order.
pub fn removal_timeline(config: &Config, row: &RemovalRow) -> Vec<Step> {
    let mut steps = asked(config, row);
    steps.extend(waited(config, row));
    let voted = row.approvals().chain(row.denial()).map(|vote| Step {
        at: Some(vote.at),
        what: StepKind::Voted {
            by: Who::of(config, &vote.actor),
            caller: vote.caller.clone(),
            is_approval: vote.is_approval(),
            reason: vote.reason.clone(),
        },
    });
    steps.extend(voted);
    steps.extend(ended(row));
    steps
}

fn asked(config: &Config, row: &RemovalRow) -> Vec<Step> {
    let who = |principal: &Option<String>| principal.as_deref().map(|principal| Who::of(config, principal));
    let at = Some(row.asked_at);
    let asked = StepKind::Asked {
        by: who(&row.actor),
        caused_by: who(&row.caused_by),
        caller: row.caller.clone(),
        reason: row.reason.clone(),
    };
    let proved = row.actor.as_deref().zip(row.kind.clone()).map(|(principal, kind)| StepKind::Proved {
        principal: Who::of(config, principal),
        kind,
        teams: config.teams(principal).to_vec(),
    });
    // The set alone stands in rows of requests that were refused before policy was asked, too.
    let was_decided = !row.policies.is_empty() || row.state == State::Denied;
    let decided = row
        .policy_set
        .clone()
        .filter(|_| was_decided)
        .map(|policy_set| Step { at: None, what: StepKind::Decided { policies: row.policies.clone(), policy_set } });
    let steps = std::iter::once(asked).chain(proved).map(|what| Step { at, what });
    steps.chain(decided).collect()
}

fn waited(config: &Config, row: &RemovalRow) -> Option<Step> {
    let until = row.expires_at.filter(|_| row.reference.is_some())?;
    let environment = row.instance.as_deref().and_then(|name| config.instance(name).ok());
    let required = environment.map_or(1, |instance| config.approvals.required(&instance.environment));
    let for_whom = match waited_for_confirmation(row.asked_at, Some(until)) {
        true => WaitedFor::Confirmation,
        false => WaitedFor::Approvals(required),
    };
    Some(Step { at: None, what: StepKind::Waited { for_whom, until } })
}

fn ended(row: &RemovalRow) -> Vec<Step> {
    let sent = (row.attempts > 0).then_some(Step { at: None, what: StepKind::Sent { attempts: row.attempts } });
    let at = row.ended_at.filter(|_| row.confirmed_by.is_none());
    let answered = row.status.filter(|_| row.attempts > 0).map(|status| Step {
        at,
        what: StepKind::Answered {
            status,
            code: row.code.clone().unwrap_or_default(),
            message: row.message.clone().unwrap_or_default(),
            request_id: row.request_id.clone(),
        },
    });
    let settled = row.confirmed_by.clone().map(|by| Step { at: row.ended_at, what: StepKind::Settled { by } });
    let reached = Step { at: row.ended_at, what: StepKind::Reached(row.state) };
    [sent, answered, settled, Some(reached)].into_iter().flatten().collect()
}
