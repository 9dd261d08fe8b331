//! The lines of offboard.toml: for `offboard check` only, so a [`Config`](super::Config) that answers requests does not carry
//! them.

use toml::Spanned;

use crate::config::file::File;
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
    /// The line of its ID.
    pub instance_id: usize,
    /// The line of `endpoint`, or else of `region`.
    pub endpoint: usize,
    /// The name of its credentials, in this table or in `[taurusdb]`.
    pub credentials: Located,
}

/// The lines of a `[[team]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamLocations {
    /// Its name.
    pub name: Located,
    /// Its members.
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

/// The lines of a `[[notify]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyLocations {
    /// Its name.
    pub name: Located,
    /// The Spin variables that it names.
    pub variables: Vec<Located>,
}

/// The lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMap {
    /// The instances, in the order of [`Config::instances`](super::Config::instances).
    pub instances: Vec<InstanceLocations>,
    /// The teams, in the file's order, as all fields below.
    pub teams: Vec<TeamLocations>,
    /// The principals of all people.
    pub principals: Vec<Located>,
    /// The environments that `[approvals]` names.
    pub required: Vec<Located>,
    /// The callers.
    pub callers: Vec<CallerLocations>,
    /// The Spin variables that `[[credentials]]` name.
    pub variables: Vec<Located>,
    /// Who is told.
    pub notify: Vec<NotifyLocations>,
}

impl SourceMap {
    /// Reads the lines; `None` if the file is not TOML of the right shape.
    pub fn read(text: &str) -> Option<Self> {
        let file: File = toml::from_str(text).ok()?;
        let lines = Lines(text);
        let line = |span: std::ops::Range<usize>| lines.of(span.start);
        let locate = |value: &Spanned<String>| Located { text: value.get_ref().clone(), line: line(value.span()) };
        let instances = file.instance.iter().map(|table| InstanceLocations {
            instance_id: line(table.instance_id.span()),
            endpoint: line(table.endpoint.as_ref().or(table.region.as_ref()).unwrap_or(&table.name).span()),
            credentials: locate(table.credentials.as_ref().unwrap_or(&file.taurusdb.credentials)),
        });
        let teams = file.team.iter().map(|table| TeamLocations {
            name: locate(&table.name),
            members: table.members.iter().map(locate).collect(),
        });
        let callers = file.caller.iter().map(|table| {
            let secrets = table.secrets.iter().flatten().flat_map(|secret| {
                let of = |text| Located { text, line: lines.of(secret.start()) };
                secret.variables().into_iter().map(of).collect::<Vec<_>>()
            });
            let access_keys = table.access_keys.iter().flatten().map(|key| locate(&key.secret));
            CallerLocations { name: locate(&table.name), variables: secrets.chain(access_keys).collect() }
        });
        let notify = file.notify.iter().map(|table| {
            let one = [&table.url, &table.token, &table.secret, &table.routing_key].into_iter().flatten();
            let all = one.chain(table.secrets.iter().flatten());
            NotifyLocations { name: locate(&table.name), variables: all.map(locate).collect() }
        });
        let required = file.approvals.required.iter();
        let variables = file.credentials.iter().filter_map(|table| table.variables.as_ref());
        Some(Self {
            instances: instances.collect(),
            teams: teams.collect(),
            principals: file.person.iter().flat_map(|table| &table.principals).map(locate).collect(),
            required: required
                .map(|(environment, people)| Located { text: environment.clone(), line: line(people.span()) })
                .collect(),
            callers: callers.collect(),
            notify: notify.collect(),
            variables: variables.flat_map(|variables| variables.get_ref().values()).map(locate).collect(),
        })
    }
}
