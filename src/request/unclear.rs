//! Why a chat command was not understood, and what may have been meant.

/// Why a chat command was not understood. A text inside is what the sender typed, without the marks around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// Neither a removal nor a command word.
    NotACommand,
    /// The message has no text, or none that can be read.
    NotText,
    /// A word that begins with a dash and is no flag of this command.
    FlagUnknown {
        /// The word.
        given: String,
    },
    /// A word that may be meant as the flag `--dry-run`.
    DryRunUnclear {
        /// The word.
        given: String,
    },
    /// A word in the place of a command word that is none.
    CommandUnknown {
        /// The word.
        given: String,
        /// The command word that it resembles.
        meant: &'static str,
    },
    /// A command word with too few or too many words behind it.
    WordsWrong {
        /// How the command is written.
        usage: &'static str,
    },
    /// More than one command in a message.
    SeveralCommands,
    /// The words can be read as more than one removal.
    SeveralReadings,
    /// An address or a mention of a person in the place of an account name.
    AccountIsPerson {
        /// The word.
        given: String,
    },
}
