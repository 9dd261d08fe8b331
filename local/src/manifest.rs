//! Reads `spin.toml`, so that this runtime and Spin cannot drift apart.
//!
//! It understands what this application uses: one component behind HTTP routes, with variables, mounted folders,
//! allowed outbound hosts and the default SQLite database. What Spin knows beyond that and would change how the
//! component behaves (`environment`, `key_value_stores`, `ai_models`, dependencies, other triggers, a second component)
//! is an error here, not silence. What changes nothing (descriptions, other tools' tables) is ignored.
//!
//! Templates are `{{ name }}` of an application variable, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// A `spin.toml` with everything in it checked.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The folder of the file: paths in it are relative to this.
    pub root: PathBuf,
    /// The application variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// Which requests reach the component.
    pub routes: Vec<Route>,
    /// The component itself, relative to [`Manifest::root`].
    pub source: PathBuf,
    /// The folders that the component sees, read-only.
    pub mounts: Vec<Mount>,
    /// The entries of `allowed_outbound_hosts`, templates not yet resolved.
    pub allowed_outbound_hosts: Vec<String>,
    /// The names of the databases that the component may open.
    pub sqlite_databases: BTreeSet<String>,
    /// What the component can ask for by `spin:variables`, templates not yet resolved.
    pub component_variables: BTreeMap<String, String>,
    /// The command that builds the component, run in [`Manifest::root`].
    pub build_command: String,
}

/// An application variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it is when nobody sets it.
    pub default: Option<String>,
    /// Whether somebody has to set it.
    #[serde(default)]
    pub required: bool,
    /// Whether it must not be shown.
    #[serde(default)]
    pub secret: bool,
}

/// A folder of the repository, as the component sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where it is, relative to [`Manifest::root`].
    pub source: PathBuf,
    /// Where the component sees it, an absolute path.
    pub destination: String,
}

/// A pattern of paths that a trigger takes.
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
    /// When it cannot be read, is not a version 2 manifest, or asks for something that this runtime does not do.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let root = path.parent().unwrap_or(Path::new(".")).to_owned();
        Self::parse(&text, root).with_context(|| format!("in `{}`", path.display()))
    }

    pub(crate) fn parse(text: &str, root: PathBuf) -> anyhow::Result<Self> {
        let mut file: File = toml::from_str(text)?;
        ensure!(
            file.spin_manifest_version == 2,
            "`spin_manifest_version` is {}, expected 2",
            file.spin_manifest_version
        );

        if let Some(kind) = file.trigger.keys().find(|kind| *kind != "http") {
            bail!("`trigger.{kind}` is not implemented in the local runtime, only `trigger.http` is");
        }
        let triggers: Vec<HttpTrigger> = file
            .trigger
            .remove("http")
            .context("`[[trigger.http]]` is missing")?
            .try_into()
            .context("in `trigger.http`")?;

        let (Some((id, component)), None) = (file.component.pop_first(), file.component.pop_first()) else {
            bail!("the local runtime runs exactly one `[component.…]`");
        };
        let mut routes = Vec::new();
        for trigger in triggers {
            ensure!(
                trigger.component == id,
                "`trigger.http` names the component `{}`, the only one is `{id}`",
                trigger.component
            );
            routes.push(Route::parse(&trigger.route)?);
        }

        // Whatever is not known to be harmless is refused: Spin would act on it.
        const HARMLESS: [&str; 3] = ["description", "targets", "tool"];
        if let Some(key) = component.rest.keys().find(|key| !HARMLESS.contains(&key.as_str())) {
            bail!("`{key}` of component `{id}` is not implemented in the local runtime");
        }
        ensure!(
            component.build.workdir.is_none(),
            "`build.workdir` of component `{id}` is not implemented in the local runtime"
        );
        if let Some(name) = component.sqlite_databases.iter().find(|name| *name != "default") {
            bail!("`sqlite_databases` names `{name}`, but only `default` exists without a runtime configuration");
        }
        for mount in &component.files {
            ensure!(
                mount.destination.starts_with('/'),
                "`files` has the destination `{}`, expected an absolute path",
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

    /// Every template names a variable that exists: found when the file is read, not when a value is needed.
    fn check_templates(&self) -> anyhow::Result<()> {
        let known = self.variables.keys().map(|name| (name.clone(), String::new())).collect();
        for template in self.component_variables.values().chain(&self.allowed_outbound_hosts) {
            resolve(template, &known)?;
        }
        Ok(())
    }

    /// Where the component is once it is built.
    #[must_use]
    pub fn component_path(&self) -> PathBuf {
        self.root.join(&self.source)
    }

    /// The application variables: what `given` says, else the default.
    ///
    /// # Errors
    ///
    /// When `given` names a variable that the manifest does not declare (Spin could not hand it over either), or a
    /// required one has no value.
    pub fn application_variables(&self, given: &BTreeMap<String, String>) -> anyhow::Result<BTreeMap<String, String>> {
        if let Some(name) = given.keys().find(|name| !self.variables.contains_key(*name)) {
            let known: Vec<&str> = self.variables.keys().map(String::as_str).collect();
            bail!("spin.toml declares no variable `{name}`, only {}", known.join(", "));
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &self.variables {
            match given.get(name).or(variable.default.as_ref()) {
                Some(value) => values.insert(name.clone(), value.clone()),
                None => bail!("the variable `{name}` has no default and must be set"),
            };
        }
        Ok(values)
    }

    /// What is mounted as `/config`, if anything is.
    #[must_use]
    pub fn config_folder(&self) -> Option<PathBuf> {
        let mount = self.mounts.iter().find(|mount| mount.destination == "/config")?;
        Some(self.root.join(&mount.source))
    }

    /// What the environment says, as Spin reads it: `SPIN_VARIABLE_TAURUSDB_ENDPOINT` for `taurusdb_endpoint`.
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

    /// Whether a request for `path` is the component's.
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
            "the route `{text}` is not implemented in the local runtime, expected `/path` or `/path/...`"
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

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "small"
        [variables]
        token = { required = true, secret = true }
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

    /// The error of the small manifest with `from` replaced by `to`.
    fn refused(from: &str, to: &str) -> String {
        assert!(SMALL.contains(from), "{from}");
        format!("{:#}", Manifest::parse(&SMALL.replace(from, to), PathBuf::new()).unwrap_err())
    }

    #[test]
    fn the_repository_s_own_manifest_is_understood() {
        let manifest = Manifest::read(&crate::component::root().join("spin.toml")).unwrap();
        assert!(manifest.routes_to_component("/hooks/slack"));
        let variables = manifest.application_variables(&BTreeMap::new()).unwrap();
        assert_eq!(variables["taurusdb_endpoint"], "https://*.myhuaweicloud.com");
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
            ("description =", "environment = { A = \"b\" }\n#", "`environment` of component `c`"),
            ("description =", "key_value_stores = [\"default\"]\n#", "`key_value_stores` of"),
            ("description =", "ai_models = [\"llama\"]\n#", "`ai_models` of component `c`"),
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
            ("component = \"c\"\n        [[", "component = \"d\"\n        [[", "names the component `d`"),
            ("[\"default\"]", "[\"default\", \"other\"]", "`other`"),
            ("\"/a\"", "\"/a/:id\"", "the route `/a/:id`"),
            ("\"/config\"", "\"config\"", "destination `config`"),
            ("{{host}}", "{{hosts}}", "unknown variable `hosts`"),
            ("{{ token }}", "{{ token", "without `}}`"),
            ("version = 2", "version = 1", "expected 2"),
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
    fn an_undeclared_or_a_missing_variable_is_an_error() {
        let given = BTreeMap::from([("tokn".to_owned(), "t".to_owned())]);
        let message = small().application_variables(&given).unwrap_err().to_string();
        assert_eq!(message, "spin.toml declares no variable `tokn`, only host, token");
        let message = small().application_variables(&BTreeMap::new()).unwrap_err().to_string();
        assert_eq!(message, "the variable `token` has no default and must be set");
    }
}
