//! What a request to the console comes to: of whom it is, and its page or its form.

use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};

use crate::app::App;
use crate::callers;
use crate::callers::console::guard::check_origin;
use crate::callers::console::session::{self, SignedIn};
use crate::callers::console::settings::{caller as console_caller, has_provider, public_url};
use crate::console::href::SIGN_IN;
use crate::flow::authenticate::{Authenticated, Session, Unproved, authenticate};
use crate::flow::console::answer::{of_a_reader, redirect};
use crate::flow::console::files::{icon, stylesheet_of};
use crate::flow::console::form_sent::Visited;
use crate::flow::console::language::{accepted_language, chosen_language, language_cookie};
use crate::flow::console::page_request::{PageRequest, Received, SignedInPerson};
use crate::flow::console::pages;
use crate::flow::console::visit::Visit;
use crate::flow::exchange::{Arrival, Browser, Exchange};
use crate::flow::parse::{CommandRequest, Work};
use crate::host::Host;
use crate::outbound::budget::Budget;
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::request::console_path::ConsolePath;
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::route::Route;

/// Answers a request to the console; `path` is `None` if the console has no such path.
pub(crate) async fn receive<'c, H: Host>(
    host: &H,
    app: &'c App,
    inbound: &Inbound,
    path: Option<&ConsolePath>,
    arrival: Arrival,
) -> Received<'c> {
    let Some(caller) = console_caller(&app.config) else {
        return (Exchange::anonymous(arrival), Err(RequestError::RouteUnknown.into()));
    };
    let asked = chosen_language(inbound).or_else(|| accepted_language(&inbound.headers));
    let language = asked.or(caller.language).unwrap_or(arrival.language);
    let Some(path) = path else {
        let browser = Browser::new(caller, language);
        return (Exchange::of_browser(arrival, browser), Err(RequestError::RouteUnknown.into()));
    };
    PageRequest { host, app, inbound, path, caller, language }.answer(arrival).await
}

impl<'c, H: Host> PageRequest<'_, 'c, H> {
    async fn answer(&self, arrival: Arrival) -> Received<'c> {
        if let Err(outcome) = self.check() {
            return self.unproved(arrival, Err(outcome), Vec::new());
        }
        match self.path {
            ConsolePath::SignIn => {
                let work = self.sign_in(arrival.at).await;
                self.unproved(arrival, work, Vec::new())
            }
            ConsolePath::Callback => {
                let (work, cookies) = self.callback(arrival.at).await;
                self.unproved(arrival, work, cookies)
            }
            ConsolePath::Icon => self.unproved(arrival, Ok(icon()), Vec::new()),
            ConsolePath::Stylesheet(name) => self.unproved(arrival, stylesheet_of(name), Vec::new()),
            _ => self.of_a_person(arrival).await,
        }
    }

    /// Refuses what the path does not take, and forms of other pages.
    fn check(&self) -> Result<(), Outcome> {
        self.path.check(&self.inbound.method)?;
        if self.inbound.method != Method::POST {
            return Ok(());
        }
        check_origin(&self.inbound.headers, &public_url(self.caller))?;
        let media_type = self.inbound.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_form = media_type.is_some_and(|given| given.split(';').next().is_some_and(|given| given.trim() == FORM));
        if is_form { Ok(()) } else { Err(RequestError::ContentTypeWrong { expected: FORM }.into()) }
    }

    async fn of_a_person(&self, arrival: Arrival) -> Received<'c> {
        let route = Route::Console(Some(self.path.clone()));
        let session = match authenticate(self.host, self.app, self.inbound, &route, arrival.at).await {
            Ok(Authenticated::Session(session)) => *session,
            // The kind has no handshake.
            Ok(Authenticated::Handshake(_)) => {
                return self.unproved(arrival, Err(RequestError::RouteUnknown.into()), Vec::new());
            }
            Err(Unproved { outcome, .. }) => return self.without_person(arrival, outcome),
        };
        let Some(actor) = callers::console::actor(&session.proof, self.caller) else {
            return self.unproved(arrival, Err(RequestError::RouteUnknown.into()), Vec::new());
        };
        let cookies = self.renewed(&session, &arrival).into_iter().chain(language_cookie(self.inbound)).collect();
        let (secrets, delivery) = (session.secrets.clone(), session.proof.delivery.clone());
        let person = SignedInPerson { actor, secrets, delivery };
        if *self.path == ConsolePath::SignOut {
            let work = self.sign_out(&person, arrival.at).await;
            return self.unproved(arrival, work, cookies);
        }
        let sender = person.actor.clone().into();
        let teams = person.actor.groups.at(arrival.at).to_vec();
        let browser = Browser { cookies, teams, ..Browser::new(self.caller, self.language) };
        let exchange = Exchange::authenticated(arrival, Some(self.language), session, Some(sender));
        let exchange = Exchange { browser: Some(browser), ..exchange };
        self.carry_out(exchange, person).await
    }

    /// Makes the page, or reads the form.
    async fn carry_out(&self, mut exchange: Exchange<'c>, person: SignedInPerson) -> Received<'c> {
        let budget = Budget::new(exchange.began, self.app.config.limits);
        let (visited, frame) = {
            let ctx = exchange.context(self.host, self.app, &budget, (self.caller, &person.actor));
            match Visit::new(&ctx, self.inbound, &person) {
                Ok(visit) => {
                    let visited = pages::carry_out(&visit, self.path).await;
                    let is_page = matches!(visited, Ok(Visited::Page(_)));
                    // Of a form, the answer may be a page that says why it came to nothing.
                    (visited, (!is_page).then(|| Box::new(visit.frame_without_ledger())))
                }
                Err(error) => (Err(error.into()), None),
            }
        };
        let work = visited.and_then(|visited| match visited {
            Visited::Page(rendered) => Ok((Work::Reply(of_a_reader(self.caller, rendered)), None)),
            Visited::Form(form, act) => {
                let (app, caller) = (self.app, self.caller);
                let SignedInPerson { actor, delivery, .. } = person;
                let (command, delivery) = form.command(app, delivery)?;
                let request = CommandRequest { app, caller, actor, delivery, command };
                Ok((Work::Command(Box::new(request)), Some(act)))
            }
        });
        let (work, act) = work.map_or_else(|outcome| (Err(outcome), None), |(work, act)| (Ok(work), act));
        exchange.browser = exchange.browser.map(|browser| Browser { act, frame, ..browser });
        (exchange, work)
    }

    /// What becomes of a request that proves no person: GET leads to the provider, a form is refused.
    fn without_person(&self, arrival: Arrival, outcome: Outcome) -> Received<'c> {
        let is_of_sender = outcome.status() == StatusCode::UNAUTHORIZED && !is(&outcome, &catalog::SECRET_UNSET);
        if !has_provider(self.caller) || !is_of_sender {
            return self.unproved(arrival, Err(outcome), Vec::new());
        }
        let was_signed_in = !is(&outcome, &catalog::PROOF_MISSING);
        let cookies = if was_signed_in { vec![callers::console::cookies::delete(session::COOKIE)] } else { Vec::new() };
        if *self.path == ConsolePath::SignOut {
            return self.unproved(arrival, Ok(redirect(SIGN_IN)), cookies);
        }
        if self.inbound.method == Method::POST {
            let over = Outcome::Refused(Message::new(&catalog::SESSION_OVER));
            return self.unproved(arrival, Err(over), cookies);
        }
        let work = self.sign_in_page(StatusCode::UNAUTHORIZED, was_signed_in, arrival.at);
        self.unproved(arrival, Ok(work), cookies)
    }

    /// The `Set-Cookie` with which this request keeps the session alive.
    fn renewed(&self, session: &Session<'c>, arrival: &Arrival) -> Option<String> {
        if !has_provider(self.caller) || *self.path == ConsolePath::SignOut {
            return None;
        }
        let signed_in = SignedIn::of_request(self.inbound, self.caller, &session.secrets, arrival.at).ok()?;
        signed_in.renewed(arrival.at)?.set_cookie(self.caller, &session.secrets, self.host.random())
    }
}

/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

fn is(outcome: &Outcome, entry: &'static catalog::Entry) -> bool {
    matches!(outcome, Outcome::Refused(message) if std::ptr::eq(message.entry(), entry))
}
