//! Mentions in the text of a message: the one that calls the gateway is taken out, those of people are left as their names.

/// Returns a mentioned person's name as one word: people choose their names, and none of them is to be read as a command and an
/// account.
pub(super) fn one_word(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("_")
}

/// Replaces a platform's placeholders of mentions, such as `@_user_1`, each by the text beside it. That one is not found at the
/// beginning of `@_user_10`.
///
/// The text is read once: people choose their names, and a placeholder in a name is no mention. Replaced again, a few names of
/// placeholders would grow beyond all memory.
pub(super) fn replace(text: &str, mentions: &[(&str, String)]) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, at)) = rest.find('@').and_then(|at| rest.split_at_checked(at)) {
        read.push_str(before);
        let found = mentions.iter().find_map(|(key, with)| {
            let behind = at.strip_prefix(key).filter(|_| !key.is_empty())?;
            (!behind.starts_with(|c: char| c.is_ascii_digit())).then_some((with, behind))
        });
        rest = match found {
            // Phones put nothing between a mention and the next word.
            Some((with, behind)) => {
                read.push(' ');
                read.push_str(with);
                read.push(' ');
                behind
            }
            None => {
                read.push('@');
                at.strip_prefix('@').unwrap_or_default()
            }
        };
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
        // That space ends this mention only if it stands before the next one.
        let end = mention.find(['@', '＠', AFTER_MENTION]).and_then(|end| mention.split_at_checked(end));
        let marked = end.and_then(|(_, behind)| behind.strip_prefix(AFTER_MENTION));
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
        let replaced = |text, key, with: &str| replace(text, &[(key, with.to_owned())]);
        assert_eq!(replaced("@_user_1 alice", "@_user_1", "").trim(), "alice");
        assert_eq!(replaced("@_user_10 alice", "@_user_1", ""), "@_user_10 alice");
        assert_eq!(replaced("alice analytics@_user_1", "@_user_1", "@Dana"), "alice analytics @Dana ");
        assert_eq!(replaced("@_user_10@_user_1alice", "@_user_1", "@Dana"), "@_user_10 @Dana alice");
        assert_eq!(replaced("@a", "", "x"), "@a");
    }

    #[test]
    fn a_name_is_one_word() {
        for (name, word) in
            [("Dana Wu", "Dana_Wu"), (" offboard\u{a0}alice\n", "offboard_alice"), ("王伟", "王伟"), ("", "")]
        {
            assert_eq!(one_word(name), word);
        }
    }

    /// Ten colleagues whose names are five mentions of the next would be ten million names.
    #[test]
    fn a_placeholder_in_a_name_is_no_mention() {
        let keys: Vec<_> = (1..=11).map(|number| format!("@_user_{number}")).collect();
        let names = keys.iter().skip(1).map(|next| format!("@{}", [next.as_str(); 5].join("")));
        let mentions: Vec<_> = keys.iter().map(String::as_str).zip(names).collect();
        assert_eq!(replace("@_user_1 left", &mentions), format!(" @{}  left", "@_user_2".repeat(5)));
    }

    #[test]
    fn names_are_taken_off_the_beginning() {
        for (text, name, rest) in [
            ("@offboard alice analytics", None, "alice analytics"),
            ("＠offboard alice analytics", None, "alice analytics"),
            ("@offboard\u{2005}alice analytics", None, "alice analytics"),
            ("@Off Board\u{2005}alice analytics", None, "alice analytics"),
            ("@offboard alice analytics @Dana\u{2005}left", None, "alice analytics @Dana\u{2005}left"),
            ("@Off Board alice analytics", Some("Off Board"), "alice analytics"),
            ("@Dana @offboard  alice analytics", None, "alice analytics"),
            ("@offboard", None, ""),
            ("alice analytics @offboard", None, "alice analytics @offboard"),
        ] {
            assert_eq!(without_names(text, name), rest, "{text}");
        }
    }
}
