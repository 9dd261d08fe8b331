//! Reads `spin.toml`, so that this runtime and Spin run the same application.
//!
//! It supports what this application uses: one component behind HTTP routes, with variables, mounted folders, allowed
//! outbound hosts and the default SQLite database. Other keys that would change how the component behaves in Spin
//! (`environment`, `key_value_stores`, `ai_models`, dependencies, other triggers, a second component) are errors. Keys
//! that change nothing (descriptions, tables of other tools) are ignored.
//!
//! A template is `{{ name }}` with the name of an application variable; no other expression is supported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// A checked `spin.toml`.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The folder of the file. Its paths are relative to this folder.
    pub root: PathBuf,
    /// The application variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// The routes of the component.
    pub routes: Vec<Route>,
    /// The file of the component, relative to [`Manifest::root`].
    pub source: PathBuf,
    /// The folders that the component sees, read-only.
    pub mounts: Vec<Mount>,
    /// The entries of `allowed_outbound_hosts`, templates not yet resolved.
    pub allowed_outbound_hosts: Vec<String>,
    /// The names of the databases that the component may open.
    pub sqlite_databases: BTreeSet<String>,
    /// The variables that the component can read by `spin:variables`, templates not yet resolved.
    pub component_variables: BTreeMap<String, String>,
    /// The command that builds the component, run in [`Manifest::root`].
    pub build_command: String,
}

/// An application variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value if no other value is set.
    pub default: Option<String>,
    /// Whether a value has to be set.
    #[serde(default)]
    pub required: bool,
    /// Whether the value must not be shown.
    #[serde(default)]
    pub secret: bool,
    /// What the value is for, as Spin shows it.
    pub description: Option<String>,
}

/// A folder of the repository, as the component sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Its path in the repository, relative to [`Manifest::root`].
    pub source: PathBuf,
    /// Its path for the component, an absolute one.
    pub destination: String,
}

/// A pattern of request paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/healthz`: this path.
    Exact(String),
    /// `/hooks/...`: this path, and everything below it.
    Below(String),
}

#[derive(Deserialize)]
struct File {
    spin_manifest_version: u8,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: toml::Table,
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    route: String,
    component: String,
}

#[derive(Deserialize)]
struct Component {
    source: PathBuf,
    #[serde(default)]
    files: Vec<Mount>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    sqlite_databases: BTreeSet<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    build: Build,
    #[serde(flatten)]
    rest: toml::Table,
}

#[derive(Deserialize)]
struct Build {
    command: String,
    workdir: Option<PathBuf>,
}

impl Manifest {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is not a version 2 manifest, or uses something that this runtime does not support.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let root = path.parent().unwrap_or(Path::new(".")).to_owned();
        Self::parse(&text, root).with_context(|| format!("in `{}`", path.display()))
    }

    pub(crate) fn parse(text: &str, root: PathBuf) -> anyhow::Result<Self> {
        let mut file: File = toml::from_str(text)?;
        ensure!(
            file.spin_manifest_version == 2,
            "`spin_manifest_version` is {}; use version 2",
            file.spin_manifest_version
        );

        if let Some(kind) = file.trigger.keys().find(|kind| *kind != "http") {
            bail!("`trigger.{kind}` is not supported by the local runtime; use `trigger.http`");
        }
        let triggers: Vec<HttpTrigger> = file
            .trigger
            .remove("http")
            .context("`[[trigger.http]]` is missing")?
            .try_into()
            .context("in `trigger.http`")?;

        let (Some((id, component)), None) = (file.component.pop_first(), file.component.pop_first()) else {
            bail!("the local runtime supports exactly one `[component.…]`");
        };
        let mut routes = Vec::new();
        for trigger in triggers {
            ensure!(
                trigger.component == id,
                "`trigger.http` names component `{}`, and the only component is `{id}`",
                trigger.component
            );
            routes.push(Route::parse(&trigger.route)?);
        }

        // Only keys that are known to change nothing are ignored: Spin would act on the others.
        const HARMLESS: [&str; 3] = ["description", "targets", "tool"];
        if let Some(key) = component.rest.keys().find(|key| !HARMLESS.contains(&key.as_str())) {
            bail!("`{key}` of component `{id}` is not supported by the local runtime");
        }
        ensure!(
            component.build.workdir.is_none(),
            "`build.workdir` of component `{id}` is not supported by the local runtime"
        );
        if let Some(name) = component.sqlite_databases.iter().find(|name| *name != "default") {
            bail!("`sqlite_databases` names `{name}`, and only `default` exists without a runtime configuration");
        }
        for mount in &component.files {
            ensure!(
                mount.destination.starts_with('/'),
                "`files` has destination `{}`; use an absolute path",
                mount.destination
            );
        }

        let manifest = Self {
            root,
            variables: file.variables,
            routes,
            source: component.source,
            mounts: component.files,
            allowed_outbound_hosts: component.allowed_outbound_hosts,
            sqlite_databases: component.sqlite_databases,
            component_variables: component.variables,
            build_command: component.build.command,
        };
        manifest.check_templates()?;
        Ok(manifest)
    }

    /// Checks that every template names a variable that exists, so that errors show before a value is needed.
    fn check_templates(&self) -> anyhow::Result<()> {
        let known = self.variables.keys().map(|name| (name.clone(), String::new())).collect();
        for template in self.component_variables.values().chain(&self.allowed_outbound_hosts) {
            resolve(template, &known)?;
        }
        Ok(())
    }

    /// Returns the path of the built component.
    #[must_use]
    pub fn component_path(&self) -> PathBuf {
        self.root.join(&self.source)
    }

    /// Returns the application variables: the values in `given`, else the defaults.
    ///
    /// # Errors
    ///
    /// If `given` has a variable that the manifest does not declare (Spin could not hand it over either), or a variable
    /// has no value.
    pub fn application_variables(&self, given: &BTreeMap<String, String>) -> anyhow::Result<BTreeMap<String, String>> {
        if let Some(name) = given.keys().find(|name| !self.variables.contains_key(*name)) {
            let known: Vec<&str> = self.variables.keys().map(String::as_str).collect();
            bail!("spin.toml declares no variable `{name}`; use one of {}", known.join(", "));
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &self.variables {
            match given.get(name).or(variable.default.as_ref()) {
                Some(value) => values.insert(name.clone(), value.clone()),
                None => bail!("variable `{name}` has no default and is not set; set it"),
            };
        }
        Ok(values)
    }

    /// Returns the folder that is mounted as `/config`, if there is one.
    #[must_use]
    pub fn config_folder(&self) -> Option<PathBuf> {
        let mount = self.mounts.iter().find(|mount| mount.destination == "/config")?;
        Some(self.root.join(&mount.source))
    }

    /// Returns the values in the environment under Spin's names: `SPIN_VARIABLE_TAURUSDB_ENDPOINT` for `taurusdb_endpoint`.
    #[must_use]
    pub fn variables_in_environment(&self) -> BTreeMap<String, String> {
        self.variables
            .keys()
            .filter_map(|name| {
                let value = std::env::var(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())).ok()?;
                Some((name.clone(), value))
            })
            .collect()
    }

    /// Returns whether requests for `path` go to the component.
    #[must_use]
    pub fn routes_to_component(&self, path: &str) -> bool {
        self.routes.iter().any(|route| route.takes(path))
    }
}

impl Route {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let route = match text.strip_suffix("/...") {
            Some(base) => Self::Below(base.to_owned()),
            None => Self::Exact(text.to_owned()),
        };
        let (Self::Below(path) | Self::Exact(path)) = &route;
        ensure!(
            text.starts_with('/') && !path.contains("...") && !path.contains(':'),
            "route `{text}` is not supported by the local runtime; use `/path` or `/path/...`"
        );
        Ok(route)
    }

    fn takes(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Below(base) => {
                path.strip_prefix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

/// Replaces each `{{ name }}` of `template` by its value.
///
/// # Errors
///
/// If a `{{` is not closed, or a name has no value.
pub(crate) fn resolve(template: &str, values: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let mut resolved = String::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once("{{") {
        let (name, tail) =
            tail.split_once("}}").with_context(|| format!("the template `{template}` has `{{{{` without `}}}}`"))?;
        let name = name.trim();
        let value = values
            .get(name)
            .with_context(|| format!("the template `{template}` names the unknown variable `{name}`"))?;
        resolved.push_str(literal);
        resolved.push_str(value);
        rest = tail;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// Resolves an entry of `allowed_outbound_hosts`. Returns `None` for a template that resolves to nothing, or to a scheme and
/// nothing: Spin leaves such an entry out, so that the default of a variable may be empty.
///
/// # Errors
///
/// If [`resolve`] fails.
pub(crate) fn resolve_host(entry: &str, values: &BTreeMap<String, String>) -> anyhow::Result<Option<String>> {
    let resolved = resolve(entry, values)?;
    let is_left_out = entry.contains("{{") && ["", "http://", "https://"].contains(&resolved.as_str());
    Ok((!is_left_out).then_some(resolved))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "small"
        [variables]
        token = { required = true, secret = true, description = "of the variable" }
        host = { default = "example.com" }
        [[trigger.http]]
        route = "/a"
        component = "c"
        [[trigger.http]]
        route = "/b/..."
        component = "c"
        [component.c]
        source = "c.wasm"
        description = "ignored"
        files = [{ source = "config", destination = "/config" }]
        allowed_outbound_hosts = ["https://{{ host }}", "http://{{host}}:81"]
        sqlite_databases = ["default"]
        [component.c.variables]
        token = "{{ token }}"
        [component.c.build]
        command = "cargo build"
        watch = ["src"]
        [component.c.tool.somebody]
        anything = 1
    "#;

    fn small() -> Manifest {
        Manifest::parse(SMALL, PathBuf::from("/app")).unwrap()
    }

    /// Returns the error of the small manifest with `from` replaced by `to`.
    fn refused(from: &str, to: &str) -> String {
        assert!(SMALL.contains(from), "{from}");
        format!("{:#}", Manifest::parse(&SMALL.replace(from, to), PathBuf::new()).unwrap_err())
    }

    #[test]
    fn the_manifest_of_the_repository_can_be_read() {
        let manifest = Manifest::read(&crate::repository::root().join("spin.toml")).unwrap();
        assert!(manifest.routes_to_component("/hooks/slack"));
        let variables = manifest.application_variables(&BTreeMap::new()).unwrap();
        assert_eq!(variables["taurusdb_endpoint"], "");
    }

    #[test]
    fn reads_what_this_application_uses() {
        let manifest = small();
        assert_eq!(manifest.component_path(), Path::new("/app/c.wasm"));
        assert_eq!(manifest.mounts[0].destination, "/config");
        assert_eq!(manifest.config_folder().as_deref(), Some(Path::new("/app/config")));
        assert!(manifest.variables["token"].secret);
        assert_eq!(manifest.build_command, "cargo build");
    }

    #[test]
    fn refuses_what_would_behave_differently_in_spin() {
        for (from, to, expected) in [
            ("description = \"ignored\"", "environment = { A = \"b\" }\n#", "`environment` of component `c`"),
            ("description = \"ignored\"", "key_value_stores = [\"default\"]\n#", "`key_value_stores` of"),
            ("description = \"ignored\"", "ai_models = [\"llama\"]\n#", "`ai_models` of component `c`"),
            (
                "[[trigger.http]]\n        route = \"/a\"",
                "[[trigger.redis]]\n        channel = \"x\"",
                "`trigger.redis`",
            ),
            (
                "[component.c.variables]",
                "[component.d]\nsource = \"d\"\nbuild.command = \"\"\n[component.c.variables]",
                "exactly one",
            ),
            ("component = \"c\"\n        [[", "component = \"d\"\n        [[", "names component `d`"),
            ("[\"default\"]", "[\"default\", \"other\"]", "`other`"),
            ("\"/a\"", "\"/a/:id\"", "route `/a/:id`"),
            ("\"/config\"", "\"config\"", "destination `config`"),
            ("{{host}}", "{{hosts}}", "unknown variable `hosts`"),
            ("{{ token }}", "{{ token", "without `}}`"),
            ("version = 2", "version = 1", "use version 2"),
        ] {
            let message = refused(from, to);
            assert!(message.contains(expected), "{message}\n  expected: {expected}");
        }
    }

    #[test]
    fn routes_take_exact_paths_and_whole_segments_below() {
        let manifest = small();
        for (path, taken) in
            [("/a", true), ("/a/", false), ("/b", true), ("/b/", true), ("/b/c/d", true), ("/bc", false), ("/", false)]
        {
            assert_eq!(manifest.routes_to_component(path), taken, "{path}");
        }
        assert_eq!(Route::parse("/...").unwrap(), Route::Below(String::new()));
        assert!(Route::parse("/...").unwrap().takes("/anything/at/all"));
    }

    #[test]
    fn given_values_go_before_defaults() {
        let given = BTreeMap::from([("token".to_owned(), "t".to_owned())]);
        let values = small().application_variables(&given).unwrap();
        assert_eq!(values["token"], "t");
        assert_eq!(values["host"], "example.com");
        assert_eq!(resolve("https://{{ host }}:{{token}}/", &values).unwrap(), "https://example.com:t/");
    }

    #[test]
    fn an_entry_whose_variable_is_empty_is_left_out() {
        let values = |host: &str| BTreeMap::from([("host".to_owned(), host.to_owned())]);
        for (entry, host, expected) in [
            ("{{ host }}", "", None),
            ("https://{{ host }}", "", None),
            ("{{ host }}", "postgres://db.internal:5432", Some("postgres://db.internal:5432")),
            // Wrong in Spin, too: only a template may be empty, and only these schemes may stand alone.
            ("", "", Some("")),
            ("postgres://{{ host }}", "", Some("postgres://")),
        ] {
            assert_eq!(resolve_host(entry, &values(host)).unwrap().as_deref(), expected, "{entry} {host}");
        }
    }

    #[test]
    fn an_undeclared_or_a_missing_variable_is_an_error() {
        let given = BTreeMap::from([("tokn".to_owned(), "t".to_owned())]);
        let message = small().application_variables(&given).unwrap_err().to_string();
        assert_eq!(message, "spin.toml declares no variable `tokn`; use one of host, token");
        let message = small().application_variables(&BTreeMap::new()).unwrap_err().to_string();
        assert_eq!(message, "variable `token` has no default and is not set; set it");
    }
}
