//! Badges, environments, people, accounts and owners, as every page shows them.

use crate::console::icons::Icon;
use crate::console::locale::Locale;
use crate::console::markup::Markup;
use crate::console::states::{Look, Tone, of_standing, of_state};
use crate::console::view::{
    Account, Act, Approvers, Done, Owner, OwnerPerson, Person, Place, Requester, Standing, Vote,
};
use crate::console::{href, words};
use crate::outcome::language::Localized;
use crate::outcome::state::State;

/// How many approvers are named; of more, the first [`FIRST`] are.
const MOST_NAMED: usize = 5;

/// How many are named beside "and 3 others".
const FIRST: usize = 4;

impl Locale {
    /// Returns a badge: an icon and words.
    pub(super) fn badge(self, tone: Tone, icon: Icon, words: &Markup) -> Markup {
        let class = format!("badge {}", tone.class());
        Markup::element("span", &[("class", &class)], icon.markup().and(words))
    }

    fn look(self, look: Look) -> Markup {
        self.badge(look.tone, look.icon, &Markup::text(self.text(look.words)))
    }

    /// Returns the badge of a state.
    pub(super) fn state(self, state: State) -> Markup {
        self.look(of_state(state))
    }

    /// Returns the badge of a standing.
    pub(super) fn standing(self, standing: Standing) -> Markup {
        self.look(of_standing(standing))
    }

    /// Returns a banner: an icon, and what it says.
    pub(super) fn note(self, tone: Tone, icon: Icon, content: Markup) -> Markup {
        let class = format!("note {}", tone.class());
        let content = Markup::element("span", &[], content);
        Markup::element("p", &[("class", &class)], icon.markup().and(&content))
    }

    /// Returns the banner above a form that cannot be used. Its id is what the wrong field is described by.
    pub(super) fn wrong(self, content: Markup) -> Markup {
        let content = Markup::element("span", &[], content);
        Markup::element("p", &[("class", "note bad"), ("id", "wrong")], Icon::Alert.markup().and(&content))
    }

    /// Returns the environment of an instance; nothing if it is not known.
    pub(super) fn environment(self, place: &Place) -> Markup {
        let Some(environment) = &place.environment else { return Markup::default() };
        let class = if environment.is_guarded { "env guarded" } else { "env" };
        Markup::element("span", &[("class", class)], Markup::text(&environment.name))
    }

    /// Returns "`warehouse` (production)".
    pub(super) fn place(self, place: &Place) -> Markup {
        let instance = Markup::code(&place.instance);
        match &place.environment {
            None => instance,
            Some(environment) => {
                let values = [("instance", instance), ("environment", Markup::text(&environment.name))];
                self.fill(words::PLACE, &values)
            }
        }
    }

    /// Returns "`mlee` on `warehouse`".
    pub(super) fn account(self, account: &Account) -> Markup {
        self.fill(words::ACCOUNT_ON, &account_values(account))
    }

    /// Returns "`mlee` on `warehouse`", with the account as a link to its removal.
    pub(super) fn linked_account(self, account: &Account, id: &str) -> Markup {
        let link = Markup::link(&href::removal(id), Markup::code(&account.user_name));
        let values = [("account", link), ("instance", Markup::code(&account.place.instance))];
        self.fill(words::LINKED_ACCOUNT_ON, &values)
    }

    /// Returns "mlee on warehouse", for titles.
    pub(super) fn plain_account(self, account: &Account) -> Markup {
        let [user_name, instance] = [&account.user_name, &account.place.instance].map(|name| Markup::text(name));
        self.fill(words::PLAIN_ACCOUNT_ON, &[("account", user_name), ("instance", instance)])
    }

    /// Returns a person in a sentence: the name, or else the principal.
    pub(super) fn name(self, person: &Person) -> Markup {
        person.name.as_ref().map_or_else(|| Markup::code(&person.principal), |name| Markup::text(name))
    }

    /// Returns a person as a fact: the name in bold, and the principal beside it.
    pub(super) fn person(self, person: &Person) -> Markup {
        let Some(name) = &person.name else { return Markup::code(&person.principal) };
        let name = Markup::bold(Markup::text(name));
        if person.name.as_ref() == Some(&person.principal) {
            return name;
        }
        let principal = Markup::element("span", &[("class", "dim small")], Markup::text(&person.principal));
        name.and(&Markup::text(" ")).and(&principal)
    }

    /// Returns the reader, with a place to break the principal: the column is narrow.
    pub(super) fn reader(self, reader: &Person) -> Markup {
        let principal = match reader.principal.split_once('/') {
            None => Markup::text(&reader.principal),
            Some((caller, id)) => Markup::text(caller).and(&Markup::own("/<wbr>")).and(&Markup::text(id)),
        };
        let principal = Markup::element("span", &[("class", "dim small")], principal);
        match &reader.name {
            None => principal,
            Some(name) => Markup::bold(Markup::text(name)).and(&Markup::text(" ")).and(&principal),
        }
    }

    /// Returns what a caller kind is called.
    pub(super) fn kind(self, kind: &str) -> Markup {
        words::kind(kind).map_or_else(|| Markup::code(kind), |words| Markup::text(self.text(words)))
    }

    /// Returns "in Slack", "through the API".
    pub(super) fn through(self, kind: &str) -> Markup {
        self.fill(words::through(kind), &[("kind", self.kind(kind))])
    }

    /// Returns who asked, how and when, as a fact.
    pub(super) fn asked_by(self, requester: &Requester, asked_at: i64) -> Markup {
        let values = [("through", self.through(&requester.kind)), ("time", self.moment(asked_at))];
        let how = if requester.is_system { words::HOW_A_SYSTEM_ASKED } else { words::HOW_A_PERSON_ASKED };
        let asked = self.person(&requester.person).and(&Markup::text(" ")).and(&Markup::dim(self.fill(how, &values)));
        match &requester.caused_by {
            None => asked,
            Some(person) => {
                let caused = self.fill(words::CAUSED_BY, &[("person", self.person(person))]);
                asked.and(&Markup::text(" ")).and(&caused)
            }
        }
    }

    /// Returns "asked 46 min ago".
    pub(super) fn asked_ago(self, asked_at: i64) -> Markup {
        let text = self.text(words::ASKED_AGO).replace("{ago}", &self.ago(asked_at));
        self.element(asked_at, &text)
    }

    /// Returns policies, as a list of code.
    pub(super) fn policies(self, policies: &[String]) -> Markup {
        self.enumerate(policies.iter().map(|id| Markup::code(id)).collect())
    }

    /// Returns those who could approve, in a sentence: "Ines or Tomas"; nothing if no person could.
    pub(super) fn approvers(self, approvers: &Approvers) -> Markup {
        let people = &approvers.people;
        let mut names: Vec<_> = people.iter().map(|person| self.name(person)).collect();
        if names.len() > MOST_NAMED {
            let others = names.len().saturating_sub(FIRST);
            names.truncate(FIRST);
            let values = [("names", self.enumerate(names)), ("n", Markup::text(&others.to_string()))];
            let listed = self.fill(words::AND_OTHERS, &values);
            return self.or(std::iter::once(listed).chain(self.teams(approvers)).collect());
        }
        names.extend(self.teams(approvers));
        self.or(names)
    }

    fn teams(self, approvers: &Approvers) -> Option<Markup> {
        let teams: Vec<_> = approvers.teams.iter().map(|team| Markup::code(team)).collect();
        (!teams.is_empty()).then(|| self.fill(words::MEMBER_OF_TEAM, &[("teams", self.or(teams))]))
    }

    /// Returns those who can approve, as a fact: "You, Ines, Tomas".
    pub(super) fn can_approve(self, approvers: &Approvers) -> Markup {
        let reader = approvers.has_reader.then(|| Markup::text(self.text(words::YOU)));
        let people = approvers.people.iter().map(|person| self.name(person));
        let all: Vec<_> = reader.into_iter().chain(people).chain(self.teams(approvers)).collect();
        if all.is_empty() { Markup::text(self.text(words::NO_ONE_KNOWN)) } else { self.enumerate(all) }
    }

    /// Returns how many have approved, and who, as a fact.
    pub(super) fn approvals(self, votes: &[Vote], required: u32) -> Markup {
        let given = votes.len().to_string();
        let values = [("given", Markup::text(&given)), ("required", Markup::text(&required.to_string()))];
        let count = Markup::bold(self.fill(words::OF, &values));
        let who = votes.iter().map(|vote| {
            self.fill(words::NAME_AND_TIME, &[("name", self.name(&vote.person)), ("time", self.moment(vote.at))])
        });
        let who = self.enumerate(who.collect());
        if who.is_empty() { count } else { count.and(&Markup::text(" ")).and(&Markup::dim(who)) }
    }

    /// Returns the owner as a fact, with the badge.
    pub(super) fn owner(self, owner: &Owner) -> Markup {
        self.standing(owner.standing).and(&Markup::text(" ")).and(&self.owner_people(owner))
    }

    /// Returns the people whose account it may be, or why there is none.
    pub(super) fn owner_people(self, owner: &Owner) -> Markup {
        let people: Vec<_> = owner.people.iter().map(|person| self.owner_person(person, owner.people.len())).collect();
        let without = match owner.standing {
            Standing::Protected => words::KEPT_BY_THE_OPERATOR,
            _ => words::NO_PERSON_IS_KNOWN,
        };
        if people.is_empty() { Markup::dim(Markup::text(self.text(without))) } else { self.or(people) }
    }

    fn owner_person(self, person: &OwnerPerson, of: usize) -> Markup {
        let note = match (person.has_left, person.left_at) {
            _ if person.is_reader => Markup::text(self.text(words::YOURSELF)),
            (true, Some(at)) => self.fill(words::LEFT_ON, &[("date", self.date(at))]),
            (true, None) => Markup::text(self.text(words::HAS_LEFT)),
            (false, _) if of > 1 => Markup::text(self.text(words::IS_ACTIVE)),
            (false, _) => return Markup::text(&person.name),
        };
        let values = [("name", Markup::text(&person.name)), ("note", Markup::dim(note))];
        self.fill(words::NAME_AND_NOTE, &values)
    }

    /// Returns the banner about what the reader has just done.
    pub(super) fn done(self, done: &Done) -> Markup {
        let (tone, icon) = match done.faster {
            Some(_) => (Tone::Off, Icon::Minus),
            None => {
                let look = of_state(done.state);
                (look.tone, look.icon)
            }
        };
        let class = format!("note {}", tone.class());
        let link = Markup::link(&href::removal(&done.id), Markup::text(self.text(words::SEE_THE_RECORD)));
        let values = self.done_values(done);
        let mut text = self.fill(done_words(done), &values);
        if let Some(message) = done.message.as_deref().filter(|_| tells_message(done.state)) {
            text = text.and(&Markup::text(self.text(words::SPACE))).and(&self.sentence(message));
        }
        let text = Markup::element("span", &[], text.and(&Markup::text(self.text(words::SPACE))).and(&link));
        Markup::element("div", &[("class", &class), ("role", "status")], icon.markup().and(&text))
    }

    fn done_values(self, done: &Done) -> [(&'static str, Markup); 6] {
        let [account, instance] = account_values(&done.account);
        [
            account,
            instance,
            ("time", self.clock(done.at)),
            ("n", Markup::text(&done.missing.to_string())),
            ("person", done.faster.as_ref().map(|person| self.name(person)).unwrap_or_default()),
            ("state", Markup::text(self.text(of_state(done.state).words))),
        ]
    }
}

/// The account and the instance as values of a text.
pub(super) fn account_values(account: &Account) -> [(&'static str, Markup); 2] {
    [("account", Markup::code(&account.user_name)), ("instance", Markup::code(&account.place.instance))]
}

fn done_words(done: &Done) -> Localized {
    if done.faster.is_some() {
        return match done.state {
            State::Removed => words::FASTER_REMOVED,
            State::Rejected => words::FASTER_REJECTED,
            State::Cancelled => words::FASTER_CANCELLED,
            _ => words::FASTER,
        };
    }
    match (done.act, done.state) {
        (_, State::Removed) => words::DONE_REMOVED,
        (_, State::AlreadyGone) => words::DONE_ALREADY_GONE,
        (Act::Approve, State::AwaitingApproval) => match done.missing {
            1 => words::DONE_APPROVED_ONE_MISSING,
            _ => words::DONE_APPROVED_MORE_MISSING,
        },
        (_, State::AwaitingApproval) => match done.missing {
            1 => words::DONE_WAITS_FOR_ONE,
            _ => words::DONE_WAITS_FOR_MORE,
        },
        (_, State::AwaitingConfirmation) => words::DONE_WAITS_FOR_CONFIRMATION,
        (_, State::Rejected) => words::DONE_REJECTED,
        (_, State::Cancelled) => words::DONE_CANCELLED,
        (_, State::Expired) => words::DONE_EXPIRED,
        (_, State::Unknown) => words::DONE_UNKNOWN,
        (_, State::InFlight) => words::DONE_IN_FLIGHT,
        (
            _,
            State::Denied
            | State::Refused
            | State::NotSent
            | State::NotRemoved
            | State::RefusedUpstream
            | State::DryRun,
        ) => words::DONE_OTHER,
    }
}

/// Whether the sentence of the outcome says more than the banner.
fn tells_message(state: State) -> bool {
    matches!(
        state,
        State::Denied | State::Refused | State::NotSent | State::NotRemoved | State::RefusedUpstream | State::Unknown
    )
}
