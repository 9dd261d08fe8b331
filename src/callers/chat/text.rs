//! Text of a message, with what each part of it is: the gateway's own words, a value, or words of others. A platform's
//! [`ChatFormat`] marks it up.

use crate::callers::chat::format::{ChatFormat, truncate};
use crate::outcome::language::{Language, Localized};
use crate::outcome::unseen::visible;

/// Text in which the parts are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// The gateway's own words.
    Words(String),
    /// A value: in backticks where these are markup.
    Code(String),
    /// Words of others in a sentence of the gateway's.
    Quote(String),
    /// A requester's or approver's reason, which is the first to be cut where a message is too long.
    Reason(String),
    /// TaurusDB's words, which are cut next.
    Upstream(String),
}

/// How far a text is cut: the most characters of a reason, and of a message of TaurusDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) reason: usize,
    pub(super) upstream: usize,
}

impl Text {
    /// The gateway's own words.
    pub fn words(words: impl Into<String>) -> Self {
        Self::of(Part::Words(words.into()))
    }

    /// A value: an account, an id, a command.
    pub fn code(value: impl Into<String>) -> Self {
        Self::of(Part::Code(value.into()))
    }

    /// Words of others.
    pub fn quote(words: impl Into<String>) -> Self {
        Self::of(Part::Quote(words.into()))
    }

    /// A reason.
    pub fn reason(reason: impl Into<String>) -> Self {
        Self::of(Part::Reason(reason.into()))
    }

    /// TaurusDB's words.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::of(Part::Upstream(message.into()))
    }

    fn of(part: Part) -> Self {
        Self { parts: vec![part] }
    }

    /// A sentence with its `{placeholders}` filled in. One without a value stays as it is.
    pub fn fill(text: Localized, values: &[(&str, Self)], language: Language) -> Self {
        let mut rest = text.in_language(language);
        let mut filled = Self::default();
        while let Some((before, after)) = rest.split_once('{') {
            let found = after.split_once('}').and_then(|(name, behind)| {
                let (_, value) = values.iter().find(|(known, _)| *known == name)?;
                Some((value, behind))
            });
            filled = match found {
                Some((value, behind)) => {
                    rest = behind;
                    filled.and(Self::words(before)).and(value.clone())
                }
                None => {
                    rest = after;
                    filled.and(Self::words(format!("{before}{{")))
                }
            };
        }
        filled.and(Self::words(rest)).with_code()
    }

    /// Makes values of what the gateway's own words have between backticks.
    fn with_code(self) -> Self {
        let parts = self.parts.into_iter().flat_map(|part| match part {
            Part::Words(words) => Self::backticked(&words, Part::Code).parts,
            other => vec![other],
        });
        Self { parts: parts.collect() }
    }

    /// Text of the gateway's with values between backticks, as the catalogue has it.
    pub fn of_catalog(text: &str) -> Self {
        Self::backticked(text, Part::Code)
    }

    /// Reads words in which every second stretch stands between backticks.
    fn backticked(text: &str, value: fn(String) -> Part) -> Self {
        let stretches: Vec<&str> = text.split('`').collect();
        if stretches.len().is_multiple_of(2) {
            return Self::quote(text);
        }
        let parts = stretches.into_iter().enumerate().filter(|(_, stretch)| !stretch.is_empty());
        let parts = parts.map(|(number, stretch)| match number % 2 {
            0 => Part::Words(stretch.to_owned()),
            _ => value(stretch.to_owned()),
        });
        Self { parts: parts.collect() }
    }

    /// Appends a text.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        for part in more.parts {
            match (self.parts.last_mut(), part) {
                (_, Part::Words(words)) if words.is_empty() => {}
                (Some(Part::Words(before)), Part::Words(words)) => before.push_str(&words),
                (_, part) => self.parts.push(part),
            }
        }
        self
    }

    /// Appends a sentence. Chinese has no space between sentences.
    #[must_use]
    pub fn sentence(self, more: Self, language: Language) -> Self {
        if self.parts.is_empty() {
            return more;
        }
        let between = Localized { en: " ", zh: "" }.in_language(language);
        self.and(Self::words(between)).and(more)
    }

    /// Several of the same, in a row.
    pub fn list(texts: impl IntoIterator<Item = Self>, language: Language) -> Self {
        let between = Localized { en: ", ", zh: "、" }.in_language(language);
        let and = |list: Self, text: Self| match list.parts.is_empty() {
            true => text,
            false => list.and(Self::words(between)).and(text),
        };
        texts.into_iter().fold(Self::default(), and)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The text with reasons and TaurusDB's words cut.
    pub(super) fn cut(&self, cut: Cut) -> Self {
        let parts = self.parts.iter().map(|part| match part {
            Part::Reason(reason) => Part::Reason(truncate(reason, cut.reason)),
            Part::Upstream(message) => Part::Upstream(truncate(message, cut.upstream)),
            other => other.clone(),
        });
        Self { parts: parts.collect() }
    }

    /// The text as a platform marks it up.
    pub fn render(&self, format: &ChatFormat) -> String {
        let mut rendered = String::new();
        let mut after_value = false;
        for part in &self.parts {
            let (shown, is_value) = match part {
                Part::Words(words) => (words.clone(), false),
                Part::Code(value) => match format.code {
                    Some(code) => (code(&one_line(value)), false),
                    None => ((format.escape)(&one_line(value)), true),
                },
                Part::Quote(words) | Part::Reason(words) | Part::Upstream(words) => {
                    ((format.escape)(&one_line(words)), false)
                }
            };
            // Chinese has a space outside backticks, and none between a character and a Latin letter.
            if is_value && rendered.ends_with(' ') && rendered.trim_end().ends_with(is_chinese) {
                rendered.truncate(rendered.trim_end().len());
            }
            let close = after_value && shown.trim_start().starts_with(is_chinese);
            rendered.push_str(if close { shown.trim_start() } else { &shown });
            after_value = is_value;
        }
        rendered
    }
}

/// Words of others on one line, with what cannot be seen in them.
fn one_line(text: &str) -> String {
    visible(&text.replace(['\n', '\r', '\t'], " "))
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '，' | '。' | '；' | '：' | '、' | '（' | '）' | '？')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::chat::format::between_backticks;

    const MARKED: ChatFormat = ChatFormat { code: Some(between_backticks), ..ChatFormat::PLAIN };

    #[test]
    fn chinese_has_a_space_outside_backticks_and_none_without_them() {
        let text = Localized {
            en: "Removed {a} from {i}", zh: "已从 {i} 删除账号 {a}，如需查看请输入 `status 1`。"
        };
        let values = [("a", Text::code("alice")), ("i", Text::code("warehouse"))];
        let in_language = |language| Text::fill(text, &values, language);
        assert_eq!(in_language(Language::English).render(&ChatFormat::PLAIN), "Removed alice from warehouse");
        let chinese = in_language(Language::Chinese);
        assert_eq!(chinese.render(&MARKED), "已从 `warehouse` 删除账号 `alice`，如需查看请输入 `status 1`。");
        assert_eq!(chinese.render(&ChatFormat::PLAIN), "已从warehouse删除账号alice，如需查看请输入status 1。");
    }

    #[test]
    fn words_of_others_are_escaped_and_the_gateway_s_are_not() {
        let format = ChatFormat { escape: str::to_uppercase, ..MARKED };
        let text = Text::words("a ").and(Text::quote("b")).and(Text::reason(" c")).and(Text::upstream(" d"));
        assert_eq!(text.render(&format), "a B C D");
    }

    #[test]
    fn a_value_of_others_opens_no_placeholder_and_no_backticks() {
        let text = Localized { en: "{a}{b}{c", zh: "" };
        let filled = Text::fill(text, &[("a", Text::quote("{b}`")), ("b", Text::code("x`y"))], Language::English);
        assert_eq!(filled.render(&MARKED), "{b}``x'y`{c");
    }

    #[test]
    fn what_cannot_be_seen_is_shown_and_stays_on_its_line() {
        let text = Text::reason("a\u{202e}b\nc").and(Text::code("d\u{200b}"));
        assert_eq!(text.render(&MARKED), "a\\u{202e}b c`d\\u{200b}`");
    }

    #[test]
    fn a_backtick_without_its_end_is_no_markup() {
        let format = ChatFormat { escape: |text| text.replace('`', "'"), ..MARKED };
        assert_eq!(Text::of_catalog("a `b` c").render(&format), "a `b` c");
        assert_eq!(Text::of_catalog("a `b c").render(&format), "a 'b c");
    }
}
