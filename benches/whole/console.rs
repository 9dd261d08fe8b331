//! The console: the first page of a person who has signed in, over what an answer with one query of the ledger costs.
//!
//! `/readyz` is that answer: what `/healthz` says, and one query. The page reads what waits, fills and renders.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, Response, Uri};
use local::http_client as client;
use local::repository;
use local::simulator::identity_provider::options::IdentityProviderOptions;
use local::simulator::identity_provider::server::IdentityProvider;

use crate::load::{self, Measured, Work};
use crate::process::Process;
use crate::serve::Serve;
use crate::table::{Report, Table, number};
use crate::{Components, Settings, requests};

/// The console's own origin; it listens elsewhere.
const ORIGIN: &str = "http://127.0.0.1:3000";

/// What the page may take, over `/readyz`.
const TARGET: f64 = 1.3;

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let provider = IdentityProvider::start(IdentityProviderOptions::demo(ORIGIN)).await?;
    let config = config(provider.issuer())?;
    let serve = Serve {
        component: components.ours_for(&config).await?,
        config,
        upstream: "http://127.0.0.1:9".to_owned(),
        variables: vec![
            format!("issuer_endpoint={}", provider.issuer()),
            format!("console_client_secret={}", IdentityProviderOptions::demo(ORIGIN).clients[0].secret),
            "console_session_key=a session key of thirty-two bytes or more".to_owned(),
        ],
        ..Serve::default()
    };
    let process = serve.start().await?;
    let session = sign_in(&process, &provider).await?;
    let page = format!("GET /console HTTP/1.1\r\nhost: {}\r\ncookie: {session}\r\n\r\n", process.address);
    let works = [
        ("/healthz", Work::repeat(requests::get("/healthz", process.address), "")),
        ("/readyz", Work::repeat(requests::get("/readyz", process.address), "")),
        ("/console", Work::repeat(page.into(), "Signed in as")),
    ];
    let mut measured = works.clone().map(|(name, _)| (name, Measured::default()));
    let slice = Duration::from_secs_f64(settings.seconds / f64::from(settings.rounds.max(1)));
    for _ in 0..settings.rounds.max(1) {
        for ((_, work), (_, measured)) in works.iter().zip(&mut measured) {
            measured.add(load::run(&[process.address], 1, slice / 4, slice, work).await?);
        }
    }
    process.stop().await;
    let mut table = Table::new("console: one connection, one instance", ["path", "p50 ms", "p99 ms"]);
    for (path, measured) in &measured {
        report.unexpected(path, &measured.unexpected);
        table.row([(*path).to_owned(), number(measured.p50()), number(measured.p99())]);
    }
    let [_, (_, ready), (_, page)] = &measured;
    let ratio = page.p50() / ready.p50();
    let what = "console: p50 of the first page over /readyz";
    report.target(what, format!("≤ {TARGET} ×"), format!("{} ×", number(ratio)), ratio <= TARGET);
    report.table(table);
    Ok(())
}

/// The demonstration's configuration with a console.
fn config(issuer: &str) -> anyhow::Result<PathBuf> {
    let folder = super::folder().join("config-console");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(repository::root().join("config"))? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        fs::copy(path, folder.join(name))?;
    }
    let file = folder.join("offboard.toml");
    let caller = format!(
        "\n[[caller]]\nname = \"console\"\nkind = \"console\"\npublic_url = \"{ORIGIN}\"\nissuer = \"{issuer}\"\n\
         client_id = \"offboard\"\nalgorithms = [\"ES256\"]\ngroups = \"groups\"\n\
         secrets = [{{ session_key = \"console_session_key\", client_secret = \"console_client_secret\" }}]\n"
    );
    let text = fs::read_to_string(&file)?;
    fs::write(&file, format!("{text}{caller}"))?;
    Ok(folder)
}

/// Signs a person in, as a browser does, and returns the session's cookie.
async fn sign_in(console: &Process, provider: &IdentityProvider) -> anyhow::Result<String> {
    let begun = client::send(console.address, Request::get("/console/signin?go=/console").body(Bytes::new())?).await?;
    let sign_in = cookie(begun.headers(), "__Host-offboard-signin-")?;
    let asked = client::send(provider.address(), Request::get(path(&begun)?).body(Bytes::new())?).await?;
    let page = str::from_utf8(asked.body())?;
    let interaction = page.split_once("name=\"interaction\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    let form = format!("interaction={}&person=dana", interaction.context("the provider asks nothing")?);
    let decide =
        Request::post("/authorize").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.into())?;
    let decided = client::send(provider.address(), decide).await?;
    let back = Request::get(path(&decided)?).header(COOKIE, sign_in).body(Bytes::new())?;
    let signed_in = client::send(console.address, back).await?;
    cookie(signed_in.headers(), "__Host-offboard=")
}

/// The path and query that a redirect leads to.
fn path(redirect: &Response<Bytes>) -> anyhow::Result<String> {
    let location = redirect.headers().get(LOCATION).with_context(|| format!("no redirect: {redirect:?}"))?;
    let uri: Uri = location.to_str()?.parse()?;
    Ok(uri.path_and_query().context("a redirect without a path")?.to_string())
}

/// The cookie whose line begins with this.
fn cookie(headers: &HeaderMap, beginning: &str) -> anyhow::Result<String> {
    let lines = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.filter_map(|line| line.split(';').next());
    let mut set = pairs.filter(|pair| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty()));
    let cookie = set.find(|pair| pair.starts_with(beginning));
    ensure!(cookie.is_some(), "no cookie {beginning}: {headers:?}");
    Ok(cookie.unwrap_or_default().to_owned())
}
