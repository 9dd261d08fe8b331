//! What the simulated TaurusDB and IAM share: the options they were started with, and what has changed since.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::options::{SimulatedInstance, SimulatorOptions};

pub(super) struct Cloud {
    /// `options.instances` is the start; `state` has the instances as they are now.
    pub(super) options: SimulatorOptions,
    state: Mutex<State>,
    started: SystemTime,
    request_count: AtomicU64,
}

pub(super) struct State {
    pub(super) instances: Vec<SimulatedInstance>,
    /// The tokens that IAM issued.
    pub(super) tokens: BTreeMap<String, Issued>,
    pub(super) alarms: Vec<String>,
}

/// What the simulation keeps about a token.
pub(super) struct Issued {
    pub(super) expires_at: SystemTime,
    /// `None` for a token of a whole Huawei Cloud account.
    pub(super) project: Option<String>,
}

impl Cloud {
    pub(super) fn new(options: SimulatorOptions) -> Self {
        Self {
            state: Mutex::new(State {
                instances: options.instances.clone(),
                tokens: BTreeMap::new(),
                alarms: Vec::new(),
            }),
            options,
            started: SystemTime::now(),
            request_count: AtomicU64::new(0),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an id that is unique over all requests, those of other simulations included.
    pub(super) fn next_request_id(&self) -> String {
        let number = self.request_count.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{:?} {} {number}", self.started, std::process::id());
        let mut id = hex::encode(Sha256::digest(unique));
        id.truncate(32);
        id
    }
}
