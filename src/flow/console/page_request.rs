//! A request of a browser, before and after it is known of which person.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::callers::console::guard::{Fingerprint, Form};
use crate::callers::proof::ActiveSecret;
use crate::config::callers::Caller;
use crate::flow::console::form_sent::TOKEN;
use crate::flow::exchange::{Arrival, Browser, Exchange};
use crate::flow::parse::Work;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::request::actor::Actor;
use crate::request::console_path::ConsolePath;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::Fields;

/// What a request comes to, before it is an answer.
pub(super) type Received<'c> = (Exchange<'c>, Result<Work<'c>, Outcome>);

/// A person whom the request proved, and what pages and forms need of the proof.
pub(super) struct SignedInPerson {
    pub(super) actor: Actor,
    /// The session keys, newest first: what forms are signed with.
    pub(super) secrets: Vec<ActiveSecret>,
    /// Identifies the request.
    pub(super) delivery: DeliveryId,
}

/// A request of a browser.
pub(super) struct PageRequest<'r, 'c, H> {
    pub(super) host: &'r H,
    pub(super) app: &'c App,
    pub(super) inbound: &'r Inbound,
    pub(super) path: &'r ConsolePath,
    pub(super) caller: &'c Caller,
    pub(super) language: Language,
}

impl<'c, H> PageRequest<'_, 'c, H> {
    /// A request that proves no person, and what it comes to.
    pub(super) fn unproved(
        &self,
        arrival: Arrival,
        work: Result<Work<'c>, Outcome>,
        cookies: Vec<String>,
    ) -> Received<'c> {
        let browser = Browser { cookies, ..Browser::new(self.caller, self.language) };
        (Exchange::of_browser(arrival, browser), work)
    }

    /// Reads the form that was sent, if its token is of this person, for what it does, and `shown` is what its page showed.
    ///
    /// # Errors
    ///
    /// If its fields cannot be read, or the token is another one.
    pub(super) fn checked_form(
        &self,
        person: &SignedInPerson,
        (action, reference): (&str, &str),
        shown: &Fingerprint,
        now: DateTime<Utc>,
    ) -> Result<Fields, Outcome> {
        let fields = Fields::from_form(&self.inbound.body)?;
        let form = Form { person: &person.actor.principal, action, reference };
        form.check(fields.value(TOKEN), shown, &person.secrets, now)?;
        Ok(fields)
    }
}
