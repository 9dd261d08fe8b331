//! CSV (RFC 4180) that a spreadsheet opens without running what a requester wrote.

use crate::outcome::unseen::visible;

/// A line, every field quoted.
pub(crate) fn line<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> String {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|field| {
            let field = shown(field.as_ref());
            // A spreadsheet would take it for a formula, and a requester wrote it. Some read the full-width signs as well.
            let is_formula = field.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n']);
            let guard = if is_formula { "'" } else { "" };
            format!("\"{guard}{}\"", field.replace('"', "\"\""))
        })
        .collect();
    fields.join(",") + "\r\n"
}

/// A field as people see it: what cannot be seen is escaped, but for tabs and line breaks.
fn shown(field: &str) -> String {
    const BREAKS: [char; 3] = ['\t', '\r', '\n'];

    let stretches = field.split_inclusive(BREAKS).map(|stretch| {
        let words = stretch.trim_end_matches(BREAKS);
        visible(words) + stretch.strip_prefix(words).unwrap_or_default()
    });
    stretches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_line() {
        for (field, written) in [
            ("", "\"\"\r\n"),
            ("a,b", "\"a,b\"\r\n"),
            ("say \"hi\"", "\"say \"\"hi\"\"\"\r\n"),
            ("a\r\nb", "\"a\r\nb\"\r\n"),
            ("=1+1", "\"'=1+1\"\r\n"),
            ("+1", "\"'+1\"\r\n"),
            ("-1", "\"'-1\"\r\n"),
            ("@a", "\"'@a\"\r\n"),
            ("\ta", "\"'\ta\"\r\n"),
            ("\ra", "\"'\ra\"\r\n"),
            ("\n=a", "\"'\n=a\"\r\n"),
            ("＝1+1", "\"'＝1+1\"\r\n"),
            ("＠a", "\"'＠a\"\r\n"),
            ("a\u{202e}b\u{2028}\nc\u{9b}", "\"a\\u{202e}b\\u{2028}\nc\\u{9b}\"\r\n"),
            ("a=b", "\"a=b\"\r\n"),
            (" =b", "\" =b\"\r\n"),
        ] {
            assert_eq!(line([field]), written);
        }
        assert_eq!(line(["a", "b"]), "\"a\",\"b\"\r\n");
    }
}
