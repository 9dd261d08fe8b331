//! Runs the component behind HTTP on this machine: for development and tests. Production is Spin.
//!
//! It does what Spin does as far as the component can tell: instances are reused and shared by concurrent requests
//! ([`Reuse`]), spin.toml says which paths, variables, files, hosts and databases there are, a request's URI is
//! absolute with the `Host` header as its authority (which is not among the headers then), and a trap is an empty 500.
//!
//! Not supported: TLS, HTTP/2, Spin's `spin-*` request headers, limits on memory or time (a guest that never
//! returns to its host is not interrupted), components of the 0.2 HTTP interface, telemetry.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, Linker, ResourceTable};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::logs::Logs;
use crate::manifest::{self, Manifest};
use crate::outbound::{AllowedHosts, Gate, StandIns};
use crate::sqlite::{Database, Databases, Sqlite, SqliteView};
use crate::variables::{Values, Variables, VariablesView};
use crate::{bindings, component, engine};

use std::task::{Context as TaskContext, Poll};

/// How long [`Runtime::stop`] waits for requests and for what the component does after its answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a runtime is started with. The default listens on a free local port, keeps its state in memory and sets
/// no variable.
#[derive(Clone)]
pub struct Options {
    /// The folder that the component sees as `/config`, instead of the one that spin.toml names.
    pub config: Option<PathBuf>,
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where the component's state is kept.
    pub database: Database,
    /// Values of spin.toml's variables; the others have their defaults.
    pub variables: BTreeMap<String, String>,
    /// The time of day that the component sees.
    pub clock: Clock,
    /// Origins that others on this machine play: what the component sends to `https://hooks.slack.com` goes to
    /// `http://127.0.0.1:PORT`. Whether it may be sent at all is decided by the real name.
    pub stand_ins: BTreeMap<String, String>,
    /// How instances are reused.
    pub reuse: Reuse,
    /// Where the component's output goes.
    pub logs: Logs,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: Database::Memory,
            variables: BTreeMap::new(),
            clock: Clock::System,
            stand_ins: BTreeMap::new(),
            reuse: Reuse::default(),
            logs: Logs::stderr(),
        }
    }
}

/// How long an instance of the component lives. The default is Spin's.
#[derive(Debug, Clone, Copy)]
pub struct Reuse {
    /// How many requests it takes in its life.
    pub requests: usize,
    /// How many at once.
    pub concurrent: usize,
    /// How long it waits for another one.
    pub idle: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        Self { requests: 128, concurrent: 16, idle: Duration::from_secs(1) }
    }
}

/// The time of day that the component sees. How time passes (sleeps, timeouts) is always real.
#[derive(Debug, Clone)]
pub enum Clock {
    /// This machine's.
    System,
    /// What the number says, in milliseconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        match self {
            Self::System => std::time::UNIX_EPOCH.elapsed().unwrap_or_default(),
            Self::Fixed(milliseconds) => {
                Duration::from_millis(milliseconds.load(Ordering::Relaxed).try_into().unwrap_or_default())
            }
        }
    }
}

/// A running component. Dropping it stops everything at once; [`Runtime::stop`] does it gracefully.
pub struct Runtime {
    address: SocketAddr,
    logs: Logs,
    /// Dropped: everything ends.
    phase: watch::Sender<Phase>,
    server: JoinHandle<()>,
    server_abort: AbortHandle,
    /// Closed when the last instance is gone.
    instances: mpsc::Receiver<Infallible>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    Stopping,
}

impl Runtime {
    /// Builds the component if something changed, and starts it.
    ///
    /// # Errors
    ///
    /// When it cannot be built, spin.toml and `options` do not fit together, or the address is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        static SERVICE: OnceLock<Result<ServicePre<State>, String>> = OnceLock::new();
        let service = blocking(|| {
            SERVICE
                .get_or_init(|| {
                    component::build().and_then(|built| link(&built.path)).map_err(|error| format!("{error:#}"))
                })
                .clone()
                .map_err(|message| anyhow!(message))
        })
        .await?;
        Self::start_service(service, options).await
    }

    /// Starts another component than this repository's, under the same spin.toml: for benchmarks, and to try this
    /// runtime itself.
    ///
    /// # Errors
    ///
    /// As [`Runtime::start`].
    pub async fn start_component(path: &Path, options: Options) -> anyhow::Result<Self> {
        let path = path.to_owned();
        let service = blocking(move || link(&path)).await?;
        Self::start_service(service, options).await
    }

    async fn start_service(service: ServicePre<State>, options: Options) -> anyhow::Result<Self> {
        let manifest = Manifest::read(&component::root().join("spin.toml"))?;
        let application = Arc::new(Application::new(&manifest, &options)?);
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on `{}`", options.listen))?;
        let address = listener.local_addr()?;

        let (phase, watched) = watch::channel(Phase::Serving);
        let (alive, instances) = mpsc::channel(1);
        let handler = ProxyHandler::new(Handler {
            engine: engine::engine()?,
            service: ProxyPre::P3(service),
            application,
            reuse: options.reuse,
            phase: watched.clone(),
            _alive: alive,
        });
        let routes = Arc::new(manifest);
        let server = tokio::spawn(serve(listener, handler, routes, watched));
        let server_abort = server.abort_handle();
        Ok(Self { address, logs: options.logs, phase, server, server_abort, instances })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connection, waits for running requests and for what the component does after its answers (a minute
    /// at most), and ends.
    pub async fn stop(mut self) {
        self.phase.send_replace(Phase::Stopping);
        let finished = async {
            // It only waits for connections, and each one's errors are its own.
            let _ = (&mut self.server).await;
            self.instances.recv().await;
        };
        if tokio::time::timeout(PATIENCE, finished).await.is_err() {
            self.logs.line("stopped although the component was still busy");
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.server_abort.abort();
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
}

/// Everything that the component imports, or an error that names what is missing.
fn link(path: &Path) -> anyhow::Result<ServicePre<State>> {
    let component = engine::compile(path)?;
    let mut linker = Linker::<State>::new(engine::engine()?);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::spin::variables::variables::add_to_linker::<_, Variables>(&mut linker, |state| {
        VariablesView(&state.application.variables)
    })?;
    bindings::spin::sqlite::sqlite::add_to_linker::<_, Sqlite>(&mut linker, |state| SqliteView {
        table: &mut state.table,
        databases: &state.application.databases,
        allowed: state.application.may_open_database,
    })?;
    let linked = linker
        .instantiate_pre(&component)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("`{}` imports what the local runtime does not have", path.display()))?;
    ServicePre::new(linked)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("`{}` does not export `wasi:http/handler@0.3.0`", path.display()))
}

/// What all instances of a runtime share.
struct Application {
    variables: Values,
    databases: Databases,
    may_open_database: bool,
    allowed_hosts: Arc<AllowedHosts>,
    stand_ins: Arc<StandIns>,
    mounts: Vec<(PathBuf, String)>,
    clock: Clock,
    logs: Logs,
}

impl Application {
    fn new(manifest: &Manifest, options: &Options) -> anyhow::Result<Self> {
        let values = manifest.application_variables(&options.variables)?;
        let resolve = |template: &String| manifest::resolve(template, &values);
        let variables = manifest
            .component_variables
            .iter()
            .map(|(name, template)| Ok((name.clone(), resolve(template)?)))
            .collect::<anyhow::Result<_>>()?;
        let hosts: Vec<String> = manifest.allowed_outbound_hosts.iter().map(resolve).collect::<Result<_, _>>()?;

        let mut mounts = Vec::new();
        for mount in &manifest.mounts {
            let folder = match &options.config {
                Some(config) if mount.destination == "/config" => config.clone(),
                _ => manifest.root.join(&mount.source),
            };
            ensure!(
                folder.is_dir(),
                "`{}`, which the component is to see as `{}`, is not a folder",
                folder.display(),
                mount.destination
            );
            mounts.push((folder, mount.destination.clone()));
        }

        Ok(Self {
            variables: Arc::new(variables),
            databases: Databases::new(&options.database)?,
            may_open_database: manifest.sqlite_databases.contains("default"),
            allowed_hosts: Arc::new(AllowedHosts::parse(&hosts)?),
            stand_ins: Arc::new(StandIns::parse(&options.stand_ins)?),
            mounts,
            clock: options.clock.clone(),
            logs: options.logs.clone(),
        })
    }
}

/// What one instance of the component has.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    gate: Gate,
    table: ResourceTable,
    application: Arc<Application>,
}

impl State {
    fn new(application: Arc<Application>) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(application.logs.stream()).stderr(application.logs.stream()).wall_clock(application.clock.clone());
        for (folder, destination) in &application.mounts {
            wasi.preopened_dir(folder, destination, FsPerms::ReadOnly)?;
        }
        Ok(Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            gate: Gate {
                allowed: application.allowed_hosts.clone(),
                stand_ins: application.stand_ins.clone(),
                logs: application.logs.clone(),
            },
            table: ResourceTable::new(),
            application,
        })
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.gate, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Makes instances for wasmtime's handler, which hands requests to them.
struct Handler {
    engine: &'static Engine,
    service: ProxyPre<State>,
    application: Arc<Application>,
    reuse: Reuse,
    phase: watch::Receiver<Phase>,
    /// Every instance keeps the handler alive, and the handler this.
    _alive: mpsc::Sender<Infallible>,
}

impl HandlerState for Handler {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let mut store = Store::new(self.engine, State::new(self.application.clone())?);
        let proxy = self.service.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: WasiHttpView::http,
            expiration: Expiration::new(self.reuse.idle, self.phase.clone()),
            state: Worker { reuse: self.reuse, phase: self.phase.clone(), logs: self.application.logs.clone() },
        })
    }
}

/// Decides which requests an instance takes.
struct Worker {
    reuse: Reuse,
    phase: watch::Receiver<Phase>,
    logs: Logs,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.requests {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        drop(store);
        let was_aborted = self.phase.has_changed().is_err();
        if let Err(error) = result
            && !was_aborted
        {
            // The component is stripped: a backtrace would be numbers.
            self.logs.line(&format!("an instance of the component failed: {}", error.root_cause()));
        }
    }
}

/// Decides when an instance ends: at once when the runtime is gone, when idle while it stops, else after a while of
/// idleness.
struct Expiration {
    idle: Duration,
    idle_over: Pin<Box<Sleep>>,
    phase: watch::Receiver<Phase>,
    phase_changed: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl Expiration {
    fn new(idle: Duration, phase: watch::Receiver<Phase>) -> Self {
        Self { idle, idle_over: Box::pin(tokio::time::sleep(idle)), phase_changed: change_of(&phase), phase }
    }
}

fn change_of(phase: &watch::Receiver<Phase>) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
    let mut phase = phase.clone();
    Box::pin(async move {
        // An error is a change too: the runtime is gone.
        let _ = phase.changed().await;
    })
}

impl WorkerExpiration for Expiration {
    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        let this = self.get_mut();
        while this.phase_changed.as_mut().poll(context).is_ready() {
            if this.phase.has_changed().is_err() {
                return Poll::Ready(());
            }
            this.phase.mark_unchanged();
            this.phase_changed = change_of(&this.phase);
        }
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        if *this.phase.borrow() == Phase::Stopping {
            return Poll::Ready(());
        }
        let end = (start + this.idle).into();
        if this.idle_over.deadline() != end {
            this.idle_over.as_mut().reset(end);
        }
        this.idle_over.as_mut().poll(context)
    }
}

/// Accepts connections until the phase changes, then waits for those that are open.
async fn serve(
    listener: TcpListener,
    handler: ProxyHandler<Handler>,
    manifest: Arc<Manifest>,
    mut phase: watch::Receiver<Phase>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, handler.clone(), manifest.clone(), phase.clone()));
                }
                // Out of file descriptors, most likely: some will be free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = phase.changed() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, from its first request to its last.
async fn converse(
    stream: TcpStream,
    handler: ProxyHandler<Handler>,
    manifest: Arc<Manifest>,
    mut phase: watch::Receiver<Phase>,
) {
    // Nagle's algorithm would hold back the second piece of an answer for 40 ms.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(|request| respond(request, &handler, &manifest));
    let connection = hyper::server::conn::http1::Builder::new()
        // A client that says that it will send no more still wants its answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection (it breaks, or is not HTTP) is the client's to see, and hyper's to answer.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = phase.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond(
    mut request: Request<Incoming>,
    handler: &ProxyHandler<Handler>,
    manifest: &Manifest,
) -> Result<Response<WasiBody>, Infallible> {
    let Some(uri) = absolute_uri(&request) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    if !manifest.routes_to_component(uri.path()) {
        return Ok(empty(StatusCode::NOT_FOUND));
    }
    *request.uri_mut() = uri;
    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    Ok(match handler.handle((), request).await {
        Ok(response) => response,
        Err(error) => {
            handler.state().application.logs.line(&format!("the component failed to answer: {error:#}"));
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    })
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// The request's URI with scheme and authority, as Spin hands it over; none when the `Host` header is missing, wrong,
/// or contradicts it.
fn absolute_uri<B>(request: &Request<B>) -> Option<Uri> {
    let mut parts = request.uri().clone().into_parts();
    let host = match request.headers().get(HOST) {
        Some(host) => Some(Authority::try_from(host.as_bytes()).ok()?),
        None => None,
    };
    parts.authority = match (parts.authority, host) {
        (Some(authority), Some(host)) if authority != host => return None,
        (authority, host) => Some(authority.or(host)?),
    };
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_gets_its_authority_from_the_host_header() {
        for (uri, host, expected) in [
            ("/a?b", Some("example.com:81"), Some("http://example.com:81/a?b")),
            ("/a", None, None),
            ("/a", Some("no host"), None),
            ("http://example.com/a", None, Some("http://example.com/a")),
            ("http://example.com/a", Some("example.com"), Some("http://example.com/a")),
            ("http://example.com/a", Some("example.org"), None),
        ] {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            let got = absolute_uri(&request.body(()).unwrap()).map(|uri| uri.to_string());
            assert_eq!(got.as_deref(), expected, "{uri} {host:?}");
        }
    }
}
