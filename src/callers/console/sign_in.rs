//! One sign-in by OpenID Connect Core 1.0, section 3.1: the authorization code flow with PKCE (RFC 7636), `state` and `nonce`, and
//! the provider's name in its answers (RFC 9207).
//!
//! What the callback has to know is sealed into a cookie of its own, whose name has a part of `state`: two tabs do not overwrite each
//! other's. A code is used once because the provider refuses it a second time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::callers::console::back::Back;
use crate::callers::console::cookies::{self, cookie};
use crate::callers::console::provider::Provider;
use crate::callers::console::session::{SignedIn, about, open, seal};
use crate::callers::console::settings::public_url;
use crate::callers::proof::ActiveSecret;
use crate::config::callers::Caller;
use crate::crypto::jwks::KeySet;
use crate::crypto::jwt::{self, Expected, TokenError};
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::request::inbound::Inbound;
use crate::request::strict::Fields;
use crate::secret::Secret;

/// How long a sign-in may take, in seconds.
pub const LONGEST: u32 = 600;

/// The beginning of the names of sign-ins' cookies.
const COOKIE: &str = "__Host-offboard-signin-";

/// How much of `state` is in the name, in bytes.
const NAMED_BY: usize = 8;

/// The scopes of a caller that sets none.
const SCOPES: &str = "openid profile email";

/// What stays as it is in a query or form.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a sign-in came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInError {
    /// The callback's query is not one of a provider.
    Malformed,
    /// No sign-in of this browser has its `state`, or it took too long.
    Unknown,
    /// The answer names another provider, or none although this one names itself.
    OtherProvider,
    /// The provider's error, such as `access_denied`.
    Denied(String),
    /// The provider did not take the code.
    CodeRefused,
    /// The ID token cannot be believed.
    Token(TokenError),
    /// The person is in so many teams that a browser would not keep the session.
    TooManyTeams,
}

impl From<TokenError> for SignInError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<SignInError> for Outcome {
    fn from(error: SignInError) -> Self {
        let refused = |why: &str| Message::new(&catalog::SIGN_IN_REFUSED).quoting("why", why);
        Self::Refused(match error {
            SignInError::Malformed | SignInError::Unknown => Message::new(&catalog::SIGN_IN_OVER),
            SignInError::OtherProvider => refused("iss"),
            SignInError::Denied(error) => refused(&error),
            SignInError::CodeRefused => refused("invalid_grant"),
            SignInError::Token(TokenError::Claim(claim)) => refused(claim),
            SignInError::Token(TokenError::Expired) => refused("exp"),
            SignInError::Token(_) => refused("id_token"),
            SignInError::TooManyTeams => refused("groups"),
        })
    }
}

/// A sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    state: String,
    nonce: String,
    /// PKCE's.
    verifier: String,
    /// Where the person goes afterwards.
    back: String,
    /// When it began, in seconds since 1970.
    began: i64,
}

/// The answer of a provider to the callback.
#[derive(Debug)]
pub struct Callback {
    state: String,
    issuer: Option<String>,
    /// The code, or the error.
    answer: Result<String, String>,
}

impl SignIn {
    /// A sign-in that begins now. The random numbers are used for nothing else.
    pub fn new(back: &Back, random: [u128; 4], now: DateTime<Utc>) -> Self {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let [state, nonce, first, second] = random.map(u128::to_be_bytes);
        Self {
            state: text(&state),
            nonce: text(&nonce),
            verifier: text(&[first, second].concat()),
            back: back.as_str().to_owned(),
            began: now.timestamp(),
        }
    }

    /// Returns the URL at the provider that the person is sent to.
    pub fn url(&self, provider: &Provider, caller: &Caller) -> String {
        let scopes = caller.settings("scopes").join(" ");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier));
        let parameters = [
            ("response_type", "code"),
            ("client_id", caller.setting("client_id").unwrap_or_default()),
            ("redirect_uri", &redirect_uri(caller)),
            ("scope", if scopes.is_empty() { SCOPES } else { &scopes }),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        with_query(&provider.authorization_endpoint, &parameters)
    }

    /// Returns the `Set-Cookie` of the sign-in; `None` if there is no session key.
    pub fn set_cookie(&self, caller: &Caller, secrets: &[ActiveSecret], random: u128) -> Option<String> {
        let name = cookie_name(&self.state)?;
        let text = serde_json::to_string(self).ok().and_then(Secret::new)?;
        let sealed = seal(&text, secrets, &about(COOKIE, caller), random)?;
        Some(cookies::set(&name, &sealed, Some(LONGEST)))
    }

    /// Returns the sign-in that an answer belongs to.
    ///
    /// # Errors
    ///
    /// [`SignInError::Unknown`] if this browser has none of its `state`, or it began more than 10 minutes ago.
    pub fn of_callback(
        inbound: &Inbound,
        callback: &Callback,
        (caller, secrets): (&Caller, &[ActiveSecret]),
        now: DateTime<Utc>,
    ) -> Result<Self, SignInError> {
        const UNKNOWN: SignInError = SignInError::Unknown;
        let name = cookie_name(&callback.state).ok_or(UNKNOWN)?;
        let sealed = cookie(&inbound.headers, &name).ok().flatten().ok_or(UNKNOWN)?;
        let opened = open(sealed, secrets, &about(COOKIE, caller)).ok_or(UNKNOWN)?;
        let known: Self = serde_json::from_str(opened.expose()).map_err(|_| UNKNOWN)?;
        let is_same: bool = known.state.as_bytes().ct_eq(callback.state.as_bytes()).into();
        let is_in_time = (0..i64::from(LONGEST)).contains(&now.timestamp().saturating_sub(known.began));
        if is_same && is_in_time { Ok(known) } else { Err(UNKNOWN) }
    }

    /// Returns where the person goes afterwards.
    pub fn back(&self) -> Back {
        Back::parse(&self.back).unwrap_or_default()
    }

    /// Returns PKCE's verifier, which the token endpoint compares with the challenge.
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Verifies the ID token of this sign-in, and returns the session of its person.
    ///
    /// # Errors
    ///
    /// [`SignInError::Token`] if it is not the provider's, not for this gateway and this sign-in, not valid now, or names no person.
    pub fn session(
        &self,
        id_token: &str,
        keys: &KeySet,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, SignInError> {
        let algorithms = caller.settings("algorithms");
        if !algorithms.is_empty() && jwt::algorithm(id_token).is_none_or(|used| !algorithms.contains(&used)) {
            return Err(TokenError::Algorithm.into());
        }
        let expected = Expected {
            issuer: caller.setting("issuer").unwrap_or_default(),
            audiences: caller.settings("client_id"),
            authorized_party: None,
            groups: caller.setting("groups"),
        };
        let claims: Map<String, Value> = jwt::id_token(id_token, keys, &expected, &self.nonce, now)?;
        let id = jwt::person(&claims, caller.setting("claim").unwrap_or("sub"))?;
        Ok(SignedIn::new(id, jwt::known_claims(&claims, &expected)?.groups, now))
    }
}

impl Callback {
    /// Reads the query of the callback. What the gateway does not know, such as `session_state`, is ignored.
    ///
    /// # Errors
    ///
    /// [`SignInError::Malformed`] if it has no `state`, neither a code nor an error, or both.
    pub fn parse(query: &str) -> Result<Self, SignInError> {
        const MALFORMED: SignInError = SignInError::Malformed;
        let fields = Fields::from_query(query).map_err(|_| MALFORMED)?;
        let value = |name: &str| fields.value(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let answer = match (value("code"), value("error")) {
            (Some(code), None) => Ok(code),
            (None, Some(error)) => Err(error),
            _ => return Err(MALFORMED),
        };
        Ok(Self { state: value("state").ok_or(MALFORMED)?, issuer: value("iss"), answer })
    }

    /// Returns the `Set-Cookie` that ends the sign-in which the answer is for.
    pub fn delete_cookie(&self) -> Option<String> {
        cookie_name(&self.state).map(|name| cookies::delete(&name))
    }

    /// Returns the code.
    ///
    /// # Errors
    ///
    /// [`SignInError::OtherProvider`] if another provider answered (the mix-up attack of RFC 9207), [`SignInError::Denied`] if this
    /// one did not sign the person in.
    pub fn code(self, provider: &Provider) -> Result<String, SignInError> {
        match &self.issuer {
            Some(issuer) if *issuer != provider.issuer => return Err(SignInError::OtherProvider),
            None if provider.names_itself => return Err(SignInError::OtherProvider),
            _ => {}
        }
        self.answer.map_err(SignInError::Denied)
    }
}

/// Returns where the provider sends people back to; it has to know this address.
pub fn redirect_uri(caller: &Caller) -> String {
    format!("{}/console/callback", public_url(caller))
}

/// Returns the URL at the provider where a person signs out, and comes back from to the sign-in page; `None` if the provider has
/// none. It names the client, so that no ID token has to be kept (OpenID Connect RP-Initiated Logout 1.0, section 2).
pub fn sign_out_url(provider: &Provider, caller: &Caller) -> Option<String> {
    let parameters = [
        ("client_id", caller.setting("client_id").unwrap_or_default()),
        ("post_logout_redirect_uri", &format!("{}/console/signin", public_url(caller))),
    ];
    provider.end_session_endpoint.as_ref().map(|endpoint| with_query(endpoint, &parameters))
}

/// The name of a sign-in's cookie; `None` if the state is none of the gateway's.
fn cookie_name(state: &str) -> Option<String> {
    let part = state.get(..NAMED_BY)?;
    let is_plain = state.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_plain.then(|| format!("{COOKIE}{part}"))
}

/// Adds parameters to a URL, which may have a query already (RFC 6749, section 3.1).
fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let joined = form(parameters);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{joined}")
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Returns `name=value&…`, percent-encoded.
pub(super) fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;
    use crate::callers::console::provider::ClientProof;
    use crate::callers::console::settings::{NAME, SESSION_KEY};

    const NOW: i64 = 1_780_308_000;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn caller() -> Caller {
        Caller::new("console", NAME)
            .with("issuer", &["https://id.example.com"])
            .with("client_id", &["off board"])
            .with("public_url", &["https://offboard.example.com/"])
    }

    fn provider() -> Provider {
        Provider {
            issuer: "https://id.example.com".into(),
            authorization_endpoint: "https://id.example.com/auth?tenant=1".into(),
            token_endpoint: "https://id.example.com/token".into(),
            jwks_url: "https://id.example.com/jwks".into(),
            end_session_endpoint: Some("https://id.example.com/end".into()),
            client_proof: ClientProof::Basic,
            names_itself: true,
        }
    }

    fn secrets(key: &str) -> Vec<ActiveSecret> {
        vec![ActiveSecret::new(None, vec![(SESSION_KEY, Secret::new(key.into()).unwrap())]).unwrap()]
    }

    fn callback(query: &str, cookies: &[&str]) -> Inbound {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(http::header::COOKIE, cookie.split("; ").next().unwrap().parse().unwrap());
        }
        let (path, host) = ("/console/callback".into(), "localhost".into());
        Inbound { method: Method::GET, path, query: query.into(), host, headers, body: Bytes::new() }
    }

    #[test]
    fn the_way_to_the_provider() {
        let sign_in = SignIn::new(&Back::default(), [1, 2, 3, 4], at(NOW));
        let state = "AAAAAAAAAAAAAAAAAAAAAQ";
        // RFC 7636, section 4.2: BASE64URL(SHA256(ASCII(code_verifier))).
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(sign_in.verifier()));
        assert_eq!(sign_in.verifier().len(), 43);
        let expected = |scope: &str| {
            format!(
                "https://id.example.com/auth?tenant=1&response_type=code&client_id=off%20board&redirect_uri=https%3A%2F%2Foffboard.example.com%2Fconsole%2Fcallback&scope={scope}&state={state}&nonce=AAAAAAAAAAAAAAAAAAAAAg&code_challenge={challenge}&code_challenge_method=S256"
            )
        };
        assert_eq!(sign_in.url(&provider(), &caller()), expected("openid%20profile%20email"));
        let with_scopes = caller().with("scopes", &["openid", "groups"]);
        assert_eq!(sign_in.url(&provider(), &with_scopes), expected("openid%20groups"));
        let cookie = sign_in.set_cookie(&caller(), &secrets("k1"), 9).unwrap();
        assert!(cookie.starts_with("__Host-offboard-signin-AAAAAAAA="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
        assert!(!cookie.contains(state) && !cookie.contains(sign_in.verifier()), "{cookie}");
        assert_eq!(
            sign_out_url(&provider(), &caller()).unwrap(),
            "https://id.example.com/end?client_id=off%20board&post_logout_redirect_uri=https%3A%2F%2Foffboard.example.com%2Fconsole%2Fsignin"
        );
    }

    #[test]
    fn an_answer_belongs_to_one_sign_in_of_one_browser() {
        let back = Back::parse("/console/removals?a=b").unwrap();
        let sign_in = SignIn::new(&back, [1 << 80, 2, 3, 4], at(NOW));
        let cookie = sign_in.set_cookie(&caller(), &secrets("k1"), 9).unwrap();
        let other = SignIn::new(&back, [5 << 100, 6, 7, 8], at(NOW)).set_cookie(&caller(), &secrets("k1"), 9).unwrap();
        let read = |query: &str, cookies: &[&str], key: &str, seconds: i64| {
            let callback_of = Callback::parse(query).unwrap();
            let inbound = callback(query, cookies);
            SignIn::of_callback(&inbound, &callback_of, (&caller(), &secrets(key)), at(NOW + seconds))
        };
        let query = format!("code=c&state={}", sign_in.state);
        for seconds in [0, 599] {
            let known = read(&query, &[&other, &cookie], "k1", seconds).unwrap();
            assert_eq!((known.back(), &known), (back.clone(), &sign_in));
        }
        let renamed = cookie.replace("signin-", "signin-x");
        // The same beginning, so the same cookie.
        let alike = format!("{}x", &query[..query.len() - 1]);
        for (query, cookies, key, seconds) in [
            (query.as_str(), &[][..], "k1", 0),
            (query.as_str(), &[other.as_str()], "k1", 0),
            (query.as_str(), &[renamed.as_str()], "k1", 0),
            (query.as_str(), &[cookie.as_str(), &cookie], "k1", 0),
            (query.as_str(), &[cookie.as_str()], "k2", 0),
            (query.as_str(), &[cookie.as_str()], "k1", 600),
            (query.as_str(), &[cookie.as_str()], "k1", -1),
            (alike.as_str(), &[cookie.as_str()], "k1", 0),
            ("code=c&state=short", &[cookie.as_str()], "k1", 0),
            ("code=c&state=%0d%0aSet-Cookie:a", &[cookie.as_str()], "k1", 0),
        ] {
            assert_eq!(read(query, cookies, key, seconds), Err(SignInError::Unknown), "{query} {key} {seconds}");
        }
    }

    #[test]
    fn answers_of_a_provider() {
        let ours = "iss=https%3A%2F%2Fid.example.com";
        let quiet = Provider { names_itself: false, ..provider() };
        let denied = |error: &str| Err(SignInError::Denied(error.into()));
        for (query, provider, expected) in [
            (format!("code=a%2Fb&state=s&{ours}&session_state=x"), provider(), Ok("a/b".to_owned())),
            ("code=a&state=s".into(), quiet.clone(), Ok("a".into())),
            ("code=a&state=s".into(), provider(), Err(SignInError::OtherProvider)),
            ("code=a&state=s&iss=https%3A%2F%2Fevil.example".into(), quiet.clone(), Err(SignInError::OtherProvider)),
            (format!("code=a&state=s&{ours}%2F"), quiet.clone(), Err(SignInError::OtherProvider)),
            (format!("error=access_denied&state=s&{ours}"), provider(), denied("access_denied")),
            // In errors, too.
            ("error=access_denied&state=s".into(), provider(), Err(SignInError::OtherProvider)),
            (format!("state=s&{ours}"), provider(), Err(SignInError::Malformed)),
            (format!("code=a&error=b&state=s&{ours}"), provider(), Err(SignInError::Malformed)),
            (format!("code=a&{ours}"), provider(), Err(SignInError::Malformed)),
            ("code=a&code=b&state=s".into(), quiet.clone(), Err(SignInError::Malformed)),
            ("code=a&state=s&state=t".into(), quiet.clone(), Err(SignInError::Malformed)),
            ("code=%zz&state=s".into(), quiet, Err(SignInError::Malformed)),
            (String::new(), provider(), Err(SignInError::Malformed)),
        ] {
            let code = Callback::parse(&query).and_then(|callback| callback.code(&provider));
            assert_eq!(code, expected, "{query}");
        }
    }
}
