//! The console: one request of a browser, to the page or the redirect that answers it.
//!
//! A page is for a person whom the caller's kind has proved ([`callers::console`]); what the person does goes through the same operations
//! as a command of a chat or of the API. Without a proof, GET is answered with the page where people sign in, and writes no row:
//! browsers ask for pages on their own. A form is refused before anything is read of it unless a page of the console sent it.

mod answer;
mod sign_in;

pub(super) use answer::error_page;

use chrono::{DateTime, Utc};
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, StatusCode};

use crate::app::App;
use crate::callers;
use crate::callers::console::guard::{Fingerprint, Form, check_origin};
use crate::callers::console::session::{self, SignedIn};
use crate::callers::console::settings::{caller as console_caller, has_provider, public_url};
use crate::callers::proof::ActiveSecret;
use crate::config::callers::Caller;
use crate::console::page::{Content, Reader, View};
use crate::flow::authenticate::{Authenticated, Session, Unproved, authenticate};
use crate::flow::exchange::{Arrival, Browser, Exchange};
use crate::flow::parse::Work;
use crate::host::Host;
use crate::outcome::language::Language;
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::console_path::ConsolePath;
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::route::Route;
use crate::request::strict::Fields;

/// What a request comes to, before it is an answer.
type Received<'c> = (Exchange<'c>, Result<Work<'c>, Outcome>);

/// A request of a browser.
pub(super) struct PageRequest<'r, 'c, H> {
    host: &'r H,
    app: &'c App,
    inbound: &'r Inbound,
    path: &'r ConsolePath,
    caller: &'c Caller,
    language: Language,
}

/// A person whom the request proved, and what pages and forms need of the proof.
pub(super) struct SignedInPerson {
    pub(super) actor: Actor,
    /// The session keys, newest first: what forms are signed with.
    pub(super) secrets: Vec<ActiveSecret>,
}

/// Answers a request to the console; `path` is `None` if the console has no such path.
pub(super) async fn receive<'c, H: Host>(
    host: &H,
    app: &'c App,
    inbound: &Inbound,
    path: Option<&ConsolePath>,
    arrival: Arrival,
) -> Received<'c> {
    let Some(caller) = console_caller(&app.config) else {
        return (Exchange::anonymous(arrival), Err(RequestError::RouteUnknown.into()));
    };
    let asked = accepted_language(&inbound.headers);
    let language = asked.or(caller.language).unwrap_or(arrival.language);
    let Some(path) = path else {
        let browser = Browser { caller, language, cookies: Vec::new() };
        return (Exchange::of_browser(arrival, browser), Err(RequestError::RouteUnknown.into()));
    };
    PageRequest { host, app, inbound, path, caller, language }.answer(arrival).await
}

/// Returns the language that a browser asks for first; `None` if it is another one than the two.
fn accepted_language(headers: &HeaderMap) -> Option<Language> {
    let first = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?.split([',', ';']).next()?.trim().to_ascii_lowercase();
    match first.split('-').next()? {
        "zh" => Some(Language::Chinese),
        "en" => Some(Language::English),
        _ => None,
    }
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
            // The style of the pages will be here.
            ConsolePath::Stylesheet(_) => self.unproved(arrival, Err(RequestError::RouteUnknown.into()), Vec::new()),
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
        let cookies = self.renewed(&session, &arrival).into_iter().collect();
        let person = SignedInPerson { actor, secrets: session.secrets.clone() };
        let work = match self.path {
            ConsolePath::SignOut => self.sign_out(&person, arrival.at).await,
            _ => self.page(&person, &arrival),
        };
        let browser = Browser { caller: self.caller, language: self.language, cookies };
        let exchange = Exchange::authenticated(arrival, Some(self.language), session, Some(person.actor.into()));
        (Exchange { browser: Some(browser), ..exchange }, work)
    }

    /// The page of this path: what the pages of the console take the place of. Nothing is done yet by a form but signing out.
    fn page(&self, person: &SignedInPerson, arrival: &Arrival) -> Result<Work<'c>, Outcome> {
        if self.inbound.method == Method::POST {
            return Err(RequestError::RouteUnknown.into());
        }
        Ok(self.shown(StatusCode::OK, Some(self.reader(person, arrival)), Content::Path(self.path)))
    }

    /// The person, for the frame of a page.
    fn reader<'p>(&'p self, person: &'p SignedInPerson, arrival: &Arrival) -> Reader<'p> {
        let principal = person.actor.principal.as_str();
        let form = Form { person: principal, action: SIGN_OUT, reference: "" };
        let token = form.token(&Fingerprint::of(&[]), &person.secrets, arrival.at);
        let sign_out = token.filter(|_| has_provider(self.caller));
        let name = self.app.config.person(principal);
        Reader { name, principal, teams: person.actor.groups.at(arrival.at), sign_out }
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
        let work = self.sign_in_page(StatusCode::UNAUTHORIZED, was_signed_in);
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

    fn unproved(&self, arrival: Arrival, work: Result<Work<'c>, Outcome>, cookies: Vec<String>) -> Received<'c> {
        let browser = Browser { caller: self.caller, language: self.language, cookies };
        (Exchange::of_browser(arrival, browser), work)
    }

    fn shown(&self, status: StatusCode, reader: Option<Reader<'_>>, content: Content<'_>) -> Work<'c> {
        let view = View { language: self.language, reader, content };
        Work::Reply(answer::page(self.caller, &view, status))
    }

    /// Reads the form that was sent, if its token is of this person, for what it does, and `shown` is what its page showed.
    fn checked_form(
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

/// The hidden field of every form.
const TOKEN: &str = "token";

/// What the form that signs out does.
const SIGN_OUT: &str = "sign-out";

/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The path of the page where people sign in.
const SIGN_IN: &str = "/console/signin";

fn is(outcome: &Outcome, entry: &'static catalog::Entry) -> bool {
    matches!(outcome, Outcome::Refused(message) if std::ptr::eq(message.entry(), entry))
}

/// A redirect that the browser follows with GET.
fn redirect<'c>(to: &str) -> Work<'c> {
    let rendered = Rendered::of("text/plain; charset=utf-8", StatusCode::SEE_OTHER, String::new());
    let headers = vec![(LOCATION, to.to_owned())];
    Work::Reply(crate::console::headers::of_a_page(Rendered { headers, ..rendered }, None))
}

/// The same with a cookie.
fn with_cookie(work: Work<'_>, cookie: String) -> Work<'_> {
    match work {
        Work::Reply(mut rendered) => {
            rendered.headers.push((SET_COOKIE, cookie));
            Work::Reply(rendered)
        }
        command @ Work::Command(_) => command,
    }
}
