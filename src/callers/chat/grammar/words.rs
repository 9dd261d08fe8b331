//! The words of a message, and the characters around them that mean nothing: any white space, invisible characters, quotes,
//! brackets, punctuation, full-width forms.
//!
//! Nothing inside a word is changed but its width, and that only to compare it: what remains is what was typed.

/// A word of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'t> {
    /// The word with its marks, without invisible characters at its ends.
    pub(super) raw: &'t str,
    /// Whether nothing but a comma or colon separates it from the word before.
    pub(super) is_glued: bool,
}

impl<'t> Word<'t> {
    /// Returns the word without the marks around it and the punctuation behind it. Marks come in pairs: one alone is part of the word.
    pub(super) fn bare(&self) -> &'t str {
        let mut bare = self.raw;
        // Most words have no marks.
        let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        if is_plain(bare.as_bytes().first()) && is_plain(bare.as_bytes().last()) {
            return bare;
        }
        loop {
            let shorter = without_marks(bare.trim_end_matches(|end| is_invisible(end) || is_punctuation(end)));
            if shorter == bare {
                return bare;
            }
            bare = shorter;
        }
    }

    /// Returns the bare word in narrow letters and lower case, to compare it with the grammar's own words.
    pub(super) fn key(&self) -> String {
        let bare = self.bare();
        let key = if bare.is_ascii() { bare.to_ascii_lowercase() } else { narrow(bare).to_lowercase() };
        key.trim_end_matches('?').to_owned()
    }

    /// Whether the word consists of signs alone, such as a bullet or a dash.
    pub(super) fn is_sign(&self) -> bool {
        !self.raw.chars().any(char::is_alphanumeric)
    }

    /// Whether punctuation follows the word that separates it from the next.
    pub(super) fn ends_a_part(&self) -> bool {
        self.raw.ends_with(is_punctuation)
    }
}

/// Splits a text into words. Commas and colons inside a word split it, too, unless `is_name` takes it as it is.
pub(super) fn split<'t>(text: &'t str, is_name: impl Fn(&str) -> bool) -> Vec<Word<'t>> {
    let mut words = Vec::new();
    let text = without_outer_marks(text.trim());
    for raw in text.split(is_space) {
        let raw = raw.trim_matches(is_invisible);
        if raw.is_empty() {
            continue;
        }
        if is_name(raw) {
            words.push(Word { raw, is_glued: false });
            continue;
        }
        let parts = raw.split_inclusive(is_separator).map(|part| part.trim_matches(is_invisible));
        let parts = parts.filter(|part| !part.is_empty()).enumerate();
        words.extend(parts.map(|(index, raw)| Word { raw, is_glued: index > 0 }));
    }
    words
}

/// Returns the lines that have words.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}']);
    lines.filter(|line| line.chars().any(char::is_alphanumeric))
}

/// Joins words as they were typed, with one space where white space was.
pub(super) fn join(words: &[Word<'_>]) -> String {
    words.iter().enumerate().fold(String::new(), |mut text, (index, word)| {
        if index > 0 && !word.is_glued {
            text.push(' ');
        }
        text.push_str(word.raw);
        text
    })
}

/// Turns full-width forms of ASCII characters into these, and nothing else.
pub(super) fn narrow(text: &str) -> String {
    let narrow = |wide: char| {
        let ascii = u32::from(wide).checked_sub(0xfee0).filter(|ascii| (0x21..=0x7e).contains(ascii));
        ascii.and_then(char::from_u32).unwrap_or(wide)
    };
    text.chars().map(narrow).collect()
}

/// White space of any kind. The separators of lines and paragraphs are none: what people type has no such characters, and a
/// reason that has them is refused.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// A character that shows nothing and that copied text has between its words.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Takes off a pair of marks, and invisible characters around and inside them.
fn without_marks(word: &str) -> &str {
    let word = word.trim_matches(is_invisible);
    let mut inside = word.chars();
    match (inside.next(), inside.next_back()) {
        (Some(open), Some(close)) if is_pair(open, close) => inside.as_str().trim_matches(is_invisible),
        _ => word,
    }
}

/// Takes off the marks around a whole message, as around a copied line; not those of its first and its last word.
fn without_outer_marks(text: &str) -> &str {
    /// How many pairs of marks a message is looked at for.
    const MOST: usize = 4;

    let inmost = (0..MOST).fold(text, |inside, _| without_marks(inside));
    let outer = text.strip_suffix(inmost).is_none() && text.len() > inmost.len();
    let mut marks = text.chars().take(MOST).chain(text.chars().rev().take(MOST)).filter(|mark| !mark.is_alphanumeric());
    let is_inside = |mark: char| !mark.is_whitespace() && inmost.contains(mark);
    if outer && !marks.any(is_inside) { inmost } else { text }
}

/// Whether people, phones and other programs put these two around a word. Braces are not among them: they are of templates.
fn is_pair(open: char, close: char) -> bool {
    let is_quote =
        |c| matches!(c, '`' | '\'' | '"' | '´' | '‘'..='‟' | '«' | '»' | '‹' | '›' | '〝'..='〟' | '＂' | '＇' | '｀');
    let pairs = "**()[]<>（）［］＜＞＊＊「」『』《》〈〉【】〔〕";
    let mut brackets = pairs.chars();
    let mut is_bracket = false;
    while let (Some(left), Some(right)) = (brackets.next(), brackets.next()) {
        is_bracket |= (left, right) == (open, close);
    }
    is_bracket || (is_quote(open) && is_quote(close))
}

/// What can stand behind a word.
fn is_punctuation(c: char) -> bool {
    is_separator(c) || matches!(c, '.' | '!' | ':' | '…' | '。' | '．' | '｡' | '！' | ';')
}

/// What separates words without a space. A semicolon and a colon of ASCII do not: they are part of addresses and times.
fn is_separator(c: char) -> bool {
    matches!(c, ',' | '，' | '、' | '､' | '：' | '；')
}
