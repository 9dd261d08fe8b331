//! The console: one request of a browser, to the page or the redirect that answers it.
//!
//! A page is for a person whom the caller's kind has proved ([`callers::console`]); what the person does goes through the same operations
//! as a command of a chat or of the API. Without a proof, GET is answered with the page where people sign in, and writes no row:
//! browsers ask for pages on their own. A form is refused before anything is read of it unless a page of the console sent it.

mod accounts;
mod answer;
mod ask;
mod decide;
mod done;
mod failure;
mod field_error;
mod headers;
mod people;
mod policy;
mod removal;
mod removals;
mod sign_in;
mod visit;
mod waiting;

pub(super) use answer::form_answer;

use chrono::{DateTime, Utc};
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, StatusCode};

use crate::app::App;
use crate::callers;
use crate::callers::console::cookies;
use crate::callers::console::guard::{Fingerprint, Form, check_origin};
use crate::callers::console::session::{self, SignedIn};
use crate::callers::console::settings::{caller as console_caller, has_provider, public_url};
use crate::callers::proof::ActiveSecret;
use crate::config::callers::Caller;
use crate::console::stylesheet;
use crate::console::view::Act;
use crate::flow::authenticate::{Authenticated, Session, Unproved, authenticate};
use crate::flow::console::visit::Visit;
use crate::flow::exchange::{Arrival, Browser, Exchange};
use crate::flow::parse::{CommandRequest, Work};
use crate::host::Host;
use crate::outbound::budget::Budget;
use crate::outcome::language::Language;
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::reply::Rendered;
use crate::request::account_name::UserName;
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::console_path::ConsolePath;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::reason::Reason;
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
    /// Identifies the request.
    pub(super) delivery: DeliveryId,
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
    let asked = chosen_language(inbound).or_else(|| accepted_language(&inbound.headers));
    let language = asked.or(caller.language).unwrap_or(arrival.language);
    let Some(path) = path else {
        let browser = Browser::new(caller, language);
        return (Exchange::of_browser(arrival, browser), Err(RequestError::RouteUnknown.into()));
    };
    PageRequest { host, app, inbound, path, caller, language }.answer(arrival).await
}

/// Returns the language that the reader has chosen: on this page, or on one before.
fn chosen_language(inbound: &Inbound) -> Option<Language> {
    let query = Fields::from_query(&inbound.query).ok();
    let on_this_page = query.as_ref().and_then(|query| Language::parse(query.value(LANGUAGE)?));
    on_this_page.or_else(|| Language::parse(cookies::cookie(&inbound.headers, LANGUAGE_COOKIE).ok()??))
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
        let cookies = self.renewed(&session, &arrival).into_iter().chain(self.language_cookie()).collect();
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
                    let visited = visit.carry_out(self.path).await;
                    let is_page = matches!(visited, Ok(Visited::Page(_)));
                    // Of a form, the answer may be a page that says why it came to nothing.
                    (visited, (!is_page).then(|| Box::new(visit.frame_without_ledger())))
                }
                Err(error) => (Err(error.into()), None),
            }
        };
        let work = visited.and_then(|visited| match visited {
            Visited::Page(rendered) => Ok((Work::Reply(answer::of_a_reader(self.caller, rendered)), None)),
            Visited::Form(form, act) => {
                let (app, caller) = (self.app, self.caller);
                let SignedInPerson { actor, delivery, .. } = person;
                let (command, delivery) = self.command(form, delivery)?;
                let request = CommandRequest { app, caller, actor, delivery, command };
                Ok((Work::Command(Box::new(request)), Some(act)))
            }
        });
        let (work, act) = work.map_or_else(|outcome| (Err(outcome), None), |(work, act)| (Ok(work), act));
        exchange.browser = exchange.browser.map(|browser| Browser { act, frame, ..browser });
        (exchange, work)
    }

    /// The command that a form stands for, and its delivery; `sent` is that of the request.
    fn command(&self, form: FormSent, sent: DeliveryId) -> Result<(Command<'c>, DeliveryId), Outcome> {
        Ok(match form {
            FormSent::Decision { reference, action, reason } => {
                (Command::DecideApproval { id: reference, action, reason }, sent)
            }
            FormSent::Removal { user_name, instance, reason, delivery } => {
                let instance = self.app.config.instance(&instance)?;
                let (dry_run, caused_by) = (false, None);
                (Command::RemoveAccount { user_name, instance, reason, dry_run, caused_by }, delivery)
            }
        })
    }

    /// The cookie that keeps the language that the reader has chosen on this page.
    fn language_cookie(&self) -> Option<String> {
        let query = Fields::from_query(&self.inbound.query).ok()?;
        let language = Language::parse(query.value(LANGUAGE)?)?;
        Some(cookies::set(LANGUAGE_COOKIE, language.as_str(), Some(A_YEAR)))
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

    fn unproved(&self, arrival: Arrival, work: Result<Work<'c>, Outcome>, cookies: Vec<String>) -> Received<'c> {
        let browser = Browser { cookies, ..Browser::new(self.caller, self.language) };
        (Exchange::of_browser(arrival, browser), work)
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

/// What a person comes to with a page or a form.
enum Visited {
    /// This page.
    Page(Rendered),
    /// A form that was read, and what it does.
    Form(FormSent, Act),
}

/// A form that was read.
enum FormSent {
    /// A decision about the request under this reference.
    Decision { reference: String, action: ApprovalAction, reason: Option<Reason> },
    /// A removal that is asked for; its delivery is that of the form.
    Removal { user_name: UserName, instance: String, reason: Option<Reason>, delivery: DeliveryId },
}

/// The stylesheet of this name: browsers keep it, because another text has another name.
fn stylesheet_of<'c>(hash: &str) -> Result<Work<'c>, Outcome> {
    if format!("console.{hash}.css") != stylesheet::name() {
        return Err(RequestError::RouteUnknown.into());
    }
    let mut rendered = Rendered::of("text/css; charset=utf-8", StatusCode::OK, stylesheet::STYLESHEET.to_owned());
    rendered.headers.push((CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()));
    Ok(Work::Reply(rendered))
}

/// The parameter of an address with which the reader chooses the language, and the cookie that keeps it.
const LANGUAGE: &str = "lang";
const LANGUAGE_COOKIE: &str = "__Host-offboard-language";

/// In seconds.
const A_YEAR: u32 = 365 * 24 * 3600;

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
    Work::Reply(crate::flow::console::headers::of_a_page(Rendered { headers, ..rendered }, None))
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
