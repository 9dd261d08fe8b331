//! People of one directory, whose names collide, in any order: no account goes without an approver whose owner is active.

use std::collections::BTreeMap;

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use support::database::cases;
use support::memory::Memory;

use crate::gateway::text;
use crate::removal::leavers::{ANALYTICS, has, scim, world};

/// What an identity system says of its person number `0` to `3`.
#[derive(Debug, Clone)]
enum Act {
    Create(usize, &'static str, bool),
    Rename(usize, &'static str),
    Activate(usize, bool),
    /// A new name and the end, or the beginning, in one request.
    Both(usize, &'static str, bool),
    /// The whole resource, which may leave out `active`.
    Put(usize, &'static str, Option<bool>),
    Delete(usize),
    Look(usize),
}

/// Five people and three account names: `pat`, `kim`, `p_at`.
const NAMES: [&str; 6] =
    ["pat@a.example", "pat@b.example", "Kim@a.example", "kim@b.example", "p.at@a.example", "p-at@b.example"];

fn any_act() -> impl Strategy<Value = Act> {
    let who = || 0_usize..4;
    let name = || prop::sample::select(NAMES.to_vec());
    prop_oneof![
        4 => (who(), name(), prop::bool::weighted(0.8)).prop_map(|(who, name, is)| Act::Create(who, name, is)),
        2 => (who(), name()).prop_map(|(who, name)| Act::Rename(who, name)),
        4 => (who(), any::<bool>()).prop_map(|(who, is)| Act::Activate(who, is)),
        2 => (who(), name(), any::<bool>()).prop_map(|(who, name, is)| Act::Both(who, name, is)),
        2 => (who(), name(), any::<Option<bool>>()).prop_map(|(who, name, is)| Act::Put(who, name, is)),
        1 => who().prop_map(Act::Delete),
        1 => who().prop_map(Act::Look),
    ]
}

#[derive(Debug, Clone, Default)]
struct Person {
    id: String,
    name: String,
    is_active: bool,
}

/// The people by their number, and whose each account is: the person's who was active first under its name.
struct Model {
    host: Memory,
    app: App,
    people: [Option<Person>; 4],
    /// By id: also of people who were deleted.
    active: BTreeMap<String, bool>,
    owners: BTreeMap<String, String>,
}

impl Model {
    async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer = scim(&self.host, &self.app, method, path, body).await;
        (answer.status().as_u16(), serde_json::from_str(&text(&answer)).unwrap_or_default())
    }

    async fn act(&mut self, act: &Act) {
        let operation = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
        let patch = |operations: Vec<Value>| (Method::PATCH, json!({"Operations": operations}));
        let (who, request, name, is) = match act {
            Act::Create(who, name, is) => return self.create(*who, name, *is).await,
            Act::Rename(who, name) => (who, patch(vec![operation("userName", json!(name))]), Some(*name), None),
            Act::Activate(who, is) => (who, patch(vec![operation("active", json!(is))]), None, Some(*is)),
            Act::Both(who, name, is) => {
                let both = vec![operation("userName", json!(name)), operation("active", json!(is))];
                (who, patch(both), Some(*name), Some(*is))
            }
            Act::Put(who, name, is) => {
                let mut body = json!({"userName": name});
                if let Some(is) = is {
                    body["active"] = json!(is);
                }
                (who, (Method::PUT, body), Some(*name), *is)
            }
            Act::Delete(who) => (who, (Method::DELETE, Value::Null), None, Some(false)),
            Act::Look(who) => (who, (Method::GET, Value::Null), None, None),
        };
        let Some(person) = self.people[*who].clone() else { return };
        let (status, answer) = self.send(request.0, &format!("/Users/{}", person.id), &request.1).await;
        let is_taken = answer["scimType"] == "uniqueness";
        let person = match status {
            204 | 404 => None,
            _ if is_taken => Some(person),
            _ => Some(Person {
                name: name.map_or(person.name, str::to_owned),
                is_active: is.unwrap_or(person.is_active),
                id: person.id,
            }),
        };
        if let Some(before) = &self.people[*who] {
            self.active.insert(before.id.clone(), person.as_ref().is_some_and(|person| person.is_active));
        }
        self.people[*who] = person;
    }

    async fn create(&mut self, who: usize, name: &str, is_active: bool) {
        if self.people[who].is_some() {
            return;
        }
        let (status, answer) = self.send(Method::POST, "/Users", &json!({"userName": name, "active": is_active})).await;
        if status == 201 {
            let id = answer["id"].as_str().unwrap().to_owned();
            self.active.insert(id.clone(), is_active);
            self.people[who] = Some(Person { id, name: name.to_owned(), is_active });
        }
    }

    /// Every active person has an account: the one of the name, if another person has not had it before.
    fn settle(&mut self) {
        for person in self.people.iter().flatten().filter(|person| person.is_active) {
            let local = person.name.split('@').next().unwrap().to_lowercase();
            let account = local.replace(['.', '-'], "_");
            if !self.owners.contains_key(&account) {
                has(&self.host, &[(ANALYTICS, &account)]);
                self.owners.insert(account, person.id.clone());
            }
        }
    }

    /// The accounts that went, with their owners.
    fn gone(&mut self) -> Vec<(String, String)> {
        let accounts = self.host.cloud.as_ref().unwrap().accounts.borrow();
        let is_there = |account: &String| accounts.iter().any(|(_, name)| name == account);
        let (there, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.owners).into_iter().partition(|(account, _)| is_there(account));
        self.owners = there;
        gone.into_iter().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), ..ProptestConfig::default() })]

    #[test]
    fn no_account_goes_whose_owner_is_active_under_another_id(acts in prop::collection::vec(any_act(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (host, app) = world(&[("[\"analytics\", \"warehouse\"]\nuser_names", "[\"analytics\"]\nuser_names")]);
            let mut model =
                Model { host, app, people: Default::default(), active: BTreeMap::new(), owners: BTreeMap::new() };
            for (step, act) in acts.iter().enumerate() {
                model.act(act).await;
                for (account, owner) in model.gone() {
                    let is_active = model.active.get(&owner).copied().unwrap_or_default();
                    prop_assert!(!is_active, "step {step} of {acts:?}: {account} went, and {owner} is active");
                }
                model.settle();
            }
            Ok(())
        })?;
    }
}
