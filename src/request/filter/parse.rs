//! Reads filters and paths. Beside the grammar of RFC 7644, what identity systems write is read: `emails[type eq "work"].value eq
//! "…"`, values without quotes and with other quotes, backslashes that escape nothing (`"CORP\pat"`), operators in any case.
//!
//! Written by hand: no parser on crates.io takes these forms, of which Entra sends the first with every search for an address.

use serde_json::Value;

use crate::outcome::language::Localized;
use crate::request::attribute_path::AttributePath;
use crate::request::error::RequestError;
use crate::request::filter::{Filter, Operator, Target, Test};

/// How deep brackets may nest. Everything that walks a filter recurses, so that this protects the stack.
const DEEPEST: usize = 20;

/// How many tests a filter may have.
const MOST_TESTS: usize = 200;

/// Parses a filter.
///
/// # Errors
///
/// [`RequestError::FieldInvalid`] if it is not one.
pub fn filter(text: &str) -> Result<Filter, RequestError> {
    let expected = Localized {
        en: "a filter such as `userName eq \"…\"`, with at most 200 comparisons",
        zh: "过滤条件，如 `userName eq \"…\"`，最多200个比较",
    };
    let mut parser = Parser::of(text);
    let filter = parser.any().filter(|_| parser.is_at_end());
    filter.ok_or_else(|| RequestError::invalid("filter", text, expected))
}

/// Parses the path of a PATCH, or a key in a value without a path; `None` if it is not one.
pub fn target(text: &str) -> Option<Target> {
    let mut parser = Parser::of(text);
    parser.target().filter(|_| parser.is_at_end())
}

/// Each method reads one form and returns `None` if something else follows.
struct Parser<'t> {
    rest: &'t str,
    depth: usize,
    tests: usize,
    /// In the brackets of a target, where the names are those of parts.
    is_in_selection: bool,
}

/// The quotes around texts: those of JSON, and others that people type or paste.
const QUOTES: [(char, char); 3] = [('"', '"'), ('\'', '\''), ('“', '”')];

impl<'t> Parser<'t> {
    fn of(text: &'t str) -> Self {
        Self { rest: text, depth: 0, tests: 0, is_in_selection: false }
    }

    /// `… or …`
    fn any(&mut self) -> Option<Filter> {
        self.joined("or", Self::all, Filter::Or)
    }

    /// `… and …`
    fn all(&mut self) -> Option<Filter> {
        self.joined("and", Self::one, Filter::And)
    }

    fn joined(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Option<Filter>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Option<Filter> {
        let first = operand(self)?;
        let mut others = Vec::new();
        while self.takes_word(word) {
            others.push(operand(self)?);
        }
        if others.is_empty() {
            return Some(first);
        }
        others.insert(0, first);
        Some(join(others))
    }

    /// A test, `not` or a filter in brackets.
    fn one(&mut self) -> Option<Filter> {
        if self.takes('(') {
            return self.bracketed(')');
        }
        let before = self.rest;
        if self.takes_word("not") && self.takes('(') {
            return Some(Filter::Not(Box::new(self.bracketed(')')?)));
        }
        self.rest = before;
        self.test()
    }

    /// The rest of a filter in brackets.
    fn bracketed(&mut self, end: char) -> Option<Filter> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            return None;
        }
        let filter = self.any()?;
        self.depth = self.depth.saturating_sub(1);
        self.takes(end).then_some(filter)
    }

    fn test(&mut self) -> Option<Filter> {
        self.tests = self.tests.saturating_add(1);
        if self.tests > MOST_TESTS {
            return None;
        }
        let target = self.target()?;
        if self.takes_word("pr") {
            return Some(Filter::Test(target, Test::Present));
        }
        let operator = Operator::ALL.into_iter().find(|(name, _)| self.takes_word(name));
        let Some((_, operator)) = operator else {
            // `emails[type eq "work"]` is a test by itself.
            return target.selection.is_some().then(|| Filter::Test(target, Test::Present));
        };
        let value = self.value()?;
        // The order of booleans, and of nothing, is an error (RFC 7644, section 3.4.2.2, table 3).
        let is_ordered = !matches!(value, Value::Bool(_) | Value::Null);
        (is_ordered || !operator.is_of_order()).then_some(Filter::Test(target, Test::Compare(operator, value)))
    }

    fn target(&mut self) -> Option<Target> {
        let path = AttributePath::parse(self.word()?)?;
        let is_whole = path.part.is_none() && !path.name.is_empty();
        if self.is_in_selection {
            return (is_whole && path.schema.is_none()).then(|| path.into());
        }
        if !is_whole || !self.takes('[') {
            return Some(path.into());
        }
        self.is_in_selection = true;
        let selection = Some(Box::new(self.bracketed(']')?));
        self.is_in_selection = false;
        let part = match self.rest.strip_prefix('.') {
            Some(rest) => {
                self.rest = rest;
                let part = AttributePath::parse(self.word()?)?;
                (part.schema.is_none() && part.part.is_none()).then_some(Some(part.name))?
            }
            None => None,
        };
        Some(Target { path: AttributePath { part, ..path }, selection })
    }

    fn value(&mut self) -> Option<Value> {
        self.skip_spaces();
        for (open, close) in QUOTES {
            if let Some(rest) = self.rest.strip_prefix(open) {
                return self.quoted(rest, close);
            }
        }
        let word = self.word()?;
        Some(match word.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => match serde_json::from_str::<serde_json::Number>(word) {
                // A number that would be written otherwise is an id with zeros before it.
                Ok(number) if number.to_string() == word => Value::Number(number),
                _ => Value::String(word.to_owned()),
            },
        })
    }

    /// The text to the closing quote. Escapes are those of JSON; where they are none, the backslash is meant.
    fn quoted(&mut self, text: &'t str, close: char) -> Option<Value> {
        let mut is_escaped = false;
        for (at, c) in text.char_indices() {
            if is_escaped {
                is_escaped = false;
            } else if c == '\\' && close == '"' {
                is_escaped = true;
            } else if c == close {
                let inside = text.get(..at)?;
                self.rest = text.get(at.saturating_add(c.len_utf8())..)?;
                let unescaped = if close == '"' { serde_json::from_str(&format!("\"{inside}\"")).ok() } else { None };
                return Some(Value::String(unescaped.unwrap_or_else(|| inside.to_owned())));
            }
        }
        None
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.rest.is_empty()
    }

    fn takes(&mut self, c: char) -> bool {
        self.skip_spaces();
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes a word if it is this one, in any case.
    fn takes_word(&mut self, word: &str) -> bool {
        let before = self.rest;
        let is_it = self.word().is_some_and(|given| given.eq_ignore_ascii_case(word));
        if !is_it {
            self.rest = before;
        }
        is_it
    }

    /// Takes everything to the next space, bracket or quote; `None` if that is nothing.
    fn word(&mut self) -> Option<&'t str> {
        self.skip_spaces();
        let ends = |c: char| c.is_whitespace() || "[]()\"'“”".contains(c);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }
}
