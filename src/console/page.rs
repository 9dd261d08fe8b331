//! The pages, for now as plain as they can be: who is signed in, and what happened.

use http::StatusCode;

use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::reply::Rendered;
use crate::request::console_path::ConsolePath;

/// What a page is made of.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// The language of the page.
    pub language: Language,
    /// The person; `None` without a session.
    pub reader: Option<Reader<'a>>,
    /// What the page shows.
    pub content: Content<'a>,
}

/// The person who reads a page.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    /// The operator's name for the person; the principal if there is none.
    pub name: &'a str,
    /// The principal.
    pub principal: &'a str,
    /// The teams that the person's proof names.
    pub teams: &'a [String],
    /// The token of the form that signs out; `None` behind a proxy, which has the session.
    pub sign_out: Option<String>,
}

/// What a page shows.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// The page of a path.
    Path(&'a ConsolePath),
    /// Where a person signs in.
    SignIn {
        /// The provider's host.
        provider: &'a str,
        /// The link that leads there, and afterwards back.
        link: String,
        /// Whether a session was there, and is over.
        was_signed_in: bool,
    },
    /// A request that came to nothing.
    Error {
        /// Why.
        outcome: &'a Outcome,
        /// The id of its row, or of the request.
        id: &'a str,
    },
}

/// Renders a page.
pub fn page(view: &View<'_>, status: StatusCode) -> Rendered {
    let of = |en: &'static str, zh: &'static str| if view.language == Language::Chinese { zh } else { en };
    let mut body = String::new();
    if let Some(Reader { name, principal, teams, sign_out }) = &view.reader {
        body += &format!(
            "<p>{} <b>{}</b> <small>{}</small></p>",
            of("Signed in as", "已登录："),
            escaped(name),
            escaped(principal)
        );
        if !teams.is_empty() {
            body += &format!("<p>{}</p>", escaped(&teams.join(", ")));
        }
        if let Some(token) = sign_out {
            body += &format!(
                "<form method=\"post\" action=\"/console/signout\"><input type=\"hidden\" name=\"token\" value=\"{}\"><button>{}</button></form>",
                escaped(token),
                of("Sign out", "退出登录")
            );
        }
    }
    body += &match &view.content {
        Content::Path(path) => format!("<h1>Offboard</h1><p>{}</p>", escaped(&format!("{path:?}"))),
        Content::SignIn { provider, link, was_signed_in } => format!(
            "<h1>{}</h1>{}<p><a href=\"{}\">{} {}</a></p>",
            of("Sign in", "登录"),
            if *was_signed_in { of("<p>Your session is over.</p>", "<p>会话已结束。</p>") } else { "" },
            escaped(link),
            of("Continue with", "继续前往"),
            escaped(provider)
        ),
        Content::Error { outcome, id } => format!(
            "<h1>{}</h1><p>{}</p><p><code>{}</code> <code>{}</code></p><p><a href=\"/console\">{}</a></p>",
            of("Nothing was changed", "未作任何更改"),
            escaped(&outcome.message(view.language)),
            escaped(&outcome.code()),
            escaped(id),
            of("Back", "返回")
        ),
    };
    let language = if view.language == Language::Chinese { "zh-CN" } else { "en" };
    let html = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>Offboard</title></head><body><main>{body}</main></body></html>"
    );
    Rendered::of("text/html; charset=utf-8", status, html)
}

/// Escapes a text for element content and for values in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_text() {
        let teams = ["<i>".to_owned()];
        let reader =
            Reader { name: "<b>", principal: "console/\"&'", teams: &teams, sign_out: Some("1.a\"b".to_owned()) };
        let sign_in =
            Content::SignIn { provider: "<p>", link: "/console/signin?go=\"<a>".into(), was_signed_in: false };
        let view = View { language: Language::English, reader: Some(reader), content: sign_in };
        let body = page(&view, StatusCode::OK).body;
        for text in [
            "&lt;b&gt;",
            "console/&quot;&amp;&#39;",
            "&lt;i&gt;",
            "value=\"1.a&quot;b\"",
            "&lt;p&gt;",
            "go=&quot;&lt;a&gt;\"",
        ] {
            assert!(body.contains(text), "{text}: {body}");
        }
    }
}
