//! Rust files of this repository, as far as tests need to read them.

use std::fs;
use std::path::PathBuf;

use local::repository;

/// Every `.rs` file below this folder, by its path from the repository's root, with its text.
pub(crate) fn below(folder: &str) -> Vec<(String, String)> {
    let root = repository::root();
    let (mut folders, mut files) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// The text without comments, the insides of strings, and `#[cfg(test)] mod tests { … }` at the end of a file.
pub(crate) fn code_of(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (kept, skipped) = match next {
            '/' if rest.starts_with("//") => ("", rest.find('\n').unwrap_or(rest.len())),
            'r' if is_raw_string(rest) && !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                let hashes = "#".repeat(rest[1..].bytes().take_while(|byte| *byte == b'#').count());
                let start = 2 + hashes.len();
                let end = rest[start..].find(&format!("\"{hashes}")).expect("a raw string ends");
                ("\"\"", start + end + 1 + hashes.len())
            }
            '"' => ("\"\"", end_of_string(rest)),
            // A character, and not a lifetime.
            '\'' if rest[1..].starts_with('\\') => ("' '", 3 + rest[3..].find('\'').expect("a character ends") + 1),
            '\'' if rest.chars().nth(2) == Some('\'') => {
                ("' '", rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at))
            }
            _ => (&rest[..next.len_utf8()], next.len_utf8()),
        };
        code.push_str(kept);
        rest = &rest[skipped..];
    }
    code
}

fn is_raw_string(text: &str) -> bool {
    text[1..].trim_start_matches('#').starts_with('"')
}

/// Where the string that begins here ends.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[test]
fn comments_strings_and_tests_are_no_code() {
    let text = "use a::b; // crate::c\nlet x = \"crate::d\\\"\"; let y = r#\"crate::e\"#; let z: &'a str = '\\''; '\"'; f()\n#[cfg(test)]\nmod tests {}\n";
    assert_eq!(code_of(text), "use a::b; \nlet x = \"\"; let y = \"\"; let z: &'a str = ' '; ' '; f()");
}
