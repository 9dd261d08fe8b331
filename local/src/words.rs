//! Lists of names in messages.

/// Joins names with commas; `none` if there are none.
pub(crate) fn joined<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Quotes names and joins them with commas: `` `a`, `b` ``.
pub(crate) fn quoted<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    quoted_each(names).join(", ")
}

/// Quotes names and joins them with commas and a last word: `` `a`, `b` or `c` ``.
pub(crate) fn quoted_with<T: AsRef<str>>(names: impl IntoIterator<Item = T>, last: &str) -> String {
    let quoted = quoted_each(names);
    match quoted.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn quoted_each<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Vec<String> {
    names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_and_quoted() {
        assert_eq!(joined([""; 0]), "none");
        assert_eq!(joined(["a", "b"]), "a, b");
        assert_eq!(quoted(["a", "b"]), "`a`, `b`");
        assert_eq!(quoted_with(["a"], "or"), "`a`");
        assert_eq!(quoted_with(["a", "b"], "or"), "`a` or `b`");
        assert_eq!(quoted_with(["a", "b", "c"], "and"), "`a`, `b` and `c`");
    }
}
