//! How a caller of each kind is configured, and what its secrets are: `tests/fixtures/callers/{folder}/caller.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;

/// The folders, in the order in which inputs count them: a new one goes to the end.
pub(crate) const FOLDERS: [&str; 26] = [
    "slack",
    "mattermost",
    "teams",
    "discord",
    "google-chat",
    "feishu",
    "dingtalk",
    "wecom",
    "wecom-bot",
    "standard-webhooks",
    "standard-webhooks-v1a",
    "github",
    "gitlab",
    "gitlab-token",
    "okta",
    "oneaccess",
    "oneaccess-encrypted",
    "welink",
    "cloudevents",
    "cloudevents-binary",
    "scim",
    "api-access-key",
    "api-token",
    "http-signature",
    // The next two stand for a caller that is asked whether they mean it.
    "slack",
    "discord",
];

/// From this place on, people are asked whether they mean it.
const ASKED: usize = 24;

pub(crate) const POLICY: &str = include_str!("../../config/policy.cedar");
pub(crate) const SCHEMA: &str = include_str!("../../config/schema.cedarschema");
pub(crate) const OFFBOARD: &str = include_str!("../../config/offboard.toml");

/// 2026-06-01T10:00:00Z, a Monday.
pub(crate) const NOW: i64 = 1_780_308_000;

#[derive(Debug, Deserialize)]
struct CallerToml {
    principal: String,
    caller: String,
    #[serde(default)]
    config: String,
    #[serde(default)]
    files: Vec<String>,
    variables: BTreeMap<String, String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    published: BTreeMap<String, String>,
    secret: toml::Value,
    other_secret: toml::Value,
}

/// A caller, configured.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The kind's name in offboard.toml.
    pub(crate) kind: String,
    /// The caller's name.
    pub(crate) name: String,
    /// The demo's offboard.toml, with this caller and no other.
    pub(crate) offboard: String,
    /// The same, parsed.
    pub(crate) config: Config,
    pub(crate) variables: BTreeMap<String, String>,
    /// Those that hold secrets.
    pub(crate) secrets: Vec<String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) published: BTreeMap<String, String>,
    /// What the platform has.
    pub(crate) secret: toml::Value,
    /// What another one has.
    pub(crate) other_secret: toml::Value,
}

/// The caller that a byte stands for.
pub(crate) fn kind(byte: u8) -> &'static Kind {
    static KINDS: [OnceLock<Kind>; FOLDERS.len()] = [const { OnceLock::new() }; FOLDERS.len()];
    let place = usize::from(byte) % FOLDERS.len();
    KINDS[place].get_or_init(|| Kind::read(FOLDERS[place], place >= ASKED))
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

impl Kind {
    fn read(folder: &str, asked: bool) -> Self {
        let folder = fixtures().join("callers").join(folder);
        let toml: CallerToml = toml::from_str(&text(&folder.join("caller.toml"))).expect("it is one of the fixtures");
        let (before, rest) = OFFBOARD.split_once("[[caller]]").expect("the demo has callers");
        let (_, accounts) = rest.split_once("[accounts]").expect("the demo has accounts");
        let value = |name: &str| {
            let line = toml.caller.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
            line.split('"').nth(1).unwrap_or_default().to_owned()
        };
        let (kind, name) = (value("kind"), value("name"));
        let shape = callers::kind(&kind).unwrap_or_else(|| panic!("no kind `{kind}`")).shape();
        let mut caller = toml.caller.clone();
        if shape.is_chat && shape.proves_body && !asked {
            caller = caller.replacen("kind = ", "confirm = false\nkind = ", 1);
        }
        let offboard = format!("{before}{caller}\n{}\n[accounts]{accounts}", toml.config);
        let offboard = offboard.replacen("members = [", &format!("members = [\"{}\", ", toml.principal), 1);
        let config = Config::parse(&offboard, &callers::shapes()).unwrap_or_else(|why| panic!("{why}\n{offboard}"));
        Self {
            kind,
            name,
            offboard,
            config,
            secrets: toml.variables.values().filter(|value| !value.contains("PUBLIC KEY")).cloned().collect(),
            variables: toml.variables.into_iter().chain(toml.settings).collect(),
            files: toml.files.iter().map(|name| (name.clone(), text(&folder.join(name)))).collect(),
            published: toml.published,
            secret: toml.secret,
            other_secret: toml.other_secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use starrocks_offboard::callers::kind::Endpoint;

    use super::*;

    #[test]
    fn every_folder_of_callers_is_a_target() {
        let folders = fs::read_dir(fixtures().join("callers")).expect("it is there");
        let there: BTreeSet<_> = folders
            .map(|entry| entry.expect("it is there").path())
            .filter(|path| path.join("caller.toml").exists())
            .map(|path| path.file_name().expect("it has a name").to_string_lossy().into_owned())
            .collect();
        assert_eq!(there, FOLDERS.iter().map(|name| (*name).to_owned()).collect());
        let kinds: BTreeSet<_> = (0..26).map(|byte| kind(byte).kind.as_str()).collect();
        // The console's people send no command.
        let of_commands = callers::KINDS.iter().filter(|kind| kind.endpoint() != Endpoint::Console);
        assert_eq!(kinds, of_commands.map(|kind| kind.shape().name).collect());
    }
}
