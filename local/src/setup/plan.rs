//! What setting up a caller changes. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow, bail};
use http::Uri;
use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers;
use starrocks_offboard::callers::kind::{CallerKind, Endpoint};
use starrocks_offboard::config::Config;
use starrocks_offboard::config::caller_shape::{CallerShape, KeyShape};
use starrocks_offboard::config::callers::Caller;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::Diagnostic;
use starrocks_offboard::secret::Secret;

use super::address::Address;
use super::inputs::{Given, MAP, Missing};
use super::offboard_toml::{Keys, NewCaller, NewLeavers, with_caller};
use super::recipe::{Origin, Recipe, Site, Step};
use super::secret::Random;
use super::spin_toml::{Declaration, edited};
use super::variables;

/// What the operator asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The kind.
    pub recipe: &'static Recipe,
    /// Where the gateway is.
    pub address: Address,
    /// The caller's name.
    pub name: String,
    /// Settings and people of the caller.
    pub given: Given,
    /// Whether examples stand for what was not given, because the caller is only looked at.
    pub is_draft: bool,
}

/// The texts of the files that change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// offboard.toml
    pub offboard: String,
    /// spin.toml
    pub spin: String,
}

/// A variable of the caller's secret, and where its value comes from.
#[derive(Debug, Clone)]
pub struct SecretVariable {
    /// Its name in spin.toml.
    pub variable: String,
    /// Where its value comes from.
    pub value: Source,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// It was made now, and is nowhere else.
    Made(Secret),
    /// The platform shows it there.
    Platform(&'static str),
    /// The operator set it when the caller was set up.
    SetBefore,
}

/// What setting up a caller comes to.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The texts after it; those of before if nothing changes.
    pub texts: Texts,
    /// The lines of the new `[[caller]]`; `None` if the caller is configured already.
    pub caller_lines: Option<String>,
    /// What is added to spin.toml, as lines of it; empty if nothing is.
    pub spin_lines: String,
    /// The variables of the caller's secrets.
    pub secrets: Vec<SecretVariable>,
    /// What has to be put in place of examples.
    pub examples: Vec<Missing>,
    /// What is left to do at the platform.
    pub steps: Vec<Step>,
}

/// What is known of the caller, new or not.
struct Known {
    /// The variables of its secrets, with their parts, all of them.
    variables: Vec<(&'static str, String)>,
    /// The ID of its first access key.
    key_id: Option<String>,
    /// Its settings.
    settings: Vec<(String, Vec<String>)>,
}

/// Plans what sets up a caller. A caller of this name and kind that is there already stays as it is; what spin.toml lacks for it is
/// added.
///
/// # Errors
///
/// If offboard.toml cannot be used, it has a caller of this name and another kind, the request does not fit the kind, or `random`
/// fails.
pub fn plan(request: &Request, texts: Texts, random: Random<'_>) -> anyhow::Result<Plan> {
    let recipe = request.recipe;
    let kind = callers::kind(recipe.kind).with_context(|| format!("caller kind `{}` does not exist", recipe.kind))?;
    let shape = kind.shape();
    let config = Config::parse(&texts.offboard, &callers::shapes())
        .map_err(|error| anyhow!(Diagnostic::error(OFFBOARD, error.line, error.message)))?;
    let mut examples = Vec::new();
    let (known, offboard, caller_lines) = match config.caller(&request.name) {
        Ok(caller) if caller.kind != recipe.kind => bail!(
            "caller `{}` exists already and is of kind `{}`; choose another name with `--name`",
            caller.name,
            caller.kind
        ),
        Ok(caller) => (Known::of(caller, &shape), texts.offboard.clone(), None),
        Err(_) => {
            let given = complete(request, &mut examples)?;
            let settings = given.settings_of(&shape)?;
            given.check_people(recipe)?;
            let known = Known::new(request, &shape, settings, &named_variables(&texts.offboard));
            let caller = new_caller(request, &known, kind, leavers(recipe, given, &config));
            let (offboard, lines) = with_caller(&texts.offboard, &caller)?;
            (known, offboard, Some(lines))
        }
    };
    let spin = edited(&texts.spin, &known.declarations(request), &known.origins(recipe, &shape))?;
    let secrets = known.secrets(recipe, caller_lines.is_some(), random)?;
    let variables = known.first_secret();
    let site = Site { address: &request.address, name: &request.name, variables, key_id: known.key_id.as_deref() };
    let steps = (recipe.steps)(&site);
    Ok(Plan {
        texts: Texts { offboard, spin: spin.text },
        caller_lines,
        spin_lines: spin.lines,
        secrets,
        examples,
        steps,
    })
}

/// Puts examples for what was not given, if that is allowed.
fn complete(request: &Request, examples: &mut Vec<Missing>) -> anyhow::Result<Given> {
    let mut given = request.given.clone();
    let missing = given.missing(request.recipe);
    if let Some(first) = missing.first().filter(|_| !request.is_draft) {
        bail!("caller kind `{}` needs {}, {}; add `{}`", request.recipe.kind, first.key, first.what, first.argument());
    }
    for value in &missing {
        given.answer(value, &value.example)?;
    }
    *examples = missing;
    Ok(given)
}

/// Returns the variables that offboard.toml names: of callers, of those who are told, and of credentials.
fn named_variables(offboard: &str) -> BTreeSet<String> {
    let Some(map) = SourceMap::read(offboard) else { return BTreeSet::new() };
    let callers = map.callers.into_iter().flat_map(|caller| caller.variables);
    let notify = map.notify.into_iter().flat_map(|target| target.variables);
    callers.chain(notify).chain(map.variables).map(|variable| variable.text).collect()
}

/// Returns the leavers' table of a new caller: on all instances, because the operator knows which to leave out.
fn leavers(recipe: &Recipe, given: Given, config: &Config) -> Option<NewLeavers> {
    let names = recipe.leavers?;
    Some(NewLeavers {
        instances: config.instances().iter().map(|instance| instance.name.clone()).collect(),
        templates: names.templates.iter().map(|template| (*template).to_owned()).collect(),
        map: given.map,
    })
}

fn new_caller<'r>(
    request: &'r Request,
    known: &Known,
    kind: &dyn CallerKind,
    leavers: Option<NewLeavers>,
) -> NewCaller<'r> {
    let shape = kind.shape();
    let is_list = |key: &str| shape.settings.iter().any(|setting| setting.name == key && setting.is_list);
    let settings = known.settings.iter().map(|(key, values)| (key.clone(), values.clone(), is_list(key)));
    NewCaller {
        name: &request.name,
        kind: request.recipe.kind,
        endpoint: match kind.endpoint() {
            Endpoint::Hook(methods) => format!("{methods} /hooks/{}", request.name),
            Endpoint::Scim => format!("/scim/v2/{}", request.name),
            Endpoint::Documented => "TaurusDB's documented API".to_owned(),
            Endpoint::Console => "GET, POST /console".to_owned(),
        },
        keys: known.keys(shape.keys),
        settings: settings.collect(),
        leavers,
    }
}

impl Missing {
    /// Returns the argument that gives it.
    fn argument(&self) -> String {
        match self.key {
            MAP => format!("--map {}", self.example),
            key => format!("--set {key}={}", self.example),
        }
    }
}

impl Known {
    /// A new caller.
    fn new(
        request: &Request,
        shape: &CallerShape,
        settings: Vec<(String, Vec<String>)>,
        named: &BTreeSet<String>,
    ) -> Self {
        // Bearer tokens take the place of an access key.
        let has_tokens = settings.iter().any(|(key, _)| key == "issuer");
        let is_without = has_tokens && shape.keys == KeyShape::AccessKeys { optional: true };
        let has_id = matches!(shape.keys, KeyShape::AccessKeys { .. }) && !is_without;
        let names = variables::names(request.recipe, &request.name, named);
        let parts = request.recipe.secrets.iter().map(|part| part.name).filter(|_| !is_without);
        Self {
            variables: parts.filter_map(|part| Some((part, names.get(part)?.clone()))).collect(),
            key_id: has_id.then(|| format!("{}-1", request.name)),
            settings,
        }
    }

    /// A caller that is configured.
    fn of(caller: &Caller, shape: &CallerShape) -> Self {
        let settings = shape.settings.iter().map(|setting| setting.name);
        let settings = settings.map(|name| (name.to_owned(), caller.settings(name).to_vec()));
        Self {
            variables: caller.keys.iter().flat_map(|key| key.variables.clone()).collect(),
            key_id: caller.keys.first().and_then(|key| key.id.clone()),
            settings: settings.filter(|(_, values)| !values.is_empty()).collect(),
        }
    }

    fn keys(&self, shape: KeyShape) -> Keys {
        let first = || self.variables.first().map(|(_, variable)| variable.clone()).unwrap_or_default();
        match (shape, &self.key_id) {
            (KeyShape::Secret, _) => Keys::Secret(first()),
            (KeyShape::Secrets(_), _) => Keys::Parts(self.variables.clone()),
            (KeyShape::AccessKeys { .. }, Some(id)) => Keys::AccessKey { id: id.clone(), variable: first() },
            (KeyShape::AccessKeys { .. }, None) | (KeyShape::None, _) => Keys::None,
        }
    }

    /// Returns the variables of the first secret: a caller whose secret is rotated has a second one.
    fn first_secret(&self) -> BTreeMap<&'static str, String> {
        let mut first = BTreeMap::new();
        for (part, variable) in &self.variables {
            first.entry(*part).or_insert_with(|| variable.clone());
        }
        first
    }

    fn declarations(&self, request: &Request) -> Vec<Declaration> {
        let declaration = |(part, name): &(&'static str, String)| {
            let known = request.recipe.secrets.iter().find(|known| known.name == *part);
            let what = known.map_or("Secret of a caller", |known| known.what);
            let is_standard = known.is_some_and(|known| known.variable == name);
            let of = if is_standard { String::new() } else { format!(", for caller {}", request.name) };
            Declaration { name: name.clone(), description: format!("{what}{of}") }
        };
        self.variables.iter().map(declaration).collect()
    }

    /// Returns the origins that the gateway sends requests to for this caller.
    fn origins(&self, recipe: &Recipe, shape: &CallerShape) -> Vec<String> {
        let has = |name: &str| self.settings.iter().any(|(known, _)| known == name);
        let is_reached =
            |key: &str| shape.settings.iter().any(|setting| setting.name == key && setting.reached.is_by(has));
        let urls = self.settings.iter().filter(|(key, _)| is_reached(key)).flat_map(|(_, values)| values);
        let of_settings = urls.filter_map(|url| {
            let url: Uri = url.parse().ok()?;
            Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
        });
        recipe.hosts.iter().map(|host| (*host).to_owned()).chain(of_settings).collect()
    }

    /// Makes the secrets that are not the platform's, for a new caller only.
    fn secrets(&self, recipe: &Recipe, is_new: bool, random: Random<'_>) -> anyhow::Result<Vec<SecretVariable>> {
        let mut secrets = Vec::new();
        for (name, variable) in &self.variables {
            let origin = recipe.secrets.iter().find(|part| part.name == *name).map(|part| part.origin);
            let value = match origin {
                Some(Origin::Made(form)) if is_new => Source::Made(form.make(random)?),
                Some(Origin::Platform(place)) if is_new => Source::Platform(place),
                _ => Source::SetBefore,
            };
            secrets.push(SecretVariable { variable: variable.clone(), value });
        }
        Ok(secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::inputs::{mapped, setting};
    use crate::setup::recipes::recipe;

    fn texts() -> Texts {
        Texts {
            offboard: include_str!("../../../config/offboard.toml").to_owned(),
            spin: include_str!("../../../spin.toml").to_owned(),
        }
    }

    /// A request with settings and people, in the form of arguments.
    fn request(kind: &str, name: &str, settings: &[&str], map: &[&str]) -> Request {
        let given = Given {
            settings: settings.iter().map(|argument| setting(argument).unwrap()).collect(),
            map: map.iter().map(|argument| mapped(argument).unwrap()).collect(),
        };
        let address = "https://offboard.example.com".parse().unwrap();
        Request { recipe: recipe(kind).unwrap(), address, name: name.to_owned(), given, is_draft: false }
    }

    fn planned(request: &Request, texts: Texts) -> anyhow::Result<Plan> {
        let mut zeros = |bytes: &mut [u8]| {
            bytes.fill(0);
            Ok(())
        };
        plan(request, texts, &mut zeros)
    }

    fn message(request: &Request) -> String {
        planned(request, texts()).unwrap_err().to_string()
    }

    #[test]
    fn a_second_caller_has_variables_and_keys_of_its_own() {
        let plan = planned(&request("api", "terraform", &[], &[]), texts()).unwrap();
        let lines = "[[caller]]\nname = \"terraform\" # TaurusDB's documented API\nkind = \"api\"\naccess_keys = [{ id = \"terraform-1\", secret = \"api_access_key\" }]\n";
        assert_eq!(plan.caller_lines.as_deref(), Some(lines));
        // The first one of the kind uses what spin.toml declares.
        assert_eq!((plan.spin_lines.as_str(), &plan.texts.spin), ("", &texts().spin));
        let third = planned(&request("api", "hcloud", &[], &[]), plan.texts).unwrap();
        assert_eq!(
            third.spin_lines,
            "[variables]\nhcloud_access_key = { default = \"\", secret = true, description = \"Secret of an access key for the documented API, for caller hcloud\" }\n\n[component.offboard.variables]\nhcloud_access_key = \"{{ hcloud_access_key }}\"\n"
        );
        let [SecretVariable { variable, value: Source::Made(secret) }] = third.secrets.as_slice() else {
            panic!("{:?}", third.secrets)
        };
        assert_eq!((variable.as_str(), secret.expose()), ("hcloud_access_key", &*"00".repeat(32)));
    }

    /// A variable has one value, and that of a message's signature is no caller's secret.
    #[test]
    fn a_variable_of_those_who_are_told_is_not_a_callers() {
        let table = |variable: &str| {
            format!(
                "\n[[notify]]\nname = \"events\"\nkind = \"standard-webhooks\"\nurl = \"notify_url\"\nsecrets = [\"{variable}\"]\nevents = [\"waiting\"]\n"
            )
        };
        for (named, expected) in [
            (&[][..], "api_access_key"),
            (&["api_access_key"], "terraform_access_key"),
            (&["api_access_key", "terraform_access_key"], "terraform_2_access_key"),
        ] {
            let tables = named.iter().map(|variable| table(variable).replace("\"events\"", &format!("\"{variable}\"")));
            let offboard = texts().offboard + &tables.collect::<String>();
            let plan = planned(&request("api", "terraform", &[], &[]), Texts { offboard, ..texts() }).unwrap();
            assert_eq!(plan.secrets[0].variable, expected, "{named:?}");
        }
    }

    #[test]
    fn tokens_take_the_place_of_an_access_key_and_their_keys_are_reached() {
        let settings = [
            "issuer=https://login.example.com/staff",
            "audience=starrocks-offboard",
            "jwks_url=https://login.example.com/keys",
        ];
        let plan = planned(&request("api", "portal-2", &settings, &[]), texts()).unwrap();
        let lines = "[[caller]]\nname = \"portal-2\" # TaurusDB's documented API\nkind = \"api\"\nissuer = \"https://login.example.com/staff\"\naudience = [\"starrocks-offboard\"]\njwks_url = \"https://login.example.com/keys\"\n";
        assert_eq!(plan.caller_lines.as_deref(), Some(lines));
        let hosts = "[component.offboard]\nallowed_outbound_hosts = [ …, \"https://login.example.com\" ]\n";
        assert_eq!(plan.spin_lines, hosts);
        assert!(plan.secrets.is_empty());
    }

    /// Whatever else was asked for: what an operator wrote is the operator's.
    #[test]
    fn a_caller_that_is_there_stays_as_it_is() {
        let plan = planned(&request("slack", "slack", &["teams=T0001"], &[]), texts()).unwrap();
        assert_eq!((plan.texts, plan.caller_lines, plan.spin_lines), (texts(), None, String::new()));
        assert!(matches!(plan.secrets.as_slice(), [SecretVariable { value: Source::SetBefore, .. }]));
        assert!(!plan.steps.is_empty());
    }

    #[test]
    fn what_spin_toml_lacks_for_a_caller_that_is_there_is_added() {
        let Texts { offboard, spin } = texts();
        let offboard = offboard.replace(
            "secrets = [\"slack_signing_secret\"]",
            "secrets = [\"slack_signing_secret\", \"slack_signing_secret_next\"]",
        );
        let plan = planned(&request("slack", "slack", &[], &[]), Texts { offboard, spin }).unwrap();
        assert!(plan.spin_lines.starts_with("[variables]\nslack_signing_secret_next = "), "{}", plan.spin_lines);
        assert_eq!(plan.caller_lines, None);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (request, expected) in [
            (
                request("slack", "hr", &[], &[]),
                "caller `hr` exists already and is of kind `standard-webhooks`; choose another name with `--name`",
            ),
            (
                request("slack", "chat", &[], &["id:1=a"]),
                "caller kind `slack` reports no leavers, so `id:1` cannot be used; leave `--map` out",
            ),
            (
                request("feishu", "feishu", &[], &[]),
                "caller kind `feishu` needs app_id, the App ID (developer console, Credentials & Basic Info); add `--set app_id=cli_9f5343c580712544`",
            ),
            (
                request("github", "github", &[], &[]),
                "caller kind `github` needs map, which accounts a person has: people choose their names on GitHub themselves, so each person is listed by ID; add `--map id:583231=octocat`",
            ),
        ] {
            assert_eq!(message(&request), expected);
        }
        let broken = Texts { offboard: "[taurusdb]\ncredentials = 1\n".to_owned(), ..texts() };
        let error = planned(&request("slack", "slack", &[], &[]), broken).unwrap_err().to_string();
        assert!(error.starts_with("offboard.toml, line 2: invalid type"), "{error}");
    }

    #[test]
    fn a_draft_has_examples() {
        let draft = Request { is_draft: true, ..request("feishu", "feishu", &[], &[]) };
        let plan = planned(&draft, texts()).unwrap();
        assert_eq!(plan.examples.iter().map(|example| example.key).collect::<Vec<_>>(), ["app_id"]);
        assert!(plan.caller_lines.unwrap().contains("app_id = \"cli_9f5343c580712544\"\n"));
    }

    #[test]
    fn leavers_are_looked_for_on_every_instance() {
        let plan = planned(&request("gitlab", "gitlab", &[], &["id:41=alice,alice_ro"]), texts()).unwrap();
        let leavers = "\n[caller.leavers]\ninstances = [\"analytics\", \"warehouse\"]\nmap = { \"id:41\" = [\"alice\", \"alice_ro\"] }\n";
        assert!(plan.caller_lines.as_deref().is_some_and(|lines| lines.ends_with(leavers)), "{:?}", plan.caller_lines);
        let plan = planned(&request("scim", "okta", &[], &[]), texts()).unwrap();
        let names = "user_names = [\"{userName|local|snake}\"]\n";
        assert!(plan.caller_lines.as_deref().is_some_and(|lines| lines.ends_with(names)), "{:?}", plan.caller_lines);
    }
}
