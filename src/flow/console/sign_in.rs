//! Signing in at the provider and out again: what has to be fetched and sent for it. The rules are in `callers::console::sign_in`.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::json;

use crate::callers;
use crate::callers::console::back::Back;
use crate::callers::console::cookies;
use crate::callers::console::guard::Fingerprint;
use crate::callers::console::provider::{Provider, origin};
use crate::callers::console::session::{self, SignedIn};
use crate::callers::console::settings::{CLIENT_SECRET, has_provider};
use crate::callers::console::sign_in::{Callback, SignIn, SignInError, encoded, sign_out_url};
use crate::callers::console::token_request::{self, TokenAnswerError};
use crate::callers::proof::{ActiveSecret, ProofError};
use crate::config::callers::Key;
use crate::console::href::SIGN_IN;
use crate::console::locale::Locale;
use crate::console::pages::signin::{self, Over, Why};
use crate::crypto::jwks::JwksSource;
use crate::crypto::jwt::TokenError;
use crate::flow::console::answer::{of_a_reader, redirect, with_cookie};
use crate::flow::console::form_sent::SIGN_OUT;
use crate::flow::console::language::other_language;
use crate::flow::console::page_request::{PageRequest, SignedInPerson};
use crate::flow::parse::Work;
use crate::flow::secrets::load;
use crate::host::Host;
use crate::jwks_cache::ledger_down;
use crate::ledger::GATEWAY;
use crate::outbound::budget::Budget;
use crate::outbound::retry;
use crate::outcome::log_event::log_event;
use crate::outcome::{NotSent, Outcome};
use crate::provider_cache::ProviderError;
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::strict::Fields;

/// Where a person goes who signs in: the query parameter of the link.
const GO: &str = "go";

impl<'c, H: Host> PageRequest<'_, 'c, H> {
    /// The page where people sign in; with `go`, the way to the provider.
    pub(super) async fn sign_in(&self, now: DateTime<Utc>) -> Result<Work<'c>, Outcome> {
        if !has_provider(self.caller) {
            return Ok(redirect("/console"));
        }
        let query = Fields::from_query(&self.inbound.query)?;
        let Some(go) = query.value(GO) else { return Ok(self.sign_in_page(StatusCode::OK, false, now)) };
        let secrets = self.secrets().await?;
        let provider = self.provider().await?;
        let random = [(); 4].map(|()| self.host.random());
        let sign_in = SignIn::new(&Back::parse(go).unwrap_or_default(), random, now);
        let cookie = sign_in.set_cookie(self.caller, &secrets, self.host.random()).ok_or(ProofError::SecretUnset)?;
        Ok(with_cookie(redirect(&sign_in.url(&provider, self.caller)), cookie))
    }

    /// The page where people sign in, and come back to this one.
    pub(super) fn sign_in_page(&self, status: StatusCode, was_signed_in: bool, now: DateTime<Utc>) -> Work<'c> {
        let query = if self.inbound.query.is_empty() { String::new() } else { format!("?{}", self.inbound.query) };
        let here = format!("{}{query}", self.inbound.path);
        let back = Back::parse(&here).filter(|_| self.inbound.path != SIGN_IN).unwrap_or_default();
        let link = format!("{SIGN_IN}?{GO}={}", encoded(back.as_str()));
        let issuer = self.caller.setting("issuer").unwrap_or_default();
        let provider = issuer.split_once("://").map_or(issuer, |(_, rest)| rest.split('/').next().unwrap_or_default());
        let fields = Fields::from_query(&self.inbound.query).unwrap_or_default();
        let view = signin::SignIn {
            locale: Locale { language: self.language, now: now.with_timezone(&self.app.config.utc_offset) },
            other_language: other_language(self.inbound, &fields, self.language),
            provider: Some(provider.to_owned()),
            begin: link,
            hours: u32::try_from(session::LONGEST.checked_div(3600).unwrap_or_default()).unwrap_or_default(),
            version: GATEWAY.to_owned(),
            why: if was_signed_in { Why::Over(Over { ended_at: None, lost: None }) } else { Why::New },
        };
        let rendered = Rendered::of("text/html; charset=utf-8", status, signin::page(&view));
        Work::Reply(of_a_reader(self.caller, rendered))
    }

    /// Takes the provider's answer. The cookie of the sign-in is deleted whatever comes of it.
    pub(super) async fn callback(&self, now: DateTime<Utc>) -> (Result<Work<'c>, Outcome>, Vec<String>) {
        if !has_provider(self.caller) {
            return (Err(RequestError::RouteUnknown.into()), Vec::new());
        }
        let callback = match Callback::parse(&self.inbound.query) {
            Ok(callback) => callback,
            Err(error) => return (Err(error.into()), Vec::new()),
        };
        let used: Vec<String> = callback.delete_cookie().into_iter().collect();
        match self.signed_in(callback, now).await {
            Ok((work, cookie)) => (Ok(used.into_iter().fold(with_cookie(work, cookie), with_cookie)), Vec::new()),
            Err(outcome) => (Err(outcome), used),
        }
    }

    async fn signed_in(&self, callback: Callback, now: DateTime<Utc>) -> Result<(Work<'c>, String), Outcome> {
        let secrets = self.secrets().await?;
        let sign_in = SignIn::of_callback(self.inbound, &callback, (self.caller, &secrets), now)?;
        let provider = self.provider().await?;
        let code = callback.code(&provider)?;
        let token = self.id_token(&provider, &secrets, &sign_in, &code).await?;
        let session = self.session(&provider, &sign_in, &token, now).await?;
        let cookie = session.set_cookie(self.caller, &secrets, self.host.random()).ok_or(SignInError::TooManyTeams)?;
        self.log("signed-in", &format!("{}/{}", self.caller.name, session.id));
        Ok((redirect(sign_in.back().as_str()), cookie))
    }

    /// Exchanges the code for an ID token.
    async fn id_token(
        &self,
        provider: &Provider,
        secrets: &[ActiveSecret],
        sign_in: &SignIn,
        code: &str,
    ) -> Result<String, Outcome> {
        let refused = |error: ProviderError| error.logged(self.host, &provider.issuer);
        let secret = secrets.iter().find_map(|secret| secret.part(CLIENT_SECRET)).ok_or(ProofError::SecretUnset)?;
        let request = || {
            let unusable = || ProviderError::Unusable("its token endpoint or the client secret cannot be sent".into());
            token_request::request((provider, self.caller), secret, sign_in, code).ok_or_else(unusable)
        };
        let budget = Budget::new(self.host.elapsed(), self.app.config.limits);
        let call = retry::CallSpec::new(token_request::LARGEST);
        let sent = retry::send::<H, ProviderError>(self.host, &budget, call, request).await.map_err(refused)?;
        let answer = sent.answer.map_err(|error| refused(error.into()))?;
        let (status, body) = (answer.status(), answer.into_body().unwrap_or_default());
        token_request::id_token(status, &body).map_err(|error| match error {
            TokenAnswerError::CodeRefused => SignInError::CodeRefused.into(),
            TokenAnswerError::Refused(why) => refused(ProviderError::Unusable(why)),
            TokenAnswerError::Failed(why) => refused(ProviderError::Unavailable(why)),
        })
    }

    /// Verifies the ID token, with newer keys of the provider if it is signed with one that is not known.
    async fn session(
        &self,
        provider: &Provider,
        sign_in: &SignIn,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, Outcome> {
        let (host, app) = (self.host, self.app);
        app.ledger(host).await.map_err(|why| ledger_down(host, &why))?;
        let source = JwksSource::Url(&provider.jwks_url);
        let keys = app.jwks.get(host, source, &app.config).await?;
        let session = match sign_in.session(token, &keys, self.caller, now) {
            Err(SignInError::Token(TokenError::UnknownKey)) => match app.jwks.refresh(host, source, &app.config).await?
            {
                Some(keys) => sign_in.session(token, &keys, self.caller, now),
                None => Err(TokenError::UnknownKey.into()),
            },
            session => session,
        };
        Ok(session?)
    }

    /// Ends the session, here and at the provider. A browser follows the redirect of a form's answer only to the origins that its page
    /// named, so a provider that has another one for signing out is not told.
    pub(super) async fn sign_out(&self, person: &SignedInPerson, now: DateTime<Utc>) -> Result<Work<'c>, Outcome> {
        if !has_provider(self.caller) {
            return Err(RequestError::RouteUnknown.into());
        }
        self.checked_form(person, (SIGN_OUT, ""), &Fingerprint::of(&[]), now)?;
        self.log("signed-out", &person.actor.principal);
        let url = match self.provider().await {
            Ok(provider) => sign_out_url(&provider, self.caller)
                .filter(|url| origin(url) == self.caller.setting("issuer").and_then(origin)),
            // The log says why; the session here is over all the same.
            Err(_) => None,
        };
        Ok(with_cookie(redirect(url.as_deref().unwrap_or(SIGN_IN)), cookies::delete(session::COOKIE)))
    }

    async fn provider(&self) -> Result<Provider, Outcome> {
        let issuer = self.caller.setting("issuer").unwrap_or_default();
        let provider = self.app.providers.get(self.host, issuer, self.app.config.limits).await;
        provider.map_err(|error| error.logged(self.host, issuer))
    }

    /// The secrets that are set, in the order of the configuration: the first session key is the newest.
    async fn secrets(&self) -> Result<Vec<ActiveSecret>, Outcome> {
        let kind = callers::kind(&self.caller.kind).ok_or(NotSent::ConfigurationUnusable)?;
        let keys: Vec<&Key> = self.caller.keys.iter().collect();
        Ok(load(self.host, kind, &keys).await?)
    }

    fn log(&self, event: &str, principal: &str) {
        log_event(self.host, json!({"event": event, "by": principal, "kind": self.caller.kind}));
    }
}
