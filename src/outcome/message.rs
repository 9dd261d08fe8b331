//! A sentence of the catalogue with what fills its placeholders, formatted when it is read.

use std::borrow::Cow;

use super::catalog::Entry;
use super::language::{Language, Localized};
use super::unseen::{is_unseen, visible};

/// A sentence of the catalogue about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    entry: &'static Entry,
    arguments: Vec<(&'static str, Argument)>,
}

/// What stands for a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Text of the sender or of TaurusDB: in backticks, at most 64 characters, with control characters made visible.
    Quoted(String),
    /// A requester's or an approver's reason: a text, in backticks and in full.
    Reason(String),
    /// The gateway's own words.
    Plain(Cow<'static, str>),
    /// The gateway's own words, which depend on the language.
    Localized(Localized),
    /// The same, put together for this message: English and Chinese.
    PerLanguage(String, String),
    /// Names of the gateway's own, such as query parameters.
    Names(&'static [&'static str]),
    /// Ids of policies.
    Policies(Vec<String>),
}

impl Message {
    /// The sentence of an entry, with no placeholder filled in yet.
    pub fn new(entry: &'static Entry) -> Self {
        Self { entry, arguments: Vec::new() }
    }

    /// Fills in a placeholder.
    #[must_use]
    pub fn with(mut self, placeholder: &'static str, argument: Argument) -> Self {
        self.arguments.push((placeholder, argument));
        self
    }

    /// Fills in a placeholder with text of the sender.
    #[must_use]
    pub fn quoting(self, placeholder: &'static str, text: impl Into<String>) -> Self {
        self.with(placeholder, Argument::Quoted(text.into()))
    }

    /// The entry of the catalogue.
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// What fills in the placeholders.
    pub fn arguments(&self) -> &[(&'static str, Argument)] {
        &self.arguments
    }

    /// The text that fills in a placeholder, without its backticks.
    pub fn text(&self, placeholder: &str) -> Option<&str> {
        self.arguments.iter().find_map(|(name, argument)| match argument {
            Argument::Plain(text) if *name == placeholder => Some(text.as_ref()),
            Argument::Quoted(text) if *name == placeholder => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Fills in the placeholders of a sentence. A placeholder without an argument stays as it is.
pub fn format(text: Localized, arguments: &[(&str, Argument)], language: Language) -> String {
    let mut rest = text.in_language(language);
    let mut formatted = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('{') {
        formatted.push_str(before);
        let found = after.split_once('}').and_then(|(name, behind)| {
            let (_, argument) = arguments.iter().find(|(known, _)| *known == name)?;
            Some((argument, behind))
        });
        if let Some((argument, behind)) = found {
            formatted.push_str(&argument.in_language(language));
            rest = behind;
        } else {
            formatted.push('{');
            rest = after;
        }
    }
    formatted + rest
}

impl Argument {
    fn in_language(&self, language: Language) -> Cow<'_, str> {
        let between = Localized { en: ", ", zh: "、" }.in_language(language);
        match self {
            Self::Quoted(text) => quoted(text).into(),
            Self::Reason(text) => format!("`{}`", visible(text).replace('`', "'")).into(),
            Self::Plain(text) => text.as_ref().into(),
            Self::Localized(text) => text.in_language(language).into(),
            Self::PerLanguage(en, _) if language == Language::English => en.as_str().into(),
            Self::PerLanguage(_, zh) => zh.as_str().into(),
            Self::Names(names) => {
                let last = Localized { en: " and ", zh: " 和 " }.in_language(language);
                list(names, between, last).into()
            }
            Self::Policies(ids) => ids.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(between).into(),
        }
    }
}

/// The sender's words in backticks: characters that cannot be seen are escaped, and at most 64 characters are shown.
pub fn quoted(given: &str) -> String {
    const LONGEST: usize = 64;

    match given.char_indices().nth(LONGEST) {
        None => quoted_whole(given),
        Some((end, _)) => {
            let mut shown = quoted_whole(given.get(..end).unwrap_or_default());
            shown.pop();
            shown + "…`"
        }
    }
}

fn quoted_whole(given: &str) -> String {
    let mut shown = String::from("`");
    for character in given.chars() {
        match character {
            // A backtick inside would end the quotation in the eyes of every chat platform.
            '`' => shown.push('\''),
            unseen if is_unseen(unseen) => shown.extend(unseen.escape_unicode()),
            other => shown.push(other),
        }
    }
    shown.push('`');
    shown
}

/// Names in backticks, with what stands between them and before the last.
fn list(names: &[&str], between: &str, last: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{}{last}{end}", rest.join(between)),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sender_wrote_is_quoted_and_harmless() {
        for (given, shown) in [
            ("alice", "`alice`".to_owned()),
            ("a\r\nb`<!channel>", "`a\\u{d}\\u{a}b'<!channel>`".to_owned()),
            ("\u{202e}x", "`\\u{202e}x`".to_owned()),
            ("al\u{200b}ice", "`al\\u{200b}ice`".to_owned()),
            ("a\u{a0}b", "`a\\u{a0}b`".to_owned()),
            ("仍在值班", "`仍在值班`".to_owned()),
            ("Zoë", "`Zoë`".to_owned()),
        ] {
            assert_eq!(quoted(given), shown);
        }
        assert_eq!(quoted(&"y".repeat(64)), format!("`{}`", "y".repeat(64)));
        assert_eq!(quoted(&"y".repeat(100)), format!("`{}…`", "y".repeat(64)));
        let reason = |text: &str| Argument::Reason(text.into()).in_language(Language::English).into_owned();
        assert_eq!(reason(&"仍".repeat(500)), format!("`{}`", "仍".repeat(500)));
        assert_eq!(reason("a` <!channel>\u{202e}❤\u{fe0f}"), "`a' <!channel>\\u{202e}❤\u{fe0f}`");
    }

    #[test]
    fn placeholders_are_filled_in() {
        let text = Localized { en: "{a} and {b} of {c}", zh: "{c}的{a}和{b}" };
        let arguments =
            [("a", Argument::Quoted("{b}".into())), ("b", Argument::Policies(vec!["x".into(), "y".into()]))];
        assert_eq!(format(text, &arguments, Language::English), "`{b}` and `x`, `y` of {c}");
        assert_eq!(format(text, &arguments, Language::Chinese), "{c}的`{b}`和`x`、`y`");
    }

    #[test]
    fn names_are_listed() {
        for (names, en, zh) in [
            (&["a"][..], "`a`", "`a`"),
            (&["a", "b"], "`a` and `b`", "`a` 和 `b`"),
            (&["a", "b", "c"], "`a`, `b` and `c`", "`a`、`b` 和 `c`"),
        ] {
            let list = |language| Argument::Names(names).in_language(language).into_owned();
            assert_eq!((list(Language::English).as_str(), list(Language::Chinese).as_str()), (en, zh));
        }
    }
}
