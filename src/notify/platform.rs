//! What each platform implements, and what it is given.

use bytes::Bytes;
use http::Request;

use crate::config::notify::NotifyService;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::verdict::Verdict;
use crate::secret::Secret;

/// A platform that takes messages.
pub trait NotifyPlatform: Sync {
    /// Returns the request with a notice.
    ///
    /// # Errors
    ///
    /// If a secret is missing or is none of this platform's.
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable>;

    /// Reads the platform's answer.
    fn verdict(&self, answer: &Answered) -> Verdict;

    /// Whether the platform shows a message once that it gets twice, so that it may be sent again when no answer came.
    fn takes_twice(&self) -> bool {
        false
    }

    /// Whether the platform takes so few messages a minute that several requests have to share one.
    fn merges(&self) -> bool {
        false
    }
}

/// A target with the values of its variables.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// The platform and what it needs.
    pub service: &'a NotifyService,
    /// The secrets, by the key that names their variables.
    pub secrets: &'a [(&'static str, Secret)],
    /// Whether clicks on buttons come to a caller.
    pub has_buttons: bool,
}

impl Recipient<'_> {
    /// The secret of a key.
    pub(super) fn secret(&self, key: &'static str) -> Result<&Secret, Unsendable> {
        self.secrets.iter().find(|(known, _)| *known == key).map(|(_, secret)| secret).ok_or(Unsendable::Unset(key))
    }
}

/// Why a notice cannot be sent. Nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsendable {
    /// The variable that this key names is not set.
    Unset(&'static str),
    /// It holds something else than this.
    Form(&'static str, &'static str),
}
