//! `spin:variables@3.0.0`, with the values that the runtime was started with.
//!
//! Not supported: providers (Vault and the like). Their error, `provider`, never occurs here.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{Accessor, HasData};

use super::bindings::spin::variables::variables::{Error, Host, HostWithStore};

/// The variables of the component, with their templates resolved.
pub(crate) type Values = Arc<BTreeMap<String, String>>;

/// Marks the interface for the linker.
pub(crate) struct Variables;

/// The data that the interface works on.
pub(crate) struct VariablesView<'a>(pub(crate) &'a Values);

impl HasData for Variables {
    type Data<'a> = VariablesView<'a>;
}

impl Host for VariablesView<'_> {}

impl<T> HostWithStore<T> for Variables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| get(access.get().0, name)))
    }
}

fn get(values: &BTreeMap<String, String>, name: String) -> Result<String, Error> {
    if !is_valid(&name) {
        return Err(Error::InvalidName(name));
    }
    values.get(&name).cloned().ok_or(Error::Undefined(name))
}

/// Returns whether a name follows Spin's rule: lower case, a letter first, single underscores between words.
fn is_valid(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !name.contains("__")
        && !name.ends_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_manifest_declares_is_defined() {
        let values = BTreeMap::from([("token".to_owned(), String::new())]);
        assert_eq!(get(&values, "token".to_owned()).unwrap(), "");
        assert!(matches!(get(&values, "other".to_owned()), Err(Error::Undefined(name)) if name == "other"));
        for name in ["", "Token", "1x", "a__b", "a_", "a-b"] {
            assert!(matches!(get(&values, name.to_owned()), Err(Error::InvalidName(_))), "{name}");
        }
    }
}
