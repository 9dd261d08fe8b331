//! The icons: 16 × 16, stroked in the colour of the text. A page has those that it uses, once.

use crate::console::markup::Markup;

/// The icon of the pages in a browser's tabs, as SVG: the brand's, in a colour that is seen on light and dark.
pub const ICON: &str = include_str!("icon.svg");

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Icon {
    /// Came back.
    Again,
    /// Went wrong.
    Alert,
    /// Asking.
    Ask,
    /// Forbidden.
    Ban,
    /// Done.
    Check,
    /// Waiting.
    Clock,
    /// The brand.
    Door,
    /// A download.
    Down,
    /// A search.
    Find,
    /// Not known.
    Help,
    /// What waits.
    Inbox,
    /// A person who left.
    Left,
    /// The removals.
    List,
    /// Protected.
    Lock,
    /// Without effect.
    Minus,
    /// Sent.
    Send,
    /// Policy.
    Shield,
    /// A person.
    User,
    /// The accounts.
    Users,
    /// Denied.
    X,
}

impl Icon {
    /// Every icon.
    pub const ALL: [Self; 20] = [
        Self::Again,
        Self::Alert,
        Self::Ask,
        Self::Ban,
        Self::Check,
        Self::Clock,
        Self::Door,
        Self::Down,
        Self::Find,
        Self::Help,
        Self::Inbox,
        Self::Left,
        Self::List,
        Self::Lock,
        Self::Minus,
        Self::Send,
        Self::Shield,
        Self::User,
        Self::Users,
        Self::X,
    ];

    /// Returns its id in a page.
    pub fn id(self) -> &'static str {
        match self {
            Self::Again => "i-again",
            Self::Alert => "i-alert",
            Self::Ask => "i-ask",
            Self::Ban => "i-ban",
            Self::Check => "i-check",
            Self::Clock => "i-clock",
            Self::Door => "i-door",
            Self::Down => "i-down",
            Self::Find => "i-find",
            Self::Help => "i-help",
            Self::Inbox => "i-inbox",
            Self::Left => "i-left",
            Self::List => "i-list",
            Self::Lock => "i-lock",
            Self::Minus => "i-minus",
            Self::Send => "i-send",
            Self::Shield => "i-shield",
            Self::User => "i-user",
            Self::Users => "i-users",
            Self::X => "i-x",
        }
    }

    /// Returns its shape: the content of its `symbol`.
    pub(super) fn shape(self) -> Markup {
        Markup::own(match self {
            Self::Again => {
                r#"<path d="M2.8 7a5.3 5.3 0 0 1 9.3-2.3L13.4 6M13.4 2.8V6h-3.2M13.2 9a5.3 5.3 0 0 1-9.3 2.3L2.6 10M2.6 13.2V10h3.2"/>"#
            }
            Self::Alert => r#"<path d="M8 2.2l6.3 11.1H1.7zM8 6.4v3M8 11.4v.1"/>"#,
            Self::Ask => {
                r#"<circle cx="6.3" cy="5.2" r="2.6"/><path d="M1.4 13.6c.4-2.6 2.3-4 4.9-4s4.5 1.4 4.9 4M10.9 7h3.7"/>"#
            }
            Self::Ban => r#"<circle cx="8" cy="8" r="6.25"/><path d="M3.7 3.7l8.6 8.6"/>"#,
            Self::Check => r#"<circle cx="8" cy="8" r="6.25"/><path d="M5.2 8.2l1.9 1.9 3.7-4"/>"#,
            Self::Clock => r#"<circle cx="8" cy="8" r="6.25"/><path d="M8 4.6V8l2.2 1.5"/>"#,
            Self::Door => {
                r#"<path d="M9.4 2.8H4.2a1 1 0 0 0-1 1v8.4a1 1 0 0 0 1 1h5.2M6.8 8h6.8M11.2 5.6L13.6 8l-2.4 2.4"/>"#
            }
            Self::Down => r#"<path d="M8 2.4v7.8M4.9 7.3L8 10.4l3.1-3.1M3 13.4h10"/>"#,
            Self::Find => r#"<circle cx="7" cy="7" r="4.6"/><path d="M10.4 10.4l3.4 3.4"/>"#,
            Self::Help => {
                r#"<circle cx="8" cy="8" r="6.25"/><path d="M6.3 6.4a1.7 1.7 0 1 1 2.5 1.5c-.5.3-.8.6-.8 1.1M8 11.2v.1"/>"#
            }
            Self::Inbox => {
                r#"<path d="M2.2 9l1.8-5.4a1 1 0 0 1 1-.7h6a1 1 0 0 1 1 .7L13.8 9v3.2a1 1 0 0 1-1 1H3.2a1 1 0 0 1-1-1zM2.2 9h3.2l1 1.8h3.2l1-1.8h3.2"/>"#
            }
            Self::Left => {
                r#"<circle cx="6.3" cy="5.2" r="2.6"/><path d="M1.4 13.6c.4-2.6 2.3-4 4.9-4 .9 0 1.8.2 2.5.5M10 12.4h4.4M12.6 10.6l1.8 1.8-1.8 1.8"/>"#
            }
            Self::List => r#"<path d="M5.6 4h8M5.6 8h8M5.6 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1"/>"#,
            Self::Lock => {
                r#"<rect x="3" y="7" width="10" height="6.5" rx="1.25"/><path d="M5 7V5.2a3 3 0 0 1 6 0V7"/>"#
            }
            Self::Minus => r#"<circle cx="8" cy="8" r="6.25"/><path d="M5.3 8h5.4"/>"#,
            Self::Send => r#"<circle cx="8" cy="8" r="6.25"/><path d="M5 8h6M8.6 5.6L11 8l-2.4 2.4"/>"#,
            Self::Shield => r#"<path d="M8 1.8l5.2 1.9v4c0 3.1-2.1 5.4-5.2 6.5-3.1-1.1-5.2-3.4-5.2-6.5v-4z"/>"#,
            Self::User => r#"<circle cx="8" cy="5.2" r="2.6"/><path d="M2.9 13.6c.4-2.6 2.4-4 5.1-4s4.7 1.4 5.1 4"/>"#,
            Self::Users => {
                r#"<circle cx="6" cy="5.4" r="2.4"/><path d="M1.6 13.2c.3-2.4 2.1-3.7 4.4-3.7s4.1 1.3 4.4 3.7M10.6 3.2a2.4 2.4 0 0 1 0 4.4M12.2 9.9c1.3.5 2 1.7 2.2 3.3"/>"#
            }
            Self::X => r#"<circle cx="8" cy="8" r="6.25"/><path d="M6 6l4 4M10 6l-4 4"/>"#,
        })
    }

    /// Returns what shows it. It is decoration: words beside it say the same.
    pub fn markup(self) -> Markup {
        let shape = Markup::element("use", &[("href", &format!("#{}", self.id()))], Markup::default());
        Markup::element("svg", &[("class", "i"), ("aria-hidden", "true")], shape)
    }

    /// Returns the icons that a page uses.
    pub(super) fn used_in(page: &str) -> Vec<Self> {
        let is_used = |icon: &Self| {
            let reference = format!("href=\"#{}\"", icon.id());
            page.contains(&reference)
        };
        Self::ALL.into_iter().filter(is_used).collect()
    }
}
