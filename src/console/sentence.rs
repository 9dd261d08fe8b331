//! The sentence before a button: account, instance, environment and what follows; then requester, reason, policies, and who else.
//!
//! The part up to what follows is bold. A reader who reads nothing else of the page knows what the button does.

use crate::console::components::account_values;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::view::{Account, Approvers, Requester};
use crate::console::words;
use crate::outcome::language::Localized;

/// What a sentence is about.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The account.
    pub account: &'a Account,
    /// The requester; `None` if it is the reader.
    pub requester: Option<&'a Requester>,
    /// The kind of the caller through which the reader asked; `None` if the request is not sent yet.
    pub through: Option<&'a str>,
    /// The requester's reason.
    pub reason: Option<&'a str>,
    /// The policies that permit it.
    pub policies: &'a [String],
    /// Who else could approve it.
    pub approvers: &'a Approvers,
}

/// What follows from a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// An approval, after which so many are missing.
    Approve {
        /// How many approvals are missing after this one; 0 if the account is removed at once.
        missing: u32,
    },
    /// The requester's confirmation, after which so many approvals are missing.
    Confirm {
        /// How many approvals are missing then; 0 if the account is removed at once.
        missing: u32,
    },
    /// Sending the request, after which so many approvals are missing.
    Send {
        /// How many approvals are missing then; 0 if the account is removed at once.
        missing: u32,
        /// Until when it waits for them.
        until: Option<i64>,
    },
}

impl Button {
    /// Whether the account is gone after the click: such a button is red.
    pub fn removes(self) -> bool {
        matches!(self, Self::Approve { missing: 0 } | Self::Confirm { missing: 0 } | Self::Send { missing: 0, .. })
    }
}

impl Request<'_> {
    /// Returns the sentence.
    pub fn sentence(&self, button: Button, locale: Locale) -> Markup {
        let effect = locale.fill(self.effect(button), &self.values(button, locale));
        let rest = match button {
            Button::Approve { missing: 0 } => vec![self.because(locale), self.instead(locale)],
            Button::Confirm { missing: 0 } => {
                vec![self.because(locale), Markup::text(locale.text(words::NO_APPROVAL_NEEDED))]
            }
            Button::Approve { .. } | Button::Confirm { .. } | Button::Send { .. } => vec![self.because(locale)],
        };
        let separator = Markup::text(locale.text(words::CLAUSE));
        let rest = rest.into_iter().reduce(|clauses, clause| clauses.and(&separator).and(&clause));
        locale.fill(words::SENTENCE, &[("effect", effect), ("rest", rest.unwrap_or_default())])
    }

    fn effect(&self, button: Button) -> Localized {
        let from_people = !(self.approvers.people.is_empty() && self.approvers.teams.is_empty());
        match button {
            Button::Approve { missing: 0 } => words::APPROVE_AND_REMOVE,
            Button::Confirm { missing: 0 } => words::CONFIRM_AND_REMOVE,
            Button::Send { missing: 0, .. } => words::SEND_AND_REMOVE,
            Button::Approve { missing: 1 } if from_people => words::APPROVE_ONE_MORE_FROM,
            Button::Approve { missing: 1 } => words::APPROVE_ONE_MORE,
            Button::Approve { .. } if from_people => words::APPROVE_MORE_FROM,
            Button::Approve { .. } => words::APPROVE_MORE,
            Button::Confirm { missing: 1 } if from_people => words::CONFIRM_ONE_FROM,
            Button::Confirm { missing: 1 } => words::CONFIRM_ONE,
            Button::Confirm { .. } if from_people => words::CONFIRM_SEVERAL_FROM,
            Button::Confirm { .. } => words::CONFIRM_SEVERAL,
            Button::Send { missing: 1, .. } if from_people => words::SEND_ONE_FROM,
            Button::Send { missing: 1, .. } => words::SEND_ONE,
            Button::Send { .. } if from_people => words::SEND_SEVERAL_FROM,
            Button::Send { .. } => words::SEND_SEVERAL,
        }
    }

    fn values(&self, button: Button, locale: Locale) -> [(&'static str, Markup); 5] {
        let (missing, until) = match button {
            Button::Approve { missing } | Button::Confirm { missing } => (missing, None),
            Button::Send { missing, until } => (missing, until),
        };
        let until = until.map(|until| locale.fill(words::UNTIL, &[("time", locale.moment(until))]));
        let [account, _] = account_values(self.account);
        [
            account,
            ("place", locale.place(&self.account.place)),
            ("n", Markup::text(&missing.to_string())),
            ("approvers", locale.approvers(self.approvers)),
            ("until", until.unwrap_or_default()),
        ]
    }

    /// Who asks, why, and which policies permit it.
    fn because(&self, locale: Locale) -> Markup {
        let values = [
            ("requester", self.requester.map(|requester| locale.name(&requester.person)).unwrap_or_default()),
            ("reason", Markup::text(self.reason.unwrap_or_default())),
            ("through", self.through.map(|kind| locale.through(kind)).unwrap_or_default()),
        ];
        let asks = match (self.requester, self.through, self.reason) {
            (Some(_), _, Some(_)) => words::REQUESTER_ASKS,
            (Some(_), _, None) => words::REQUESTER_GAVE_NO_REASON,
            (None, Some(_), Some(_)) => words::YOU_ASKED,
            (None, Some(_), None) => words::YOU_GAVE_NO_REASON,
            (None, None, Some(_)) => words::YOU_ASK,
            (None, None, None) => words::YOU_GIVE_NO_REASON,
        };
        let asks = locale.fill(asks, &values);
        if self.policies.is_empty() {
            return asks;
        }
        let permits = match (self.reason, self.policies.len()) {
            (Some(_), 1) => words::AS_POLICY_PERMITS,
            (Some(_), _) => words::AS_POLICIES_PERMIT,
            (None, 1) => words::AND_POLICY_PERMITS,
            (None, _) => words::AND_POLICIES_PERMIT,
        };
        let policies = self.policies.iter().map(|id| Markup::code(id)).collect();
        locale.fill(permits, &[("asks", asks), ("policies", locale.and(policies))])
    }

    /// Who could approve instead of the reader.
    fn instead(&self, locale: Locale) -> Markup {
        let approvers = locale.approvers(self.approvers);
        if approvers.is_empty() {
            return Markup::text(locale.text(words::NO_OTHER_COULD));
        }
        locale.fill(words::COULD_APPROVE_INSTEAD, &[("approvers", approvers)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::{Environment, Person, Place};
    use crate::outcome::language::Language;

    fn person(name: &str) -> Person {
        Person { name: Some(name.into()), principal: format!("slack/{name}") }
    }

    fn approvers(names: &[&str], teams: &[&str]) -> Approvers {
        Approvers {
            people: names.iter().map(|name| person(name)).collect(),
            teams: teams.iter().map(|team| (*team).to_owned()).collect(),
            has_reader: false,
        }
    }

    fn account(environment: bool) -> Account {
        let environment = environment.then(|| Environment { name: "production".into(), is_guarded: true });
        Account { user_name: "mlee".into(), place: Place { instance: "warehouse".into(), environment } }
    }

    /// The sentence in both languages, with backticks for code and asterisks for what is bold.
    fn said(request: Request<'_>, button: Button) -> [String; 2] {
        [Language::English, Language::Chinese].map(|language| {
            let locale = Locale { language, now: "2026-11-24T14:32:08+08:00".parse().unwrap() };
            let html = request.sentence(button, locale).into_string();
            let html = html.replace("<code>", "`").replace("</code>", "`").replace("<b>", "*").replace("</b>", "*");
            html.replace("<time datetime=\"2026-11-25T14:32:08+08:00\">", "").replace("</time>", "")
        })
    }

    /// Those of whom the sentences are.
    struct Cast {
        mlee: Account,
        priya: Requester,
        policy: [String; 1],
        two: Approvers,
        none: Approvers,
    }

    impl Cast {
        fn new() -> Self {
            Self {
                mlee: account(true),
                priya: Requester { person: person("Priya"), kind: "slack".into(), is_system: false, caused_by: None },
                policy: ["dba-asks".to_owned()],
                two: approvers(&["Ines", "Tomas"], &[]),
                none: Approvers::default(),
            }
        }

        /// Priya's request, which Ines or Tomas could approve.
        fn of_priya(&self) -> Request<'_> {
            Request {
                account: &self.mlee,
                requester: Some(&self.priya),
                through: None,
                reason: Some("Left"),
                policies: &self.policy,
                approvers: &self.two,
            }
        }
    }

    fn check(request: Request<'_>, button: Button, english: &str, chinese: &str) {
        let zh = "`warehouse`（production）上的 `mlee` ";
        assert_eq!(said(request, button), [english.to_owned(), chinese.replace("{zh}", zh)]);
        assert_eq!(button.removes(), english.contains("is removed"));
    }

    #[test]
    fn an_approval_says_what_it_does() {
        let cast = Cast::new();
        let of = cast.of_priya();
        let alone = Request { approvers: &cast.none, ..of };
        check(
            of,
            Button::Approve { missing: 0 },
            "*Approve, and `mlee` is removed from `warehouse` (production) at once*: Priya asks because “Left”, as `dba-asks` permits; Ines or Tomas could approve instead of you.",
            "*批准后，{zh}将立即删除*：Priya以“Left”为由提出申请，依据策略 `dba-asks`；Ines或Tomas也可代您审批。",
        );
        check(
            alone,
            Button::Approve { missing: 0 },
            "*Approve, and `mlee` is removed from `warehouse` (production) at once*: Priya asks because “Left”, as `dba-asks` permits; no other person could approve.",
            "*批准后，{zh}将立即删除*：Priya以“Left”为由提出申请，依据策略 `dba-asks`；没有其他人可以审批。",
        );
        check(
            of,
            Button::Approve { missing: 1 },
            "*Approve, and `mlee` on `warehouse` (production) waits for one more approval*, from Ines or Tomas: Priya asks because “Left”, as `dba-asks` permits.",
            "*批准后，{zh}还需1人批准*，可由Ines或Tomas审批：Priya以“Left”为由提出申请，依据策略 `dba-asks`。",
        );
        check(
            alone,
            Button::Approve { missing: 2 },
            "*Approve, and `mlee` on `warehouse` (production) waits for 2 more approvals*: Priya asks because “Left”, as `dba-asks` permits.",
            "*批准后，{zh}还需2人批准*：Priya以“Left”为由提出申请，依据策略 `dba-asks`。",
        );
    }

    #[test]
    fn a_confirmation_says_what_it_does() {
        let cast = Cast::new();
        let own = Request { requester: None, through: Some("slack"), ..cast.of_priya() };
        check(
            own,
            Button::Confirm { missing: 0 },
            "*Confirm, and `mlee` is removed from `warehouse` (production) at once*: you asked in Slack because “Left”, as `dba-asks` permits; no other person has to approve.",
            "*确认后，{zh}将立即删除*：您通过Slack以“Left”为由提出申请，依据策略 `dba-asks`；无需他人审批。",
        );
        check(
            own,
            Button::Confirm { missing: 1 },
            "*Confirm, and `mlee` on `warehouse` (production) waits for 1 approval*, from Ines or Tomas: you asked in Slack because “Left”, as `dba-asks` permits.",
            "*确认后，{zh}待1人批准*，可由Ines或Tomas审批：您通过Slack以“Left”为由提出申请，依据策略 `dba-asks`。",
        );
    }

    #[test]
    fn sending_says_what_it_does() {
        let cast = Cast::new();
        let new = Request { requester: None, ..cast.of_priya() };
        let tomorrow: chrono::DateTime<chrono::Utc> = "2026-11-25T14:32:08+08:00".parse().unwrap();
        let until = Some(tomorrow.timestamp_millis());
        check(
            new,
            Button::Send { missing: 0, until },
            "*Send, and `mlee` is removed from `warehouse` (production) at once*: you ask because “Left”, as `dba-asks` permits.",
            "*提交后，{zh}将立即删除*：您以“Left”为由提出申请，依据策略 `dba-asks`。",
        );
        check(
            new,
            Button::Send { missing: 2, until },
            "*Send, and `mlee` on `warehouse` (production) waits for 2 approvals*, from Ines or Tomas until tomorrow 14:32: you ask because “Left”, as `dba-asks` permits.",
            "*提交后，{zh}待2人批准*，可由Ines或Tomas审批，截止明天14:32：您以“Left”为由提出申请，依据策略 `dba-asks`。",
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mlee = account(false);
        let nameless = Person { name: None, principal: "slack/U7".into() };
        let requester = Requester { person: nameless, kind: "slack".into(), is_system: false, caused_by: None };
        let several = ["a".to_owned(), "b".to_owned()];
        let six = approvers(&["A", "B", "C", "D", "E", "F"], &["dba"]);
        let of = Request {
            account: &mlee,
            requester: Some(&requester),
            through: None,
            reason: None,
            policies: &several,
            approvers: &six,
        };
        assert_eq!(
            said(of, Button::Approve { missing: 0 }),
            [
                "*Approve, and `mlee` is removed from `warehouse` at once*: `slack/U7` gave no reason, and `a` and `b` permit the request; A, B, C, D and 2 others or any member of team `dba` could approve instead of you.",
                "*批准后，`warehouse` 上的 `mlee` 将立即删除*：`slack/U7` 未填写申请原因，依据策略 `a` 和 `b`；A、B、C、D及另外2人或团队 `dba` 的任一成员也可代您审批。",
            ]
        );
        let own = Request { requester: None, through: None, policies: &[], ..of };
        assert_eq!(
            said(own, Button::Send { missing: 1, until: None })[0],
            "*Send, and `mlee` on `warehouse` waits for 1 approval*, from A, B, C, D and 2 others or any member of team `dba`: you give no reason."
        );
        let asked = Request { through: Some("console"), policies: &several[..1], ..own };
        assert_eq!(
            said(asked, Button::Confirm { missing: 0 }),
            [
                "*Confirm, and `mlee` is removed from `warehouse` at once*: you asked in the console and gave no reason, and `a` permits the request; no other person has to approve.",
                "*确认后，`warehouse` 上的 `mlee` 将立即删除*：您在控制台提出申请，未填写原因，依据策略 `a`；无需他人审批。",
            ]
        );
    }
}
