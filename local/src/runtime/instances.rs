//! Makes instances of the component, and decides which requests each one takes and when it ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::instance::{Application, InstanceState, Linked};
use super::logs::Logs;
use super::options::Reuse;

/// Whether the runtime takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    Stopping,
}

/// Makes instances for wasmtime's handler, which hands requests to them.
pub(super) struct Instances {
    pub(super) linked: Linked,
    pub(super) application: Arc<Application>,
    pub(super) reuse: Reuse,
    pub(super) phase: watch::Receiver<Phase>,
    /// How many instances have work, be it after their answers.
    pub(super) busy: watch::Sender<usize>,
    /// Every instance keeps this value alive, so the channel closes when the last instance has ended.
    pub(super) _alive: mpsc::Sender<Infallible>,
}

impl HandlerState for Instances {
    type StoreData = InstanceState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<InstanceState, Expiration, Worker>> {
        let mut store = Store::new(self.linked.engine, InstanceState::new(self.application.clone())?);
        store.limiter_async(|state| &mut state.limits);
        // For ever: the epoch interrupts no instance, but checking it is part of what an instance costs. A larger number
        // would overflow, because it is added to the present epoch.
        store.set_epoch_deadline(u64::MAX / 2);
        if let (Some(meter), Some(sites)) = (&self.application.meter, &self.linked.sites) {
            meter.watch(&mut store, sites.clone())?;
        }
        let service = self.linked.service.instantiate_async(&mut store).await?;
        let work = Arc::new(Work { is_there: AtomicBool::new(false), busy: self.busy.clone() });
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: WasiHttpView::http,
            expiration: Expiration::new(self.reuse.idle, self.phase.clone(), work.clone()),
            state: Worker { reuse: self.reuse, phase: self.phase.clone(), logs: self.application.logs.clone(), work },
        })
    }
}

/// Whether an instance has work: from the start of a request until nothing is left to do, behind the answer too.
struct Work {
    is_there: AtomicBool,
    busy: watch::Sender<usize>,
}

impl Work {
    fn begin(&self) {
        if !self.is_there.swap(true, Ordering::AcqRel) {
            self.busy.send_modify(|busy| *busy += 1);
        }
    }

    fn end(&self) {
        if self.is_there.swap(false, Ordering::AcqRel) {
            self.busy.send_modify(|busy| *busy -= 1);
        }
    }
}

/// Decides which requests an instance takes.
pub(super) struct Worker {
    reuse: Reuse,
    phase: watch::Receiver<Phase>,
    logs: Logs,
    work: Arc<Work>,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
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
        _: StoreContextMut<'_, InstanceState>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        self.work.begin();
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<InstanceState>, result: wasmtime::Result<()>) {
        drop(store);
        self.work.end();
        let was_aborted = self.phase.has_changed().is_err();
        if let Err(error) = result
            && !was_aborted
        {
            // The component is stripped, so a backtrace would be numbers only.
            self.logs.line(&format!("an instance of the component failed: {}", error.root_cause()));
        }
    }
}

/// Decides when an instance ends: at once if the runtime was dropped, as soon as it is idle while the runtime stops, else
/// after the idle time.
pub(super) struct Expiration {
    idle: Duration,
    idle_over: Pin<Box<Sleep>>,
    phase: watch::Receiver<Phase>,
    phase_changed: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    work: Arc<Work>,
}

impl Expiration {
    fn new(idle: Duration, phase: watch::Receiver<Phase>, work: Arc<Work>) -> Self {
        let idle_over = Box::pin(tokio::time::sleep(idle));
        Self { idle, idle_over, phase_changed: change_of(&phase), phase, work }
    }
}

/// Returns a future that ends with the next change.
fn change_of(phase: &watch::Receiver<Phase>) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
    let mut phase = phase.clone();
    Box::pin(async move {
        // An error is a change, too: the runtime was dropped.
        let _ = phase.changed().await;
    })
}

impl WorkerExpiration for Expiration {
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
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
        this.work.end();
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
