//! Mentions in the text of a message: the one that calls the gateway is taken out, those of people are left as their names.

/// Replaces a platform's placeholder of a mention. A key such as `@_user_1` is not found at the beginning of `@_user_10`.
pub(super) fn replace(text: &str, key: &str, with: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(key).filter(|_| !key.is_empty()) {
        read.push_str(before);
        if behind.starts_with(|c: char| c.is_ascii_digit()) {
            read.push_str(key);
        } else {
            // Phones put nothing between a mention and the next word.
            read.push(' ');
            read.push_str(with);
            read.push(' ');
        }
        rest = behind;
    }
    read.push_str(rest);
    read
}

/// The space that phones put behind a mention.
const AFTER_MENTION: char = '\u{2005}';

/// Takes the mentions off the beginning of a text that has them as display names, for messages that reach the gateway only if they
/// mention it. `name` is the gateway's, if it is known: a name with spaces ends at the space that phones put behind it, or cannot
/// be told from the words behind it.
pub(super) fn without_names<'t>(text: &'t str, name: Option<&str>) -> &'t str {
    let mut rest = text.trim_start();
    while let Some(mention) = rest.strip_prefix(['@', '＠']) {
        let named = name.and_then(|name| mention.strip_prefix(name));
        let named = named.filter(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace));
        let marked = mention.split_once(AFTER_MENTION).map(|(_, behind)| behind);
        let behind = named.or(marked).or_else(|| mention.split_once(char::is_whitespace).map(|(_, behind)| behind));
        rest = behind.unwrap_or_default().trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_whole_word() {
        assert_eq!(replace("@_user_1 alice", "@_user_1", "").trim(), "alice");
        assert_eq!(replace("@_user_10 alice", "@_user_1", ""), "@_user_10 alice");
        assert_eq!(replace("alice analytics@_user_1", "@_user_1", "@Dana"), "alice analytics @Dana ");
        assert_eq!(replace("a", "", "x"), "a");
    }

    #[test]
    fn names_are_taken_off_the_beginning() {
        for (text, name, rest) in [
            ("@offboard alice analytics", None, "alice analytics"),
            ("＠offboard alice analytics", None, "alice analytics"),
            ("@offboard\u{2005}alice analytics", None, "alice analytics"),
            ("@Off Board\u{2005}alice analytics", None, "alice analytics"),
            ("@Off Board alice analytics", Some("Off Board"), "alice analytics"),
            ("@Dana @offboard  alice analytics", None, "alice analytics"),
            ("@offboard", None, ""),
            ("alice analytics @offboard", None, "alice analytics @offboard"),
        ] {
            assert_eq!(without_names(text, name), rest, "{text}");
        }
    }
}
