//! What each state and standing looks like: a tone, an icon and words, which always stand together.

use crate::console::icons::Icon;
use crate::console::view::Standing;
use crate::console::words;
use crate::outcome::language::Localized;
use crate::outcome::state::State;

/// A tone: a class of the stylesheet that sets two colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Done, in order.
    Ok,
    /// A person has to act.
    Wait,
    /// Under way.
    Run,
    /// A no, on purpose.
    No,
    /// Went wrong.
    Bad,
    /// Not known.
    Odd,
    /// Ended without effect, or only information.
    Off,
}

impl Tone {
    /// Returns its class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wait => "wait",
            Self::Run => "run",
            Self::No => "no",
            Self::Bad => "bad",
            Self::Odd => "odd",
            Self::Off => "off",
        }
    }
}

/// How a state is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) tone: Tone,
    pub(super) icon: Icon,
    pub(super) words: Localized,
}

const fn look(tone: Tone, icon: Icon, words: Localized) -> Look {
    Look { tone, icon, words }
}

/// Returns how a state of a removal is shown.
pub(super) fn of_state(state: State) -> Look {
    match state {
        State::Removed => look(Tone::Ok, Icon::Check, words::STATE_REMOVED),
        State::AlreadyGone => look(Tone::Ok, Icon::Check, words::STATE_ALREADY_GONE),
        State::AwaitingConfirmation => look(Tone::Wait, Icon::Clock, words::STATE_AWAITING_CONFIRMATION),
        State::AwaitingApproval => look(Tone::Wait, Icon::Clock, words::STATE_AWAITING_APPROVAL),
        State::InFlight => look(Tone::Run, Icon::Send, words::STATE_IN_FLIGHT),
        State::Denied => look(Tone::No, Icon::Ban, words::STATE_DENIED),
        State::Rejected => look(Tone::No, Icon::X, words::STATE_REJECTED),
        State::Refused => look(Tone::No, Icon::Ban, words::STATE_REFUSED),
        State::NotSent => look(Tone::Bad, Icon::Alert, words::STATE_NOT_SENT),
        State::NotRemoved => look(Tone::Bad, Icon::Alert, words::STATE_NOT_REMOVED),
        State::RefusedUpstream => look(Tone::Bad, Icon::Alert, words::STATE_REFUSED_UPSTREAM),
        State::Unknown => look(Tone::Odd, Icon::Help, words::STATE_UNKNOWN),
        State::Cancelled => look(Tone::Off, Icon::Minus, words::STATE_CANCELLED),
        State::Expired => look(Tone::Off, Icon::Minus, words::STATE_EXPIRED),
        State::DryRun => look(Tone::Off, Icon::Minus, words::STATE_DRY_RUN),
    }
}

/// Returns how an account's standing is shown.
pub(super) fn of_standing(standing: Standing) -> Look {
    match standing {
        Standing::CameBack => look(Tone::Bad, Icon::Again, words::STANDING_CAME_BACK),
        Standing::OwnerLeft => look(Tone::Wait, Icon::Left, words::STANDING_OWNER_LEFT),
        Standing::Ownerless => look(Tone::Odd, Icon::Help, words::STANDING_OWNERLESS),
        Standing::Contested => look(Tone::Odd, Icon::Help, words::STANDING_CONTESTED),
        Standing::Protected => look(Tone::Off, Icon::Lock, words::STANDING_PROTECTED),
        Standing::OwnerActive => look(Tone::Ok, Icon::User, words::STANDING_OWNER_ACTIVE),
    }
}

/// What a request came to, as the filter and the chart group the states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// The account is gone.
    Gone,
    /// Policy, an approver or the gateway said no.
    SaidNo,
    /// It ended without effect.
    NoEffect,
    /// It went wrong, or its outcome is not known.
    Failed,
    /// It waits, or is under way.
    Waiting,
}

impl Group {
    /// Every group, in the order of a bar from below.
    pub(super) const ALL: [Self; 5] = [Self::Gone, Self::SaidNo, Self::NoEffect, Self::Failed, Self::Waiting];

    /// Returns the states of the group, in the order of the filter.
    pub(super) fn states(self) -> &'static [State] {
        match self {
            Self::Gone => &[State::Removed, State::AlreadyGone],
            Self::SaidNo => &[State::Denied, State::Rejected, State::Refused],
            Self::NoEffect => &[State::Cancelled, State::Expired, State::DryRun],
            Self::Failed => &[State::Unknown, State::NotRemoved, State::NotSent, State::RefusedUpstream],
            Self::Waiting => &[State::AwaitingConfirmation, State::AwaitingApproval, State::InFlight],
        }
    }

    /// Returns its short name.
    pub(super) fn words(self) -> Localized {
        match self {
            Self::Gone => words::GROUP_GONE,
            Self::SaidNo => words::GROUP_SAID_NO,
            Self::NoEffect => words::GROUP_NO_EFFECT,
            Self::Failed => words::GROUP_FAILED,
            Self::Waiting => words::GROUP_WAITING,
        }
    }

    /// Returns how many of them there are, in words.
    pub(super) fn counted(self) -> Localized {
        match self {
            Self::Gone => words::COUNT_GONE,
            Self::SaidNo => words::COUNT_SAID_NO,
            Self::NoEffect => words::COUNT_NO_EFFECT,
            Self::Failed => words::COUNT_FAILED,
            Self::Waiting => words::COUNT_WAITING,
        }
    }

    /// Returns the class of its bars; `None` if they are hatched.
    pub(super) fn class(self) -> Option<&'static str> {
        match self {
            Self::Gone => Some("ok"),
            Self::SaidNo => None,
            Self::NoEffect => Some("off"),
            Self::Failed => Some("odd"),
            Self::Waiting => Some("wait"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_in_one_group() {
        let grouped: Vec<_> = Group::ALL.into_iter().flat_map(Group::states).collect();
        assert_eq!(grouped.len(), State::ALL.len());
        assert!(State::ALL.iter().all(|state| grouped.contains(&state)));
    }
}
