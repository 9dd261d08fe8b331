//! offboard.toml with one more `[[caller]]`. Everything else in the file, comments too, stays as it is.

use anyhow::{Context, bail};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use super::inputs::Mapped;

/// The key of the tables.
const CALLER: &str = "caller";

/// A caller that offboard.toml does not have yet.
#[derive(Debug)]
pub(super) struct NewCaller<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    /// Where its requests arrive, for a comment.
    pub(super) endpoint: String,
    pub(super) keys: Keys,
    /// Keys, values, and whether the values are a list.
    pub(super) settings: Vec<(String, Vec<String>, bool)>,
    pub(super) leavers: Option<NewLeavers>,
}

/// How its secret is written.
#[derive(Debug)]
pub(super) enum Keys {
    /// Not at all.
    None,
    /// `secrets = ["variable"]`
    Secret(String),
    /// `secrets = [{ part = "variable", … }]`
    Parts(Vec<(&'static str, String)>),
    /// `access_keys = [{ id = "…", secret = "variable" }]`
    AccessKey { id: String, variable: String },
}

/// `[caller.leavers]`
#[derive(Debug)]
pub(super) struct NewLeavers {
    pub(super) instances: Vec<String>,
    pub(super) templates: Vec<String>,
    pub(super) map: Vec<Mapped>,
}

/// Returns the file with the caller added, and the lines that were added.
///
/// # Errors
///
/// If the file is not TOML, or its callers are not written as `[[caller]]`.
pub(super) fn with_caller(text: &str, caller: &NewCaller<'_>) -> anyhow::Result<(String, String)> {
    let mut document: DocumentMut = text.parse().context("offboard.toml is not TOML")?;
    let callers = document.entry(CALLER).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(callers) = callers.as_array_of_tables_mut() else {
        bail!("the callers in offboard.toml are one list; write each as a table `[[caller]]`");
    };
    callers.push(table(caller));

    let mut alone = DocumentMut::new();
    let mut callers = ArrayOfTables::new();
    callers.push(table(caller));
    alone.insert(CALLER, Item::ArrayOfTables(callers));
    Ok((document.to_string(), alone.to_string().trim_start().to_owned()))
}

fn table(caller: &NewCaller<'_>) -> Table {
    let mut table = Table::new();
    let mut name = Value::from(caller.name);
    name.decor_mut().set_suffix(format!(" # {}", caller.endpoint));
    table.insert("name", Item::Value(name));
    table.insert("kind", Item::Value(caller.kind.into()));
    match &caller.keys {
        Keys::None => {}
        Keys::Secret(variable) => {
            table.insert("secrets", list([variable.as_str()]));
        }
        Keys::Parts(parts) => {
            let parts = parts.iter().map(|(part, variable)| (*part, variable.as_str()));
            table.insert("secrets", list([inline(parts)]));
        }
        Keys::AccessKey { id, variable } => {
            table.insert("access_keys", list([inline([("id", id.as_str()), ("secret", variable.as_str())])]));
        }
    }
    for (key, values, is_list) in &caller.settings {
        let item = match values.as_slice() {
            [value] if !is_list => Item::Value(value.as_str().into()),
            values => list(values.iter().map(String::as_str)),
        };
        table.insert(key, item);
    }
    if let Some(leavers) = &caller.leavers {
        table.insert("leavers", Item::Table(leavers_table(leavers)));
    }
    table.decor_mut().set_prefix("\n");
    table
}

fn leavers_table(leavers: &NewLeavers) -> Table {
    let mut table = Table::new();
    table.insert("instances", list(leavers.instances.iter().map(String::as_str)));
    if !leavers.templates.is_empty() {
        table.insert("user_names", list(leavers.templates.iter().map(String::as_str)));
    }
    if !leavers.map.is_empty() {
        let people = leavers.map.iter().map(|(key, accounts)| (key.as_str(), accounts.iter().collect::<Array>()));
        table.insert("map", Item::Value(people.collect::<InlineTable>().into()));
    }
    table.decor_mut().set_prefix("\n");
    table
}

fn list<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Item {
    Item::Value(values.into_iter().collect::<Array>().into())
}

fn inline<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.into_iter().collect::<InlineTable>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scim(leavers: Option<NewLeavers>) -> NewCaller<'static> {
        NewCaller {
            name: "okta",
            kind: "scim",
            endpoint: "/scim/v2/okta".to_owned(),
            keys: Keys::Secret("scim_token".to_owned()),
            settings: Vec::new(),
            leavers,
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_caller_comes_after_the_others_and_comments_stay() {
        let before = "# The callers.\n[[caller]]\nname = \"hr\"      # POST /hooks/hr\n\n[caller.leavers]\ninstances = [\"a\"] # one\n\n# The accounts.\n[accounts]\nprotected = [\"etl_*\"]\n# unusual = [\"Old-*\"]\n";
        let leavers = NewLeavers {
            instances: texts(&["a", "b"]),
            templates: texts(&["{userName|snake}"]),
            map: vec![("userName:dana@example.com".to_owned(), texts(&["dana", "dana_ro"]))],
        };
        let (after, lines) = with_caller(before, &scim(Some(leavers))).unwrap();
        let added = "[[caller]]\nname = \"okta\" # /scim/v2/okta\nkind = \"scim\"\nsecrets = [\"scim_token\"]\n\n[caller.leavers]\ninstances = [\"a\", \"b\"]\nuser_names = [\"{userName|snake}\"]\nmap = { \"userName:dana@example.com\" = [\"dana\", \"dana_ro\"] }\n";
        assert_eq!(lines, added);
        let (before, accounts) = before.split_once("\n# The accounts.").unwrap();
        assert_eq!(after, format!("{before}\n{added}\n# The accounts.{accounts}"));
    }

    #[test]
    fn the_first_caller_comes_last() {
        let (after, _) = with_caller("[accounts]\nprotected = [\"etl_*\"]\n", &scim(None)).unwrap();
        assert_eq!(
            after,
            "[accounts]\nprotected = [\"etl_*\"]\n\n[[caller]]\nname = \"okta\" # /scim/v2/okta\nkind = \"scim\"\nsecrets = [\"scim_token\"]\n"
        );
    }

    #[test]
    fn secrets_and_settings_have_the_form_of_the_kind() {
        for (keys, expected) in [
            (Keys::None, ""),
            (
                Keys::Parts(vec![("token", "a".to_owned()), ("aes_key", "b".to_owned())]),
                "secrets = [{ token = \"a\", aes_key = \"b\" }]\n",
            ),
            (
                Keys::AccessKey { id: "okta-1".to_owned(), variable: "a".to_owned() },
                "access_keys = [{ id = \"okta-1\", secret = \"a\" }]\n",
            ),
        ] {
            let settings = vec![
                ("audience".to_owned(), texts(&["1", "2"]), true),
                ("tenants".to_owned(), texts(&["a\"b"]), true),
                ("app".to_owned(), texts(&["users/1"]), false),
            ];
            let (_, lines) = with_caller("", &NewCaller { keys, settings, ..scim(None) }).unwrap();
            let settings = "audience = [\"1\", \"2\"]\ntenants = ['a\"b']\napp = \"users/1\"\n";
            assert_eq!(
                lines,
                format!("[[caller]]\nname = \"okta\" # /scim/v2/okta\nkind = \"scim\"\n{expected}{settings}")
            );
        }
    }

    #[test]
    fn other_forms_of_the_file_are_errors() {
        let message = |text: &str| with_caller(text, &scim(None)).unwrap_err().to_string();
        assert_eq!(
            message("caller = []"),
            "the callers in offboard.toml are one list; write each as a table `[[caller]]`"
        );
        assert_eq!(message("caller = ["), "offboard.toml is not TOML");
    }
}
