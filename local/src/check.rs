//! `check`: what is wrong with a configuration, before anything runs with it.
//!
//! What the three files say by themselves is the component's own [`starrocks_offboard::check`]. Here is what takes
//! spin.toml and the values of its variables.
//!
//! Not supported: values that a Spin provider (Vault and the like) would bring; `--variable` stands for them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::credentials::{AgencyBase, AkskVariables, CredentialSource, PasswordVariables};
use starrocks_offboard::config::source_map::{Located, SourceMap};
use starrocks_offboard::diagnostic::{Diagnostic, line_at, sort};
use starrocks_offboard::policy::Policies;
use starrocks_offboard::policy::prepared::PREPARED;

use crate::component;
use crate::lint::diagnostics as of_files;
use crate::manifest::{Manifest, resolve};
use crate::outbound::AllowedHosts;

const SPIN: &str = "spin.toml";

/// The operator's three files.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) offboard: String,
    pub(crate) policy: String,
    pub(crate) schema: String,
    /// What `prepare` made of the last two, where it did.
    pub(crate) prepared: Option<String>,
}

impl Files {
    /// Reads them from `folder`, or from the one that spin.toml mounts as `/config`.
    pub(crate) fn read(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = folder.map_or_else(usual_folder, Path::to_owned);
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        Ok(Self {
            offboard: read("offboard.toml")?,
            policy: read("policy.cedar")?,
            schema: read("schema.cedarschema")?,
            prepared: fs::read_to_string(folder.join(PREPARED)).ok(),
        })
    }
}

/// The folder that spin.toml mounts; where it always was if spin.toml cannot be read, so that this can be said with the
/// rest.
pub(crate) fn usual_folder() -> PathBuf {
    let manifest = Manifest::read(&component::root().join(SPIN)).ok();
    let mounted = manifest.and_then(|manifest| manifest.config_folder());
    mounted.unwrap_or_else(|| component::root().join("config"))
}

/// Prints every finding and their number. The exit code is a failure when there is an error.
///
/// # Errors
///
/// When a file cannot be read, or `variables` names one that spin.toml does not declare.
pub fn run(config: Option<&Path>, variables: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    let files = Files::read(config)?;
    let path = component::root().join(SPIN);
    let spin = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut given = BTreeMap::new();
    if let Ok(manifest) = Manifest::parse(&spin, component::root().to_owned()) {
        given = manifest.variables_in_environment();
        if let Some((name, _)) = variables.iter().find(|(name, _)| !manifest.variables.contains_key(name)) {
            bail!("spin.toml declares no variable `{name}`; correct the name, or declare it");
        }
    }
    given.extend(variables);

    let diagnostics = diagnostics(&files, &spin, &given);
    let mut stdout = std::io::stdout();
    stdout.write_all(report(&diagnostics).as_bytes()).context("cannot write to standard output")?;
    Ok(if diagnostics.iter().any(Diagnostic::is_error) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One line a finding, and one with their number.
fn report(diagnostics: &[Diagnostic]) -> String {
    let mut page = String::new();
    for diagnostic in diagnostics {
        page += &format!("{}: {diagnostic}\n", diagnostic.severity);
    }
    let count = |errors: bool| diagnostics.iter().filter(|diagnostic| diagnostic.is_error() == errors).count();
    let number = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    page + &format!("{}, {}\n", number(count(true), "error"), number(count(false), "warning"))
}

/// Everything that there is to say; `given` are the values of spin.toml's variables, as far as they are not the defaults.
fn diagnostics(files: &Files, spin: &str, given: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut diagnostics = of_files(&files.offboard, &files.policy, &files.schema);
    diagnostics.extend(about_prepared(files));
    match Manifest::parse(spin, PathBuf::new()) {
        Err(error) => diagnostics.push(unusable(spin, &error)),
        Ok(manifest) => {
            let spin = Spin::new(spin, &manifest, given, &mut diagnostics);
            let config = Config::parse(&files.offboard, &callers::shapes()).ok();
            if let (Some(config), Some(source_map)) = (config, SourceMap::read(&files.offboard)) {
                diagnostics.extend(spin.about_callers(&source_map));
                diagnostics.extend(spin.about_settings(&config, &source_map));
                diagnostics.extend(spin.about_credentials(&config, &source_map));
                diagnostics.extend(spin.about_endpoints(&config, &source_map));
            }
        }
    }
    sort(&mut diagnostics);
    diagnostics
}

/// A prepared form that is of no use, and one that the gateway would believe and must not.
fn about_prepared(files: &Files) -> Option<Diagnostic> {
    let (prepared, policies) = (files.prepared.as_ref()?, Policies::parse(&files.policy, &files.schema).ok()?);
    match Policies::prepared(prepared, &files.policy, &files.schema) {
        Err(why) => {
            let why = why.to_string();
            let message = why.strip_prefix("prepared.json: ").unwrap_or(&why);
            Some(Diagnostic::warning(
                PREPARED,
                None,
                format!("{message}; until then each new instance parses the policies"),
            ))
        }
        Ok(_) if policies.is_said_by(prepared) => None,
        Ok(_) => Some(Diagnostic::error(
            PREPARED,
            None,
            "it says something else than policy.cedar, of which it claims to be; run `offboard prepare` again, and find out who changed it",
        )),
    }
}

/// What is wrong with a spin.toml that cannot be used.
fn unusable(spin: &str, error: &anyhow::Error) -> Diagnostic {
    match error.downcast_ref::<toml::de::Error>() {
        Some(wrong) => {
            let line = wrong.span().map(|span| line_at(spin, span.start));
            Diagnostic::error(SPIN, line, wrong.message().replace('\n', " "))
        }
        None => Diagnostic::error(SPIN, None, format!("{error:#}")),
    }
}

/// spin.toml, with its variables' values.
struct Spin {
    /// What the component can ask for.
    values: BTreeMap<String, String>,
    /// The names of the application's variables.
    application: Vec<String>,
    /// Each entry by itself, so that a wrong one hides none of the others.
    hosts: Vec<AllowedHosts>,
}

impl Spin {
    fn new(
        text: &str,
        manifest: &Manifest,
        given: &BTreeMap<String, String>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let line = |is: &dyn Fn(&str) -> bool| text.lines().position(|line| is(line.trim_start())).map(|at| at + 1);
        let mut application = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let value = given.get(name).or(variable.default.as_ref());
            if value.is_none() {
                let declared = |line: &str| {
                    line.strip_prefix(name.as_str()).is_some_and(|rest| rest.trim_start().starts_with('='))
                };
                let message =
                    format!("the variable `{name}` has no default and is not set; Spin will not start without it");
                diagnostics.push(Diagnostic::warning(SPIN, line(&declared), message));
            }
            application.insert(name.clone(), value.cloned().unwrap_or_default());
        }
        // Every template was resolved once when the manifest was read.
        let resolved = |template: &String| resolve(template, &application).unwrap_or_default();
        let values = manifest.component_variables.iter().map(|(name, template)| (name.clone(), resolved(template)));
        let mut hosts = Vec::new();
        for template in &manifest.allowed_outbound_hosts {
            let host = resolved(template);
            match AllowedHosts::parse(std::slice::from_ref(&host)) {
                Ok(entry) => hosts.push(entry),
                Err(error) => {
                    let quoted = format!("\"{template}\"");
                    diagnostics.push(Diagnostic::error(SPIN, line(&|line| line.contains(&quoted)), error.to_string()));
                }
            }
        }
        Self { values: values.collect(), hosts, application: application.into_keys().collect() }
    }

    fn is_set(&self, variable: &str) -> bool {
        self.values.get(variable).is_some_and(|value| !value.is_empty())
    }

    /// What is wrong if `who` names this variable.
    fn undeclared(&self, who: &str, variable: &str, line: usize) -> Option<Diagnostic> {
        if self.values.contains_key(variable) {
            return None;
        }
        let advice = match self.application.iter().any(|name| name == variable) {
            true => "does not hand to the component; add it to the component's `variables`",
            false => "does not declare; add it to `[variables]` and to the component's `variables`",
        };
        let message = format!("{who} the Spin variable `{variable}`, which spin.toml {advice}");
        Some(Diagnostic::error(OFFBOARD, Some(line), message))
    }

    fn about_callers(&self, source_map: &SourceMap) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for caller in &source_map.callers {
            let name = &caller.name.text;
            let who = format!("caller `{name}` names");
            let undeclared = |variable: &Located| self.undeclared(&who, &variable.text, variable.line);
            diagnostics.extend(caller.variables.iter().filter_map(undeclared));
            let declared: Vec<_> = caller
                .variables
                .iter()
                .map(|variable| &variable.text)
                .filter(|name| self.values.contains_key(*name))
                .collect();
            if !declared.is_empty() && !declared.iter().any(|variable| self.is_set(variable)) {
                let message = format!(
                    "no secret of caller `{name}` is set, so that nobody can prove to be it; set {}",
                    list(&declared, "or")
                );
                diagnostics.push(Diagnostic::warning(OFFBOARD, Some(caller.name.line), message));
            }
        }
        diagnostics
    }

    /// Each use of credentials once, whichever instances share it.
    fn about_credentials(&self, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
        let uses: BTreeMap<_, _> = config
            .instances()
            .iter()
            .zip(&source_map.instances)
            .map(|(instance, place)| ((place.credentials.line, &place.credentials.text), &instance.credentials))
            .collect();
        let mut diagnostics = Vec::new();
        for ((line, name), source) in uses {
            let (needed, optional) = variables(source);
            let who = format!("credentials `{name}` name");
            for variable in needed.iter().chain(&optional) {
                let own = source_map.variables.iter().find(|placed| placed.text == **variable);
                let diagnostic = self.undeclared(&who, variable, own.map_or(line, |own| own.line));
                diagnostics.extend(diagnostic.filter(|diagnostic| !diagnostics.contains(diagnostic)));
            }
            let unset: Vec<_> =
                needed.into_iter().filter(|name| self.values.contains_key(*name) && !self.is_set(name)).collect();
            if !unset.is_empty() {
                let message = format!(
                    "credentials `{name}` are not complete, so that nothing can be removed with them; set {}",
                    list(&unset, "and")
                );
                diagnostics.push(Diagnostic::warning(OFFBOARD, Some(line), message));
            }
        }
        diagnostics
    }

    fn allows(&self, url: &str) -> bool {
        url.parse().is_ok_and(|uri| self.hosts.iter().any(|entry| entry.allow(&uri)))
    }

    /// Where callers' settings would have the gateway send something.
    fn about_settings(&self, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for place in &source_map.callers {
            let Ok(configured) = config.caller(&place.name.text) else { continue };
            let settings = callers::kind(&configured.kind).map_or(&[][..], |kind| kind.shape().settings);
            for setting in settings.iter().filter(|setting| setting.is_reached) {
                let refused = configured.settings(setting.name).iter().filter(|url| !self.allows(url));
                diagnostics.extend(refused.map(|url| {
                    let message = format!(
                        "`{}` of caller `{}`, `{url}`, is not in allowed_outbound_hosts of spin.toml; set the variable that stands there for it, or add it",
                        setting.name, configured.name
                    );
                    Diagnostic::warning(OFFBOARD, Some(place.name.line), message)
                }));
            }
        }
        diagnostics
    }

    fn about_endpoints(&self, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
        let refused = config
            .instances()
            .iter()
            .zip(&source_map.instances)
            .filter(|(instance, _)| !self.allows(&instance.endpoint));
        let diagnostic = refused.map(|(instance, place)| {
            let message = format!(
                "the endpoint of instance `{}`, `{}`, is not in allowed_outbound_hosts of spin.toml; add it there",
                instance.name, instance.endpoint
            );
            Diagnostic::warning(OFFBOARD, Some(place.endpoint), message)
        });
        diagnostic.collect()
    }
}

/// `` `a`, `b` or `c` ``
fn list(names: &[&String], last: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The variables that credentials need, and those that they take if they are set.
fn variables(source: &CredentialSource) -> (Vec<&String>, Vec<&String>) {
    match source {
        CredentialSource::Aksk(key) | CredentialSource::Agency { on: AgencyBase::Aksk(key), .. } => {
            let AkskVariables { access_key, secret_key, security_token } = key;
            (vec![access_key, secret_key], security_token.iter().collect())
        }
        CredentialSource::Token { token } => (vec![token], vec![]),
        CredentialSource::Password(user) | CredentialSource::Agency { on: AgencyBase::Password(user), .. } => {
            let PasswordVariables { user, password, domain } = user;
            (vec![user, password, domain], vec![])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFBOARD_TEXT: &str = r#"[taurusdb]
credentials = "aksk"
[[credentials]]
name = "user"
kind = "password"
variables = { user = "user", password = "password", domain = "domain" }
[[instance]]
name = "warehouse"
project_id = "23a50154cf494ec9ad6883979a12db0a"
instance_id = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"
region = "ap-southeast-3"
environment = "production"
[[instance]]
name = "analytics"
project_id = "23a50154cf494ec9ad6883979a12db0a"
instance_id = "54e42160670e48e789af7075e1efea1fin17"
endpoint = "https://gaussdb.example.com"
environment = "production"
[[caller]]
name = "hr"
kind = "standard-webhooks"
secrets = ["new_secret", "old_secret"]
"#;
    const SPIN_TEXT: &str = r#"spin_manifest_version = 2
[application]
name = "small"
[variables]
huaweicloud_access_key = { default = "" }
huaweicloud_secret_key = { default = "" }
huaweicloud_security_token = { default = "" }
new_secret = { default = "" }
old_secret = { default = "" }
user = { default = "" }
host = { default = "gaussdb.example.com" }
[[trigger.http]]
route = "/..."
component = "c"
[component.c]
source = "c.wasm"
files = [{ source = "config", destination = "/config" }]
allowed_outbound_hosts = [
    "https://*.myhuaweicloud.com",
    "https://{{ host }}",
]
[component.c.variables]
huaweicloud_access_key = "{{ huaweicloud_access_key }}"
huaweicloud_secret_key = "{{ huaweicloud_secret_key }}"
huaweicloud_security_token = "{{ huaweicloud_security_token }}"
new_secret = "{{ new_secret }}"
old_secret = "{{ old_secret }}"
[component.c.build]
command = "cargo build"
"#;

    /// What is found when each `from` is `to`, in the one file that has it, and these variables are set beside those that
    /// everything needs.
    fn found(changes: &[(&str, &str)], set: &[(&str, &str)]) -> Vec<String> {
        let mut texts = [OFFBOARD_TEXT, SPIN_TEXT].map(str::to_owned);
        for (from, to) in changes {
            let text = texts.iter_mut().find(|text| text.contains(from));
            let text = text.unwrap_or_else(|| panic!("no file has {from:?}"));
            *text = text.replacen(from, to, 1);
        }
        let [offboard, spin] = texts;
        let schema = include_str!("../../config/schema.cedarschema").to_owned();
        let usual = [("huaweicloud_access_key", "a"), ("huaweicloud_secret_key", "b"), ("new_secret", "c")];
        let given = usual.iter().chain(set).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let diagnostics =
            diagnostics(&Files { offboard, policy: String::new(), schema, prepared: None }, &spin, &given);
        report(&diagnostics).lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_takes_spin_toml() {
        let undeclared = "which spin.toml does not declare; add it to `[variables]` and to the component's `variables`";
        let unset = "are not complete, so that nothing can be removed with them; set";
        let refused = "warning: offboard.toml, line 17: the endpoint of instance `analytics`, `https://gaussdb.example.com`, is not in allowed_outbound_hosts of spin.toml; add it there";
        for (changes, set, expected) in [
            (&[][..], &[][..], vec!["0 errors, 0 warnings".to_owned()]),
            (
                &[],
                &[("new_secret", "")],
                vec![
                    "warning: offboard.toml, line 20: no secret of caller `hr` is set, so that nobody can prove to be it; set `new_secret` or `old_secret`".to_owned(),
                    "0 errors, 1 warning".to_owned(),
                ],
            ),
            (&[], &[("new_secret", ""), ("old_secret", "d")], vec!["0 errors, 0 warnings".to_owned()]),
            (
                &[(
                    "kind = \"standard-webhooks\"\nsecrets = [\"new_secret\", \"old_secret\"]",
                    "kind = \"api\"\nissuer = \"a\"\naudience = \"b\"\njwks_url = \"https://login.example.com/keys\"",
                )],
                &[],
                vec![
                    "warning: offboard.toml, line 20: `jwks_url` of caller `hr`, `https://login.example.com/keys`, is not in allowed_outbound_hosts of spin.toml; set the variable that stands there for it, or add it".to_owned(),
                    "0 errors, 1 warning".to_owned(),
                ],
            ),
            (
                &[(
                    "kind = \"standard-webhooks\"\nsecrets = [\"new_secret\", \"old_secret\"]",
                    "kind = \"api\"\nissuer = \"a\"\naudience = \"b\"\njwks_url = \"https://gaussdb.example.com/keys\"",
                )],
                &[],
                vec!["0 errors, 0 warnings".to_owned()],
            ),
            (
                &[("\"new_secret\"", "\"newer_secret\"")],
                &[("old_secret", "d")],
                vec![
                    format!("error: offboard.toml, line 22: caller `hr` names the Spin variable `newer_secret`, {undeclared}"),
                    "1 error, 0 warnings".to_owned(),
                ],
            ),
            (
                &[("new_secret = \"{{ new_secret }}\"\n", "")],
                &[("old_secret", "d")],
                vec![
                    "error: offboard.toml, line 22: caller `hr` names the Spin variable `new_secret`, which spin.toml does not hand to the component; add it to the component's `variables`".to_owned(),
                    "1 error, 0 warnings".to_owned(),
                ],
            ),
            (
                &[],
                &[("huaweicloud_access_key", ""), ("huaweicloud_secret_key", "")],
                vec![
                    format!("warning: offboard.toml, line 2: credentials `aksk` {unset} `huaweicloud_access_key` and `huaweicloud_secret_key`"),
                    "0 errors, 1 warning".to_owned(),
                ],
            ),
            // `user` is declared, and not handed on.
            (
                &[("region = \"ap-southeast-3\"", "region = \"ap-southeast-3\"\ncredentials = \"user\"")],
                &[],
                vec![
                    format!("error: offboard.toml, line 6: credentials `user` name the Spin variable `domain`, {undeclared}"),
                    format!("error: offboard.toml, line 6: credentials `user` name the Spin variable `password`, {undeclared}"),
                    "error: offboard.toml, line 6: credentials `user` name the Spin variable `user`, which spin.toml does not hand to the component; add it to the component's `variables`".to_owned(),
                    "3 errors, 0 warnings".to_owned(),
                ],
            ),
            (&[], &[("host", "example.com")], vec![refused.to_owned(), "0 errors, 1 warning".to_owned()]),
            (
                &[("{ default = \"gaussdb.example.com\" }", "{ required = true }")],
                &[],
                vec![
                    refused.to_owned(),
                    "warning: spin.toml, line 11: the variable `host` has no default and is not set; Spin will not start without it".to_owned(),
                    "error: spin.toml, line 20: `https://` in allowed_outbound_hosts is wrong, expected `scheme://host` or `scheme://host:port`".to_owned(),
                    "1 error, 2 warnings".to_owned(),
                ],
            ),
            (
                &[("version = 2", "version = \"2\"")],
                &[],
                vec![
                    "error: spin.toml, line 1: invalid type: string \"2\", expected u8".to_owned(),
                    "1 error, 0 warnings".to_owned(),
                ],
            ),
            (
                &[("\"{{ old_secret }}\"", "\"{{ other }}\""), ("[taurusdb]", "[taurus]")],
                &[],
                vec![
                    "error: offboard.toml, line 1: unknown field `taurus`, expected one of `taurusdb`, `limits`, `credentials`, `instance`, `team`, `person`, `approvals`, `leavers`, `caller`, `accounts`".to_owned(),
                    "error: spin.toml: the template `{{ other }}` names the unknown variable `other`".to_owned(),
                    "2 errors, 0 warnings".to_owned(),
                ],
            ),
        ] {
            assert_eq!(found(changes, set), expected, "{changes:?} {set:?}");
        }
    }

    #[test]
    fn names_in_a_row() {
        let (a, b, c) = ("a".to_owned(), "b".to_owned(), "c".to_owned());
        assert_eq!(list(&[&a], "or"), "`a`");
        assert_eq!(list(&[&a, &b], "or"), "`a` or `b`");
        assert_eq!(list(&[&a, &b, &c], "and"), "`a`, `b` and `c`");
    }

    /// The repository's own files: nothing but secrets is missing.
    #[test]
    fn the_demo_lacks_its_secrets_only() {
        let spin = fs::read_to_string(component::root().join(SPIN)).unwrap();
        let files = Files::read(None).unwrap();
        let demo = crate::demo::VARIABLES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(report(&diagnostics(&files, &spin, &demo.collect())), "0 errors, 0 warnings\n");
        let bare = diagnostics(&files, &spin, &BTreeMap::new());
        let lines: Vec<_> = bare.iter().map(|diagnostic| (diagnostic.is_error(), diagnostic.line)).collect();
        assert_eq!(lines, [5, 45, 50, 55].map(|line| (false, Some(line))));
    }
}
