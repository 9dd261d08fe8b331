//! An instance of the component: what it imports, and what it can reach.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use wasmtime::Engine;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::allowed_hosts::AllowedHosts;
use super::bindings;
use super::call_sites::CallSites;
use super::database::Database;
use super::engine::{self, EngineKind};
use super::limits::Limits;
use super::logs::Logs;
use super::meter::Meter;
use super::options::{Clock, Options};
use super::outbound::Gate;
use super::outbound_client::OutboundClient;
use super::postgres::{Postgres, PostgresView};
use super::postgres_pool::Pools;
use super::sqlite::{Sqlite, SqliteView};
use super::stand_ins::StandIns;
use super::variables::{Values, Variables, VariablesView};
use crate::manifest::{self, Manifest};

/// A component that is ready to be instantiated.
#[derive(Clone)]
pub(super) struct Linked {
    pub(super) engine: &'static Engine,
    pub(super) service: ServicePre<InstanceState>,
    /// For a meter.
    pub(super) sites: Option<Arc<CallSites>>,
}

impl Linked {
    /// Links the component at `path` with everything that it imports.
    ///
    /// # Errors
    ///
    /// If it cannot be compiled, imports something that this runtime does not have (the error names it), or does not
    /// export the HTTP handler.
    pub(super) fn new(path: &Path, kind: EngineKind) -> anyhow::Result<Self> {
        let engine = kind.engine()?;
        let service = link(engine, path)?;
        let sites = match kind {
            EngineKind::Spin => None,
            EngineKind::Metered => Some(Arc::new(CallSites::read(path)?)),
        };
        Ok(Self { engine, service, sites })
    }
}

fn link(engine: &Engine, path: &Path) -> anyhow::Result<ServicePre<InstanceState>> {
    let component = engine::compile(engine, path)?;
    let mut linker = Linker::<InstanceState>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::spin::variables::variables::add_to_linker::<_, Variables>(&mut linker, |state| {
        VariablesView(&state.application.variables)
    })?;
    bindings::spin::sqlite::sqlite::add_to_linker::<_, Sqlite>(&mut linker, |state| SqliteView {
        table: &mut state.table,
        database: &state.application.database,
        meter: &state.application.meter,
        allowed: state.application.may_open_database,
    })?;
    bindings::spin::postgres::postgres::add_to_linker::<_, Postgres>(&mut linker, |state| PostgresView {
        table: &mut state.table,
        pools: &state.application.pools,
        allowed_hosts: &state.application.allowed_hosts,
        meter: &state.application.meter,
    })?;
    let linked = linker
        .instantiate_pre(&component)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("`{}` imports an interface that the local runtime does not have", path.display()))?;
    ServicePre::new(linked)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("`{}` does not export `wasi:http/handler@0.3.0`", path.display()))
}

/// What all instances of a runtime share.
pub(super) struct Application {
    variables: Values,
    database: Database,
    may_open_database: bool,
    allowed_hosts: Arc<AllowedHosts>,
    stand_ins: Arc<StandIns>,
    client: OutboundClient,
    pools: Pools,
    mounts: Vec<(PathBuf, String)>,
    clock: Clock,
    pub(super) logs: Logs,
    pub(super) meter: Option<Meter>,
}

impl Application {
    pub(super) fn new(manifest: &Manifest, options: &Options) -> anyhow::Result<Self> {
        let values = manifest.application_variables(&options.variables)?;
        let resolve = |template: &String| manifest::resolve(template, &values);
        let variables = manifest
            .component_variables
            .iter()
            .map(|(name, template)| Ok((name.clone(), resolve(template)?)))
            .collect::<anyhow::Result<_>>()?;
        let hosts = manifest.allowed_outbound_hosts.iter();
        let hosts: Vec<String> =
            hosts.filter_map(|entry| manifest::resolve_host(entry, &values).transpose()).collect::<Result<_, _>>()?;

        let mut mounts = Vec::new();
        for mount in &manifest.mounts {
            let folder = match &options.config {
                Some(config) if mount.destination == "/config" => config.clone(),
                _ => manifest.root.join(&mount.source),
            };
            ensure!(folder.is_dir(), "`{}`, mounted as `{}`, is not a folder", folder.display(), mount.destination);
            mounts.push((folder, mount.destination.clone()));
        }

        options.database.prepare()?;
        Ok(Self {
            variables: Arc::new(variables),
            database: options.database.clone(),
            may_open_database: manifest.sqlite_databases.contains("default"),
            allowed_hosts: Arc::new(AllowedHosts::parse(&hosts)?),
            stand_ins: Arc::new(StandIns::parse(&options.stand_ins)?),
            client: OutboundClient::new(),
            pools: Pools::default(),
            mounts,
            clock: options.clock.clone(),
            logs: options.logs.clone(),
            meter: options.meter.clone(),
        })
    }
}

/// The state of one instance.
pub(super) struct InstanceState {
    pub(super) limits: Limits,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    gate: Gate,
    table: ResourceTable,
    application: Arc<Application>,
}

impl InstanceState {
    pub(super) fn new(application: Arc<Application>) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(application.logs.stream()).stderr(application.logs.stream()).wall_clock(application.clock.clone());
        for (folder, destination) in &application.mounts {
            wasi.preopened_dir(folder, destination, FsPerms::ReadOnly)?;
        }
        Ok(Self {
            limits: Limits::new(application.meter.clone()),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            gate: Gate {
                allowed: application.allowed_hosts.clone(),
                stand_ins: application.stand_ins.clone(),
                client: application.client.clone(),
                logs: application.logs.clone(),
            },
            table: ResourceTable::new(),
            application,
        })
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.gate, table: &mut self.table, ctx: &mut self.http }
    }
}
