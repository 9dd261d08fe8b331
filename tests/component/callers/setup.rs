//! What `offboard setup --write` writes into a copy of this repository's config and spin.toml passes its check, starts, and takes the
//! platform's requests: for every kind, as its second caller, so that the variables are ones that the command declared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::Parser;
use local::cli::setup::{Arguments, Console, run_at};
use local::repository;
use local::setup::recipes::RECIPES;
use local::setup::secret::operating_system;
use serde_json::{Value, json};
use starrocks_offboard::callers::shapes;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::callers::Caller;
use support::kind::Kind;
use support::platforms::Platforms;
use support::stage::{Reply, Stage};
use tempfile::TempDir;

use crate::callers::kinds::Component;

/// The name of a kind's second caller. It begins with the kind's, by which answers to chats are known.
fn second(kind: &str) -> String {
    format!("{kind}-2")
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// What a request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The requester is asked to confirm.
    Asks,
    /// Alice's account is removed.
    Removes,
}

/// A kind: the folder of its requests, more arguments of the command, what is said over the folder's `[say]`, and what it comes to.
const CASES: &[(&str, &str, &[&str], &str, Expected)] = &[
    ("slack", "slack", &[], "{}", Expected::Asks),
    ("mattermost", "mattermost", &["--set", "site_url=https://mattermost.example.com"], "{}", Expected::Asks),
    ("teams", "teams", &[], "{}", Expected::Asks),
    ("discord", "discord", &[], "{}", Expected::Asks),
    ("google-chat", "google-chat", &["--set", "audience=1234567890"], r#"{"project": "1234567890"}"#, Expected::Asks),
    ("feishu", "feishu", &["--set", "app_id=cli_9f5343c580712544"], "{}", Expected::Asks),
    ("dingtalk", "dingtalk", &[], "{}", Expected::Asks),
    ("wecom", "wecom", &["--set", "receive_id=wx5823bf96d3bd56c7"], "{}", Expected::Asks),
    ("standard-webhooks", "standard-webhooks", &[], "{}", Expected::Removes),
    ("github", "github", &["--map", "id:39652351=alice"], "{}", Expected::Removes),
    ("gitlab", "gitlab", &["--map", "id:64=alice"], "{}", Expected::Removes),
    ("okta", "okta", &[], "{}", Expected::Removes),
    ("oneaccess", "oneaccess", &[], "{}", Expected::Removes),
    ("welink", "welink", &[], "{}", Expected::Removes),
    ("cloudevents", "cloudevents", &[], "{}", Expected::Removes),
    ("scim", "scim", &[], r#"{"do": "create", "userName": "alice@example.com"}"#, Expected::Removes),
    ("api", "api-access-key", &[], "{}", Expected::Removes),
    ("http-signature", "http-signature", &[], "{}", Expected::Removes),
];

/// The kinds whose platform checks the URL when it is entered.
const CHECKED: &[&str] = &["discord", "feishu", "wecom", "github", "okta", "oneaccess", "welink", "cloudevents"];

/// An installation: a copy of this repository's files.
struct Installation(TempDir);

impl Installation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("config")).unwrap();
        for file in ["spin.toml", "config/offboard.toml", "config/policy.cedar", "config/schema.cedarschema"] {
            fs::copy(repository::root().join(file), folder.path().join(file)).unwrap();
        }
        Self(folder)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    /// Runs the command here, and returns what it prints. It has to succeed: the result passes the check.
    fn setup(&self, kind: &str, more: &[&str]) -> String {
        let spin = self.0.path().join("spin.toml");
        let line = ["setup", kind, "--url", "https://offboard.example.com", "--write", "--spin-toml"];
        let line = line.iter().copied().chain([spin.to_str().unwrap()]).chain(more.iter().copied());
        let mut output = Vec::new();
        let console = Console { terminal: None, output: &mut output, random: &mut operating_system };
        let code =
            run_at(Line::parse_from(line).arguments, console).unwrap_or_else(|error| panic!("{kind}: {error:#}"));
        let output = String::from_utf8(output).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS), "{output}");
        assert!(output.contains("\n0 errors, "), "{output}");
        output
    }

    fn caller(&self, name: &str) -> Caller {
        let config = Config::parse(&self.text("config/offboard.toml"), &shapes()).unwrap();
        config.caller(name).unwrap().clone()
    }
}

/// The values that the command shows, by the names of the environment.
fn shown(output: &str) -> BTreeMap<String, String> {
    let exports = output.lines().filter_map(|line| line.strip_prefix("export ")?.split_once("='"));
    exports.map(|(name, value)| (name.to_owned(), value.trim_end_matches('\'').to_owned())).collect()
}

/// A kind that is set up, and what its platform holds.
struct Played {
    fixture: Kind,
    /// The name of the second caller.
    name: String,
    installation: Installation,
    variables: BTreeMap<String, String>,
    secret: Value,
}

impl Played {
    /// Sets up two callers of the kind, one after the other. Of the second, the platform has the secrets that were made, or the
    /// gateway those that the platform has.
    fn new(kind: &str, folder: &str, more: &[&str]) -> Self {
        let fixture = Kind::all().into_iter().find(|known| known.name == folder).unwrap();
        let installation = Installation::new();
        installation.setup(kind, more);
        let name = second(kind);
        let named = [more, &["--name", &name]].concat();
        let output = installation.setup(kind, &named);
        let written = ["config/offboard.toml", "spin.toml"].map(|file| installation.text(file));
        let again = installation.setup(kind, &named);
        assert!(again.contains("already; nothing of it is changed.\n"), "{again}");
        assert!(shown(&again).is_empty(), "{again}");
        assert_eq!(["config/offboard.toml", "spin.toml"].map(|file| installation.text(file)), written);

        let (mut variables, mut secret) = (BTreeMap::new(), fixture.secret.clone());
        let (caller, made) = (installation.caller(&name), shown(&output));
        let recipe = RECIPES.iter().find(|recipe| recipe.kind == kind).unwrap();
        for (part, variable) in caller.keys.iter().flat_map(|key| &key.variables) {
            let known = recipe.secrets.iter().find(|known| known.name == *part).unwrap();
            assert_ne!(known.variable, variable, "the second caller has variables of its own");
            let environment = format!("SPIN_VARIABLE_{}", variable.to_ascii_uppercase());
            let value = match made.get(&environment) {
                Some(value) => {
                    let part = if secret.get("secret_key").is_some() { "secret_key" } else { part };
                    secret[part] = value.as_str().into();
                    value.clone()
                }
                None => fixture.variables[known.variable].clone(),
            };
            variables.insert(variable.clone(), value);
        }
        if let Some(id) = caller.keys.first().and_then(|key| key.id.clone()) {
            let name = if kind == "api" { "access_key" } else { "key_id" };
            secret[name] = id.into();
        }
        variables.extend(fixture.settings.clone());
        Self { fixture, name, installation, variables, secret }
    }

    /// Starts the gateway with what was written, once an operator has put the principal into the team.
    async fn start(&self) -> Component {
        let principal = match self.installation.caller(&self.name).keys.first().and_then(|key| key.id.as_deref()) {
            Some(id) => format!("{}/{id}", self.name),
            None => self.fixture.principal.replacen(&self.fixture.caller_name(), &self.name, 1),
        };
        let mut setup = self.fixture.setup(false, &[]);
        let offboard = self.installation.text("config/offboard.toml");
        setup.offboard = offboard.replacen("members = [", &format!("members = [\"{principal}\", "), 1);
        setup.variables.clone_from(&self.variables);
        setup.spin_toml = Some(self.installation.0.path().join("spin.toml"));
        Component::open(setup).await
    }

    /// Sends what is said over the folder's `[say]`.
    async fn send(&self, component: &Component, say: &Value, nonce: &str) -> Reply {
        let mut ask = self.fixture.ask(&component.host(), nonce);
        ask["caller"] = self.name.as_str().into();
        ask["secret"] = self.secret.clone();
        let over = say.as_object().unwrap().clone();
        let is_check = over.contains_key("handshake");
        ask["say"].as_object_mut().unwrap().extend(over);
        // The event that the command shows for senders that can choose it.
        let event = Path::new("tests/fixtures/setup").join(&self.fixture.name).join("event.json");
        if let Ok(event) = fs::read_to_string(repository::root().join(event))
            && !is_check
        {
            ask["body"] = event.into();
        }
        let reply = component.send(&Platforms::request(&self.fixture.name, &ask)).await;
        component.0.settled().await;
        reply
    }
}

#[test]
fn every_kind_is_set_up() {
    let kinds: Vec<_> = CASES.iter().map(|(kind, ..)| *kind).collect();
    // The console's people send no request of a platform: tests/component/console.
    let recipes = RECIPES.iter().map(|recipe| recipe.kind).filter(|kind| *kind != "console");
    assert_eq!(kinds, recipes.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_starts_and_takes_the_requests_of_the_platform() {
    let only = std::env::var("KIND").unwrap_or_default();
    for (kind, folder, more, say, expected) in CASES.iter().filter(|(kind, ..)| only.is_empty() || *kind == only) {
        let played = Played::new(kind, folder, more);
        let component = played.start().await;
        if CHECKED.contains(kind) {
            let reply = played.send(&component, &json!({"handshake": true}), "check").await;
            assert_eq!(reply.status, 200, "{kind}: {}", String::from_utf8_lossy(&reply.body));
        }
        let mut reply = played.send(&component, &serde_json::from_str(say).unwrap(), "first").await;
        if *kind == "scim" {
            assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
            let created: Value = serde_json::from_slice(&reply.body).unwrap();
            let leaves = json!({"do": "patch", "id": created["id"]});
            reply = played.send(&component, &leaves, "second").await;
        }
        let rows = component.rows();
        let told = format!("{kind}: {} {}\n{rows:#?}", reply.status, String::from_utf8_lossy(&reply.body));
        let row = rows.iter().find(|row| row.caller.as_deref() == Some(&played.name));
        let row = row.unwrap_or_else(|| panic!("no row: {told}"));
        let state = if *expected == Expected::Asks { "awaiting-confirmation" } else { "removed" };
        assert_eq!((row.state.as_str(), row.user_name.as_deref()), (state, Some("alice")), "{told}");
        assert_eq!(component.has_alice(), *expected == Expected::Asks, "{told}");

        // The variable that was declared is the one that decides.
        if played.variables.keys().any(|name| !played.fixture.settings.contains_key(name)) {
            let stranger = Played { secret: played.other_secret(), ..played };
            let reply = stranger.send(&component, &json!({}), "stranger").await;
            let code = reply.header("x-offboard-code").unwrap_or_default();
            assert!(code.starts_with("OFFBOARD.401"), "{kind}: {} {code}", reply.status);
        }
    }
}

impl Played {
    /// The secret of another platform, under the ID of this one.
    fn other_secret(&self) -> Value {
        let mut other = self.fixture.other_secret.clone();
        for name in ["access_key", "key_id"] {
            if let Some(id) = self.secret.get(name) {
                other[name] = id.clone();
            }
        }
        other
    }
}
