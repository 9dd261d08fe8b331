//! Which words of a removal are the account and the instance.
//!
//! `ACCOUNT INSTANCE` is always read as it stands. Beyond that, people put words before and between them: `please remove alice
//! from analytics`. Such words are understood only if the message can be read in one way.

use crate::callers::chat::grammar::command_words::{is_filler, is_noun, is_opening, is_slash_command, is_verb};
use crate::callers::chat::grammar::words::{Word, narrow};
use crate::config::Config;
use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::error::RequestError;
use crate::request::unclear::Unclear;

/// The places of the account and the instance among the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) account: usize,
    pub(super) instance: usize,
}

impl Reading {
    /// Returns the place of the first word of the reason.
    pub(super) fn reason(self) -> usize {
        self.account.max(self.instance).saturating_add(1)
    }
}

/// How many words can stand before the account and between it and the instance.
const BEFORE: usize = 6;
const BETWEEN: usize = 3;

/// Finds the account and the instance.
///
/// # Errors
///
/// [`Unclear::SeveralReadings`] if there is more than one way to read the words.
pub(super) fn read(words: &[Word<'_>], config: &Config) -> Result<Option<Reading>, Unclear> {
    let mut readings: Vec<Reading> = Vec::new();
    let mut add = |reading: Option<Reading>| {
        readings.extend(reading.filter(|reading| !readings.contains(reading)));
    };
    add(as_it_stands(words, config));
    for start in 0..=before(words) {
        (0..=BETWEEN).for_each(|count| add(with_fillers(words, start, count, config)));
        add(instance_first(words, start, config));
    }
    match readings.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(Unclear::SeveralReadings),
    }
}

/// `ACCOUNT INSTANCE`.
pub(super) fn as_it_stands(words: &[Word<'_>], config: &Config) -> Option<Reading> {
    let [account, instance, ..] = words else { return None };
    let can_be = !account.is_sign() && !is_slash_command(account) && narrow(account.bare()).is_ascii();
    (can_be && is_instance(instance, config)).then_some(Reading { account: 0, instance: 1 })
}

/// `[please] [remove] [account] ACCOUNT [from] [instance] INSTANCE`, with so many words between.
fn with_fillers(words: &[Word<'_>], start: usize, count: usize, config: &Config) -> Option<Reading> {
    let (account, behind) = words.get(start..)?.split_first()?;
    let (between, behind) = behind.split_at_checked(count)?;
    let fits = !is_own(account) && between.iter().all(is_filler) && is_instance(behind.first()?, config);
    fits.then(|| Reading { account: start, instance: start.saturating_add(count).saturating_add(1) })
}

/// `从 INSTANCE 删除 [账号] ACCOUNT`, as this gateway's own messages in Chinese say it.
fn instance_first(words: &[Word<'_>], start: usize, config: &Config) -> Option<Reading> {
    let from = words.get(start).filter(|word| ["从", "在", "from", "on"].contains(&word.key().as_str()));
    let instance = start.saturating_add(1);
    from.and_then(|_| words.get(instance)).filter(|word| is_instance(word, config))?;
    let verb = instance.saturating_add(1);
    words.get(verb).filter(|word| is_verb(word))?;
    let noun = verb.saturating_add(1);
    let account = if words.get(noun).is_some_and(is_noun) { noun.saturating_add(1) } else { noun };
    words.get(account).filter(|word| !is_own(word))?;
    Some(Reading { account, instance })
}

/// How many words at the beginning are none of an account's name.
pub(super) fn before(words: &[Word<'_>]) -> usize {
    words.iter().take(BEFORE).take_while(|word| is_opening(word) || is_verb(word) || is_noun(word)).count()
}

/// Whether the word is the grammar's own, and so no account's unless it stands where one has to.
fn is_own(word: &Word<'_>) -> bool {
    is_opening(word) || is_verb(word) || is_noun(word) || is_filler(word)
}

/// Whether a word names an instance, or more than one.
pub(super) fn is_instance(word: &Word<'_>, config: &Config) -> bool {
    !matches!(instance(word, config), Err(RequestError::InstanceUnknown { .. }))
}

/// Finds the instance that a word names: exactly as it was typed, then without marks, then in any case.
///
/// # Errors
///
/// [`RequestError::InstanceUnknown`] if there is none, [`RequestError::InstanceAmbiguous`] if several differ from the word in
/// case alone.
pub(super) fn instance<'c>(word: &Word<'_>, config: &'c Config) -> Result<&'c Instance, RequestError> {
    let bare = narrow(word.bare());
    let exact = config.instance(word.raw).or_else(|_| config.instance(&bare));
    if exact.is_ok() {
        return exact;
    }
    let mut like = config.instances().iter().filter(|instance| instance.name.eq_ignore_ascii_case(&bare));
    match (like.next(), like.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(RequestError::InstanceAmbiguous { given: bare }),
        (None, _) => Err(RequestError::InstanceUnknown { given: word.raw.to_owned() }),
    }
}

/// Reads an account's name: exactly as it was typed, then without marks, then without them in narrow letters. A name is never
/// changed in any other way.
///
/// # Errors
///
/// [`Unclear::AccountIsPerson`] for an address or a mention, otherwise as [`AccountRules::parse`] says.
///
/// [`AccountRules::parse`]: crate::request::account_name::AccountRules::parse
pub(super) fn account(word: &Word<'_>, config: &Config) -> Result<UserName, RequestError> {
    let bare = word.bare();
    let narrow = narrow(bare);
    for given in [word.raw, bare, &narrow] {
        match config.accounts.parse(given) {
            Ok(name) => return Ok(name),
            Err(error @ (RequestError::AccountReserved { .. } | RequestError::AccountProtected { .. })) => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    if narrow.contains('@') {
        return Err(Unclear::AccountIsPerson { given: bare.to_owned() }.into());
    }
    config.accounts.parse(if bare.is_empty() { word.raw } else { bare })
}
