//! Sends an outcome to a platform that did not wait for it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request};

use crate::app::App;
use crate::callers;
use crate::callers::follow_up::{Delivery, FollowUp, ReplyAddress};
use crate::callers::parsed::Sender;
use crate::callers::proof::ActiveSecret;
use crate::config::callers::{Caller, Key};
use crate::config::limits::Limits;
use crate::flow::authenticate::Session;
use crate::flow::secrets::{load, sealing};
use crate::host::{Answered, Host};
use crate::operations::report::Notify;
use crate::outbound::budget::Budget;
use crate::outbound::retry;
use crate::outcome::language::Language;
use crate::reply::{Rendered, Reply};
use crate::secret::Secret;

/// The largest answer that is read, in bytes: Feishu sends the whole message back.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Where a person takes a follow-up message.
#[derive(Debug, Clone)]
pub(super) struct FollowUpChannel<'c> {
    follow_up: &'static FollowUp,
    pub(super) address: ReplyAddress,
    caller: &'c Caller,
    key: Option<ActiveSecret>,
    seals_with: Option<Secret>,
    limits: Limits,
}

impl<'c> FollowUpChannel<'c> {
    /// The channel of a sender; `None` if there is none, or the platform takes no follow-up messages.
    pub(super) fn of_sender(session: &Session<'c>, sender: &Sender) -> Option<Self> {
        Some(Self {
            follow_up: session.kind.follow_up()?,
            address: sender.reply_address.clone()?,
            caller: session.caller,
            key: session.key.clone(),
            seals_with: session.seals_with.clone(),
            limits: session.limits,
        })
    }

    /// The address, with the secret to seal it with.
    pub(super) fn sealable_address(&self) -> Option<(ReplyAddress, Secret)> {
        Some((self.address.clone(), self.seals_with.clone()?))
    }

    /// The messages about an outcome.
    pub(super) fn bodies(&self, reply: &Reply<'_>) -> Vec<String> {
        (self.follow_up.bodies)(reply)
    }

    /// The messages with an answer that is no outcome.
    pub(super) fn content_bodies(&self, rendered: &Rendered) -> Vec<String> {
        match self.follow_up.words {
            Some(words) => words(rendered.clone()),
            None => vec![rendered.body.clone()],
        }
    }

    /// Sends the messages. If that fails, the log says so; the ledger has the outcome all the same.
    pub(super) async fn send<H: Host>(&self, host: &H, bodies: Vec<String>, row: &str) {
        let fail = |why: String| host.log(&format!("later: the result of removal {row} could not be delivered: {why}"));
        // Time of its own: the request's may be over.
        let budget = Budget::new(host.elapsed(), self.limits);
        let token = match self.log_in(host, &budget).await {
            Ok(token) => token,
            Err(why) => return fail(why),
        };
        for body in bodies {
            match self.post(host, &budget, body.into(), token.as_ref()).await {
                Ok(()) => {}
                Err(Undelivered::Refused(why)) => fail(why),
                Err(Undelivered::NotTaken(why)) => return fail(why),
            }
        }
    }

    async fn log_in<H: Host>(&self, host: &H, budget: &Budget) -> Result<Option<Secret>, String> {
        let Some(login) = &self.follow_up.login else { return Ok(None) };
        let request = || {
            let request = self.key.as_ref().and_then(|key| (login.request)(self.caller, key));
            request.ok_or_else(|| "no secret is set".to_owned())
        };
        let answer = send(host, budget, request).await?;
        let body = answer.body().as_deref().unwrap_or_default();
        (login.token)(body)
            .map(Some)
            .ok_or_else(|| format!("the platform gave no token, with status {}", answer.status().as_u16()))
    }

    async fn post<H: Host>(
        &self,
        host: &H,
        budget: &Budget,
        body: Bytes,
        token: Option<&Secret>,
    ) -> Result<(), Undelivered> {
        let request = || {
            let mut request = Request::new(body.clone());
            *request.method_mut() = self.follow_up.method.clone();
            *request.uri_mut() = self.address.url().parse().map_err(|_| "the address is not a URL".to_owned())?;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            if let Some(token) = token {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                    .map_err(|_| "the token cannot stand in a header".to_owned())?;
                value.set_sensitive(true);
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            Ok(request)
        };
        let answer = send(host, budget, request).await.map_err(Undelivered::NotTaken)?;
        let said = format!("the platform answered {}", answer.status().as_u16());
        let delivery = (self.follow_up.answer)(answer.body().as_deref().unwrap_or_default());
        match (answer.status().is_success(), delivery) {
            (true, Delivery::Accepted) => Ok(()),
            (true, Delivery::Refused(code)) => Err(Undelivered::Refused(format!("{said} and refused it with {code}"))),
            (true, Delivery::Unknown) => {
                Err(Undelivered::Refused(format!("{said} in a form that it does not document")))
            }
            (false, Delivery::Refused(code)) => Err(Undelivered::NotTaken(format!("{said} with {code}"))),
            (false, Delivery::Accepted | Delivery::Unknown) => Err(Undelivered::NotTaken(said)),
        }
    }
}

/// Why a message was not delivered.
enum Undelivered {
    /// The platform answered, and refused this message; it may take the next one.
    Refused(String),
    /// The platform takes none now.
    NotTaken(String),
}

/// The channel of a requester who is notified, and the language of their caller; `None` if their platform takes no follow-up
/// messages, or the address cannot be opened any more.
pub(super) async fn channel_of_requester<'c, H: Host>(
    host: &H,
    app: &'c App,
    notify: &Notify,
) -> Option<(FollowUpChannel<'c>, Language)> {
    let caller = app.config.caller(&notify.caller).ok()?;
    let kind = callers::kind(&caller.kind)?;
    let follow_up = kind.follow_up()?;
    let keys: Vec<&Key> = caller.keys.iter().collect();
    let keys = load(host, kind, &keys).await.ok()?;
    let own = keys.iter().map(|key| key.secret.clone()).collect();
    let opened = |secret| Some((ReplyAddress::unseal(&notify.reply_address, &secret, &notify.delivery)?, secret));
    let secrets = sealing(host, &app.config, kind, own).await;
    let (url, secret) = secrets.into_iter().find_map(opened)?;
    // The platform is logged in to with the secret that the address was sealed with.
    let key = keys.into_iter().find(|key| kind.shape().has_public_keys || key.secret.expose() == secret.expose());
    let address = (follow_up.at)(caller, url.expose())?;
    let language = caller.language.unwrap_or(app.config.language);
    Some((
        FollowUpChannel { follow_up, address, caller, key, seals_with: Some(secret), limits: app.config.limits },
        language,
    ))
}

async fn send<H: Host>(
    host: &H,
    budget: &Budget,
    request: impl Fn() -> Result<Request<Bytes>, String>,
) -> Result<Answered, String> {
    let sent = retry::send::<H, String>(host, budget, retry::CallSpec::new(ANSWER_LIMIT), request).await?;
    sent.answer.map_err(|error| format!("{error:?}"))
}
