//! What people are told about an outcome. The words are in `wording`.

use chrono::{DateTime, FixedOffset};

use crate::callers::chat::clauses::{clauses, full_stop, sentence, sentences, title};
use crate::callers::chat::message::{Button, ButtonStyle, ChatMessage, Field, Icon, Label, Next};
use crate::callers::chat::text::Text;
use crate::callers::chat::wording::{self, Wording};
use crate::callers::follow_up::Acknowledgement;
use crate::outcome::denial::Denial;
use crate::outcome::language::{Language, Localized};
use crate::outcome::message::Message;
use crate::outcome::state::State;
use crate::outcome::{
    AccountPresence, Denied, DryRun, DryRunDecision, Evidence, NotRemoved, Outcome, UpstreamRefusal, Waiting, catalog,
};
use crate::reply::{Person, Reply};
use crate::request::command::ApprovalAction;

/// Returns the message about an outcome.
pub(crate) fn message(reply: &Reply<'_>) -> ChatMessage {
    let mut message = match reply.account {
        Some(account) => About { reply, account }.message(),
        None => about_no_account(reply),
    };
    if reply.is_decided_already && !matches!(reply.outcome, Outcome::Waiting(_)) {
        let decided = Text::words(wording::DECIDED_ALREADY.in_language(reply.language));
        match message.body.first_mut() {
            Some(first) => *first = decided.sentence(first.clone(), reply.language),
            None => message.body.push(decided),
        }
    }
    message.small_print = small_print(reply);
    message
}

/// Returns the message to the requester of a removal that waits for approval, if they alone see it; `None` if it waits for
/// nothing of the kind.
pub(super) fn to_requester(reply: &Reply<'_>) -> Option<ChatMessage> {
    let (Outcome::Waiting(Waiting::Approval { missing, .. }), Some(account)) = (reply.outcome, reply.account) else {
        return None;
    };
    let wording = if *missing == 1 { wording::WAITS_ONE } else { wording::WAITS };
    let fields = [Account, Instance, Environment, Reason, Policy, AskedAt, Approvals, Until];
    let message = About { reply, account }.say(Icon::Waiting, wording, &fields);
    Some(ChatMessage { small_print: small_print(reply), ..message })
}

/// Returns the message that reminds approvers of a request that waits, and says when the next one comes.
pub(crate) fn reminder(reply: &Reply<'_>, next: Option<DateTime<FixedOffset>>) -> ChatMessage {
    let mut message = message(reply);
    if let Some(account) = reply.account {
        message.title = About { reply, account }.fill(wording::REMIND.title);
    }
    if let Some(next) = next {
        // Before the last line, which the words to type belong to.
        message.body.insert(0, Text::fill(wording::NEXT_REMINDER, &[("time", time(next))], reply.language));
    }
    message
}

/// Whether the message replaces the one whose button was clicked: not if the person who clicked may not do so, because others
/// still need the buttons.
pub(super) fn replaces(reply: &Reply<'_>) -> bool {
    reply.clicked.is_some() && !matches!(reply.outcome.state(), State::Denied | State::Refused)
}

/// Returns the early answer, for when the work takes longer than the platform waits.
pub(super) fn acknowledgement(early: &Acknowledgement<'_>) -> ChatMessage {
    let Acknowledgement { language, account, row, follows, .. } = *early;
    let (user_name, instance) = account.unwrap_or_default();
    let values = [
        ("account", Text::code(user_name)),
        ("instance", Text::code(instance)),
        ("status", Text::code(format!("status {row}"))),
    ];
    let heading = if account.is_some() { wording::RECEIVED.title } else { wording::RECEIVED_ONLY.title };
    let body = if follows { wording::RECEIVED.body } else { wording::RECEIVED_ONLY.body };
    let title = Text::fill(heading, &values, language);
    ChatMessage {
        body: vec![Text::fill(body, &values, language)],
        ..ChatMessage::new(language, Some(Icon::Waiting), title)
    }
}

/// A recorded message: TaurusDB's words as they are, the gateway's as sentences.
pub fn as_said(message: &str, state: State, language: Language) -> Text {
    match state {
        State::RefusedUpstream | State::AlreadyGone | State::NotRemoved => Text::upstream(message),
        _ => sentences(&clauses(message), language),
    }
}

/// A person or system by name.
pub fn named(person: Person<'_>, language: Language) -> Text {
    let principal = Text::code(person.principal);
    match person.name {
        Some(name) => Text::fill(wording::NAMED, &[("name", Text::quote(name)), ("principal", principal)], language),
        None => principal,
    }
}

/// A time as people read it.
pub fn time(at: DateTime<FixedOffset>) -> Text {
    Text::words(at.format("%Y-%m-%d %H:%M %:z").to_string())
}

/// The code and the ids that an operator asks for.
fn small_print(reply: &Reply<'_>) -> Vec<Text> {
    let id = |text, id: &str| Text::fill(text, &[("id", Text::quote(id))], reply.language);
    let mut parts = vec![id(wording::REMOVAL_ID, reply.removal_id)];
    parts.extend(reply.upstream_request_id.map(|upstream| id(wording::UPSTREAM_ID, upstream)));
    parts.push(Text::quote(reply.outcome.code()));
    parts
}

/// A message that names no account in its title: the request could not be read, or it is not about one.
fn about_no_account(reply: &Reply<'_>) -> ChatMessage {
    match reply.outcome {
        Outcome::Refused(message) if message.entry() == &catalog::ACCOUNT_RESERVED => {
            protected(reply, wording::RESERVED, message)
        }
        Outcome::Refused(message) if message.entry() == &catalog::ACCOUNT_PROTECTED => {
            protected(reply, wording::PROTECTED, message)
        }
        _ => as_sentences(reply),
    }
}

fn protected(reply: &Reply<'_>, wording: Wording, message: &Message) -> ChatMessage {
    let account = [("account", Text::code(message.text("name").unwrap_or_default()))];
    let title = Text::fill(wording.title, &account, reply.language);
    ChatMessage {
        body: vec![Text::words(wording.body.in_language(reply.language))],
        ..ChatMessage::new(reply.language, Some(Icon::Refused), title)
    }
}

/// The error text: its first clause is the title.
fn as_sentences(reply: &Reply<'_>) -> ChatMessage {
    let clauses = clauses(&reply.outcome.message(reply.language));
    let icon = match reply.outcome.state() {
        State::Removed => Icon::Done,
        State::AlreadyGone | State::Cancelled | State::Expired | State::DryRun => Icon::Info,
        State::AwaitingConfirmation | State::AwaitingApproval | State::InFlight => Icon::Waiting,
        State::NotRemoved | State::NotSent | State::Unknown => Icon::Warning,
        State::RefusedUpstream | State::Denied | State::Refused | State::Rejected => Icon::Refused,
    };
    let (first, rest) = clauses.split_first().map_or((String::new(), &[][..]), |(first, rest)| (first.clone(), rest));
    let mut message = ChatMessage::new(reply.language, Some(icon), title(&first, reply.language));
    message.body.extend((!rest.is_empty()).then(|| sentences(rest, reply.language)));
    message
}

/// A reply about one account.
struct About<'r, 'a> {
    reply: &'r Reply<'a>,
    account: (&'a str, &'a str),
}

use Label::{Account, Approvals, AskedAt, Environment, Instance, Policy, Reason, Requester, Until};

impl About<'_, '_> {
    fn message(&self) -> ChatMessage {
        match self.reply.outcome {
            Outcome::InProgress => self.say(Icon::Waiting, wording::IN_PROGRESS, &[]),
            Outcome::Waiting(Waiting::Confirmation { reference, needs_approval, .. }) => {
                self.confirmation(reference, *needs_approval)
            }
            Outcome::Waiting(Waiting::Approval { reference, missing, .. }) => self.approval(reference, *missing),
            Outcome::DryRun(found) => self.dry_run(found),
            Outcome::NotRemoved(NotRemoved::StillListed) => self.say(Icon::Warning, wording::STILL_THERE, &[]),
            Outcome::Denied(Denied::Removal(denial)) => self.denied(denial),
            Outcome::RefusedUpstream(UpstreamRefusal::Undocumented(_)) => {
                let clauses = clauses(&self.reply.outcome.message(self.reply.language));
                let said = vec![sentences(&clauses, self.reply.language)];
                ChatMessage { body: said, ..self.say(Icon::Refused, wording::REFUSED_UPSTREAM, &[]) }
            }
            outcome => self.of_state(outcome.state()),
        }
    }

    /// The message about a state, also of an earlier answer to the same request.
    fn of_state(&self, state: State) -> ChatMessage {
        match state {
            State::Removed if *self.reply.outcome == Outcome::Removed(Evidence::AccountList) => {
                self.say(Icon::Done, wording::GONE_BY_LIST, &[Reason, Policy, Approvals])
            }
            State::Removed if self.reply.request.approvers.is_empty() => {
                ChatMessage { body: Vec::new(), ..self.say(Icon::Done, wording::REMOVED, &[Reason, Policy]) }
            }
            State::Removed => {
                self.say(Icon::Done, wording::APPROVED, &[Environment, Requester, Reason, Policy, Approvals])
            }
            State::AlreadyGone => self.say(Icon::Info, wording::ABSENT, &[Requester]),
            State::Rejected => self.rejected(),
            State::Cancelled => self.say(Icon::Info, wording::CANCELLED, &[Requester]),
            State::Expired => {
                let unconfirmed = self.reply.request.is_unconfirmed;
                let expired = if unconfirmed { wording::NOT_CONFIRMED } else { wording::NOT_APPROVED };
                self.say(Icon::Info, expired, &[Requester, Approvals])
            }
            State::NotRemoved if self.reply.outcome.code() == catalog::STILL_LISTED.code() => {
                self.say(Icon::Warning, wording::STILL_THERE, &[])
            }
            State::NotRemoved => self.busy(),
            State::NotSent => self.not_carried_out(),
            State::RefusedUpstream => self.refused_upstream(),
            State::Unknown | State::InFlight => self.say(Icon::Warning, wording::UNKNOWN, &[]),
            State::Denied if self.reply.outcome.code() == catalog::FORBIDDEN.code() => {
                self.denied(&self.denial_of_row())
            }
            State::Denied | State::Refused | State::AwaitingConfirmation | State::AwaitingApproval | State::DryRun => {
                as_sentences(self.reply)
            }
        }
    }

    /// A message in these words, with those of these fields that are known.
    fn say(&self, icon: Icon, wording: Wording, labels: &[Label]) -> ChatMessage {
        ChatMessage {
            fields: labels.iter().filter_map(|label| self.field(*label)).collect(),
            body: vec![self.fill(wording.body)],
            ..ChatMessage::new(self.reply.language, Some(icon), self.fill(wording.title))
        }
    }

    fn fill(&self, text: Localized) -> Text {
        let Reply { language, request, removal_id, outcome, .. } = self.reply;
        let (user_name, instance) = self.account;
        let number = |number: usize| Text::words(number.to_string());
        let approver = request.denied_by.map(|(approver, _)| named(approver, *language)).unwrap_or_default();
        let reason = request.denied_by.and_then(|(_, reason)| reason).unwrap_or_default();
        let missing = match outcome {
            Outcome::Waiting(Waiting::Approval { missing, .. }) => *missing,
            _ => 0,
        };
        let values = [
            ("account", Text::code(user_name)),
            ("instance", Text::code(instance)),
            ("until", request.expires_at.map(time).unwrap_or_default()),
            ("required", Text::words(request.required.to_string())),
            ("given", number(request.approvers.len())),
            ("missing", Text::words(missing.to_string())),
            ("approvers", self.approvers()),
            ("approver", approver),
            ("reason", Text::reason(reason)),
            ("message", Text::upstream(outcome.message(*language))),
            ("seconds", Text::words(self.reply.retry_after.unwrap_or_default().to_string())),
            ("status", Text::code(format!("status {removal_id}"))),
            ("cancel", Text::code(format!("cancel {}", outcome.reference().unwrap_or_default()))),
        ];
        Text::fill(text, &values, *language)
    }

    fn approvers(&self) -> Text {
        let language = self.reply.language;
        Text::list(self.reply.request.approvers.iter().map(|approver| named(*approver, language)), language)
    }

    /// A field; `None` if nothing is known of it.
    fn field(&self, label: Label) -> Option<Field> {
        let Reply { language, request, .. } = self.reply;
        let waits = matches!(self.reply.outcome, Outcome::Waiting(_));
        let value = match label {
            Account => Text::code(self.account.0),
            Instance => Text::code(self.account.1),
            Environment => Text::code(self.reply.environment?),
            Requester => self.requester()?,
            Reason => match request.reason {
                Some(reason) => Text::reason(reason),
                None if waits => Text::words(wording::NO_REASON.in_language(*language)),
                None => return None,
            },
            Policy if self.reply.policies.is_empty() => return None,
            Policy => Text::list(self.reply.policies.iter().map(Text::code), *language),
            AskedAt => time(request.asked_at?),
            Approvals if request.approvers.is_empty() && !waits => return None,
            Approvals if request.approvers.is_empty() => self.fill(wording::GIVEN),
            Approvals => self.fill(wording::GIVEN_BY),
            Until => time(request.expires_at?),
        };
        Some(Field { label, value })
    }

    fn requester(&self) -> Option<Text> {
        let Reply { language, request, .. } = self.reply;
        let requester = named(request.requester?, *language);
        Some(match request.caused_by {
            None => requester,
            Some(person) => {
                let values = [("requester", requester), ("person", named(person, *language))];
                Text::fill(wording::CAUSED_BY, &values, *language)
            }
        })
    }

    fn confirmation(&self, reference: &str, needs_approval: bool) -> ChatMessage {
        let wording = match (needs_approval, self.reply.request.required) {
            (false, _) => wording::CONFIRM,
            (true, 0 | 1) => wording::CONFIRM_TO_SUBMIT_ONE,
            (true, _) => wording::CONFIRM_TO_SUBMIT,
        };
        let remove = match needs_approval {
            false => Localized { en: "Remove account", zh: "删除账号" },
            true => Localized { en: "Send for approval", zh: "提交审批" },
        };
        let cancel = Localized { en: "Cancel", zh: "取消" };
        let buttons = vec![
            self.button(ApprovalAction::Confirm, remove, ButtonStyle::Danger, reference),
            self.button(ApprovalAction::Cancel, cancel, ButtonStyle::Plain, reference),
        ];
        let in_words = self.commands(format!("confirm {reference}"), format!("cancel {reference}"));
        let fields = [Account, Instance, Environment, Reason, Policy, Until];
        ChatMessage {
            next: Next { with_buttons: Text::default(), in_words, buttons },
            ..self.say(Icon::Waiting, wording, &fields)
        }
    }

    /// The card for approvers.
    fn approval(&self, reference: &str, missing: u32) -> ChatMessage {
        let Reply { language, request, .. } = self.reply;
        let wording =
            if request.approvers.is_empty() || missing == 0 { wording::APPROVE } else { wording::APPROVE_MORE };
        let approve = Localized { en: "Approve", zh: "批准" };
        let deny = Localized { en: "Deny", zh: "驳回" };
        let denying = wording::DENY.in_language(*language).replace("{reference}", reference);
        let next = Next {
            with_buttons: Text::words(wording::LAST_APPROVAL.in_language(*language)),
            in_words: self.commands(format!("approve {reference}"), denying),
            buttons: vec![
                self.button(ApprovalAction::Approve, approve, ButtonStyle::Primary, reference),
                self.button(ApprovalAction::Deny, deny, ButtonStyle::Plain, reference),
            ],
        };
        let fields = [Account, Instance, Environment, Requester, Reason, Policy, AskedAt, Approvals, Until];
        ChatMessage { next, is_public: true, ..self.say(Icon::Waiting, wording, &fields) }
    }

    fn button(&self, action: ApprovalAction, label: Localized, style: ButtonStyle, reference: &str) -> Button {
        let name = ApprovalAction::ALL.into_iter().find(|(_, known)| *known == action).map_or("", |(name, _)| name);
        Button { name, label: label.in_language(self.reply.language), style, reference: reference.to_owned() }
    }

    fn commands(&self, yes: String, no: String) -> Text {
        Text::fill(wording::WRITE, &[("yes", Text::code(yes)), ("no", Text::code(no))], self.reply.language)
    }

    fn dry_run(&self, found: &DryRun) -> ChatMessage {
        let wording = match (found.decision, self.reply.request.required) {
            (DryRunDecision::Remove, _) => wording::WOULD_REMOVE,
            (DryRunDecision::RequestApproval, 0 | 1) => wording::WOULD_NEED_APPROVAL,
            (DryRunDecision::RequestApproval, _) => wording::WOULD_NEED_APPROVALS,
            (DryRunDecision::Deny, _) => wording::WOULD_BE_DENIED,
        };
        let presence = match found.account {
            AccountPresence::Present => Localized { en: "The account exists.", zh: "账号存在。" },
            AccountPresence::Absent => Localized { en: "The account does not exist.", zh: "账号不存在。" },
            AccountPresence::Unknown => {
                Localized { en: "The account list could not be read.", zh: "无法读取账号列表。" }
            }
            AccountPresence::NotChecked => {
                Localized { en: "The account list was not checked.", zh: "未查询账号列表。" }
            }
        };
        let mut message = self.say(Icon::Info, wording, &[Environment, Policy]);
        self.append(&mut message, Text::words(presence.in_language(self.reply.language)));
        message
    }

    /// Appends a sentence to the body.
    fn append(&self, message: &mut ChatMessage, sentence: Text) {
        let last = message.body.pop().unwrap_or_default();
        message.body.push(last.sentence(sentence, self.reply.language));
    }

    fn denied(&self, denial: &Denial) -> ChatMessage {
        let (icon, wording) = match denial {
            Denial::NotPermitted => (Icon::Refused, wording::NOT_PERMITTED),
            Denial::NotEvaluated => (Icon::Warning, wording::NOT_EVALUATED),
            Denial::Forbidden(policies) => match policies.len() {
                1 => (Icon::Refused, wording::FORBIDDEN),
                _ => (Icon::Refused, wording::FORBIDDEN_BY_SEVERAL),
            },
        };
        self.say(icon, wording, &[Environment, Requester, Policy])
    }

    /// Why an earlier request was denied. A row has the sentence, and no policies if none decided.
    fn denial_of_row(&self) -> Denial {
        let Localized { en, zh } = catalog::NOT_EVALUATED.text;
        match self.reply.outcome {
            Outcome::Replayed(answer) if [en, zh].contains(&answer.message.as_str()) => Denial::NotEvaluated,
            _ => Denial::by(self.reply.policies.to_vec()),
        }
    }

    fn rejected(&self) -> ChatMessage {
        let fields = [Environment, Requester, Reason];
        match self.reply.request.denied_by {
            None => ChatMessage {
                fields: self.say(Icon::Refused, wording::REJECTED, &fields).fields,
                ..as_sentences(self.reply)
            },
            Some((_, None)) => self.say(Icon::Refused, wording::REJECTED, &fields),
            Some((_, Some(_))) => self.say(Icon::Refused, wording::REJECTED_WITH_REASON, &fields),
        }
    }

    /// What TaurusDB said, and what its code means.
    fn says(&self, meaning: &[String]) -> Text {
        let language = self.reply.language;
        let said = self.reply.outcome.message(language);
        let stop = if said.ends_with(['.', '。', '!', '！', '?', '？']) { "" } else { full_stop(language) };
        let says = self.fill(wording::REFUSED_UPSTREAM.body).and(Text::words(stop));
        says.sentence(sentences(meaning, language), language)
    }

    fn meaning(&self) -> Vec<String> {
        let language = self.reply.language;
        self.reply.meaning.map(|meaning| clauses(meaning.in_language(language))).unwrap_or_default()
    }

    fn busy(&self) -> ChatMessage {
        let wording = if self.reply.retry_after.is_some() { wording::BUSY } else { wording::BUSY_FOR_LONG };
        let message = self.say(Icon::Warning, wording, &[]);
        // The other clause of the meaning says when to try again, which the sentence of the message does.
        let why = match self.meaning().first() {
            Some(meaning) => sentence(meaning, self.reply.language),
            None => self.says(&[]),
        };
        ChatMessage { body: vec![why.sentence(self.fill(wording.body), self.reply.language)], ..message }
    }

    fn refused_upstream(&self) -> ChatMessage {
        let ask = Localized { en: "ask the operator", zh: "请联系管理员" }.in_language(self.reply.language);
        let meaning = match self.meaning() {
            known if known.is_empty() => vec![ask.to_owned()],
            known => known,
        };
        ChatMessage { body: vec![self.says(&meaning)], ..self.say(Icon::Refused, wording::REFUSED_UPSTREAM, &[]) }
    }

    /// What failed, whether the account is as it was, and when to ask again.
    fn not_carried_out(&self) -> ChatMessage {
        let Reply { language, outcome, .. } = self.reply;
        let (before, after) = wording::UNCHANGED;
        let said = outcome.message(*language).replace(before.in_language(*language), after.in_language(*language));
        let body = vec![sentences(&clauses(&said), *language)];
        ChatMessage { body, ..self.say(Icon::Warning, wording::NOT_CARRIED_OUT, &[]) }
    }
}
