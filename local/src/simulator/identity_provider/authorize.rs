//! The authorization endpoint: checks a request, asks who signs in, and leads back with a code or an error.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use super::error::OAuthError;
use super::page;
use super::parameters::Parameters;
use super::state::{Authorization, Grant, Provider, random};

/// Why a request for a sign-in is refused.
enum Refusal {
    /// It is not certain where the answer may go, so the person reads it.
    OnPage(String),
    /// The client is told at its own address.
    Redirected { redirect_uri: String, state: Option<String>, error: OAuthError },
}

/// Answers a client's request: with the page that asks who signs in, or a refusal.
pub(super) fn ask(provider: &Provider, parameters: &Parameters) -> Response<Bytes> {
    match check(provider, parameters) {
        Ok(authorization) => {
            let interaction = random();
            let page = page::choose(&authorization.client_id, &provider.options.people, &interaction);
            provider.pending().interactions.insert(interaction, authorization);
            page
        }
        Err(Refusal::OnPage(text)) => refused(&text),
        Err(Refusal::Redirected { redirect_uri, state, error }) => {
            let mut answer = vec![("error", error.code), ("error_description", &error.description)];
            answer.extend(state.as_deref().map(|state| ("state", state)));
            redirect(provider, &redirect_uri, &answer)
        }
    }
}

/// Answers the page's form: leads back to the client with a code, or with `access_denied` if the person cancelled.
pub(super) fn decide(provider: &Provider, parameters: &Parameters) -> Response<Bytes> {
    let interaction = parameters.get("interaction").unwrap_or_default();
    let Some(authorization) = provider.pending().interactions.remove(interaction) else {
        return refused(
            "this sign-in was answered already or never began; go back to the application and sign in again",
        );
    };
    let redirect_uri = authorization.redirect_uri.clone();
    let state = authorization.state.clone();
    let Some(sub) = parameters.get("person") else {
        let answer = [("error", "access_denied"), ("error_description", "the person cancelled"), ("state", &state)];
        return redirect(provider, &redirect_uri, &answer);
    };
    let Some(person) = provider.options.people.iter().find(|person| person.sub == sub) else {
        return refused("this person does not exist here; go back to the application and sign in again");
    };
    let code = random();
    let grant = Grant { authorization, person: person.clone(), at: provider.now() };
    provider.pending().codes.insert(code.clone(), grant);
    redirect(provider, &redirect_uri, &[("code", &code), ("state", &state)])
}

fn check(provider: &Provider, parameters: &Parameters) -> Result<Authorization, Refusal> {
    let client_id = parameters.get("client_id").unwrap_or_default();
    let client =
        provider.client(client_id).ok_or_else(|| Refusal::OnPage(format!("client `{client_id}` is not known here")))?;
    let redirect_uri = parameters
        .get("redirect_uri")
        .filter(|uri| client.redirect_uris.iter().any(|registered| registered == uri))
        .ok_or_else(|| Refusal::OnPage("`redirect_uri` is not one that this client registered".to_owned()))?;
    check_rest(parameters, client_id, redirect_uri).map_err(|error| Refusal::Redirected {
        redirect_uri: redirect_uri.to_owned(),
        state: parameters.get("state").map(str::to_owned),
        error,
    })
}

/// Checks everything but the client and its address.
fn check_rest(parameters: &Parameters, client_id: &str, redirect_uri: &str) -> Result<Authorization, OAuthError> {
    for (name, code) in [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")] {
        if parameters.get(name).is_some() {
            return Err(OAuthError::new(code, format!("`{name}` is not supported")));
        }
    }
    let required =
        |name: &str| parameters.get(name).ok_or_else(|| OAuthError::invalid_request(format!("`{name}` is missing")));
    if required("response_type")? != "code" {
        return Err(OAuthError::new("unsupported_response_type", "`response_type` is not `code`"));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::invalid_request("`response_mode` is not `query`"));
    }
    let scopes: Vec<String> = required("scope")?.split(' ').map(str::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(OAuthError::new("invalid_scope", "`scope` lacks `openid`"));
    }
    let (state, nonce) = (required("state")?.to_owned(), required("nonce")?.to_owned());
    let challenge = required("code_challenge")?;
    // Left out, the method is `plain` (RFC 7636, section 4.3).
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("`code_challenge_method` is not `S256`"));
    }
    if URL_SAFE_NO_PAD.decode(challenge).map(|digest| digest.len()) != Ok(32) {
        return Err(OAuthError::invalid_request("`code_challenge` is not a SHA-256 in base64url"));
    }
    if parameters.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|value| value == "none")) {
        return Err(OAuthError::new("login_required", "each sign-in asks the person"));
    }
    Ok(Authorization {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state,
        nonce,
        challenge: challenge.to_owned(),
        scopes,
    })
}

fn refused(text: &str) -> Response<Bytes> {
    page::sentence(StatusCode::BAD_REQUEST, "This sign-in cannot go on", text)
}

/// Leads back to the client, with the issuer in the answer (RFC 9207).
fn redirect(provider: &Provider, redirect_uri: &str, answer: &[(&str, &str)]) -> Response<Bytes> {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(answer)
        .append_pair("iss", &provider.issuer)
        .finish();
    see_other(&format!("{redirect_uri}{}{query}", if redirect_uri.contains('?') { '&' } else { '?' }))
}

/// Returns a redirect that a browser follows by GET.
pub(super) fn see_other(location: &str) -> Response<Bytes> {
    let Ok(location) = HeaderValue::from_str(location) else {
        return refused("the address that this leads to cannot stand in a header");
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
