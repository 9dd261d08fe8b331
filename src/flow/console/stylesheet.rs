//! The stylesheet, as an answer.

use http::StatusCode;
use http::header::CACHE_CONTROL;

use crate::console::stylesheet;
use crate::flow::parse::Work;
use crate::outcome::Outcome;
use crate::reply::Rendered;
use crate::request::error::RequestError;

/// The stylesheet of this name: browsers keep it, because another text has another name.
pub(super) fn stylesheet_of<'c>(hash: &str) -> Result<Work<'c>, Outcome> {
    if format!("console.{hash}.css") != stylesheet::name() {
        return Err(RequestError::RouteUnknown.into());
    }
    let mut rendered = Rendered::of("text/css; charset=utf-8", StatusCode::OK, stylesheet::STYLESHEET.to_owned());
    rendered.headers.push((CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()));
    Ok(Work::Reply(rendered))
}
