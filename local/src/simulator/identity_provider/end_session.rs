//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).
//!
//! Nothing is ended, because the provider keeps no session. The request is checked as a provider with sessions would.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::authorize::see_other;
use super::page;
use super::parameters::Parameters;
use super::state::Provider;

pub(super) fn answer(provider: &Provider, parameters: &Parameters) -> Response<Bytes> {
    match destination(provider, parameters) {
        Ok(None) => page::sentence(StatusCode::OK, "You have signed out", "You can close this page."),
        Ok(Some(location)) => see_other(&location),
        Err(text) => page::sentence(StatusCode::BAD_REQUEST, "This sign-out cannot go on", text),
    }
}

/// Returns where the sign-out leads; `None` if it ends here.
fn destination(provider: &Provider, parameters: &Parameters) -> Result<Option<String>, &'static str> {
    let hinted = match parameters.get("id_token_hint") {
        None => None,
        Some(hint) => {
            let claims = provider.key.claims(hint).ok_or("`id_token_hint` is not a token of this provider")?;
            claims["aud"].as_str().map(str::to_owned)
        }
    };
    let named = parameters.get("client_id");
    if let (Some(named), Some(hinted)) = (named, &hinted)
        && named != hinted
    {
        return Err("`client_id` is not the client that `id_token_hint` was issued to");
    }
    let Some(uri) = parameters.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    let client_id = named.or(hinted.as_deref()).ok_or("`id_token_hint` or `client_id` is needed beside an address")?;
    let client = provider.client(client_id).ok_or("this client is not known here")?;
    if !client.post_logout_redirect_uris.iter().any(|registered| registered == uri) {
        return Err("`post_logout_redirect_uri` is not one that this client registered");
    }
    let Some(state) = parameters.get("state") else {
        return Ok(Some(uri.to_owned()));
    };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    Ok(Some(format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' })))
}
