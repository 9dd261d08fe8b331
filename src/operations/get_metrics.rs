//! What a monitoring system is told, out of the ledger: every gateway on one ledger answers the same.

use chrono::{DateTime, Duration, NaiveTime, Utc};
use http::StatusCode;

use crate::app::App;
use crate::host::{DatabaseKind, Host, StoreError};
use crate::ledger::measures::{BUCKETS, Open, Refusals, Removals, Upstream};
use crate::ledger::outbox::Messages;
use crate::ledger::{GATEWAY, Ledger, location};
use crate::operations::Ctx;
use crate::operations::operate::permitted_to_operate;
use crate::operations::report::{Content, Refusal};
use crate::outcome::NotSent;
use crate::outcome::state::State;
use crate::reply::exposition::{CONTENT_TYPE, Metric, Sample, decimal, write};
use crate::reply::{Rendered, metrics};

/// How far back rows are counted by state.
const DAYS: i64 = 31;

/// The metrics, for a caller whom policy permits to operate.
///
/// # Errors
///
/// If policy does not permit it, or the ledger cannot be read.
pub(crate) async fn get_metrics<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Content, Refusal<'c>> {
    let policies = permitted_to_operate(ctx)?;
    let of_policies = |error| Refusal::from(error).map(|report| report.decided_by(&policies));
    let rendered = metrics_now(ctx.host, ctx.app, ctx.at).await.map_err(of_policies)?;
    Ok(Content { policies, ..Content::of(rendered) })
}

/// The metrics, for a reader whose proof is no concern of policy.
///
/// # Errors
///
/// If the ledger cannot be read.
pub(crate) async fn metrics_now<H: Host>(host: &H, app: &App, now: DateTime<Utc>) -> Result<Rendered, NotSent> {
    let measured = async {
        let ledger = app.ledger(host).await?;
        Measured::read(&ledger, host.database().await?, app, now).await
    };
    let measured = measured.await.map_err(|why| {
        host.log(&format!("ledger: {why}"));
        NotSent::from(&why)
    })?;
    Ok(Rendered::of(CONTENT_TYPE, StatusCode::OK, measured.text(app, now)))
}

/// What the ledger says.
struct Measured {
    database: DatabaseKind,
    removals: Vec<Removals>,
    open: Vec<Open>,
    refusals: Vec<Refusals>,
    upstream: Upstream,
    messages: Vec<Messages>,
}

impl Measured {
    async fn read<H: Host>(
        ledger: &Ledger<'_, H>,
        database: DatabaseKind,
        app: &App,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let midnight = now.with_time(NaiveTime::MIN).single().unwrap_or(now);
        let month_ago = now.checked_sub_signed(Duration::days(DAYS)).unwrap_or(now);
        Ok(Self {
            database,
            removals: ledger.count_removals(month_ago).await?,
            open: ledger.count_open(now).await?,
            refusals: ledger.count_refusals(midnight).await?,
            upstream: ledger.time_upstream(midnight).await?,
            messages: match app.config.notify.is_empty() {
                true => Vec::new(),
                false => ledger.count_messages(month_ago).await?,
            },
        })
    }

    fn text(&self, app: &App, now: DateTime<Utc>) -> String {
        let label = |name: &'static str, value: &str| (name, value.to_owned());
        let build = vec![
            label("version", GATEWAY),
            label("config", &app.config.digest),
            label("policy", app.policies.digest()),
        ];
        let removals = self.removals.iter().map(|Removals { state, instance, caller, count }| {
            Sample::whole(vec![label("state", state), label("instance", instance), label("caller", caller)], *count)
        });
        let refusals = self.refusals.iter().map(|Refusals { code, policies, count }| {
            Sample::whole(vec![label("code", code), label("policies", policies)], *count)
        });
        let age = |open: &Open| now.timestamp_millis().saturating_sub(open.oldest).max(0);
        let (unknown, waiting): (Vec<_>, Vec<_>) =
            self.open.iter().partition(|open| open.state == State::Unknown.as_str());
        let by_state = |value: &dyn Fn(&Open) -> i64| {
            let sample = |open: &&Open| sample(vec![label("state", &open.state)], value(open));
            waiting.iter().map(sample).collect::<Vec<_>>()
        };
        let by_instance = |value: &dyn Fn(&Open) -> i64| {
            let sample = |open: &&Open| sample(vec![label("instance", &open.instance)], value(open));
            unknown.iter().map(sample).collect::<Vec<_>>()
        };
        let count = |open: &Open| open.count.saturating_mul(1000);
        let mut text = String::new();
        let messages = self.messages.iter().map(|Messages { state, target, count, .. }| {
            Sample::whole(vec![label("state", state), label("target", target)], *count)
        });
        let untold = self.messages.iter().filter(|messages| messages.state == "waiting");
        let oldest = untold.map(|Messages { target, oldest, .. }| {
            sample(vec![label("target", target)], now.timestamp_millis().saturating_sub(*oldest).max(0))
        });
        let written: [(Metric, Vec<Sample>); 11] = [
            (metrics::BUILD_INFO, vec![Sample::whole(build, 1)]),
            (metrics::LEDGER_INFO, vec![Sample::whole(vec![label("database", location::name(self.database))], 1)]),
            (metrics::REMOVALS, removals.collect()),
            (metrics::WAITING, by_state(&count)),
            (metrics::WAITING_OLDEST, by_state(&age)),
            (metrics::UNKNOWN, by_instance(&count)),
            (metrics::UNKNOWN_OLDEST, by_instance(&age)),
            (metrics::REFUSALS, refusals.collect()),
            (metrics::UPSTREAM, histogram(&self.upstream)),
            (metrics::MESSAGES, messages.collect()),
            (metrics::MESSAGES_OLDEST, oldest.collect()),
        ];
        for (metric, samples) in &written {
            write(&mut text, metric, samples);
        }
        text
    }
}

fn sample(labels: Vec<(&'static str, String)>, thousandths: i64) -> Sample {
    Sample { suffix: "", labels, thousandths }
}

/// Buckets, sum and count.
fn histogram(Upstream { count, sum, at_most }: &Upstream) -> Vec<Sample> {
    let bucket = |bound: String, count: i64| Sample { suffix: "_bucket", ..Sample::whole(vec![("le", bound)], count) };
    let mut samples: Vec<_> =
        BUCKETS.iter().zip(at_most).map(|(bound, count)| bucket(decimal(*bound), *count)).collect();
    samples.push(bucket("+Inf".to_owned(), *count));
    samples.push(Sample { suffix: "_sum", labels: Vec::new(), thousandths: *sum });
    samples.push(Sample { suffix: "_count", ..Sample::whole(Vec::new(), *count) });
    samples
}
