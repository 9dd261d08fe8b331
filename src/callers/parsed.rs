//! What a proven request says: a command of its sender, a platform's own question, or nothing that concerns the gateway.

use crate::callers::follow_up::ReplyAddress;
use crate::config::callers::Caller;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;

/// What a proven request says.
///
/// Everything but a handshake without a person names its sender, because a request can still be refused after it was parsed
/// (for its language or its content type), and the ledger row of that refusal names the actor.
#[derive(Debug)]
pub enum Parsed<'c> {
    /// A handshake of the platform: this is the reply, and there is nothing to do.
    Reply {
        /// The sender, if the request names one.
        sender: Option<Sender>,
        /// The reply.
        rendered: Rendered,
    },
    /// An event that is not about a removal.
    Ignored {
        /// The sender, if the request names one.
        sender: Option<Sender>,
        /// Why it is ignored, for the log.
        why: &'static str,
    },
    /// A command.
    Command {
        /// Who sent it.
        sender: Sender,
        /// The command.
        command: Command<'c>,
    },
    /// A request that cannot be understood.
    Refused {
        /// The sender, if that much can be read.
        sender: Option<Sender>,
        /// What is wrong with it.
        error: RequestError,
    },
}

impl<'c> Parsed<'c> {
    /// The command of a sender, or the refusal of what cannot be read as one.
    pub fn of(sender: impl Into<Sender>, command: Result<Command<'c>, RequestError>) -> Self {
        let sender = sender.into();
        match command {
            Ok(command) => Self::Command { sender, command },
            Err(error) => Self::Refused { sender: Some(sender), error },
        }
    }

    /// A click on a button below a message of the gateway.
    pub fn pressed(sender: impl Into<Sender>, action: ApprovalAction, id: String) -> Self {
        let sender = Sender { clicked: Some(action), ..sender.into() };
        Self::Command { sender, command: Command::DecideApproval { id, action, reason: None } }
    }

    /// A handshake in which no person takes part.
    pub fn reply(rendered: Rendered) -> Self {
        Self::Reply { sender: None, rendered }
    }

    /// An event of which not even the sender matters.
    pub fn ignored(why: &'static str) -> Self {
        Self::Ignored { sender: None, why }
    }

    /// A request of which not even the sender can be read.
    pub fn refused(error: RequestError) -> Self {
        Self::Refused { sender: None, error }
    }

    /// Returns the sender, if the request names one.
    pub fn sender(&self) -> Option<&Sender> {
        match self {
            Self::Command { sender, .. } => Some(sender),
            Self::Reply { sender, .. } | Self::Ignored { sender, .. } | Self::Refused { sender, .. } => sender.as_ref(),
        }
    }
}

/// Who sent a request, and what is known of the conversation.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The person or system.
    pub actor: Actor,
    /// The button that was clicked, if one was.
    pub clicked: Option<ApprovalAction>,
    /// Where the outcome can be sent when the platform no longer waits.
    pub reply_address: Option<ReplyAddress>,
}

impl Sender {
    /// The caller itself, for kinds without people.
    pub fn system(caller: &Caller) -> Self {
        Actor::system(caller).into()
    }
}

impl From<Actor> for Sender {
    fn from(actor: Actor) -> Self {
        Self { actor, clicked: None, reply_address: None }
    }
}
