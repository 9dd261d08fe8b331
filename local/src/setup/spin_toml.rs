//! spin.toml with the variables and hosts of a caller. Everything else in the file, comments too, stays as it is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use http::Uri;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::manifest::{Manifest, resolve_host};
use crate::runtime::allowed_hosts::AllowedHosts;

/// A variable that a caller needs. It is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) name: String,
    pub(super) description: String,
}

/// The file with what a caller needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edited {
    pub(super) text: String,
    /// What was added, as lines of the file.
    pub(super) lines: String,
}

/// Declares the variables, each in `[variables]` and in the component's, and allows the origins. What the file has already is left
/// as it is.
///
/// # Errors
///
/// If the file cannot be used, or has one of these tables in another form.
pub(super) fn edited(text: &str, variables: &[Declaration], origins: &[String]) -> anyhow::Result<Edited> {
    let manifest = Manifest::parse(text, PathBuf::new()).context("spin.toml cannot be used")?;
    let mut document: DocumentMut = text.parse().context("spin.toml is not TOML")?;
    let mut lines = Lines::default();

    for Declaration { name, description } in variables {
        if !manifest.variables.contains_key(name) {
            let declaration = declaration(description);
            lines.application.push(format!("{name} = {}", declaration.to_string().trim()));
            table(document.as_table_mut(), "variables")?.insert(name, Item::Value(declaration));
        }
    }
    let (component, name) = component(&mut document)?;
    for Declaration { name, .. } in variables {
        if !manifest.component_variables.contains_key(name) {
            let template = format!("{{{{ {name} }}}}");
            lines.component.push(format!("{name} = \"{template}\""));
            table(component, "variables")?.insert(name, Item::Value(template.into()));
        }
    }
    for origin in origins.iter().filter(|origin| !is_allowed(&manifest, origin)) {
        lines.hosts.push(origin.clone());
        let hosts = component.entry("allowed_outbound_hosts").or_insert_with(|| Item::Value(Array::new().into()));
        let hosts =
            hosts.as_array_mut().context("`allowed_outbound_hosts` in spin.toml is not a list; write it as one")?;
        append(hosts, origin);
    }
    let text = if lines.is_empty() { text.to_owned() } else { document.to_string() };
    Ok(Edited { text, lines: lines.show(&name) })
}

/// What is added.
#[derive(Debug, Default)]
struct Lines {
    application: Vec<String>,
    component: Vec<String>,
    hosts: Vec<String>,
}

impl Lines {
    fn is_empty(&self) -> bool {
        self.application.is_empty() && self.component.is_empty() && self.hosts.is_empty()
    }

    fn show(&self, component: &str) -> String {
        let below = |heading: String, lines: &[String]| {
            (!lines.is_empty()).then(|| format!("{heading}\n{}\n", lines.join("\n")))
        };
        let hosts = self.hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", ");
        let hosts = (!hosts.is_empty()).then(|| vec![format!("allowed_outbound_hosts = [ …, {hosts} ]")]);
        let parts = [
            below("[variables]".to_owned(), &self.application),
            below(format!("[component.{component}]"), &hosts.unwrap_or_default()),
            below(format!("[component.{component}.variables]"), &self.component),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

fn declaration(description: &str) -> Value {
    let mut declaration = InlineTable::new();
    declaration.insert("default", "".into());
    declaration.insert("secret", true.into());
    declaration.insert("description", description.into());
    declaration.into()
}

/// Returns the only component and its name.
fn component(document: &mut DocumentMut) -> anyhow::Result<(&mut dyn TableLike, String)> {
    let components = document.get_mut("component").and_then(Item::as_table_like_mut);
    let first = components.and_then(|components| components.iter_mut().next());
    let (name, component) = first.context("spin.toml has no component")?;
    let name = name.get().to_owned();
    let component = component.as_table_like_mut();
    Ok((component.with_context(|| format!("component `{name}` in spin.toml is not a table"))?, name))
}

/// Returns the table below this key, made if there is none.
fn table<'t>(parent: &'t mut dyn TableLike, key: &str) -> anyhow::Result<&'t mut dyn TableLike> {
    let item = parent.entry(key).or_insert_with(|| {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        Item::Table(table)
    });
    match item.as_table_like_mut() {
        Some(table) => Ok(table),
        None => bail!("`{key}` in spin.toml is not a table; write it as one"),
    }
}

/// Whether an entry of `allowed_outbound_hosts` covers the origin, while all variables have their defaults.
fn is_allowed(manifest: &Manifest, origin: &str) -> bool {
    let defaults: BTreeMap<_, _> = manifest
        .variables
        .iter()
        .map(|(name, variable)| (name.clone(), variable.default.clone().unwrap_or_default()))
        .collect();
    let allows = |entry: &String, uri: &Uri| {
        let host = resolve_host(entry, &defaults).ok().flatten();
        host.and_then(|host| AllowedHosts::parse(&[host]).ok()).is_some_and(|entry| entry.allow(uri))
    };
    origin.parse().is_ok_and(|uri| manifest.allowed_outbound_hosts.iter().any(|entry| allows(entry, &uri)))
}

/// Appends to a list in the form that it has: each entry on its own line, or all on one. A comment behind the last entry stays there.
fn append(list: &mut Array, text: &str) {
    let last = list.iter().last().and_then(|value| value.decor().prefix()?.as_str()).unwrap_or_default();
    let indentation = last.rsplit_once('\n').map(|(_, indentation)| format!("\n{indentation}"));
    let mut value = Value::from(text);
    if let Some(indentation) = indentation {
        let (comments, closing) = take_tail(list);
        value.decor_mut().set_prefix(format!("{comments}{indentation}"));
        match list.trailing_comma() {
            true => list.set_trailing(closing),
            false => value.decor_mut().set_suffix(closing),
        }
    } else {
        value.decor_mut().set_prefix(if list.is_empty() { "" } else { " " });
    }
    list.push_formatted(value);
}

/// Takes what is between the last entry of a list and its end: comments, and the line break before the bracket.
fn take_tail(list: &mut Array) -> (String, String) {
    let tail = if list.trailing_comma() {
        list.trailing().as_str().unwrap_or_default().to_owned()
    } else {
        let last = list.len().saturating_sub(1);
        let Some(last) = list.get_mut(last) else { return Default::default() };
        let suffix = last.decor().suffix().and_then(|suffix| suffix.as_str()).unwrap_or_default().to_owned();
        last.decor_mut().set_suffix("");
        suffix
    };
    match tail.rsplit_once('\n') {
        Some((comments, indentation)) => (comments.trim_end().to_owned(), format!("\n{indentation}")),
        None => (String::new(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPIN: &str = r#"spin_manifest_version = 2

[variables]
# The first.
first = { default = "", secret = true, description = "…" } # there
host = { default = "chat.example.com" }

[[trigger.http]]
route = "/..."
component = "c"

[component.c]
source = "c.wasm"
allowed_outbound_hosts = [
    # Public keys.
    "https://*.example.org",
    "https://{{ host }}", # the last
]

[component.c.variables]
first = "{{ first }}"

[component.c.build]
command = "make" # the build
"#;

    fn declared(names: &[&str]) -> Vec<Declaration> {
        let declaration =
            |name: &&str| Declaration { name: (*name).to_owned(), description: format!("Secret \"{name}\"") };
        names.iter().map(declaration).collect()
    }

    fn origins(origins: &[&str]) -> Vec<String> {
        origins.iter().map(|origin| (*origin).to_owned()).collect()
    }

    fn edit(text: &str, names: &[&str], hosts: &[&str]) -> Edited {
        edited(text, &declared(names), &origins(hosts)).unwrap()
    }

    #[test]
    fn variables_and_hosts_are_added_and_comments_stay() {
        let edited = edit(SPIN, &["first", "second"], &["https://a.example.org", "https://new.example.com"]);
        let expected = SPIN
            .replace(
                "\"chat.example.com\" }\n",
                "\"chat.example.com\" }\nsecond = { default = \"\", secret = true, description = 'Secret \"second\"' }\n",
            )
            .replace("# the last\n", "# the last\n    \"https://new.example.com\",\n")
            .replace("first = \"{{ first }}\"\n", "first = \"{{ first }}\"\nsecond = \"{{ second }}\"\n");
        assert_eq!(edited.text, expected);
        assert_eq!(
            edited.lines,
            "[variables]\nsecond = { default = \"\", secret = true, description = 'Secret \"second\"' }\n\n[component.c]\nallowed_outbound_hosts = [ …, \"https://new.example.com\" ]\n\n[component.c.variables]\nsecond = \"{{ second }}\"\n"
        );
        let again = edit(&edited.text, &["first", "second"], &["https://a.example.org", "https://new.example.com"]);
        assert_eq!(again, Edited { text: edited.text, lines: String::new() });
    }

    /// A variable that is declared and not handed over is one that an operator forgot.
    #[test]
    fn what_is_half_there_is_completed() {
        let half = SPIN.replace("first = \"{{ first }}\"\n", "");
        let edited = edit(&half, &["first"], &[]);
        assert_eq!(edited.text, SPIN);
        assert_eq!(edited.lines, "[component.c.variables]\nfirst = \"{{ first }}\"\n");
    }

    #[test]
    fn what_is_not_there_is_made() {
        let small = "spin_manifest_version = 2\n\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n\n[component.c]\nsource = \"c.wasm\"\nbuild.command = \"make\"\n";
        let edited = edit(small, &["first"], &["https://a.example.com"]);
        assert_eq!(
            edited.text,
            format!(
                "{small}allowed_outbound_hosts = [\"https://a.example.com\"]\n\n[component.c.variables]\nfirst = \"{{{{ first }}}}\"\n\n[variables]\nfirst = {{ default = \"\", secret = true, description = 'Secret \"first\"' }}\n"
            )
        );
    }

    #[test]
    fn a_list_keeps_its_form() {
        for (before, after) in [
            ("[]", "[\"n\"]"),
            ("[\"a\"]", "[\"a\", \"n\"]"),
            ("[\"a\", \"b\"]", "[\"a\", \"b\", \"n\"]"),
            ("[\n  \"a\"\n]", "[\n  \"a\",\n  \"n\"\n]"),
            ("[\n  \"a\",\n]", "[\n  \"a\",\n  \"n\",\n]"),
            ("[\n  \"a\" # one\n  ]", "[\n  \"a\", # one\n  \"n\"\n  ]"),
            ("[\n  \"a\", # one\n  # two\n]", "[\n  \"a\", # one\n  # two\n  \"n\",\n]"),
        ] {
            let mut document: DocumentMut = format!("list = {before}\n").parse().unwrap();
            append(document["list"].as_array_mut().unwrap(), "n");
            assert_eq!(document.to_string(), format!("list = {after}\n"));
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_an_error() {
        for (from, to, expected) in [
            ("manifest_version = 2", "manifest_version = 1", "spin.toml cannot be used"),
            ("[variables]", "[variables", "spin.toml cannot be used"),
        ] {
            let error = edited(&SPIN.replace(from, to), &[], &[]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
