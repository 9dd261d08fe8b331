//! The core, natively: `cargo bench --bench core`, or some of it: `cargo bench --bench core -- decide`.
//!
//! What a component adds to this is `whole`'s to measure. Machine code is about twice as fast here as in a component.
#![allow(missing_docs, reason = "a program")]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_main};
use futures_util::FutureExt;
use http::HeaderMap;
use local::demo::callers::caller;
use local::demo::demo_caller::{DemoCaller, DemoRequest};
use starrocks_offboard::app::App;
use starrocks_offboard::callers;
use starrocks_offboard::callers::kind::{CallerKind, Verified};
use starrocks_offboard::callers::parsed::Parsed;
use starrocks_offboard::callers::proof::{ActiveSecret, Proof, ProofError, VerificationKeys};
use starrocks_offboard::config::Config;
use starrocks_offboard::config::callers::Caller;
use starrocks_offboard::crypto::sdk_hmac::{self, Message};
use starrocks_offboard::host::Host;
use starrocks_offboard::ledger::Ledger;
use starrocks_offboard::ledger::claims::{Attempt, Completion};
use starrocks_offboard::ledger::ending::Ending;
use starrocks_offboard::ledger::row::RemovalId;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::outcome::{Evidence, Outcome};
use starrocks_offboard::policy::permit::Decision;
use starrocks_offboard::policy::{AuthzContext, Policies};
use starrocks_offboard::reply::{Reply, RequestFacts};
use starrocks_offboard::request::command::Command;
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::request::removal::RemovalRequest;
use starrocks_offboard::secret::Secret;
use support::answered::answered;
use support::bench_files::{Files, access_key, instance_name};
use support::bench_host::{Native, inbound};

const CALLERS: [&str; 3] = ["slack", "hr", "portal"];

/// Between two removals, so that the last hour holds as few of them as it does in an installation.
const HALF_A_MINUTE: TimeDelta = TimeDelta::seconds(30);

/// How many instances the removals are on by turns.
const INSTANCES: usize = 16;

fn core() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(40)
        .configure_from_args();
    if let Err(error) = benches(&mut criterion) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

criterion_main!(core);

fn benches(c: &mut Criterion) -> anyhow::Result<()> {
    let files = Files::sized(INSTANCES, 0)?;
    let app = self::app(&files)?;
    for name in CALLERS {
        proof_and_words(c, name, &app.config)?;
    }
    files_of_growing_size(c)?;
    decisions(c, &app.config)?;
    signatures(c)?;
    records(c, &app)?;
    stories(c, &files)
}

/// What an instance keeps: one for each ledger, because it knows whether that is open.
fn app(files: &Files) -> anyhow::Result<App> {
    App::parse(&files.offboard, &files.policy, &files.schema).map_err(anyhow::Error::msg)
}

/// What a caller of the demonstration asks, number `number`.
fn asked(caller: &DemoCaller, config: &Config, number: usize, now: DateTime<Utc>) -> anyhow::Result<Inbound> {
    let instance = instance_name(number % INSTANCES);
    let text = match caller.name {
        "portal" => format!("u{number}"),
        _ => format!("u{number} {instance} left the company"),
    };
    let id = match caller.name {
        "slack" => format!("U{number:08}"),
        "portal" => access_key(number),
        _ => String::new(),
    };
    let asked = DemoRequest {
        text: &text,
        instance: &instance,
        config,
        id: &id,
        secret: caller.secret,
        host: "offboard.example.com",
        now,
        nonce: number as u64,
    };
    Ok(inbound(caller.request(&asked)?))
}

struct Proving<'c> {
    kind: &'static dyn CallerKind,
    caller: &'c Caller,
    keys: VerificationKeys,
    inbound: Inbound,
    now: DateTime<Utc>,
}

impl<'c> Proving<'c> {
    fn new(name: &str, config: &'c Config, number: usize) -> anyhow::Result<Self> {
        let demo = caller(name)?;
        let caller = config.caller(name).map_err(|outcome| anyhow::anyhow!("{outcome:?}"))?;
        let kind = callers::kind(&caller.kind).with_context(|| format!("no kind `{}`", caller.kind))?;
        let part = caller.keys.first().and_then(|key| key.variables.first()).map(|(part, _)| *part);
        let parts = part.zip(Secret::new(demo.secret.to_owned())).into_iter().collect();
        let id = (name == "portal").then(|| access_key(number));
        let keys = VerificationKeys { secrets: ActiveSecret::new(id, parts).into_iter().collect(), published: None };
        let now = SystemTime::now().into();
        Ok(Self { kind, caller, keys, inbound: asked(demo, config, number, now)?, now })
    }

    fn verify(&self) -> Result<Proof, ProofError> {
        self.kind.verify(&self.inbound, self.caller, &self.keys, self.now)
    }

    fn parse(&self, proof: &Proof, config: &'c Config) -> Parsed<'c> {
        self.kind.parse(Verified { inbound: &self.inbound, proof, caller: self.caller }, config)
    }

    fn removal(&self, config: &'c Config) -> anyhow::Result<RemovalRequest<'c>> {
        let proof = self.verify().map_err(|outcome| anyhow::anyhow!("{outcome:?}"))?;
        match self.parse(&proof, config) {
            Parsed::Command {
                sender,
                command: Command::RemoveAccount { user_name, instance, reason, dry_run, .. },
            } => {
                let (actor, delivery) = (sender.actor, proof.delivery);
                Ok(RemovalRequest { actor, user_name, instance, reason, delivery, dry_run, caused_by: None })
            }
            other => anyhow::bail!("expected a removal, got {other:?}"),
        }
    }
}

fn proof_and_words(c: &mut Criterion, name: &str, config: &Config) -> anyhow::Result<()> {
    let proving = Proving::new(name, config, 1)?;
    let proof = proving.verify().map_err(|outcome| anyhow::anyhow!("{name}: {outcome:?}"))?;
    let removal = proving.removal(config)?;
    c.bench_function(&format!("verify/{name}"), |b| b.iter(|| proving.verify().is_ok()));
    c.bench_function(&format!("parse/{name}"), |b| {
        b.iter(|| proving.parse(&proof, config));
    });
    let policies = ["bench".to_owned()];
    let answer = Reply {
        outcome: &Outcome::Removed(Evidence::Answer),
        language: Language::English,
        account: Some((removal.user_name.as_str(), &removal.instance.name)),
        environment: Some(&removal.instance.environment),
        request: RequestFacts::default(),
        policies: &policies,
        meaning: None,
        retry_after: None,
        removal_id: "0194f3a1b2c3d4e5f60718293a4b5c6d",
        upstream_request_id: None,
        clicked: None,
        is_decided_already: false,
    };
    c.bench_function(&format!("render/{name}"), |b| b.iter(|| proving.kind.render(black_box(&answer))));
    Ok(())
}

/// What a fresh instance does first.
fn files_of_growing_size(c: &mut Criterion) -> anyhow::Result<()> {
    let demo = Files::demo()?;
    c.bench_function("fresh/demo", |b| {
        b.iter(|| App::parse(&demo.offboard, &demo.policy, &demo.schema).is_ok());
    });
    let mut group = c.benchmark_group("config");
    group.sample_size(10);
    for instances in [0, 10, 1_000, 10_000] {
        let files = Files::sized(instances, 0)?;
        let name = if instances == 0 { "demo".to_owned() } else { instances.to_string() };
        let files = if instances == 0 { Files::demo()? } else { files };
        group.bench_function(BenchmarkId::new("instances", name), |b| b.iter(|| files.config().is_ok()));
    }
    group.finish();
    let mut group = c.benchmark_group("policy");
    group.sample_size(10);
    for policies in [0, 10, 100, 1_000] {
        let files = if policies == 0 { Files::demo()? } else { Files::sized(0, policies)? };
        let name = if policies == 0 { "demo".to_owned() } else { policies.to_string() };
        group.bench_function(BenchmarkId::new("policies", name), |b| {
            b.iter(|| Policies::parse(&files.policy, &files.schema).is_ok());
        });
    }
    group.finish();
    Ok(())
}

fn circumstances() -> AuthzContext {
    AuthzContext {
        now: DateTime::<Utc>::from(SystemTime::now()).fixed_offset(),
        dry_run: false,
        confirmed: false,
        approved: false,
        removals_last_hour: 3,
        instance_removals_last_hour: 7,
        waiting_requests: 2,
    }
}

fn decisions(c: &mut Criterion, config: &Config) -> anyhow::Result<()> {
    let removal = Proving::new("slack", config, 1)?.removal(config)?;
    for policies in [0, 10, 100, 1_000] {
        let files = Files::sized(INSTANCES, policies)?;
        let set = Policies::parse(&files.policy, &files.schema).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let name = if policies == 0 { "demo".to_owned() } else { policies.to_string() };
        anyhow::ensure!(
            matches!(set.decide(&removal, config, circumstances()).0, Decision::Permit(_)),
            "the benchmark's removal is not permitted"
        );
        c.bench_function(&format!("decide/{name}"), |b| b.iter(|| set.decide(&removal, config, circumstances())));
    }
    Ok(())
}

/// The DELETE's own signature, as the gateway makes it and as it checks a portal's.
fn signatures(c: &mut Criterion) -> anyhow::Result<()> {
    let headers =
        HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
    let message = Message {
        method: "DELETE",
        path: "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users",
        query: "user_name=alice",
        headers: &headers,
        host: "gaussdb.ap-southeast-3.myhuaweicloud.com",
        body: b"",
    };
    let date = sdk_hmac::sdk_date(SystemTime::now().into());
    sdk_hmac::sign(&message, "HPUADEMOACCESSKEY00", b"secret", &date).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    c.bench_function("sign/delete", |b| {
        b.iter(|| sdk_hmac::sign(black_box(&message), "HPUADEMOACCESSKEY00", b"secret", &date).is_ok());
    });
    Ok(())
}

/// A story that never waits: in memory, nothing does.
fn now<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    work.now_or_never().ok_or_else(|| anyhow::anyhow!("the core waited for something"))
}

/// The ledger's statements about a removal, in SQLite in memory.
fn records(c: &mut Criterion, app: &App) -> anyhow::Result<()> {
    let host = Native::new(false)?;
    let ledger = now(Ledger::open(&host))?.map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut number = 0;
    let mut next = || {
        number += 1;
        host.clock.set(host.clock.get() + HALF_A_MINUTE);
        let removal = Proving::new("slack", &app.config, number)?.removal(&app.config)?;
        match app.policies.decide(&removal, &app.config, circumstances()).0 {
            Decision::Permit(permit) => Ok((removal, permit)),
            other => anyhow::bail!("expected a permit, got {other:?}"),
        }
    };
    let (one, _) = next()?;
    c.bench_function("ledger/find", |b| b.iter(|| now(ledger.find(&one, &one.actor.principal, host.now())).is_ok()));
    c.bench_function("ledger/claim and settle", |b| {
        b.iter_batched(
            || next().ok(),
            |permitted| {
                let (removal, permit) = permitted?;
                let at = host.now();
                let person = removal.actor.principal.as_str();
                let attempt = Attempt { id: RemovalId::new(at, host.random()), at, until: at, person };
                let most = app.policies.largest_indifferent_counts()?;
                let claim = now(ledger.claim_unseen(&removal, permit, &attempt, most)).ok()?.ok()??;
                let completion = Completion {
                    ending: Ending {
                        outcome: &Outcome::Removed(Evidence::Answer),
                        language: Language::English,
                        at,
                        notify: None,
                    },
                    request_id: Some("7c5bb4e6b2b5a3d4"),
                    attempts: 1,
                    upstream: None,
                };
                now(ledger.complete(&claim, &completion)).ok()?.ok()
            },
            BatchSize::SmallInput,
        );
    });
    Ok(())
}

/// The whole story, from the request to the answer, and the same request again.
fn stories(c: &mut Criterion, files: &Files) -> anyhow::Result<()> {
    for name in CALLERS {
        let caller = caller(name)?;
        let (host, app) = (Native::new(false)?, self::app(files)?);
        let mut number = 0;
        let mut next = || {
            number += 1;
            host.clock.set(host.clock.get() + HALF_A_MINUTE);
            asked(caller, &app.config, number, host.now())
        };
        let first = next()?;
        let first = now(answered(&host, Ok(&app), first))?;
        let text = String::from_utf8_lossy(first.body()).into_owned();
        anyhow::ensure!(text.contains("SUCCESS") || text.contains("Removed"), "{name}: expected a removal, got {text}");
        c.bench_function(&format!("story/{name}"), |b| {
            b.iter_batched(
                || next().ok(),
                |inbound| Some(now(answered(&host, Ok(&app), inbound?)).ok()?.status()),
                BatchSize::SmallInput,
            );
        });
        let (host, app) = (Native::new(false)?, self::app(files)?);
        let again = asked(caller, &app.config, 1, host.now())?;
        c.bench_function(&format!("repeated/{name}"), |b| {
            b.iter_batched(
                || again.clone(),
                |inbound| Some(now(answered(&host, Ok(&app), inbound)).ok()?.status()),
                BatchSize::SmallInput,
            );
        });
    }
    Ok(())
}
