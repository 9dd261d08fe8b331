//! The commands that people type, the same on every platform:
//!
//! ```text
//! <user_name> <instance> [reason …] [--dry-run]
//! confirm <id> · cancel <id> · approve <id> · deny <id> [reason …] · status <id> · pending [id] · help
//! ```
//!
//! A command word counts as one only if the number of words is right, so that an account called `status` can still be removed:
//! `status <instance>` asks for a removal by its id, `status <instance> <reason>` removes the account `status`. `pending <id>` goes on
//! behind that request, and an instance of that name comes first.

use crate::config::Config;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::pending_query::PendingQuery;
use crate::request::reason::Reason;

/// Parses the text after the slash command.
///
/// # Errors
///
/// [`RequestError::CommandMalformed`] if it is no command, otherwise if a name or the reason is not valid.
pub(super) fn command<'c>(text: &str, config: &'c Config) -> Result<Command<'c>, RequestError> {
    // At spaces only: a line break is part of a word, and no valid word of a command has one.
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let reason = |words: &[&str]| Reason::parse(&words.join(" "));
    match words.as_slice() {
        [] | ["help"] => Ok(Command::Help),
        ["pending"] => Ok(Command::ListPending(PendingQuery::default())),
        ["pending", last] if config.instance(last).is_err() && PendingQuery::behind(last).is_some() => {
            Ok(Command::ListPending(PendingQuery::behind(last).unwrap_or_default()))
        }
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
                caused_by: None,
            })
        }
    }
}
