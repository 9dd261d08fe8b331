//! The files that pages name, as answers: the stylesheet and the icon. They are the same for everyone, and browsers keep them.

use http::StatusCode;
use http::header::CACHE_CONTROL;

use crate::console::{icons, stylesheet};
use crate::flow::parse::Work;
use crate::outcome::Outcome;
use crate::reply::Rendered;
use crate::request::error::RequestError;

/// The stylesheet of this name: another text has another name.
pub(super) fn stylesheet_of<'c>(hash: &str) -> Result<Work<'c>, Outcome> {
    if format!("console.{hash}.css") != stylesheet::name() {
        return Err(RequestError::RouteUnknown.into());
    }
    Ok(file("text/css; charset=utf-8", stylesheet::STYLESHEET, "public, max-age=31536000, immutable"))
}

/// The icon. Without one, browsers ask for `/favicon.ico`, which would be an unknown path with a row.
pub(super) fn icon<'c>() -> Work<'c> {
    file("image/svg+xml", icons::ICON, "public, max-age=86400")
}

fn file<'c>(content_type: &'static str, content: &str, kept: &str) -> Work<'c> {
    let mut rendered = Rendered::of(content_type, StatusCode::OK, content.to_owned());
    rendered.headers.push((CACHE_CONTROL, kept.to_owned()));
    Work::Reply(rendered)
}
