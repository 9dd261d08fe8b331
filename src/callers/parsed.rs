//! The content of a proven request: a command, a handshake of the platform, or an event that does not concern the gateway. Kinds
//! produce it; it knows neither policy nor TaurusDB.

use crate::callers::follow_up::ReplyAddress;
use crate::config::callers::Caller;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;

/// The content of a proven request.
///
/// All but a handshake without a person name the sender if it can be read: a request can still be refused after it was parsed (for
/// its language or its content type), and the ledger row of that refusal names the actor.
#[derive(Debug)]
pub enum Parsed<'c> {
    /// A handshake of the platform, with its reply; nothing else is done.
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
        /// The sender.
        sender: Sender,
        /// The command.
        command: Command<'c>,
    },
    /// A request that cannot be read.
    Refused {
        /// The sender, if it can be read.
        sender: Option<Sender>,
        /// The error in the request.
        error: RequestError,
    },
}

impl<'c> Parsed<'c> {
    /// Returns the command of a sender, or the refusal if the command cannot be read.
    pub fn of(sender: impl Into<Sender>, command: Result<Command<'c>, RequestError>) -> Self {
        let sender = sender.into();
        match command {
            Ok(command) => Self::Command { sender, command },
            Err(error) => Self::Refused { sender: Some(sender), error },
        }
    }

    /// Returns the command of a button below a message of the gateway.
    pub fn pressed(sender: impl Into<Sender>, action: ApprovalAction, id: String) -> Self {
        let sender = Sender { clicked: Some(action), ..sender.into() };
        Self::Command { sender, command: Command::DecideApproval { id, action, reason: None } }
    }

    /// Returns a handshake without a person.
    pub fn reply(rendered: Rendered) -> Self {
        Self::Reply { sender: None, rendered }
    }

    /// Returns an ignored event without a sender.
    pub fn ignored(why: &'static str) -> Self {
        Self::Ignored { sender: None, why }
    }

    /// Returns the refusal of a request whose sender cannot be read.
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

/// The sender of a request, and the conversation it came from.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The person or system.
    pub actor: Actor,
    /// The clicked button, if the request is a click.
    pub clicked: Option<ApprovalAction>,
    /// The address for the outcome after the platform stopped waiting.
    pub reply_address: Option<ReplyAddress>,
}

impl Sender {
    /// Returns the caller itself as the sender, for kinds without people.
    pub fn system(caller: &Caller) -> Self {
        Actor::system(caller).into()
    }
}

impl From<Actor> for Sender {
    fn from(actor: Actor) -> Self {
        Self { actor, clicked: None, reply_address: None }
    }
}
