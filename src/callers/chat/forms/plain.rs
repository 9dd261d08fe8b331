//! A message as lines of text: the title, a line a fact, the body with words for the buttons, small print.

use crate::callers::chat::format::{ChatFormat, truncate};
use crate::callers::chat::message::{ChatMessage, Field, Label};
use crate::callers::chat::text::Text;
use crate::outcome::language::Localized;

/// Returns the text of a message, at most so long by `length`.
pub(crate) fn text(message: &ChatMessage, format: &ChatFormat, longest: usize, length: fn(&str) -> usize) -> String {
    let fitting = message.fitting(|message| length(&whole(message, format)) <= longest);
    whole(&fitting, format)
}

/// The number of characters, for platforms that count those.
pub(crate) fn characters(text: &str) -> usize {
    text.chars().count()
}

fn whole(message: &ChatMessage, format: &ChatFormat) -> String {
    let mut lines = Vec::new();
    if !message.title.is_empty() {
        lines.push((format.bold)(&message.heading().render(format)));
    }
    lines.extend(facts(message).into_iter().map(|fact| fact.render(format)));
    lines.extend(message.lines(false).iter().map(|line| line.render(format)));
    lines.extend(small_print(message, format));
    lines.join("\n")
}

/// The small print as one line; `None` if there is none.
pub(crate) fn small_print(message: &ChatMessage, format: &ChatFormat) -> Option<String> {
    let parts: Vec<_> = message.small_print.iter().map(|part| part.render(format)).collect();
    (!parts.is_empty()).then(|| (format.small)(&parts.join(" · ")))
}

/// The title, and the body below it: what a notification shows.
pub(crate) fn notification(message: &ChatMessage, format: &ChatFormat, longest: usize) -> String {
    let title = (!message.title.is_empty()).then(|| message.heading().render(format));
    let lines = message.lines(true).into_iter().map(|line| line.render(format));
    truncate(&title.into_iter().chain(lines).collect::<Vec<_>>().join("\n"), longest)
}

/// The facts, a line each; requester and time share a line, and so do approvals and deadline. The title has the account.
fn facts(message: &ChatMessage) -> Vec<Text> {
    let find = |label| message.fields.iter().find(|field| field.label == label);
    let colon = Localized { en: ": ", zh: "：" }.in_language(message.language);
    let line = |field: &Field| {
        let label = field.label.text().in_language(message.language);
        Text::words(format!("{label}{colon}")).and(field.value.clone())
    };
    let joined = |field: &Field, words: Localized, with: Option<&Field>| match with {
        None => line(field),
        Some(with) => line(field).and(Text::words(words.in_language(message.language))).and(with.value.clone()),
    };
    let lines = message.fields.iter().filter_map(|field| match field.label {
        Label::Account | Label::Instance => None,
        Label::AskedAt if find(Label::Requester).is_some() => None,
        Label::Until if find(Label::Approvals).is_some() => None,
        Label::Requester => Some(joined(field, Localized { en: ", ", zh: "，" }, find(Label::AskedAt))),
        Label::Approvals => Some(joined(field, Localized { en: ", before ", zh: "，截止" }, find(Label::Until))),
        _ => Some(line(field)),
    });
    lines.collect()
}
