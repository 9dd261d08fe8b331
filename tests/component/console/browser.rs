//! A browser, as far as signing in needs one: it keeps cookies by host, follows redirects and sends forms.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use local::http_client as client;

use crate::harness::answer::PATIENCE;

/// The most redirects that it follows, as browsers do.
const MOST_REDIRECTS: usize = 20;

/// A page as it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Where it is.
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    /// Where each origin really listens.
    pub(crate) origins: BTreeMap<String, SocketAddr>,
    /// By origin and name.
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

impl Page {
    /// The redirect's URL.
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map(|value| value.to_str().unwrap()).unwrap_or_else(|| panic!("{self:#?}"))
    }

    /// The address of the first link that begins with this.
    pub(crate) fn link(&self, beginning: &str) -> String {
        self.between(&format!("href=\"{beginning}"), beginning)
    }

    /// The address that the first form is sent to.
    pub(crate) fn action(&self) -> String {
        self.between("action=\"", "")
    }

    /// The value of the hidden field of this name.
    pub(crate) fn hidden(&self, name: &str) -> String {
        self.between(&format!("name=\"{name}\" value=\""), "")
    }

    /// Whether the page says that this person has signed in. Long names may break where the markup says.
    pub(crate) fn is_for(&self, principal: &str) -> bool {
        let body = self.body.replace("<wbr>", "");
        body.contains(&format!("Signed in as </span><span class=\"dim small\">{principal}</span>"))
    }

    fn between(&self, start: &str, before: &str) -> String {
        let rest = self.body.split_once(start).unwrap_or_else(|| panic!("no {start} in {self:#?}")).1;
        format!("{before}{}", rest.split('"').next().unwrap()).replace("&amp;", "&")
    }

    /// The code of the gateway's outcome.
    pub(crate) fn code(&self) -> &str {
        self.headers.get("x-offboard-code").map(|code| code.to_str().unwrap()).unwrap_or_default()
    }
}

impl Browser {
    /// Asks for a page, and follows no redirect.
    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.send(url, Method::GET, String::new(), &[]).await
    }

    /// Asks for a page, and follows redirects to the end, or to the first URL that begins with `until`.
    pub(crate) async fn follow(&mut self, url: &str, until: Option<&str>) -> Page {
        let page = self.get(url).await;
        self.follow_from(page, until).await
    }

    /// Follows the redirects of an answer.
    pub(crate) async fn follow_from(&mut self, mut page: Page, until: Option<&str>) -> Page {
        for _ in 0..MOST_REDIRECTS {
            if !page.status.is_redirection() {
                return page;
            }
            let url = absolute(&page.url, page.location());
            if until.is_some_and(|until| url.starts_with(until)) {
                return page;
            }
            page = self.get(&url).await;
        }
        panic!("redirects have no end: {page:#?}");
    }

    /// Sends a form as a page of `origin` does.
    pub(crate) async fn post(&mut self, url: &str, fields: &[(&str, &str)], headers: &[(&'static str, &str)]) -> Page {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.send(url, Method::POST, pairs.join("&"), headers).await
    }

    async fn send(&mut self, url: &str, method: Method, body: String, headers: &[(&'static str, &str)]) -> Page {
        let origin = origin_of(url);
        let host = origin.split_once("://").unwrap().1;
        let address = *self.origins.get(&origin).unwrap_or_else(|| panic!("{url} is elsewhere"));
        let mut request = Request::new(Bytes::from(body));
        *request.uri_mut() = url.parse().unwrap();
        request.headers_mut().insert(HOST, HeaderValue::from_str(host).unwrap());
        if method == Method::POST {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        *request.method_mut() = method;
        let cookies = self.cookies.iter().filter(|((of, _), _)| *of == origin);
        let cookies: Vec<_> = cookies.map(|((_, name), value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let answer = tokio::time::timeout(PATIENCE, client::send(address, request)).await;
        let (parts, body) =
            answer.expect("an answer in time").unwrap_or_else(|error| panic!("{url}: {error:#}")).into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let key = (origin.clone(), name.to_owned());
            if value.is_empty() || rest.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Page { url: url.to_owned(), status: parts.status, headers: parts.headers, body }
    }
}

fn origin_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("{url} is no URL"));
    format!("{scheme}://{}", rest.split(['/', '?']).next().unwrap())
}

/// The URL that a reference of a page leads to.
pub(crate) fn absolute(page: &str, reference: &str) -> String {
    if reference.contains("://") { reference.to_owned() } else { format!("{}{reference}", origin_of(page)) }
}
