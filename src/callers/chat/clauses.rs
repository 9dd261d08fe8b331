//! Error texts as sentences: the catalogue joins clauses by `; `, and people read sentences.

use crate::callers::chat::text::Text;
use crate::callers::chat::wording::NEXT_STEPS;
use crate::outcome::language::{Language, Localized};

/// The clauses of an error text. A semicolon between backticks is the sender's.
pub(super) fn clauses(text: &str) -> Vec<String> {
    let mut clauses = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        is_quoted ^= character == '`';
        let ends = match character {
            '；' => true,
            ';' => characters.next_if_eq(&' ').is_some(),
            _ => false,
        };
        match clauses.last_mut() {
            Some(_) if ends && !is_quoted => clauses.push(String::new()),
            Some(clause) => {
                clause.push(character);
                clause.push_str(if ends && character == ';' { " " } else { "" });
            }
            None => {}
        }
    }
    clauses
}

/// A clause with the capital letter of a sentence, and without its full stop.
pub(super) fn title(clause: &str, language: Language) -> Text {
    let clause = in_chat(clause, language);
    let mut characters = clause.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    Text::of_catalog(&format!("{first}{}", characters.as_str()))
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str, language: Language) -> Text {
    let stop = if clause.ends_with(['.', '。', '?', '？', '!', '！', '…']) { "" } else { full_stop(language) };
    title(clause, language).and(Text::words(stop))
}

pub(super) fn full_stop(language: Language) -> &'static str {
    Localized { en: ".", zh: "。" }.in_language(language)
}

/// The clauses as sentences of one paragraph.
pub(super) fn sentences<'a>(clauses: impl IntoIterator<Item = &'a String>, language: Language) -> Text {
    clauses.into_iter().fold(Text::default(), |text, clause| text.sentence(sentence(clause, language), language))
}

/// A clause about the next step, in the words of chat: there every command is a new request.
fn in_chat(clause: &str, language: Language) -> String {
    let step = NEXT_STEPS.into_iter().find_map(|(before, after)| {
        let rest = clause.strip_prefix(before.in_language(language))?;
        Some(format!("{}{rest}", after.in_language(language)))
    });
    step.unwrap_or_else(|| clause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::chat::format::{ChatFormat, between_backticks};

    #[test]
    fn an_error_text_becomes_sentences() {
        let said = |text: &str, language| {
            let format = ChatFormat { code: Some(between_backticks), ..ChatFormat::PLAIN };
            sentences(&clauses(text), language).render(&format)
        };
        let english = |text| said(text, Language::English);
        assert_eq!(
            english("TaurusDB could not be reached; try again later"),
            "TaurusDB could not be reached. Send the request again later."
        );
        assert_eq!(english("`a; b` is not valid; use `c`"), "`a; b` is not valid. Use `c`.");
        assert_eq!(english("a;b"), "A;b.");
        assert_eq!(
            said("申请已过期，未发送删除请求；请重试", Language::Chinese),
            "申请已过期，未发送删除请求。请重新提交申请。"
        );
    }
}
