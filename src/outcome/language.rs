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
    /// Reads the value of `X-Language` or `taurusdb.language`; returns `None` for a value that is not documented.
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "en-us" => Some(Self::English),
            "zh-cn" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// Returns the value to send as `X-Language`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en-us",
            Self::Chinese => "zh-cn",
        }
    }
}

/// A text in both languages, for modules that add texts of their own to the catalog's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Localized {
    /// `en-us`
    pub en: &'static str,
    /// `zh-cn`
    pub zh: &'static str,
}

impl Localized {
    /// Returns the text in one language.
    pub fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }
}
