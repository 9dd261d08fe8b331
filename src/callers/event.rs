//! The content of a request from a system. The sender is the caller itself. Nothing here reads bytes; each kind does.

use crate::callers::parsed::{Parsed, Sender};
use crate::config::callers::Caller;
use crate::reply::Rendered;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::leaver::Leaver;

/// The content of a request from a system.
#[derive(Debug)]
pub(crate) enum Event<'c> {
    /// A command.
    Command(Command<'c>),
    /// A handshake of the system, with its reply; nothing else is done.
    Reply(Rendered),
    /// An event that is not about a removal, with the explanation for the log.
    Ignored(&'static str),
}

impl<'c> Event<'c> {
    /// Returns the command for these leavers, each identity once; without a leaver the event is ignored, explained by `otherwise`.
    pub(crate) fn leavers(all: impl IntoIterator<Item = Leaver>, otherwise: &'static str) -> Self {
        let mut leavers: Vec<Leaver> = Vec::new();
        for leaver in all {
            if !leavers.iter().any(|known| known.identity == leaver.identity) {
                leavers.push(leaver);
            }
        }
        if leavers.is_empty() { Self::Ignored(otherwise) } else { Self::Command(Command::OffboardLeavers(leavers)) }
    }

    /// Returns the parsed request, with the caller as its sender.
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
