//! The content of a request from a system. The sender is the caller itself. Nothing here reads bytes; each kind does.

use std::collections::BTreeSet;

use crate::callers::parsed::{Parsed, Sender};
use crate::config::callers::Caller;
use crate::reply::Rendered;
use crate::request::actor::principal;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::leaver::Leaver;

/// One of several events of a request, which cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Its id, or its place.
    pub(crate) event: String,
    /// What is wrong with it.
    pub(crate) error: RequestError,
}

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
    /// Returns the command for these leavers; without a leaver the event is ignored, explained by `otherwise`. A person whom several
    /// events of one person's doing report leaves once.
    pub(crate) fn leavers(all: impl IntoIterator<Item = Leaver>, otherwise: &'static str) -> Self {
        let mut known = BTreeSet::new();
        let is_new = |leaver: &Leaver| {
            // An event that names no one is told of by its own id.
            leaver.identity.is_empty() || known.insert((leaver.identity.clone(), leaver.caused_by.clone()))
        };
        let leavers: Vec<Leaver> = all.into_iter().filter(is_new).collect();
        if leavers.is_empty() { Self::Ignored(otherwise) } else { Self::Command(Command::OffboardLeavers(leavers)) }
    }

    /// Returns the command for several events of one request, of which some cannot be read: these must not keep the others from
    /// being carried out, because a sender that is answered with an error does not send the others again. Each of them becomes a
    /// leaver without attributes, which the log names.
    ///
    /// # Errors
    ///
    /// The first error, if no event can be read.
    pub(crate) fn leavers_of(
        events: impl IntoIterator<Item = Result<Vec<Leaver>, Unreadable>>,
        otherwise: &'static str,
    ) -> Result<Self, RequestError> {
        let (mut leavers, mut first) = (Vec::new(), None);
        let mut readable = false;
        for event in events {
            match event {
                Ok(of_event) => {
                    readable |= !of_event.is_empty();
                    leavers.extend(of_event);
                }
                Err(Unreadable { event, error }) => {
                    first.get_or_insert(error);
                    leavers.push(Leaver::new(&event, []));
                }
            }
        }
        match first {
            Some(error) if !readable => Err(error),
            _ => Ok(Self::leavers(leavers, otherwise)),
        }
    }

    /// Says who caused the event, where it does not say so itself: the person with this id at the sender.
    pub(crate) fn caused_by(self, caller: &Caller, id: Option<&str>) -> Self {
        let Some(by) = id.and_then(|id| principal(caller, id)) else { return self };
        match self {
            Self::Command(Command::OffboardLeavers(mut leavers)) => {
                for leaver in &mut leavers {
                    leaver.caused_by.get_or_insert_with(|| by.clone());
                }
                Self::Command(Command::OffboardLeavers(leavers))
            }
            Self::Command(Command::RemoveAccount { user_name, instance, reason, dry_run, caused_by }) => {
                let caused_by = Some(caused_by.unwrap_or(by));
                Self::Command(Command::RemoveAccount { user_name, instance, reason, dry_run, caused_by })
            }
            other => other,
        }
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
