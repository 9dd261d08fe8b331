//! Pages with their headers.

use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::{LOCATION, SET_COOKIE};

use crate::callers::console::provider::origin;
use crate::callers::console::settings::has_provider;
use crate::config::callers::Caller;
use crate::console::locale::Locale;
use crate::console::pages::error;
use crate::flow::console::headers::of_a_page;
use crate::flow::console::{done, failure};
use crate::flow::exchange::Browser;
use crate::flow::parse::Work;
use crate::outcome::Outcome;
use crate::reply::Rendered;

/// A page with its headers. Where people sign in at a provider, the form that signs out leads there.
pub(super) fn of_a_reader(caller: &Caller, rendered: Rendered) -> Rendered {
    let issuer = caller.setting("issuer").filter(|_| has_provider(caller));
    of_a_page(rendered, issuer.and_then(origin).as_deref())
}

/// The answer to a form: a redirect to the page that says what came of it, or a page that says why nothing did.
pub(crate) fn form_answer(browser: &Browser<'_>, outcome: &Outcome, id: &str, now: DateTime<Utc>) -> Rendered {
    let redirect = browser.act.and_then(|act| done::redirect(outcome, act, id));
    redirect.map_or_else(|| error_page(browser, outcome, id, now), |redirect| with_cookies(browser, redirect))
}

/// The page that says why a request came to nothing; `id` is that of its row.
fn error_page(browser: &Browser<'_>, outcome: &Outcome, id: &str, now: DateTime<Utc>) -> Rendered {
    let view = failure::failure(outcome, browser.language, id, &browser.teams);
    let html = match &browser.frame {
        Some(frame) => error::page(frame, &view),
        None => {
            let locale = Locale { language: browser.language, now: now.fixed_offset() };
            error::page_of_stranger(locale, &view, has_provider(browser.caller))
        }
    };
    let rendered = Rendered::of("text/html; charset=utf-8", outcome.status(), html);
    with_cookies(browser, of_a_reader(browser.caller, rendered))
}

fn with_cookies(browser: &Browser<'_>, mut rendered: Rendered) -> Rendered {
    rendered.headers.extend(browser.cookies.iter().map(|cookie| (SET_COOKIE, cookie.clone())));
    rendered
}

/// A redirect that the browser follows with GET.
pub(super) fn redirect<'c>(to: &str) -> Work<'c> {
    let rendered = Rendered::of("text/plain; charset=utf-8", StatusCode::SEE_OTHER, String::new());
    let headers = vec![(LOCATION, to.to_owned())];
    Work::Reply(of_a_page(Rendered { headers, ..rendered }, None))
}

/// An answer with a cookie more.
pub(super) fn with_cookie(work: Work<'_>, cookie: String) -> Work<'_> {
    match work {
        Work::Reply(mut rendered) => {
            rendered.headers.push((SET_COOKIE, cookie));
            Work::Reply(rendered)
        }
        command @ Work::Command(_) => command,
    }
}
