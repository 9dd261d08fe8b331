//! What a scheduler has done now and then: one file a job.
//!
//! A job may stop between any two statements, run again at any time, and run in several instances at once. It ends within the
//! time of one request; what is left then is said (`"more": true`), and the next run goes on with it. No job sends a DELETE.

use chrono::SecondsFormat;
use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::jobs::summary::Summary;
use crate::operations::operate::permitted_to_operate;
use crate::operations::report::{Content, Refusal, Report};
use crate::outcome::log_event::log_event;
use crate::reply::Rendered;
use crate::request::job::Job;

mod expire;
mod prune;
mod remind;
mod settle;
mod summary;

/// What a job came to.
pub(crate) struct JobDone<'c> {
    /// The summary.
    pub(crate) content: Content,
    /// The requests that the job ended, whose requesters are told.
    pub(crate) expired: Vec<Report<'c>>,
}

/// Runs a job.
///
/// # Errors
///
/// If policy does not permit it, or the ledger cannot be used.
pub(crate) async fn run_job<'c, H: Host>(ctx: &Ctx<'c, H>, job: Job) -> Result<JobDone<'c>, Refusal<'c>> {
    let policies = permitted_to_operate(ctx)?;
    let done = match job {
        Job::Settle => settle::settle(ctx).await,
        Job::Expire => expire::expire(ctx).await,
        Job::Prune => prune::prune(ctx).await,
        Job::Remind => remind::remind(ctx).await,
    };
    let of_policies = |error| Refusal::from(error).map(|report| report.decided_by(&policies));
    let Summary { counted, more, expired } = done.map_err(of_policies)?;
    let mut summary = Map::new();
    summary.insert("job".into(), job.as_str().into());
    summary.extend(counted.into_iter().map(|(name, count)| (name.to_owned(), Json::from(count))));
    summary.insert("more".into(), more.into());
    let event = json!({
        "event": "job",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "by": ctx.actor.principal,
        "policies": policies,
        "summary": summary,
    });
    log_event(ctx.host, event);
    let rendered = Rendered::json(StatusCode::OK, Json::Object(summary).to_string());
    Ok(JobDone { content: Content { policies, ..Content::of(rendered) }, expired })
}
