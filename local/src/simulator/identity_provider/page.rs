//! The provider's pages: plain HTML, without scripts and without a style of their own.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};

use super::options::Person;

/// Without `form-action`: browsers apply it to the redirect that answers a form, too, and the form leads back to the client.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Returns the page that asks who signs in. `interaction` names the request that is answered.
pub(super) fn choose(client_id: &str, people: &[Person], interaction: &str) -> Response<Bytes> {
    let buttons: String = people
        .iter()
        .map(|person| {
            format!(
                "<p><button name=\"person\" value=\"{}\">{}</button> {} {}</p>\n",
                escaped(&person.sub),
                escaped(&person.name),
                escaped(&person.email),
                escaped(&person.note)
            )
        })
        .collect();
    let body = format!(
        "<p>Sign in to <b>{}</b>. This is a demonstration: it asks no password.</p>\n\
         <form method=\"post\" action=\"/authorize\">\n\
         <input type=\"hidden\" name=\"interaction\" value=\"{}\">\n{buttons}\
         <p><button name=\"person\" value=\"\">Cancel</button></p>\n</form>",
        escaped(client_id),
        escaped(interaction)
    );
    page(StatusCode::OK, "Who do you want to be?", &body)
}

/// Returns a page with one sentence.
pub(super) fn sentence(status: StatusCode, title: &str, text: &str) -> Response<Bytes> {
    page(status, title, &format!("<p>{}</p>", escaped(text)))
}

fn page(status: StatusCode, title: &str, body: &str) -> Response<Bytes> {
    let title = escaped(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
