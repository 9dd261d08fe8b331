//! The argument `--variable NAME=VALUE`.

/// Splits the argument at its first `=`.
///
/// # Errors
///
/// If it has none.
pub(super) fn name_and_value(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
