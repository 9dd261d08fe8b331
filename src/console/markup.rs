//! HTML that is safe to show: words of others get into it only escaped.

use std::fmt::{self, Display};

use askama::Template;
use askama::filters::{Html, HtmlSafe, escape};

use crate::outcome::unseen::visible;

/// A piece of HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// A text, with what cannot be seen in it made visible.
    pub fn text(text: &str) -> Self {
        Self(escaped(&visible(text)))
    }

    /// A name, an id or a code.
    pub fn code(text: &str) -> Self {
        Self::element("code", &[], Self::text(text))
    }

    /// A text of several lines, as it stands in a `pre`.
    pub fn lines(text: &str) -> Self {
        let lines = text.lines().map(|line| escaped(&visible(&line.replace('\t', "    "))));
        Self(lines.collect::<Vec<_>>().join("\n"))
    }

    /// What matters most in a sentence.
    pub fn bold(content: Self) -> Self {
        Self::element("b", &[], content)
    }

    /// What matters least.
    pub fn dim(content: Self) -> Self {
        Self::element("span", &[("class", "dim")], content)
    }

    /// An element around other HTML. Its name and the names of its attributes are this program's own; the values of attributes
    /// are escaped.
    pub fn element(name: &'static str, attributes: &[(&'static str, &str)], content: Self) -> Self {
        let attributes: String =
            attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
        Self(format!("<{name}{attributes}>{}</{name}>", content.0))
    }

    /// A link.
    pub fn link(href: &str, content: Self) -> Self {
        Self::element("a", &[("href", href)], content)
    }

    /// What a template renders. Askama escapes the values that are not markup themselves.
    pub(super) fn of(template: &impl Template) -> Self {
        // Writing to a string does not fail, and no template calls anything else that could.
        Self(template.render().unwrap_or_default())
    }

    /// HTML of this program.
    pub(super) fn own(html: &'static str) -> Self {
        Self(html.to_owned())
    }

    /// A text of this program, filled in with values that are markup.
    pub(super) fn filled(html: String) -> Self {
        Self(html)
    }

    /// Two pieces, one behind the other.
    #[must_use]
    pub fn and(mut self, next: &Self) -> Self {
        self.0.push_str(&next.0);
        self
    }

    /// Whether it shows nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The HTML.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

fn escaped(text: &str) -> String {
    match escape(text, Html) {
        Ok(escaped) => escaped.to_string(),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_escaped() {
        let hostile = "<b a=\"1\" c='2'>&\u{202e}";
        let shown = "&#60;b a=&#34;1&#34; c=&#39;2&#39;&#62;&#38;\\u{202e}";
        assert_eq!(Markup::text(hostile).as_str(), shown);
        assert_eq!(Markup::code(hostile).as_str(), format!("<code>{shown}</code>"));
        let link = Markup::link("/?a=\"<", Markup::text("a"));
        assert_eq!(link.as_str(), "<a href=\"/?a=&#34;&#60;\">a</a>");
    }

    #[test]
    fn markup_in_markup_is_escaped_once() {
        let element = Markup::element("i", &[("class", "a")], Markup::text("&").and(&Markup::code("<")));
        assert_eq!(element.as_str(), "<i class=\"a\">&#38;<code>&#60;</code></i>");
    }
}
