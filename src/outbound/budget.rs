//! The time limit of one request to the gateway, and what is left of it for calls.
//!
//! The last part is reserved for settling: if the outcome of a removal is unknown, the account list has to be read within the
//! same request.

use std::time::Duration;

use crate::config::limits::Limits;
use crate::host::{self, Host};

/// The time that is reserved for settling; a quarter of the whole limit if that is less.
const RESERVED: Duration = Duration::from_secs(5);

/// The time limit of one request.
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    /// When the last removal may be sent, by [`Host::elapsed`].
    ends_sending: Duration,
    /// When the request ends, by [`Host::elapsed`].
    ends: Duration,
}

impl Budget {
    /// Makes the budget of a request that arrived at `began`, by [`Host::elapsed`].
    pub fn new(began: Duration, limits: Limits) -> Self {
        let ends = began.saturating_add(limits.total);
        let reserved = RESERVED.min(limits.total.checked_div(4).unwrap_or_default());
        Self { limits, ends_sending: ends.saturating_sub(reserved), ends }
    }

    /// Returns the budget with the reserved time added to the time for calls.
    pub fn for_settling(&self) -> Self {
        Self { ends_sending: self.ends, ..self.clone() }
    }

    /// Returns the configured limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns how much time is left for calls.
    pub fn left_to_send<H: Host>(&self, host: &H) -> Duration {
        self.ends_sending.saturating_sub(host.elapsed())
    }

    /// Returns the limits of a call that starts now; `None` if no time is left.
    pub fn call<H: Host>(&self, host: &H, answer: usize) -> Option<host::Limits> {
        let left = self.left_to_send(host);
        if left.is_zero() {
            return None;
        }
        let call = self.limits.call.min(left);
        Some(host::Limits { connect: self.limits.connect.min(call), first_byte: self.limits.first_byte, call, answer })
    }
}
