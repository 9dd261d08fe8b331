//! What the demonstration has beside the files of `config/`: additions.toml, in a copy of the folder. An installation has its own
//! identity provider, so what leads to the demonstration's is not in `config/`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

const ADDITIONS: &str = include_str!("additions.toml");

/// Copies the files of `config` to `folder`, with what is added to offboard.toml.
///
/// # Errors
///
/// If they cannot be read or written, or offboard.toml is no TOML.
pub(super) fn copy(config: &Path, folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(config).with_context(|| format!("cannot read `{}`", config.display()))? {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let mut content = fs::read(&from).with_context(|| format!("cannot read `{}`", from.display()))?;
        if name == "offboard.toml" {
            content = with_additions(str::from_utf8(&content)?)?.into_bytes();
        }
        let to = folder.join(name);
        fs::write(&to, content).with_context(|| format!("cannot write `{}`", to.display()))?;
    }
    Ok(())
}

/// Returns offboard.toml with the additions.
///
/// # Errors
///
/// If it is no TOML.
pub(super) fn with_additions(text: &str) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().context("cannot read `offboard.toml`")?;
    let mut others: DocumentMut = ADDITIONS.parse()?;
    for (key, item) in others.iter_mut() {
        let known = document.get_mut(&key).and_then(Item::as_array_of_tables_mut);
        let Some((known, added)) = known.zip(item.as_array_of_tables_mut()) else { continue };
        added.retain(|added| match known.iter_mut().find(|known| name(known) == name(added)) {
            Some(known) => {
                extend(known, added);
                false
            }
            None => true,
        });
    }
    Ok(format!("{document}\n{others}"))
}

fn name(table: &Table) -> Option<&str> {
    table.get("name")?.as_str()
}

/// Adds the items of the arrays of a table to those of another.
fn extend(known: &mut Table, added: &Table) {
    for (key, item) in added {
        let Some(items) = item.as_array() else { continue };
        let known = known.entry(key).or_insert_with(|| Item::Value(Value::Array(Array::new())));
        if let Some(known) = known.as_array_mut() {
            known.extend(items.iter().filter_map(Value::as_str));
        }
    }
}

#[cfg(test)]
mod tests {
    use starrocks_offboard::callers;
    use starrocks_offboard::config::Config;

    use super::*;
    use crate::repository;

    #[test]
    fn config_with_the_additions_can_be_used() {
        let text = fs::read_to_string(repository::root().join("config/offboard.toml")).unwrap();
        let config = Config::parse(&with_additions(&text).unwrap(), &callers::shapes()).unwrap();
        let callers: Vec<_> = config.callers().map(|caller| caller.name.as_str()).collect();
        assert_eq!(callers, ["console", "directory", "hr", "portal", "slack"]);
        assert_eq!(config.person("console/dana"), config.person("slack/U2CERLKJA"));
        assert_eq!(config.person("console/priya"), config.person("slack/U7PR1YA02"));
        assert_ne!(config.person("console/priya"), config.person("console/dana"));
        assert_eq!(config.own_accounts("console/dana"), ["dana"]);
    }

    #[test]
    fn what_an_operator_has_changed_stays() {
        let text = "# ours\n[[team]]\nname = \"ops\"\nmembers = [\"hr\"]\n\n[limits]\nconnect = \"1s\"\n";
        let added = with_additions(text).unwrap();
        assert!(added.starts_with("# ours\n[[team]]\nname = \"ops\"\nmembers = [\"hr\"]\n"), "{added}");
        assert!(added.contains("[limits]\nconnect = \"1s\"\n") && added.contains("[caller.leavers]"), "{added}");
    }
}
