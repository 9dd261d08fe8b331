//! `GET /metrics` for a monitoring system that has the gateway's own token for it: the Spin variable `metrics_token`. While that is
//! empty, or the token is another, the request needs the proof of the documented API and a policy that permits to `operate`.

use crate::crypto::mac::same_secret;
use crate::host::Host;
use crate::request::headers::header;
use crate::request::inbound::Inbound;

/// The variable with the token.
const TOKEN: &str = "metrics_token";

/// Whether a request has the token.
pub(super) async fn is_scraper<H: Host>(host: &H, inbound: &Inbound) -> bool {
    let Ok(Some(authorization)) = header(&inbound.headers, "authorization") else { return false };
    let Some((scheme, given)) = authorization.split_once(' ') else { return false };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return false;
    }
    match host.variable(TOKEN).await.and_then(|token| token.trimmed()) {
        Some(token) => same_secret(given.trim().as_bytes(), &token),
        None => false,
    }
}
