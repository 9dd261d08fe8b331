//! The commands that people type, the same on every platform:
//!
//! ```text
//! ACCOUNT INSTANCE [REASON …] [--dry-run]
//! confirm ID · cancel ID · approve ID · deny ID [REASON …] · status ID · pending [ID] · help
//! ```
//!
//! It is read as people type it: with any white space (`words`), dashes of any kind (`flags`), command words in both languages
//! and any case (`command_words`), and words before and between account and instance (`reading`). What is not understood is
//! refused, with what was probably meant; it never becomes part of a reason. An account's name is taken as it was typed: only marks
//! around it are removed, and full-width letters count as the ASCII that they stand for.
//!
//! A command word counts as one only if the number of words is right, so that an account called `status` can still be removed:
//! `status INSTANCE` asks for a removal by its id, `status INSTANCE REASON` removes the account `status`. `pending ID` goes on behind
//! that request, and an instance of that name comes first.

mod command_words;
mod flags;
mod reading;
#[cfg(test)]
mod tests;
mod words;

use crate::callers::chat::grammar::command_words::{CommandWord, is_address, is_joiner, is_opening};
use crate::callers::chat::grammar::flags::{Dashed, Flagged};
use crate::callers::chat::grammar::reading::Reading;
use crate::callers::chat::grammar::words::Word;
use crate::config::Config;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::pending_query::PendingQuery;
use crate::request::reason::Reason;
use crate::request::unclear::Unclear;

/// Parses the text of a message, without the platform's own mention of the gateway.
///
/// # Errors
///
/// [`RequestError::CommandUnclear`] if it is no command, otherwise if a name or the reason is not valid.
pub(super) fn command<'c>(text: &str, config: &'c Config) -> Result<Command<'c>, RequestError> {
    let words = split(text, config);
    if words.is_empty() {
        return Ok(Command::Help);
    }
    if has_several_lines(text, config) {
        return Err(Unclear::SeveralCommands.into());
    }
    if let Some(command) = word_command(&words, config) {
        return command;
    }
    let Flagged { words, dry_run } = flags::take(&words)?;
    if let Some(reading) = reading::read(&words, config)? {
        return removal(&words, reading, dry_run, config);
    }
    let opening = words.iter().take_while(|word| is_opening(word)).count();
    let addressed = words.get(opening..).unwrap_or_default();
    match word_command(addressed, config) {
        Some(command) if !dry_run => command,
        _ if words.iter().all(is_address) && !dry_run => Ok(Command::Help),
        _ => Err(not_understood(&words, config)),
    }
}

fn split<'t>(text: &'t str, config: &Config) -> Vec<Word<'t>> {
    words::split(text, |raw| config.accounts.parse(raw).is_ok())
}

/// Reads a command that begins with a word of its own; `None` if it does not, or the number of words is not right.
fn word_command<'c>(words: &[Word<'_>], config: &Config) -> Option<Result<Command<'c>, RequestError>> {
    let (first, behind) = words.split_first()?;
    let decide = |action, id, reason| Command::DecideApproval { id, action, reason };
    if let (Some((word, id)), []) = (CommandWord::with_reference(first), behind) {
        let id = command_words::id(&Word { raw: id, is_glued: false });
        return match word {
            CommandWord::Help | CommandWord::Pending => None,
            CommandWord::Status => Some(Ok(Command::GetRemoval { id })),
            CommandWord::Decide(action) => Some(Ok(decide(action, id, None))),
        };
    }
    match (CommandWord::of(first)?, behind) {
        (CommandWord::Help, []) => Some(Ok(Command::Help)),
        (CommandWord::Help, [word]) if ["me", "please", "us"].contains(&word.key().as_str()) => Some(Ok(Command::Help)),
        (CommandWord::Pending, []) => Some(Ok(Command::ListPending(PendingQuery::default()))),
        (CommandWord::Pending, [last]) if reading::as_it_stands(words, config).is_none() => {
            PendingQuery::behind(&command_words::id(last)).map(|query| Ok(Command::ListPending(query)))
        }
        (CommandWord::Decide(ApprovalAction::Deny), [id, why @ ..]) => Some(denial(id, why)),
        (word, [id]) if Dashed::of(id) == Dashed::No => match word {
            CommandWord::Status => Some(Ok(Command::GetRemoval { id: command_words::id(id) })),
            CommandWord::Decide(action) => Some(Ok(decide(action, command_words::id(id), None))),
            CommandWord::Help | CommandWord::Pending => None,
        },
        _ => None,
    }
}

fn denial<'c>(id: &Word<'_>, why: &[Word<'_>]) -> Result<Command<'c>, RequestError> {
    flags::refuse(std::slice::from_ref(id))?;
    flags::refuse(why)?;
    let reason = reason(why)?;
    Ok(Command::DecideApproval { id: command_words::id(id), action: ApprovalAction::Deny, reason })
}

fn removal<'c>(
    words: &[Word<'_>],
    reading: Reading,
    dry_run: bool,
    config: &'c Config,
) -> Result<Command<'c>, RequestError> {
    let Reading { account, instance } = reading;
    let (Some(account), Some(instance)) = (words.get(account), words.get(instance)) else {
        return Err(Unclear::NotACommand.into());
    };
    let why = words.get(reading.reason()..).unwrap_or_default();
    let last = words.get(reading.reason().saturating_sub(1)).is_some_and(Word::ends_a_part);
    if is_more_commands(why, last, config) {
        return Err(Unclear::SeveralCommands.into());
    }
    Ok(Command::RemoveAccount {
        user_name: reading::account(account, config)?,
        instance: reading::instance(instance, config)?,
        reason: reason(why)?,
        dry_run,
        caused_by: None,
    })
}

/// Reads a reason; `None` if the words say nothing. Signs before the first word are no part of it.
fn reason(words: &[Word<'_>]) -> Result<Option<Reason>, RequestError> {
    let signs = words.iter().take_while(|word| word.is_sign()).count();
    let words = words.get(signs..).unwrap_or_default();
    if words.iter().all(Word::is_sign) { Ok(None) } else { Reason::parse(&words::join(words)) }
}

/// Whether what stands in the place of a reason names more accounts or instances, so that the sender may think that they are
/// removed, too. `separated` says that punctuation stands before it.
fn is_more_commands(words: &[Word<'_>], separated: bool, config: &Config) -> bool {
    let joiners = words.iter().take_while(|word| is_joiner(word)).count();
    let words = words.get(joiners..).unwrap_or_default();
    let is_instance = |place: usize| words.get(place).is_some_and(|word| reading::is_instance(word, config));
    if (separated || joiners > 0) && (is_instance(0) || is_instance(1)) {
        return true;
    }
    // Only instances, or accounts and instances by turns. The first two words decide for all but such lists.
    let all = |step: usize| (0..words.len()).filter(|place| place % 2 == 1 || step == 1).all(is_instance);
    let first = is_instance(0) || is_instance(1);
    first && !words.is_empty() && (all(1) || (words.len() % 2 == 0 && all(2)))
}

/// Whether more than one line is a command of its own.
fn has_several_lines(text: &str, config: &Config) -> bool {
    /// More lines than a reason can have characters are refused as a reason.
    const MOST: usize = 500;

    let mut lines = words::lines(text).take(MOST);
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    let is_command = |line: &str| is_line_of_command(line, config);
    is_command(first) && std::iter::once(second).chain(lines).any(is_command)
}

fn is_line_of_command(line: &str, config: &Config) -> bool {
    let words: Vec<_> = split(line, config).into_iter().filter(|word| Dashed::of(word) == Dashed::No).collect();
    let opening = words.iter().take_while(|word| is_opening(word)).count();
    let addressed = words.get(opening..).unwrap_or_default();
    if word_command(addressed, config).is_some() || !matches!(reading::read(&words, config), Ok(None)) {
        return true;
    }
    // A second instance that is misspelt is no reason for removing the account of the first.
    let [account, instance] = addressed else { return false };
    let near = |name: &str| is_near_miss(&instance.key(), name);
    reading::account(account, config).is_ok() && config.instances().iter().any(|instance| near(&instance.name))
}

/// Whether one name is a misspelling of another.
fn is_near_miss(given: &str, name: &str) -> bool {
    given.len() <= 64 && name.len() > 3 && strsim::osa_distance(given, &name.to_ascii_lowercase()) <= 2
}

/// Says what is wrong with words that are neither a removal nor a command.
fn not_understood(words: &[Word<'_>], config: &Config) -> RequestError {
    let addressed = words.get(words.iter().take_while(|word| is_opening(word)).count()..).unwrap_or_default();
    if let Some((first, behind)) = addressed.split_first() {
        if let Some(word) = CommandWord::of(first) {
            return Unclear::WordsWrong { usage: word.usage() }.into();
        }
        if let Some(meant) = CommandWord::near(first, behind.len()) {
            return Unclear::CommandUnknown { given: first.bare().to_owned(), meant }.into();
        }
    }
    let removal = words.get(reading::before(words)..).unwrap_or_default();
    let Some((account, behind)) = removal.split_first() else { return Unclear::NotACommand.into() };
    let Some(instance) = behind.iter().find(|word| !command_words::is_filler(word)) else {
        return Unclear::NotACommand.into();
    };
    if let Err(error) = reading::account(account, config) {
        return error;
    }
    match reading::instance(instance, config) {
        Err(error) => error,
        Ok(_) => Unclear::NotACommand.into(),
    }
}
