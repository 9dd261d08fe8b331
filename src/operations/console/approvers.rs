//! Who could approve a request: the people whom the configuration names, and the teams that come from tokens.
//!
//! Policy is asked about each of them as it would be if they approved at this moment. Nothing is known of a person whom neither
//! `[[person]]` nor `[[team]]` names; such a person may be in a team of their token.

use std::collections::{BTreeMap, BTreeSet};

use crate::callers::actors::actor;
use crate::config::Config;
use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::authorize::policy_context;
use crate::operations::console::who::Who;
use crate::policy::counts::Counts;
use crate::policy::{Action, AuthzContext, AuthzRequest, Principal};
use crate::request::actor::{Actor, Groups};
use crate::request::removal::RemovalRequest;

/// How many people are asked about at most, for each request.
const MOST: usize = 200;

/// Who could approve a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approvers {
    /// The people, by name; who asked, who caused it, who has approved and who reads it are not among them.
    pub people: Vec<Who>,
    /// Any other member of these teams could, whom a token would name.
    pub teams: Vec<String>,
}

/// Who could approve a removal that is not asked for yet, beside the person who would ask.
pub fn approvers_of<H: Host>(ctx: &Ctx<'_, H>, removal: &RemovalRequest<'_>) -> Approvers {
    let without = BTreeSet::from([ctx.app.config.person(&removal.actor.principal)]);
    Candidates::new(ctx).of(removal, &without)
}

/// Those whom the configuration names, with what policy has answered.
pub(super) struct Candidates<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    context: AuthzContext,
    /// The actors of each person, by the person's name or their only principal.
    people: BTreeMap<&'c str, Vec<Actor>>,
    /// A member of each team that policies name, through each caller whose tokens name teams.
    members: Vec<(String, Actor)>,
    /// Who may approve, by instance, account and whether a reason was given.
    known: BTreeMap<(String, String, bool), Approvers>,
}

impl<'a, 'c, H: Host> Candidates<'a, 'c, H> {
    pub(super) fn new(ctx: &'a Ctx<'c, H>) -> Self {
        let config = &ctx.app.config;
        let context = policy_context(ctx.app, ctx.at, Counts::default());
        Self { ctx, context, people: people(config), members: members(ctx), known: BTreeMap::new() }
    }

    /// Who could approve a removal beside these people, who are named as [`Config::person`] does.
    pub(super) fn of(&mut self, removal: &RemovalRequest<'_>, without: &BTreeSet<&str>) -> Approvers {
        let key = (removal.instance.name.clone(), removal.user_name.as_str().to_owned(), removal.reason.is_some());
        let all = match self.known.get(&key) {
            Some(all) => all.clone(),
            None => {
                let all = self.asked(removal);
                self.known.insert(key, all.clone());
                all
            }
        };
        let person = |who: &Who| who.name.clone().unwrap_or_else(|| who.principal.clone());
        let people = all.people.into_iter().filter(|who| !without.contains(person(who).as_str())).collect();
        Approvers { people, teams: all.teams }
    }

    fn asked(&self, removal: &RemovalRequest<'_>) -> Approvers {
        let config = &self.ctx.app.config;
        let may_approve = |actor: &Actor| {
            let request = AuthzRequest::about(removal, Principal::of(actor, config), Action::Approve);
            self.ctx.app.policies.is_authorized(&request, self.context).allowed
        };
        let people = self.people.values().filter_map(|actors| actors.iter().find(|actor| may_approve(actor)));
        let teams: BTreeSet<_> =
            self.members.iter().filter(|(_, actor)| may_approve(actor)).map(|(team, _)| team.clone()).collect();
        Approvers {
            people: people.map(|actor| Who::of(config, &actor.principal)).collect(),
            teams: teams.into_iter().collect(),
        }
    }
}

/// Those who can send a request, and are people: a system that acts under its own name approves nothing.
fn people(config: &Config) -> BTreeMap<&str, Vec<Actor>> {
    let of_people = config.people().into_iter().flat_map(|person| person.principals.iter().map(String::as_str));
    let principals: BTreeSet<_> = of_people.chain(config.team_members()).filter(|one| one.contains('/')).collect();
    let mut people: BTreeMap<&str, Vec<Actor>> = BTreeMap::new();
    for principal in principals {
        let person = config.person(principal);
        let is_full = people.len() >= MOST && !people.contains_key(person);
        if let Some(actor) = actor(config, principal).ok().filter(|_| !is_full) {
            people.entry(person).or_default().push(actor);
        }
    }
    people
}

/// A member of each team that policies name, as a token would prove them.
fn members<H: Host>(ctx: &Ctx<'_, H>) -> Vec<(String, Actor)> {
    let callers = ctx.app.config.callers().filter(|caller| caller.setting("groups").is_some());
    let teams = ctx.app.policies.named_teams();
    let member = |caller, team: &String| {
        // No person has this id, so that no policy about one person decides.
        let person = Actor::person(caller, "\u{0}");
        (team.clone(), Actor { groups: Groups::new(vec![team.clone()], i64::MAX), ..person })
    };
    callers.flat_map(|caller| teams.iter().map(move |team| member(caller, team))).collect()
}
