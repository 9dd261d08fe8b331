//! Characters that show nothing, or change how their neighbours are shown: in words of others they could make a reader see something
//! else than what is there.
//!
//! They are refused in what people write, and escaped wherever words of others are shown. An exception are joiners and variation
//! selectors behind a character outside ASCII: Persian, Indic scripts and emoji are not written without them. Those are accepted in a
//! text and shown as they are, and escaped in a name.

/// Whether a character shows nothing, or changes how its neighbours are shown: control and format characters, spaces other
/// than U+0020, line separators, variation selectors, tags and private use.
pub fn is_unseen(character: char) -> bool {
    // Most characters are of these.
    if matches!(character, ' '..='~') {
        return false;
    }
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

/// Whether a character belongs to a text in spite of [`is_unseen`]: a space of another width, or a joiner or variation selector
/// behind a character that takes one. In emoji, two of these follow each other.
fn belongs(character: char, before: char) -> bool {
    match character {
        '\u{2028}' | '\u{2029}' => false,
        '\u{200d}' if before == '\u{fe0f}' => true,
        '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => !before.is_ascii() && !is_unseen(before),
        other => other.is_whitespace() && !other.is_control(),
    }
}

/// Returns the first character that a text of a person must not have.
pub fn first_unseen(text: &str) -> Option<char> {
    let mut pairs = text.chars().zip(std::iter::once(' ').chain(text.chars()));
    let found = pairs.find(|(character, before)| is_unseen(*character) && !belongs(*character, *before));
    found.map(|(character, _)| character)
}

/// Whether a text has nothing but ASCII characters that can be seen, and spaces.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Returns a text of others as it may be shown: what must not be in it is escaped.
pub fn visible(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        if is_unseen(character) && !belongs(character, before) {
            shown.extend(character.escape_unicode());
            before = ' ';
        } else {
            shown.push(character);
            before = character;
        }
    }
    shown
}

/// Returns JSON on one line in which every character can be seen: others are written as escapes, so that it reads the same to a
/// program.
pub fn visible_json(json: &serde_json::Value) -> String {
    let text = json.to_string();
    if is_plain(&text) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_text_may_have() {
        for text in [
            "left the company",
            "已离职",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "❤\u{fe0f}",
            "👩\u{200d}💻",
            "🏳\u{fe0f}\u{200d}🌈",
            "a\u{a0}b",
            "原因\u{3000}二",
        ] {
            assert_eq!((first_unseen(text), visible(text).as_str()), (None, text), "{text:?}");
        }
        for (text, found) in [
            ("a\u{202e}b", '\u{202e}'),
            ("a\u{2066}b\u{2069}", '\u{2066}'),
            ("a\u{2028}b", '\u{2028}'),
            ("a\u{2029}b", '\u{2029}'),
            ("a\u{200b}b", '\u{200b}'),
            ("al\u{200d}ice", '\u{200d}'),
            ("\u{200c}a", '\u{200c}'),
            ("a\u{feff}", '\u{feff}'),
            ("a\u{e0041}", '\u{e0041}'),
            ("a\nb", '\n'),
            ("a\u{200e}b", '\u{200e}'),
            ("a\u{ad}b", '\u{ad}'),
            ("ی\u{200c}\u{200c}", '\u{200c}'),
        ] {
            assert_eq!(first_unseen(text), Some(found), "{text:?}");
            assert!(visible(text).contains(&found.escape_unicode().to_string()), "{text:?}");
        }
    }

    proptest! {
        /// A program reads what it was, and a person sees all of it.
        #[test]
        fn json_that_can_be_seen_is_the_same_json(text in "\\PC{0,20}|[\u{200b}-\u{206f}\u{80}-\u{9f}\u{7f}\u{e0020}-\u{e007f}\\n\\\\\"]{0,20}") {
            let json = serde_json::json!({"a": text, text.as_str(): [text]});
            let shown = visible_json(&json);
            prop_assert!(!shown.chars().any(is_unseen), "{:?}", shown);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
        }

        /// Nothing is left to refuse in what is shown.
        #[test]
        fn what_is_shown_can_be_seen(text in "\\PC{0,20}|[\u{200b}-\u{206f}\u{fe0f}a-z一]{0,20}") {
            prop_assert_eq!(first_unseen(&visible(&text)), None);
        }
    }
}
