//! The two languages of messages.

/// The language of messages, as `X-Language` spells it (documented: `en-us` by default, `zh-cn`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// `en-us`
    #[default]
    English,
    /// `zh-cn`
    Chinese,
}

impl Language {
    /// Reads the value of `X-Language` or of `taurusdb.language`; anything but the two documented values is `None`.
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "en-us" => Some(Self::English),
            "zh-cn" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The value to send as `X-Language`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en-us",
            Self::Chinese => "zh-cn",
        }
    }
}

/// A piece of a message in both languages, for modules that know more than the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Localized {
    /// `en-us`
    pub en: &'static str,
    /// `zh-cn`
    pub zh: &'static str,
}

impl Localized {
    /// The words in one of the two.
    pub fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }
}
