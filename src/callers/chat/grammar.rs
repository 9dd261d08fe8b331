//! The chat grammar, the same on every platform.

use crate::config::Config;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::reason::Reason;

/// Reads what stands after the slash command.
///
/// # Errors
///
/// [`RequestError::CommandMalformed`], or what is wrong with a name or a reason.
pub(super) fn command<'c>(text: &str, config: &'c Config) -> Result<Command<'c>, RequestError> {
    // At spaces only: a line break inside is part of a word, and no word of a command has one.
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let reason = |words: &[&str]| Reason::parse(&words.join(" "));
    match words.as_slice() {
        [] | ["help"] => Ok(Command::Help),
        ["pending"] => Ok(Command::ListPending),
        ["status", id] => Ok(Command::GetRemoval { id: (*id).to_owned() }),
        [word, id] if ApprovalAction::parse(word).is_some_and(|action| action != ApprovalAction::Deny) => {
            let action = ApprovalAction::parse(word).unwrap_or(ApprovalAction::Cancel);
            Ok(Command::DecideApproval { id: (*id).to_owned(), action, reason: None })
        }
        ["deny", id, why @ ..] => {
            Ok(Command::DecideApproval { id: (*id).to_owned(), action: ApprovalAction::Deny, reason: reason(why)? })
        }
        _ => {
            let dry_run = words.contains(&"--dry-run");
            let words: Vec<&str> = words.into_iter().filter(|word| *word != "--dry-run").collect();
            let [user_name, instance, why @ ..] = words.as_slice() else { return Err(RequestError::CommandMalformed) };
            Ok(Command::RemoveAccount {
                user_name: config.accounts.parse(user_name)?,
                instance: config.instance(instance)?,
                reason: reason(why)?,
                dry_run,
            })
        }
    }
}
