//! The flag of a removal, `--dry-run`, as keyboards write it, and words that look like a flag and are none.
//!
//! The flag is understood with dashes of any kind and number, in any case, with marks around it. All other words that begin with
//! a dash are refused, wherever they stand: a flag that is not understood must never become part of a reason. Dashes that stand
//! alone are punctuation; two hyphens alone are not, because they may be half of a flag.
//!
//! People who do not remember the dashes write `dry-run` or `dry run`. At either end of the message that is the flag, because a
//! dry run removes nothing; between other words it is refused.

use crate::callers::chat::grammar::words::{Word, is_invisible, narrow};
use crate::request::unclear::Unclear;

/// The words of a message without its flags.
#[derive(Debug)]
pub(super) struct Flagged<'t> {
    pub(super) words: Vec<Word<'t>>,
    pub(super) dry_run: bool,
}

/// Takes the flags out of the words of a removal.
///
/// # Errors
///
/// If a word is no flag and looks like one.
pub(super) fn take<'t>(words: &[Word<'t>]) -> Result<Flagged<'t>, Unclear> {
    let mut kept = Vec::new();
    // Looked at anew for each flag, thousands of signs and flags would be millions of steps.
    let mut only_signs = true;
    let mut dry_run = false;
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        let here = std::mem::replace(&mut rest, behind);
        match Dashed::of(word) {
            Dashed::DryRun => dry_run = true,
            Dashed::Unknown => return Err(unknown(word.raw)),
            Dashed::Alone { hyphens } => match (Bare::at(behind), behind.first()) {
                (Bare::DryRun(words), _) => {
                    dry_run = true;
                    rest = behind.get(words..).unwrap_or_default();
                }
                (Bare::Resembles, Some(next)) => return Err(unclear(next.raw)),
                (_, Some(next)) if hyphens > 1 => return Err(unknown(&format!("{} {}", word.raw, next.raw))),
                _ => kept.push(*word),
            },
            Dashed::No => match Bare::at(here) {
                Bare::DryRun(count) => {
                    let behind = behind.get(count.saturating_sub(1)..).unwrap_or_default();
                    if !only_signs && !behind.iter().all(Word::is_sign) {
                        return Err(unclear(word.raw));
                    }
                    dry_run = true;
                    rest = behind;
                }
                Bare::Resembles => return Err(unclear(word.raw)),
                Bare::No => {
                    only_signs &= word.is_sign();
                    kept.push(*word);
                }
            },
        }
    }
    Ok(Flagged { words: kept, dry_run })
}

/// Refuses words that begin with a dash, for commands that have no flags.
///
/// # Errors
///
/// If there is such a word.
pub(super) fn refuse(words: &[Word<'_>]) -> Result<(), Unclear> {
    match words.iter().find(|word| matches!(Dashed::of(word), Dashed::DryRun | Dashed::Unknown)) {
        Some(word) => Err(unknown(word.raw)),
        None => Ok(()),
    }
}

fn unknown(given: &str) -> Unclear {
    Unclear::FlagUnknown { given: given.to_owned() }
}

fn unclear(given: &str) -> Unclear {
    Unclear::DryRunUnclear { given: given.to_owned() }
}

/// What a word is by the dash that it begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dashed {
    /// It begins with no dash.
    No,
    /// It is a dash and no more.
    Alone {
        /// How many hyphens it has.
        hyphens: usize,
    },
    /// The flag `--dry-run`.
    DryRun,
    /// Something else behind a dash.
    Unknown,
}

impl Dashed {
    pub(super) fn of(word: &Word<'_>) -> Self {
        let sign = |c: char| !c.is_alphanumeric() && !is_dash(c);
        let dashed = word.raw.trim_start_matches(sign);
        if !dashed.starts_with(is_dash) {
            return Self::No;
        }
        if word.is_sign() {
            return Self::Alone { hyphens: dashed.chars().filter(|c| is_hyphen(*c)).count() };
        }
        let flag = narrow(dashed).to_lowercase();
        let flag = flag.trim_start_matches(|c| is_dash(c) || is_invisible(c));
        if is_dry_run(flag.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '=')) {
            Self::DryRun
        } else {
            Self::Unknown
        }
    }
}

/// What words without a dash before them are.
#[derive(Debug, PartialEq, Eq)]
enum Bare {
    No,
    /// The first so many of them are `dry-run`.
    DryRun(usize),
    /// The first of them resembles that.
    Resembles,
}

impl Bare {
    fn at(words: &[Word<'_>]) -> Self {
        let Some((first, behind)) = words.split_first() else { return Self::No };
        let key = first.key();
        if is_dry_run(&key) {
            return Self::DryRun(1);
        }
        let letters = letters(&key);
        if letters == "dry" {
            let signs = behind.iter().take_while(|word| word.is_sign()).count();
            let is_run = behind.get(signs).is_some_and(|next| letters_of(next) == "run");
            return if is_run { Self::DryRun(signs.saturating_add(2)) } else { Self::No };
        }
        let resembles = letters.starts_with("dryrun") || (letters.len() > 4 && is_near(&letters));
        if resembles { Self::Resembles } else { Self::No }
    }
}

/// Whether the words are one typing mistake away from `dryrun`.
fn is_near(letters: &str) -> bool {
    letters.len() < 16 && strsim::osa_distance(letters, "dryrun") < 2
}

fn is_dry_run(key: &str) -> bool {
    let dashes: String = key.chars().map(|c| if is_dash(c) { '-' } else { c }).filter(|c| !is_invisible(*c)).collect();
    dashes == "dry-run" || dashes == "预检"
}

fn letters_of(word: &Word<'_>) -> String {
    letters(&word.key())
}

fn letters(key: &str) -> String {
    narrow(key).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A hyphen or the minus sign, in its forms.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{ad}' | '˗' | '‐' | '‑' | '‒' | '⁃' | '−' | '﹣' | '－' | '➖')
}

/// A dash of any kind. Keyboards turn two hyphens into one longer dash; the long vowel of Japanese looks like one.
fn is_dash(c: char) -> bool {
    is_hyphen(c) || matches!(c, '–' | '—' | '―' | '⸺' | '⸻' | '﹘' | 'ー' | 'ｰ' | '─' | '━')
}
