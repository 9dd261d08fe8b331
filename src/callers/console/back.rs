//! Where a person goes after signing in.

/// A path of the console's own, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back(String);

/// The longest path that is kept, in bytes: it is sealed into a cookie.
const LONGEST: usize = 1024;

impl Back {
    /// Reads a path and query; `None` unless it is below `/console` of this origin. A browser reads `//host` and `/\host` as another
    /// origin, and leaves out control characters before it decides.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("/console")?;
        let is_ours = rest.is_empty() || rest.starts_with(['/', '?']);
        let path = text.split('?').next().unwrap_or_default();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        (is_ours && is_plain && !path.contains("//") && text.len() <= LONGEST).then(|| Self(text.to_owned()))
    }

    /// Returns the path and query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Back {
    fn default() -> Self {
        Self("/console".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_path_of_the_console_is_gone_back_to() {
        for path in ["/console", "/console/removals/1?x=%2F%2F", "/console?a=//b", "/console/ask?instance=a&q=b%20c"] {
            assert_eq!(Back::parse(path).as_ref().map(Back::as_str), Some(path));
        }
        let long = format!("/console/{}", "a".repeat(LONGEST));
        for path in [
            "",
            "/",
            "console",
            "/consolee",
            "/healthz",
            "//evil.example",
            "/console//evil.example",
            "/\\evil.example",
            "/console\\",
            "https://evil.example/console",
            "/console#a",
            "/console\r\nSet-Cookie: a",
            "/console/\t",
            "/console/a b",
            "/console/\u{e4}",
            &long,
        ] {
            assert_eq!(Back::parse(path), None, "{path:?}");
        }
    }

    proptest! {
        /// What a browser makes of it is on the console's origin, whatever was asked.
        #[test]
        fn it_stays_on_the_origin(text in "(/console)?[/\\\\?#@:.a-z%\\t\\n ]{0,12}") {
            if let Some(back) = Back::parse(&text) {
                let url: http::Uri = format!("https://offboard.example.com{}", back.as_str()).parse().unwrap();
                prop_assert_eq!(url.authority().unwrap().as_str(), "offboard.example.com");
                prop_assert!(url.path().starts_with("/console"));
            }
        }
    }
}
