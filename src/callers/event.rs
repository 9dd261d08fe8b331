//! What a request of a system says: its sender is the caller itself.

use crate::callers::parsed::{Parsed, Sender};
use crate::config::callers::Caller;
use crate::reply::Rendered;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::leaver::Leaver;

/// What a request of a system says.
#[derive(Debug)]
pub(crate) enum Event<'c> {
    /// A command.
    Command(Command<'c>),
    /// A question of the system's own: this is the reply, and there is nothing to do.
    Reply(Rendered),
    /// Nothing about a removal; why, for the log.
    Ignored(&'static str),
}

impl<'c> Event<'c> {
    /// All of these people leave, each counted once; `otherwise` is why the event is ignored if there is none.
    pub(crate) fn leavers(all: impl IntoIterator<Item = Leaver>, otherwise: &'static str) -> Self {
        let mut leavers: Vec<Leaver> = Vec::new();
        for leaver in all {
            if !leavers.iter().any(|known| known.identity == leaver.identity) {
                leavers.push(leaver);
            }
        }
        if leavers.is_empty() { Self::Ignored(otherwise) } else { Self::Command(Command::OffboardLeavers(leavers)) }
    }

    /// The parsed request, with the caller as its sender.
    pub(crate) fn parsed(caller: &Caller, event: Result<Self, RequestError>) -> Parsed<'c> {
        let sender = Sender::system(caller);
        match event {
            Ok(Self::Command(command)) => Parsed::Command { sender, command },
            Ok(Self::Reply(rendered)) => Parsed::Reply { sender: Some(sender), rendered },
            Ok(Self::Ignored(why)) => Parsed::Ignored { sender: Some(sender), why },
            Err(error) => Parsed::Refused { sender: Some(sender), error },
        }
    }
}
