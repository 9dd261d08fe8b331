//! Words of others are words, whatever they are: no text of any view adds a tag, an attribute or a reference to its page.

use proptest::prelude::*;
use starrocks_offboard::outcome::language::Language;

use crate::pages::all;
use crate::samples::Samples;

/// Where HTML begins or ends: every one of these in a page is the page's own.
const MARKS: [char; 4] = ['<', '>', '"', '\''];

/// How often each is there. Backticks in a message of the gateway make code, and that is no harm.
fn marks(page: &str) -> Vec<usize> {
    let page = page.replace("<code>", "").replace("</code>", "");
    MARKS.iter().map(|mark| page.matches(*mark).count()).collect()
}

/// Holds pages with this text in front of every text against pages with a harmless one.
fn harmless(hostile: &str, language: Language) -> Result<(), TestCaseError> {
    let with = |prefix: &str| all(&Samples { language, text: &|text| plain(prefix, text) });
    for ((name, expected), (_, page)) in with("zz").into_iter().zip(with(hostile)) {
        prop_assert_eq!(marks(&expected), marks(&page), "{}: {:?}", name, hostile);
        let ampersands = page.match_indices('&').filter(|(at, _)| {
            let reference: String = page[at + 1..].chars().take_while(|c| *c != ';').take(8).collect();
            !reference.strip_prefix('#').is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
        });
        prop_assert_eq!(ampersands.count(), 0, "{}: {:?}", name, hostile);
    }
    Ok(())
}

/// The prefix and the text, without the marks that the text has itself.
fn plain(prefix: &str, text: &str) -> String {
    format!("{prefix}{}", text.replace(MARKS, ""))
}

#[test]
fn attacks_are_words() {
    for attack in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "javascript:alert(1)//",
        "</title><b>",
        "</textarea></pre></svg>",
        "&lt;script&gt;",
        "{{ self }}**bold**{account}",
        "\u{202e}\u{0}\u{7f}",
    ] {
        for language in [Language::English, Language::Chinese] {
            harmless(attack, language).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_words(hostile in "[<>\"'&;=/a-z \\\\{}*#`]{1,24}", chinese in any::<bool>()) {
        harmless(&hostile, if chinese { Language::Chinese } else { Language::English })?;
    }
}
