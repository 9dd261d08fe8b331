//! One afternoon of one person, Dana of the team `dba`: the data of every sample page.
//!
//! Every text of a view comes out of [`Samples::text`], so that a test can put another one in its place.

use chrono::{DateTime, FixedOffset, NaiveDate};
use starrocks_offboard::console::chart::{Day, Statistics};
use starrocks_offboard::console::locale::Locale;
use starrocks_offboard::console::pages::frame::{Frame, Navigation};
use starrocks_offboard::console::view::{
    Account, Act, Approvers, Done, Environment, Owner, OwnerPerson, Person, Place, Requester, Standing, Vote,
};
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::outcome::state::State;

/// Where the texts of the views come from.
pub(crate) struct Samples<'a> {
    pub(crate) language: Language,
    pub(crate) text: &'a dyn Fn(&str) -> String,
}

/// The time of the sample pages.
const NOW: &str = "2026-11-24T14:32:08+08:00";

/// Returns the milliseconds of a time of that day, or of another one: `13:46:02`, `20 10:52:30`.
pub(crate) fn at(time: &str) -> i64 {
    let (day, time) = time.split_once(' ').unwrap_or(("24", time));
    let time: DateTime<FixedOffset> = format!("2026-11-{day}T{time}+08:00").parse().unwrap();
    time.timestamp_millis()
}

impl Samples<'_> {
    pub(crate) fn t(&self, text: &str) -> String {
        (self.text)(text)
    }

    /// A text that a person of this language would write.
    pub(crate) fn say(&self, english: &str, chinese: &str) -> String {
        self.t(match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        })
    }

    pub(crate) fn list(&self, texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| self.t(text)).collect()
    }

    pub(crate) fn locale(&self) -> Locale {
        Locale { language: self.language, now: NOW.parse().unwrap() }
    }

    pub(crate) fn frame(&self, done: Option<Done>) -> Frame {
        Frame {
            locale: self.locale(),
            reader: self.person("Dana"),
            permitted: Navigation { ask: true, accounts: true, policy: true },
            waiting: 4,
            sign_out_token: Some(self.t("s4…")),
            other_language: self.t("/console?language=zh-cn"),
            policy_set: self.digest(),
            version: self.t("0.1.0"),
            done,
        }
    }

    pub(crate) fn digest(&self) -> String {
        self.t("b89a2308303a7fb8f5c606aab6486cab8a2075b428bddb06a962aa2684957d88")
    }

    pub(crate) fn done(&self, act: Act, state: State) -> Done {
        Done {
            act,
            account: self.account("kchen", "warehouse"),
            id: self.t("01a20d3f5c1e4b7a9e60c2d8f4b91a37"),
            state,
            at: at("14:28:00"),
            missing: 1,
            message: Some(self.say("the instance is busy; try again", "实例繁忙；请重试")),
            faster: None,
        }
    }

    pub(crate) fn place(&self, instance: &str) -> Place {
        let (environment, is_guarded) = if instance == "analytics" { ("staging", false) } else { ("production", true) };
        let environment = Some(Environment { name: self.t(environment), is_guarded });
        Place { instance: self.t(instance), environment }
    }

    pub(crate) fn account(&self, user_name: &str, instance: &str) -> Account {
        Account { user_name: self.t(user_name), place: self.place(instance) }
    }

    pub(crate) fn person(&self, name: &str) -> Person {
        let principal = match name {
            "Priya" => "slack/U7PR1YA02",
            "Tomas" => "portal/tomas@example.com",
            "Dana" => "console/dana@example.com",
            _ => "console/marek@example.com",
        };
        Person { name: Some(self.t(name)), principal: self.t(principal) }
    }

    pub(crate) fn people(&self, names: &[&str]) -> Vec<Person> {
        names.iter().map(|name| self.person(name)).collect()
    }

    pub(crate) fn requester(&self, name: &str, kind: &str) -> Requester {
        Requester { person: self.person(name), kind: self.t(kind), is_system: false, caused_by: None }
    }

    pub(crate) fn system(&self, name: &str, kind: &str) -> Requester {
        let person = Person { name: Some(self.t(name)), principal: self.t(name) };
        Requester { person, kind: self.t(kind), is_system: true, caused_by: None }
    }

    pub(crate) fn approvers(&self, names: &[&str]) -> Approvers {
        Approvers { people: self.people(names), teams: Vec::new(), has_reader: true }
    }

    pub(crate) fn vote(&self, name: &str, time: &str, reason: Option<(&str, &str)>) -> Vote {
        Vote {
            person: self.person(name),
            kind: self.t("console"),
            is_approval: true,
            reason: reason.map(|(english, chinese)| self.say(english, chinese)),
            at: at(time),
        }
    }

    pub(crate) fn denial(&self, name: &str, time: &str, reason: Option<(&str, &str)>) -> Vote {
        Vote { is_approval: false, ..self.vote(name, time, reason) }
    }

    pub(crate) fn owner(&self, standing: Standing, people: &[(&str, bool, Option<&str>)]) -> Owner {
        let people = people.iter().map(|(name, has_left, left_at)| OwnerPerson {
            name: self.t(name),
            has_left: *has_left,
            left_at: left_at.map(at),
            is_reader: *name == "Dana",
        });
        Owner { standing, people: people.collect() }
    }

    pub(crate) fn leaver(&self, name: &str, day: &str) -> Owner {
        self.owner(Standing::OwnerLeft, &[(name, true, Some(&format!("{day} 09:00:00")))])
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let first = NaiveDate::from_ymd_opt(2026, 10, 26).unwrap();
        let days = first.iter_days().zip(COUNTS).map(|(date, [gone, said_no, no_effect, failed, waiting])| Day {
            gone,
            said_no,
            no_effect,
            failed,
            waiting,
            ..Day::new(date)
        });
        let minutes = [(6, 4), (6, 9), (5, 14), (9, 31), (6, 180), (1, 225), (3, 700)];
        let decided = minutes.into_iter().flat_map(|(times, after)| std::iter::repeat_n(after * 60_000, times));
        Statistics { days: days.collect(), decided_after: decided.collect(), expired: 2 }
    }
}

const COUNTS: [[u32; 5]; 30] = [
    [5, 1, 0, 0, 0],
    [4, 0, 1, 0, 0],
    [3, 1, 0, 0, 0],
    [6, 0, 0, 1, 0],
    [4, 1, 1, 0, 0],
    [0; 5],
    [0, 1, 0, 0, 0],
    [7, 0, 1, 0, 0],
    [3, 2, 0, 0, 0],
    [5, 0, 1, 0, 0],
    [4, 1, 0, 0, 0],
    [2, 0, 1, 0, 0],
    [1, 0, 0, 0, 0],
    [0; 5],
    [6, 1, 0, 1, 0],
    [8, 0, 1, 0, 0],
    [5, 2, 0, 0, 0],
    [3, 0, 0, 0, 0],
    [4, 1, 1, 0, 0],
    [0; 5],
    [0, 0, 1, 0, 0],
    [5, 1, 0, 0, 0],
    [9, 1, 1, 0, 0],
    [4, 0, 0, 1, 0],
    [5, 1, 0, 0, 0],
    [4, 0, 2, 1, 0],
    [0; 5],
    [0; 5],
    [1, 2, 0, 0, 1],
    [3, 1, 0, 1, 4],
];
