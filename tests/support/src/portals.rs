//! The examples of docs/portals.md, and the requests that they describe.

use std::fs;

use local::repository;

/// A fenced block of the page, by its language and its place among those.
pub fn example(language: &str, place: usize) -> String {
    let page = fs::read_to_string(repository::root().join("docs/portals.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2);
    let mut blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n').map(str::to_owned));
    blocks.nth(place).unwrap_or_else(|| panic!("docs/portals.md has no {place}. block of {language}"))
}

/// A text with the values of a portal's expressions, such as `("{{ .run.id }}", "r_1")`.
pub fn filled_in(text: &str, values: &[(&str, &str)]) -> String {
    let filled = values.iter().fold(text.to_owned(), |text, (expression, value)| {
        assert!(text.contains(expression), "{text} has no {expression}");
        text.replace(expression, value)
    });
    assert!(!filled.contains("{{"), "{filled} has an expression more");
    filled
}
