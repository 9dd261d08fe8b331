//! The text of the demonstration and of `send`: labelled rows, at most [`WIDTH`] columns, colours in a terminal only.

use std::io::{IsTerminal, Write};

use anyhow::Context;

/// The columns of a line, unless one word alone needs more.
const WIDTH: usize = 100;

/// The columns before the text of a row.
const INDENT: usize = 17;

/// The meaning of a line's colour, where colours are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Heading,
    Good,
    Bad,
}

/// Text to be printed next.
pub(crate) struct Page {
    has_colours: bool,
    text: String,
}

impl Page {
    /// Returns an empty page for standard output.
    pub(crate) fn new() -> Self {
        // <https://no-color.org>: set to a value that is not empty.
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { has_colours: std::io::stdout().is_terminal() && !unwanted, text: String::new() }
    }

    /// Adds an empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds a line or a paragraph.
    pub(crate) fn line(&mut self, tone: Tone, text: &str) {
        for line in text.lines().flat_map(|line| wrapped(line, WIDTH)) {
            self.push(tone, &line);
        }
    }

    /// Adds a command to paste, which is never wrapped.
    pub(crate) fn command(&mut self, text: &str) {
        for line in text.lines() {
            self.push(Tone::Plain, &format!("  {line}"));
        }
    }

    /// Adds text beside a label. The rest of a long line goes below it, indented.
    pub(crate) fn row(&mut self, label: &str, tone: Tone, text: &str) {
        let mut label = label;
        for line in text.lines() {
            for (number, piece) in wrapped(line, WIDTH - INDENT - 2).into_iter().enumerate() {
                let more = if number == 0 { "" } else { "  " };
                self.text.push_str(&format!("  {label:<width$}{more}", width = INDENT - 2));
                self.push(tone, &piece);
                label = "";
            }
        }
    }

    /// Prints the page and empties it.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written to.
    pub(crate) fn print(&mut self) -> anyhow::Result<()> {
        let text = std::mem::take(&mut self.text);
        let mut stdout = std::io::stdout();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to standard output")
    }

    fn push(&mut self, tone: Tone, line: &str) {
        let code = match tone {
            _ if !self.has_colours || line.is_empty() => None,
            Tone::Plain => None,
            Tone::Heading => Some("1"),
            Tone::Good => Some("32"),
            Tone::Bad => Some("31"),
        };
        match code {
            Some(code) => self.text.extend(["\x1b[", code, "m", line, "\x1b[0m\n"]),
            None => self.text.extend([line, "\n"]),
        }
    }
}

/// Cuts a line into pieces of at most `width` characters: at a space in their second half, else where URLs and JSON can
/// be cut (before `/`, `?` and `&`, after `,`), else at an earlier space, else not at all.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((limit, next)) = rest.char_indices().nth(width) {
        let (head, _) = rest.split_at(limit);
        // A character that begins the next piece may be one further.
        let (reach, _) = rest.split_at(limit + next.len_utf8());
        let space = reach.rfind(' ');
        let comma = head.rfind(',').map(|comma| comma + 1);
        let within = reach.rfind(['/', '?', '&']).max(comma);
        let cut = match (space, within) {
            (Some(space), _) if space * 2 > limit => space,
            (_, Some(within)) if within > 0 => within,
            (Some(space), _) => space,
            (None, _) => break,
        };
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece.to_owned());
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    pieces.push(rest.to_owned());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut() {
        for (line, expected) in [
            ("", &[""][..]),
            ("short", &["short"]),
            ("a b c d e f g h", &["a b c d", "e f g h"]),
            ("exactly8", &["exactly8"]),
            ("DELETE /v3/project/users", &["DELETE", "/v3", "/project", "/users"]),
            (r#"{"a":1,"b":2}"#, &[r#"{"a":1,"#, r#""b":2}"#]),
            ("averylongword", &["averylongword"]),
            ("删除 删除 删除 删除", &["删除 删除 删除", "删除"]),
        ] {
            assert_eq!(wrapped(line, 8), expected, "{line}");
        }
    }

    #[test]
    fn rows_are_aligned_and_plain_without_colours() {
        let mut page = Page { has_colours: false, text: String::new() };
        page.row("policy", Tone::Good, "yes");
        page.row("answer", Tone::Plain, "200 OK\nbody");
        assert_eq!(page.text, "  policy         yes\n  answer         200 OK\n                 body\n");

        page = Page { has_colours: true, text: String::new() };
        page.row("policy", Tone::Good, "yes");
        assert_eq!(page.text, "  policy         \x1b[32myes\x1b[0m\n");
    }
}
