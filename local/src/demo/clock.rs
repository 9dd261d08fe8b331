//! The demonstration's time of day, which goes back while its history is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

use super::demo_caller;
use crate::runtime::options::Clock;

/// This machine's clock and a difference, which the component, the simulated TaurusDB and the demo callers share.
#[derive(Clone, Default)]
pub(super) struct DemoClock {
    /// In milliseconds.
    shift: Arc<AtomicI64>,
}

impl DemoClock {
    /// Returns the time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        demo_caller::now() + TimeDelta::milliseconds(self.shift.load(Ordering::Relaxed))
    }

    /// Makes it `time` now. The clock goes on from there.
    pub(super) fn set(&self, time: DateTime<Utc>) {
        self.shift.store((time - demo_caller::now()).num_milliseconds(), Ordering::Relaxed);
    }

    /// Makes it the time of this machine.
    pub(super) fn reset(&self) {
        self.shift.store(0, Ordering::Relaxed);
    }

    /// Returns the clock for the component.
    pub(super) fn of_component(&self) -> Clock {
        Clock::Shifted(self.shift.clone())
    }

    /// Returns the clock for the simulated TaurusDB.
    pub(super) fn of_simulator(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now().into())
    }
}
