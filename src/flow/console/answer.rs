//! Pages with their headers.

use http::StatusCode;
use http::header::SET_COOKIE;

use crate::callers::console::provider::origin;
use crate::callers::console::settings::has_provider;
use crate::config::callers::Caller;
use crate::console::headers::of_a_page;
use crate::console::page::{self, Content, View};
use crate::flow::exchange::Browser;
use crate::outcome::Outcome;
use crate::reply::Rendered;

/// A page with its headers. Where people sign in at a provider, the form that signs out leads there.
pub(super) fn page(caller: &Caller, view: &View<'_>, status: StatusCode) -> Rendered {
    let issuer = caller.setting("issuer").filter(|_| has_provider(caller));
    of_a_page(page::page(view, status), issuer.and_then(origin).as_deref())
}

/// The page that says why a request came to nothing; `id` is that of its row.
pub(in crate::flow) fn error_page(browser: &Browser<'_>, outcome: &Outcome, id: &str) -> Rendered {
    let view = View { language: browser.language, reader: None, content: Content::Error { outcome, id } };
    let mut rendered = page(browser.caller, &view, outcome.status());
    rendered.headers.extend(browser.cookies.iter().map(|cookie| (SET_COOKIE, cookie.clone())));
    rendered
}
