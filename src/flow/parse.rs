//! What an authenticated request asks for. Nothing is decided here, and nothing is sent.

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::json;

use crate::app::App;
use crate::callers::kind::{CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::config::callers::Caller;
use crate::flow::authenticate::Session;
use crate::flow::exchange::{Arrival, Exchange};
use crate::host::Host;
use crate::operations::nearest_instance::with_nearest;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::outcome::log_event::log_event;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;

const LANGUAGE: &str = "x-language";

/// What a request leads to.
pub(super) enum Work<'c> {
    /// Nothing: this is the reply.
    Reply(Rendered),
    /// A command.
    Command(Box<CommandRequest<'c>>),
}

/// A command, and who proved to ask for it.
pub(super) struct CommandRequest<'c> {
    pub(super) app: &'c App,
    pub(super) caller: &'c Caller,
    pub(super) actor: Actor,
    pub(super) delivery: DeliveryId,
    pub(super) command: Command<'c>,
}

/// Parses an authenticated request. The sender of a request that is refused here is known all the same: its row names them.
pub(super) fn parse<'c, H: Host>(
    host: &H,
    app: &'c App,
    inbound: &Inbound,
    session: Session<'c>,
    arrival: Arrival,
) -> (Exchange<'c>, Result<Work<'c>, Outcome>) {
    let asked = asked_language(inbound);
    let request = Verified { inbound, proof: &session.proof, caller: session.caller };
    let parsed = session.kind.parse(request, &app.config);
    let sender = parsed.sender().cloned();
    let work = match (&asked, parsed) {
        (Err(error), _) => Err(error.clone()),
        // A path or method that the route does not have is refused as that, whatever body it has.
        (
            Ok(_),
            Parsed::Refused {
                error: error @ (RequestError::RouteUnknown | RequestError::MethodNotAllowed { .. }), ..
            },
        ) => Err(error),
        (Ok(_), parsed) => check_content_type(inbound, session.kind)
            .and_then(|()| work(host, app, &session, parsed))
            .map_err(|error| match (&sender, session.kind.chat()) {
                (Some(sender), Some(_)) => with_nearest(error, app, &sender.actor, arrival.at),
                _ => error,
            }),
    };
    let exchange = Exchange::authenticated(arrival, asked.ok().flatten(), session, sender);
    (exchange, work.map_err(Outcome::from))
}

fn work<'c, H: Host>(
    host: &H,
    app: &'c App,
    session: &Session<'c>,
    parsed: Parsed<'c>,
) -> Result<Work<'c>, RequestError> {
    let caller = session.caller;
    match parsed {
        Parsed::Command { sender, command } => Ok(Work::Command(Box::new(CommandRequest {
            app,
            caller,
            actor: sender.actor,
            delivery: session.proof.delivery.clone(),
            command,
        }))),
        Parsed::Ignored { why, .. } => {
            let event = json!({"event": "passed-over", "by": caller.name, "kind": caller.kind, "why": why});
            log_event(host, event);
            Ok(Work::Reply(session.kind.ignored()))
        }
        Parsed::Reply { rendered, .. } => Ok(Work::Reply(rendered)),
        Parsed::Refused { error, .. } => Err(error),
    }
}

/// The language that the request asks for.
fn asked_language(inbound: &Inbound) -> Result<Option<Language>, RequestError> {
    let mut values = inbound.headers.get_all(LANGUAGE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(RequestError::FieldDoubled { name: "X-Language".into() });
    }
    let given = String::from_utf8_lossy(value.as_bytes());
    Language::parse(&given).map(Some).ok_or_else(|| RequestError::LanguageInvalid { given: given.into_owned() })
}

/// Refuses a body that the kind's parser was not made for.
fn check_content_type(inbound: &Inbound, kind: &dyn CallerKind) -> Result<(), RequestError> {
    if inbound.headers.get_all(CONTENT_ENCODING).iter().any(|value| value != "identity") {
        return Err(RequestError::BodyEncoded);
    }
    let known = kind.content_types();
    let Some(expected) = known.first().copied() else { return Ok(()) };
    if ![Method::POST, Method::PUT, Method::PATCH].contains(&inbound.method) {
        return Ok(());
    }
    let mut values = inbound.headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (values.next(), values.next());
    let media_type =
        first.map(|value| value.to_str().ok().and_then(|value| value.split(';').next()).unwrap_or_default());
    let is_taken = second.is_none() && kind.takes_content_type(media_type.map(str::trim), inbound);
    if is_taken { Ok(()) } else { Err(RequestError::ContentTypeWrong { expected }) }
}
