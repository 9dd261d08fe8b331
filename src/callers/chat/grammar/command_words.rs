//! The words of the grammar itself, in English and Chinese.

use crate::callers::chat::grammar::words::Word;
use crate::request::command::ApprovalAction;
use crate::request::ids::Reference;

/// A command that begins with a word of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandWord {
    Help,
    Pending,
    Status,
    Decide(ApprovalAction),
}

/// The command words. Those in Chinese are the labels of the buttons.
const COMMANDS: [(&str, CommandWord); 18] = [
    ("help", CommandWord::Help),
    ("?", CommandWord::Help),
    ("帮助", CommandWord::Help),
    ("pending", CommandWord::Pending),
    ("待处理", CommandWord::Pending),
    ("待审批", CommandWord::Pending),
    ("status", CommandWord::Status),
    ("状态", CommandWord::Status),
    ("confirm", CommandWord::Decide(ApprovalAction::Confirm)),
    ("确认", CommandWord::Decide(ApprovalAction::Confirm)),
    ("cancel", CommandWord::Decide(ApprovalAction::Cancel)),
    ("取消", CommandWord::Decide(ApprovalAction::Cancel)),
    ("approve", CommandWord::Decide(ApprovalAction::Approve)),
    ("批准", CommandWord::Decide(ApprovalAction::Approve)),
    ("deny", CommandWord::Decide(ApprovalAction::Deny)),
    ("驳回", CommandWord::Decide(ApprovalAction::Deny)),
    ("拒绝", CommandWord::Decide(ApprovalAction::Deny)),
    ("reject", CommandWord::Decide(ApprovalAction::Deny)),
];

impl CommandWord {
    pub(super) fn of(word: &Word<'_>) -> Option<Self> {
        if matches!(word.raw, "?" | "？") {
            return Some(Self::Help);
        }
        let key = word.key();
        COMMANDS.iter().find(|(name, _)| *name == key).map(|(_, command)| *command)
    }

    /// Reads a Chinese command word with the reference directly behind it; returns both.
    pub(super) fn with_reference<'t>(word: &Word<'t>) -> Option<(Self, &'t str)> {
        let bare = word.bare();
        COMMANDS.iter().filter(|(name, _)| !name.is_ascii()).find_map(|(name, command)| {
            let rest = Word { raw: bare.strip_prefix(name)?.trim_start_matches([':', '：']), is_glued: false }.bare();
            (Reference::parse(rest).is_some() || is_row(rest)).then_some((*command, rest))
        })
    }

    /// How the command is written.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Pending => "pending",
            Self::Status => "status ID",
            Self::Decide(ApprovalAction::Confirm) => "confirm ID",
            Self::Decide(ApprovalAction::Cancel) => "cancel ID",
            Self::Decide(ApprovalAction::Approve) => "approve ID",
            Self::Decide(ApprovalAction::Deny) => "deny ID [REASON]",
        }
    }

    /// Returns the command word that was probably meant, if one takes as many words.
    pub(super) fn near(word: &Word<'_>, behind: usize) -> Option<&'static str> {
        let key = word.key();
        let is_near = |name: &str| {
            let most = if name.len() > 4 { 2 } else { 1 };
            name.is_ascii() && name.len() > 1 && key.len() < 16 && strsim::osa_distance(name, &key) <= most
        };
        let fits = |command: CommandWord| match command {
            Self::Help | Self::Pending => behind == 0,
            Self::Decide(ApprovalAction::Deny) => behind > 0,
            Self::Status | Self::Decide(_) => behind == 1,
        };
        COMMANDS.iter().find(|(name, command)| fits(*command) && is_near(name)).map(|(name, _)| *name)
    }
}

/// Returns the id of a request as it was meant: without marks, in the letters of the ledger.
pub(super) fn id(word: &Word<'_>) -> String {
    let bare = crate::callers::chat::grammar::words::narrow(word.bare());
    if is_row(&bare) { bare.to_ascii_lowercase() } else { bare }
}

fn is_row(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the word is how people begin: what they call the gateway, a bullet, a number in a list, a word of politeness.
pub(super) fn is_opening(word: &Word<'_>) -> bool {
    const POLITE: [&str; 11] =
        ["please", "pls", "kindly", "hi", "hey", "hello", "请", "请帮我", "帮我", "麻烦", "你好"];
    let key = word.key();
    let number = word.raw.trim_matches(|c: char| !c.is_alphanumeric());
    let is_number = (1..4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_numbering = is_number && word.raw.len() > number.len();
    is_address(word) || is_numbering || POLITE.contains(&key.as_str())
}

/// Whether the word is what people call the gateway, or a sign.
pub(super) fn is_address(word: &Word<'_>) -> bool {
    is_slash_command(word) || word.is_sign() || ["offboard", "@offboard"].contains(&word.key().as_str())
}

/// Whether the word is a slash command's name, which is never an account.
pub(super) fn is_slash_command(word: &Word<'_>) -> bool {
    word.raw.starts_with(['/', '／']) && word.raw.chars().skip(1).all(|c| c.is_alphanumeric() || "-_".contains(c))
}

/// Whether the word says that an account is to be removed.
pub(super) fn is_verb(word: &Word<'_>) -> bool {
    ["remove", "delete", "drop", "offboard", "删除", "删除账号", "移除"].contains(&word.key().as_str())
}

/// Whether the word says that an account's name follows.
pub(super) fn is_noun(word: &Word<'_>) -> bool {
    ["account", "user", "账号", "账户", "用户"].contains(&word.key().as_str())
}

/// Whether the word can stand between an account and its instance.
pub(super) fn is_filler(word: &Word<'_>) -> bool {
    word.is_sign() || ["on", "from", "in", "at", "of", "从", "在", "instance", "实例"].contains(&word.key().as_str())
}

/// Whether the word joins two commands.
pub(super) fn is_joiner(word: &Word<'_>) -> bool {
    word.is_sign() || ["and", "also", "和", "以及", "还有"].contains(&word.key().as_str())
}
