//! Starts and stops a runtime.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use wasmtime_wasi_http::handler::ProxyHandler;

use super::connections::Connections;
use super::engine::EngineKind;
use super::instance::{Application, Linked};
use super::instances::{Instances, Phase};
use super::logs::Logs;
use super::options::Options;
use super::traces::Traces;
use crate::component::build;
use crate::manifest::Manifest;
use crate::operator_files::spin_path;

/// How long [`Runtime::stop`] waits for running requests and for the work of the component after its answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running component. Dropping it stops everything at once; [`Runtime::stop`] stops it gracefully.
pub struct Runtime {
    address: SocketAddr,
    logs: Logs,
    traces: Option<Arc<Traces>>,
    /// When it is dropped, everything ends.
    phase: watch::Sender<Phase>,
    busy: watch::Sender<usize>,
    server: JoinHandle<()>,
    server_abort: AbortHandle,
    /// Closed when the last instance has ended.
    instances: mpsc::Receiver<Infallible>,
}

impl Runtime {
    /// Builds the component if it changed, and starts it.
    ///
    /// # Errors
    ///
    /// If the component cannot be built, `options` contradict spin.toml, or the address is in use.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        static LINKED: OnceLock<Result<Linked, String>> = OnceLock::new();
        static METERED: OnceLock<Result<Linked, String>> = OnceLock::new();
        let kind = EngineKind::of(&options);
        let linked = blocking(move || {
            let linked = if kind == EngineKind::Spin { &LINKED } else { &METERED };
            linked
                .get_or_init(|| {
                    build::component()
                        .and_then(|built| Linked::new(&built.path, kind))
                        .map_err(|error| format!("{error:#}"))
                })
                .clone()
                .map_err(|message| anyhow!(message))
        })
        .await?;
        Self::start_linked(linked, options).await
    }

    /// Starts a component other than this repository's, under the same spin.toml: for benchmarks and for tests of this
    /// runtime.
    ///
    /// # Errors
    ///
    /// If [`Runtime::start`] would fail with these options.
    pub async fn start_component(path: &Path, options: Options) -> anyhow::Result<Self> {
        let (path, kind) = (path.to_owned(), EngineKind::of(&options));
        let linked = blocking(move || Linked::new(&path, kind)).await?;
        Self::start_linked(linked, options).await
    }

    async fn start_linked(linked: Linked, options: Options) -> anyhow::Result<Self> {
        let spin_toml = options.spin_toml.clone().unwrap_or_else(spin_path);
        let manifest = Manifest::read(&spin_toml)?;
        let application = Arc::new(Application::new(&manifest, &options)?);
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on `{}`", options.listen))?;
        let address = listener.local_addr()?;

        let (phase, watched) = watch::channel(Phase::Serving);
        let (alive, instances) = mpsc::channel(1);
        let busy = watch::Sender::new(0);
        let handler = ProxyHandler::new(Instances {
            linked,
            application,
            reuse: options.reuse,
            phase: watched.clone(),
            busy: busy.clone(),
            _alive: alive,
        });
        let traces = options.traces.as_deref().map(Traces::new).transpose()?.map(Arc::new);
        let connections = Connections { handler, manifest: Arc::new(manifest), traces: traces.clone(), phase: watched };
        let server = tokio::spawn(connections.accept(listener));
        let server_abort = server.abort_handle();
        Ok(Self { address, logs: options.logs, traces, phase, busy, server, server_abort, instances })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until no instance has any work: every request is answered, and what the component does behind its answers is done.
    pub async fn settled(&self) {
        // The sender is `self`'s, so the channel is open.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    /// Takes no new connections, waits for running requests and for the work of the component after its answers (a minute
    /// at most), sends the last traces, and ends.
    pub async fn stop(mut self) {
        self.phase.send_replace(Phase::Stopping);
        let finished = async {
            // The server returns no error: those of a connection end that connection only.
            let _ = (&mut self.server).await;
            self.instances.recv().await;
        };
        if tokio::time::timeout(PATIENCE, finished).await.is_err() {
            self.logs.line("stopped although the component was still busy");
        }
        if let Some(traces) = self.traces.take()
            && let Err(error) = blocking(move || traces.flush()).await
        {
            self.logs.line(&format!("{error:#}"));
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
