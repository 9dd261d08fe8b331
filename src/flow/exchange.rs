//! What is known of a request while it is answered. Each fact is set once, by the step that learns it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::callers;
use crate::callers::kind::{CallerKind, Endpoint};
use crate::callers::parsed::Sender;
use crate::config::callers::Caller;
use crate::console::pages::frame::Frame;
use crate::console::view::Act;
use crate::flow::authenticate::Session;
use crate::flow::follow_up::FollowUpChannel;
use crate::host::Host;
use crate::ledger::row::RemovalId;
use crate::operations::Ctx;
use crate::operations::record::Origin;
use crate::outbound::budget::Budget;
use crate::outcome::language::Language;
use crate::request::actor::Actor;
use crate::request::command::ApprovalAction;

/// A request of which nothing is known but that it arrived.
pub(super) struct Arrival {
    pub(super) id: RemovalId,
    pub(super) at: DateTime<Utc>,
    /// By [`Host::elapsed`].
    pub(super) began: Duration,
    /// The language of answers to callers that have none of their own.
    pub(super) language: Language,
}

impl Arrival {
    pub(super) fn now<H: Host>(host: &H, app: Result<&App, &str>) -> Self {
        let began = host.elapsed();
        let at = host.now();
        let language = app.map_or_else(|_| Language::default(), |app| app.config.language);
        Self { id: RemovalId::new(at, host.random()), at, began, language }
    }
}

/// How far a request got in proving who sent it. Decides what its row may name, and in which form it is answered.
pub(super) enum Requester<'c> {
    /// The route names no caller that is configured.
    Anonymous,
    /// The route names this caller, and nothing proves it.
    Claimed(&'c Caller),
    /// The caller is proved.
    Authenticated(Session<'c>),
    /// The caller is proved, and who asks through it is known.
    Identified(Session<'c>, Sender),
}

/// A request, as far as its answer depends on it.
pub(super) struct Exchange<'c> {
    pub(super) id: RemovalId,
    pub(super) at: DateTime<Utc>,
    /// By [`Host::elapsed`].
    pub(super) began: Duration,
    pub(super) language: Language,
    pub(super) requester: Requester<'c>,
    /// Where the sender takes a follow-up message.
    pub(super) channel: Option<FollowUpChannel<'c>>,
    /// The browser that sent it, if it is for the console.
    pub(super) browser: Option<Browser<'c>>,
}

/// What the answers to a browser need beside their content.
pub(super) struct Browser<'c> {
    /// The console's caller, proved or not.
    pub(super) caller: &'c Caller,
    pub(super) language: Language,
    /// Each a `Set-Cookie`.
    pub(super) cookies: Vec<String>,
    /// What the form does that was sent.
    pub(super) act: Option<Act>,
    /// What is around the page, if it is for a person who was proved.
    pub(super) frame: Option<Box<Frame>>,
    /// The person's teams.
    pub(super) teams: Vec<String>,
}

impl<'c> Browser<'c> {
    /// A browser of which no person is known.
    pub(super) fn new(caller: &'c Caller, language: Language) -> Self {
        Self { caller, language, cookies: Vec::new(), act: None, frame: None, teams: Vec::new() }
    }
}

fn is_of_documented_api(caller: &Caller) -> bool {
    callers::kind(&caller.kind).is_some_and(|kind| kind.endpoint() == Endpoint::Documented)
}

impl<'c> Exchange<'c> {
    pub(super) fn anonymous(arrival: Arrival) -> Self {
        Self::new(arrival, None, Requester::Anonymous)
    }

    pub(super) fn claimed(arrival: Arrival, caller: Option<&'c Caller>) -> Self {
        Self::new(arrival, None, caller.map_or(Requester::Anonymous, Requester::Claimed))
    }

    /// A request to the console that proves no person.
    pub(super) fn of_browser(arrival: Arrival, browser: Browser<'c>) -> Self {
        let (language, requester) = (browser.language, Requester::Claimed(browser.caller));
        Self { browser: Some(browser), ..Self::new(arrival, Some(language), requester) }
    }

    /// An authenticated request. `asked` is the language that it asks for.
    pub(super) fn authenticated(
        arrival: Arrival,
        asked: Option<Language>,
        session: Session<'c>,
        sender: Option<Sender>,
    ) -> Self {
        let channel = sender.as_ref().and_then(|sender| FollowUpChannel::of_sender(&session, sender));
        let requester = match sender {
            Some(sender) => Requester::Identified(session, sender),
            None => Requester::Authenticated(session),
        };
        Self { channel, ..Self::new(arrival, asked, requester) }
    }

    fn new(arrival: Arrival, asked: Option<Language>, requester: Requester<'c>) -> Self {
        let Arrival { id, at, began, language } = arrival;
        // A request that names an access key is not told in its caller's language before it is proved: that would say which keys exist.
        let callers = match &requester {
            Requester::Claimed(caller) if is_of_documented_api(caller) => None,
            _ => requester.caller().and_then(|caller| caller.language),
        };
        let language = asked.or(callers).unwrap_or(language);
        Self { id, at, began, language, requester, channel: None, browser: None }
    }

    /// The kind of a proven request: only that is answered in the platform's form.
    pub(super) fn kind(&self) -> Option<&'static dyn CallerKind> {
        self.requester.session().map(|session| session.kind)
    }

    /// The person or system that asks.
    pub(super) fn actor(&self) -> Option<&Actor> {
        self.requester.sender().map(|sender| &sender.actor)
    }

    /// The button that was clicked.
    pub(super) fn clicked(&self) -> Option<ApprovalAction> {
        self.requester.sender().and_then(|sender| sender.clicked)
    }

    /// Whose request it is, for its row and log line.
    pub(super) fn origin(&self, late: bool) -> Origin<'_> {
        Origin {
            id: &self.id,
            at: self.at,
            language: self.language,
            caller: self.requester.caller(),
            actor: self.actor(),
            late,
        }
    }

    /// What the operations need of it.
    pub(super) fn context<'x, H: Host>(
        &'x self,
        host: &'x H,
        app: &'x App,
        budget: &'x Budget,
        sender: (&'x Caller, &'x Actor),
    ) -> Ctx<'x, H> {
        let (caller, actor) = sender;
        Ctx {
            host,
            app,
            budget,
            id: self.id.clone(),
            at: self.at,
            caller,
            actor,
            language: self.language,
            chat: self.kind().and_then(|kind| kind.chat()),
            reply_to: self.channel.as_ref().and_then(FollowUpChannel::sealable_address),
        }
    }
}

impl<'c> Requester<'c> {
    pub(super) fn session(&self) -> Option<&Session<'c>> {
        match self {
            Self::Anonymous | Self::Claimed(_) => None,
            Self::Authenticated(session) | Self::Identified(session, _) => Some(session),
        }
    }

    fn caller(&self) -> Option<&'c Caller> {
        match self {
            Self::Anonymous => None,
            Self::Claimed(caller) => Some(caller),
            Self::Authenticated(session) | Self::Identified(session, _) => Some(session.caller),
        }
    }

    fn sender(&self) -> Option<&Sender> {
        match self {
            Self::Identified(_, sender) => Some(sender),
            Self::Anonymous | Self::Claimed(_) | Self::Authenticated(_) => None,
        }
    }
}
