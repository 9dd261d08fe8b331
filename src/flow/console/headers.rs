//! The headers of every answer of the console.

use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

use crate::reply::Rendered;

/// Nothing of a page comes from elsewhere, and no other page frames it. A browser holds the redirect of a form's answer to
/// `form-action`, too.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Adds the headers of a page that one person sees. Forms may lead to `provider` as well, the origin where people sign out.
pub(super) fn of_a_page(mut rendered: Rendered, provider: Option<&str>) -> Rendered {
    let policy = provider.map_or_else(|| POLICY.to_owned(), |origin| format!("{POLICY} {origin}"));
    let headers = [
        (CONTENT_SECURITY_POLICY, policy.as_str()),
        (CACHE_CONTROL, "no-store"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // Not `no-referrer`: with it, a browser sends our own forms with `Origin: null`.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    rendered.headers.extend(headers.map(|(name, value)| (name, value.to_owned())));
    rendered
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn a_page_is_for_one_person_and_no_frame() {
        for (provider, form_action) in [
            (None, "form-action 'self'"),
            (Some("https://id.example.com"), "form-action 'self' https://id.example.com"),
        ] {
            let page = of_a_page(Rendered::of("text/html", StatusCode::OK, String::new()), provider);
            let of = |name: &str| page.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let policy = of("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with(form_action), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(of("cache-control"), Some("no-store"));
            assert_eq!(of("x-frame-options"), Some("DENY"));
            assert_eq!(of("cross-origin-opener-policy"), Some("same-origin"));
            assert_eq!(of("referrer-policy"), Some("same-origin"));
        }
    }
}
