//! How a chat platform marks up text.

/// How a chat platform marks up text.
#[derive(Debug, Clone, Copy)]
pub struct ChatFormat {
    /// Makes words of others harmless: no markup, no mention of everybody.
    pub escape: fn(&str) -> String,
    /// Marks up a value, such as an account name, which it escapes; `None` if the platform shows plain text.
    pub code: Option<fn(&str) -> String>,
    /// Marks up the title.
    pub bold: fn(&str) -> String,
    /// Marks up small print.
    pub small: fn(&str) -> String,
}

impl ChatFormat {
    /// No markup at all, and nothing to escape.
    pub const PLAIN: Self = Self { escape: str::to_owned, code: None, bold: str::to_owned, small: str::to_owned };
}

/// A space of no width.
pub(crate) const INVISIBLE: char = '\u{200b}';

/// Returns the text with an invisible character behind the first one of each of these, so that no platform takes it for a
/// mention or a link. A backslash would do the same, and be seen where the text stands between backticks.
pub(crate) fn break_mention(text: &str, starts: &[&str]) -> String {
    starts.iter().fold(text.to_owned(), |text, start| {
        let mut rest = start.chars();
        let first: String = rest.by_ref().take(1).collect();
        text.replace(start, &format!("{first}{INVISIBLE}{}", rest.as_str()))
    })
}

/// Returns the text with characters that look like these marks in their place. Words of others could otherwise begin or end markup
/// whose other end is in the gateway's words, on another line, or in the words of a third person: what lies between would be struck
/// out, hidden or shown as code.
pub(crate) fn without_marks(text: &str, marks: &[char]) -> String {
    let looks_like = |mark| match mark {
        '`' => '\'',
        '*' => '∗',
        '~' => '∼',
        '|' => '∣',
        other => other,
    };
    text.chars().map(|character| if marks.contains(&character) { looks_like(character) } else { character }).collect()
}

/// Returns a value between backticks. A backtick in it would end the quotation.
pub(crate) fn between_backticks(escaped: &str) -> String {
    format!("`{}`", escaped.replace('`', "'"))
}

/// Returns at most so many characters of the text.
pub(crate) fn truncate(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}
