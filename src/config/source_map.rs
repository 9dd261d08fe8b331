//! Which line of offboard.toml says what: for whoever checks the file, and for nobody else, so that a [`Config`] that
//! answers requests does not carry it.
//!
//! [`Config`]: super::Config

use toml::Spanned;

use crate::config::File;
use crate::config::lines::Lines;

/// A text of the file and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The text.
    pub text: String,
    /// Its line.
    pub line: usize,
}

/// The lines of a `[[instance]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceLocations {
    /// Of its id.
    pub instance_id: usize,
    /// Of what says where it is: `endpoint`, or else `region`.
    pub endpoint: usize,
    /// The name of its credentials, where that is said: here, or in `[taurusdb]`.
    pub credentials: Located,
}

/// The lines of a `[[team]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamLocations {
    /// Its name.
    pub name: Located,
    /// Who is in it.
    pub members: Vec<Located>,
}

/// The lines of a `[[caller]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerLocations {
    /// Its name.
    pub name: Located,
    /// The Spin variables of its secrets.
    pub variables: Vec<Located>,
}

/// The lines of a file that can be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMap {
    /// In the order of [`Config::instances`](super::Config::instances).
    pub instances: Vec<InstanceLocations>,
    /// In the file's order, as all that follow.
    pub teams: Vec<TeamLocations>,
    /// The principals of all `[[person]]`s.
    pub principals: Vec<Located>,
    /// The environments that `[approvals]` speaks of.
    pub required: Vec<Located>,
    /// All callers.
    pub callers: Vec<CallerLocations>,
    /// The Spin variables that `[[credentials]]` name.
    pub variables: Vec<Located>,
}

impl SourceMap {
    /// Reads the lines; `None` of a file that is not TOML of the right shape.
    pub fn read(text: &str) -> Option<Self> {
        let file: File = toml::from_str(text).ok()?;
        let lines = Lines(text);
        let line = |span: std::ops::Range<usize>| lines.of(span.start);
        let placed = |value: &Spanned<String>| Located { text: value.get_ref().clone(), line: line(value.span()) };
        let instances = file.instance.iter().map(|table| InstanceLocations {
            instance_id: line(table.instance_id.span()),
            endpoint: line(table.endpoint.as_ref().or(table.region.as_ref()).unwrap_or(&table.name).span()),
            credentials: placed(table.credentials.as_ref().unwrap_or(&file.taurusdb.credentials)),
        });
        let teams = file.team.iter().map(|table| TeamLocations {
            name: placed(&table.name),
            members: table.members.iter().map(placed).collect(),
        });
        let callers = file.caller.iter().map(|table| {
            let secrets = table.secrets.iter().flatten().flat_map(|secret| {
                let of = |text| Located { text, line: lines.of(secret.start()) };
                secret.variables().into_iter().map(of).collect::<Vec<_>>()
            });
            let access_keys = table.access_keys.iter().flatten().map(|key| placed(&key.secret));
            CallerLocations { name: placed(&table.name), variables: secrets.chain(access_keys).collect() }
        });
        let required = file.approvals.required.iter();
        let variables = file.credentials.iter().filter_map(|table| table.variables.as_ref());
        Some(Self {
            instances: instances.collect(),
            teams: teams.collect(),
            principals: file.person.iter().flat_map(|table| &table.principals).map(placed).collect(),
            required: required
                .map(|(environment, people)| Located { text: environment.clone(), line: line(people.span()) })
                .collect(),
            callers: callers.collect(),
            variables: variables.flat_map(|variables| variables.get_ref().values()).map(placed).collect(),
        })
    }
}
