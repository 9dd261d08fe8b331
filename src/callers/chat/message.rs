//! A message to people, before a platform gives it a form: the same parts on every platform.
//!
//! What is made of an outcome is in [`of_reply`](crate::callers::chat::of_reply), the platforms' forms are in
//! `forms`.

use crate::callers::chat::text::{Cut, Text};
use crate::outcome::language::{Language, Localized};

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// The language of the gateway's words.
    pub language: Language,
    /// The icon before the title; `None` for an answer that is no outcome.
    pub icon: Option<Icon>,
    /// What it is about, in one sentence.
    pub title: Text,
    /// The facts, for those who decide.
    pub fields: Vec<Field>,
    /// What happened and what to do next, a line each.
    pub body: Vec<Text>,
    /// The next step that the buttons are for.
    pub next: Next,
    /// Ids and the code.
    pub small_print: Vec<Text>,
    /// Whether everyone in the channel should see it, because any of them may be the approver.
    pub is_public: bool,
}

/// What a message says at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// ✅ Done.
    Done,
    /// ℹ️ Ended without a removal.
    Info,
    /// ⏳ Waiting or in progress.
    Waiting,
    /// ⚠️ Not done or not known: act on it.
    Warning,
    /// ❌ Refused.
    Refused,
}

impl Icon {
    /// The character.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "✅",
            Self::Info => "ℹ️",
            Self::Waiting => "⏳",
            Self::Warning => "⚠️",
            Self::Refused => "❌",
        }
    }
}

/// A fact with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Which fact.
    pub label: Label,
    /// Its value.
    pub value: Text,
}

/// The facts of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The account.
    Account,
    /// The instance.
    Instance,
    /// The environment of the instance.
    Environment,
    /// Who asked.
    Requester,
    /// Why.
    Reason,
    /// The policies that decided.
    Policy,
    /// When it was asked.
    AskedAt,
    /// How many people have approved, of how many.
    Approvals,
    /// Until when it waits.
    Until,
}

impl Label {
    /// The label of the field.
    pub fn text(self) -> Localized {
        match self {
            Self::Account => Localized { en: "Account", zh: "账号" },
            Self::Instance => Localized { en: "Instance", zh: "实例" },
            Self::Environment => Localized { en: "Environment", zh: "环境" },
            Self::Requester => Localized { en: "Requested by", zh: "申请人" },
            Self::Reason => Localized { en: "Reason", zh: "申请原因" },
            Self::Policy => Localized { en: "Policy", zh: "策略" },
            Self::AskedAt => Localized { en: "Requested at", zh: "申请时间" },
            Self::Approvals => Localized { en: "Approvals", zh: "审批进度" },
            Self::Until => Localized { en: "Expires at", zh: "截止时间" },
        }
    }
}

/// The next step: buttons where the platform has them, and the same in words elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Next {
    /// The sentence above the buttons.
    pub with_buttons: Text,
    /// The sentence that stands for the buttons.
    pub in_words: Text,
    /// The buttons.
    pub buttons: Vec<Button>,
}

/// A button below a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// The name that the platform hands back.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// How it looks.
    pub style: ButtonStyle,
    /// The reference that the platform hands back.
    pub reference: String,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonStyle {
    /// Red: it removes something.
    Danger,
    /// Green: it agrees.
    Primary,
    /// As any other.
    Plain,
}

/// The steps by which a message that is too long for its platform is cut: the reason, TaurusDB's message, policy and small
/// print. Title, requester, reference and next step always stay.
const CUTS: [Cut; 3] =
    [Cut { reason: usize::MAX, upstream: 500 }, Cut { reason: 100, upstream: 500 }, Cut { reason: 100, upstream: 200 }];

impl ChatMessage {
    /// A message without anything but its title.
    pub fn new(language: Language, icon: Option<Icon>, title: Text) -> Self {
        Self {
            language,
            icon,
            title,
            fields: Vec::new(),
            body: Vec::new(),
            next: Next::default(),
            small_print: Vec::new(),
            is_public: false,
        }
    }

    /// The title with its icon.
    pub fn heading(&self) -> Text {
        match self.icon {
            Some(icon) => Text::words(format!("{} ", icon.as_str())).and(self.title.clone()),
            None => self.title.clone(),
        }
    }

    /// The lines of the body, with the sentence above the buttons or the one that stands for them.
    pub fn lines(&self, has_buttons: bool) -> Vec<Text> {
        let next = if has_buttons { &self.next.with_buttons } else { &self.next.in_words };
        let mut lines = self.body.clone();
        if !next.is_empty() {
            let last = lines.pop().unwrap_or_default();
            lines.push(last.sentence(next.clone(), self.language));
        }
        lines
    }

    /// The first of its shorter forms that fits; if none does, the shortest, with only those lines of a list that fit.
    pub(super) fn fitting(&self, fits: impl Fn(&Self) -> bool) -> Self {
        let mut message = self.clone();
        for cut in CUTS {
            message = self.cut(cut);
            if fits(&message) {
                return message;
            }
        }
        message.small_print.clear();
        message.fields.retain(|field| field.label != Label::Policy);
        let mut dropped: usize = 0;
        while !fits(&message) && message.body.len() > 1 {
            if dropped > 0 {
                message.body.pop();
            }
            message.body.pop();
            dropped = self.body.len().saturating_sub(message.body.len());
            let more = Localized { en: "… and {n} more", zh: "……另有{n}个" };
            message.body.push(Text::fill(more, &[("n", Text::words(dropped.to_string()))], self.language));
        }
        message
    }

    fn cut(&self, cut: Cut) -> Self {
        let fields = self.fields.iter().map(|field| Field { value: field.value.cut(cut), ..field.clone() });
        Self {
            fields: fields.collect(),
            body: self.body.iter().map(|line| line.cut(cut)).collect(),
            title: self.title.cut(cut),
            ..self.clone()
        }
    }
}
