//! One request, from bytes to response.

pub(crate) mod authenticate;
pub(crate) mod follow_up;
pub(crate) mod parse;
pub(crate) mod record;

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Response};

use crate::app::App;
use crate::callers::follow_up::Acknowledgement;
use crate::flow::authenticate::{Heard, Hearing};
use crate::flow::follow_up::FollowUpChannel;
use crate::flow::record::{Notify, Told};
use crate::host::Host;
use crate::operations::decide_approval::{self, ApprovalDecision};
use crate::operations::remove::remove;
use crate::operations::{get_removal, list_removals, offboard_leavers, provision_people};
use crate::outbound::budget::Budget;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::reply::{Rendered, Reply};
use crate::request::command::Command;
use crate::request::inbound::{BodyError, Inbound};
use crate::request::removal::RemovalRequest;
use crate::request::route;

/// How the story ended.
pub(crate) enum Ending {
    Outcome(Outcome),
    /// There is an answer, and nothing was asked of anybody.
    Answered(Rendered),
}

/// Answers one request. `gateway` is the reason when configuration or policy cannot be used.
///
/// When it takes longer than the asker's platform waits, `early` gets an answer, at most once; what is returned is then for
/// nobody, and the outcome went where the platform takes it later.
pub async fn answer<H: Host>(
    host: &H,
    app: Result<&App, &str>,
    inbound: Inbound,
    problem: Option<BodyError>,
    early: impl FnOnce(Response<Bytes>),
) -> Response<Bytes> {
    let began = host.elapsed();
    let mut is_early = false;
    let language = app.map_or_else(|_| Language::default(), |app| app.config.language);
    let mut told = Told::new(host, language);
    if inbound.path == "/healthz" && inbound.method == Method::GET {
        return told.health(app);
    }

    let mut late = None;
    let ending = match hear(host, app, &inbound, problem, &mut told).await {
        Err(outcome) => {
            let waiting = acknowledgement(None, Some(&outcome), &told, app);
            if let Some(Waiting { channel: Some(channel), acknowledgement, .. }) = waiting {
                early(acknowledgement);
                late = Some(channel);
            }
            Err(outcome)
        }
        Ok((_, Hearing::Answered(rendered))) => return told.respond(rendered, None),
        Ok((app, Hearing::Heard(heard))) => {
            let budget = Budget::new(began, app.config.limits);
            let waiting = acknowledgement(Some(&heard.said), None, &told, Ok(app));
            let work = pin!(carry_out(host, app, *heard, &budget, &mut told));
            match waiting {
                None => work.await,
                Some(Waiting { channel, is_all, patience, acknowledgement }) => {
                    let patience = pin!(host.sleep(patience.saturating_sub(host.elapsed().saturating_sub(began))));
                    match select(work, patience).await {
                        Either::Left((ending, _)) if !is_all => ending,
                        Either::Left((ending, _)) => {
                            early(acknowledgement);
                            late = channel;
                            ending
                        }
                        Either::Right(((), work)) => {
                            early(acknowledgement);
                            is_early = true;
                            late = channel;
                            work.await
                        }
                    }
                }
            }
        }
    };

    let outcome = match ending {
        Ok(Ending::Answered(rendered)) => {
            if let Some(channel) = &late {
                let bodies = match channel.shape.words {
                    Some(words) => words(rendered.clone()),
                    None => vec![rendered.body.clone()],
                };
                channel.tell(host, bodies, told.id.as_str()).await;
            }
            return told.respond(rendered, None);
        }
        Ok(Ending::Outcome(outcome)) | Err(outcome) => outcome,
    };
    told.late = is_early || late.is_some();
    if !told.is_summary {
        told.record(host, app, &outcome).await;
        told.log(host, &outcome, language);
    }
    if let Some(channel) = &late {
        let bodies = (channel.shape.bodies)(&told.answer(&outcome, told.language));
        channel.tell(host, bodies, told.id.as_str()).await;
    }
    if let Some(Notify { channel, language }) = &told.notify {
        let bodies = (channel.shape.bodies)(&Reply { clicked: None, ..told.answer(&outcome, *language) });
        channel.tell(host, bodies, told.id.as_str()).await;
    }
    told.respond(told.render(&outcome), Some(&outcome))
}

pub(crate) async fn hear<'c, H: Host>(
    host: &H,
    app: Result<&'c App, &str>,
    inbound: &Inbound,
    problem: Option<BodyError>,
    told: &mut Told<'c>,
) -> Result<(&'c App, Hearing<'c>), Outcome> {
    let route = route::route(inbound)?;
    let app = app.map_err(|_| Outcome::Unusable)?;
    let hearing = authenticate::hear(host, app, inbound, &route, problem, told).await?;
    Ok((app, hearing))
}

/// Somebody who is not to wait.
pub(crate) struct Waiting<'c> {
    /// Where the outcome goes; `None` when it has to be asked for.
    channel: Option<FollowUpChannel<'c>>,
    /// The platform shows nothing of the answer, so that there is nothing to wait for.
    is_all: bool,
    patience: Duration,
    acknowledgement: Response<Bytes>,
}

/// What to say when it takes longer than the asker's platform waits, and where the outcome goes then. `said` is `None` for
/// what could not be read; its `outcome` is known already, and the answer's headers say it.
pub(crate) fn acknowledgement<'c>(
    said: Option<&Command<'_>>,
    outcome: Option<&Outcome>,
    told: &Told<'c>,
    app: Result<&App, &str>,
) -> Option<Waiting<'c>> {
    let kind = told.kind?;
    let channel = told.channel.clone();
    let is_all = channel.as_ref().is_some_and(|channel| channel.later.is_all);
    let account = match said {
        Some(Command::RemoveAccount { user_name, instance, .. }) => Some((user_name.as_str(), instance.name.as_str())),
        Some(Command::DecideApproval { .. } | Command::GetRemoval { .. } | Command::OffboardLeavers(_)) => None,
        _ if is_all => None,
        _ => return None,
    };
    if channel.is_none() && kind.follow_up().is_some_and(|later| later.waits_without) {
        return None;
    }
    let language = told.language;
    let rendered = kind.acknowledge(&Acknowledgement {
        language,
        account,
        row: told.id.as_str(),
        follows: channel.is_some(),
        clicked: told.clicked,
    })?;
    let patience = match is_all {
        true => Duration::ZERO,
        false => app.map(|app| app.config.limits.early_answer).unwrap_or_default(),
    };
    Some(Waiting { channel, is_all, patience, acknowledgement: told.respond(rendered, outcome) })
}

pub(crate) async fn carry_out<'c, H: Host>(
    host: &H,
    app: &'c App,
    heard: Heard<'c>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Ending, Outcome> {
    let Heard { said, actor, delivery, secret } = heard;
    let later = told.channel.as_ref().map(|channel| channel.later.clone());
    match said {
        Command::Help => Ok(Ending::Answered(decide_approval::help(app, &actor, told))),
        Command::ListPending => decide_approval::pending(host, app, &actor, told).await.map(Ending::Answered),
        Command::GetRemoval { id } => {
            get_removal::look(host, app, &actor, &id, budget, told).await.map(Ending::Answered)
        }
        Command::ListRemovals { query, format } => {
            list_removals::search(host, app, &actor, &query, format, budget, told).await.map(Ending::Answered)
        }
        Command::DecideApproval { id, action, reason } => {
            let voice =
                ApprovalDecision { actor: &actor, how: action, reason: reason.as_ref(), channel: later.zip(secret) };
            decide_approval::decide(host, app, voice, &id, budget, told).await.map(Ending::Outcome)
        }
        Command::OffboardLeavers(leavers) => {
            offboard_leavers::carry_out(host, app, &actor, leavers, budget, told).await.map(Ending::Outcome)
        }
        Command::Scim(operation, view) => {
            provision_people::carry_out(host, app, &actor, operation, &view, budget, told).await.map(Ending::Answered)
        }
        Command::RemoveAccount { user_name, instance, reason, dry_run } => {
            let removal = RemovalRequest { actor, user_name, instance, reason, delivery, dry_run };
            let removal = told.removal.insert(removal).clone();
            remove(host, app, &removal, later.zip(secret), budget, told).await.map(Ending::Outcome)
        }
    }
}
