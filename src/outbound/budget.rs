//! How much time a request has, and how much of it is left.
//!
//! The last part of it is kept for settling: when a removal's outcome is not known, the account list has to be read within
//! the same request.

use std::time::Duration;

use crate::config::limits::Limits;
use crate::host::{self, Host};

/// What is kept for settling, at most; a quarter of the whole, where that is less.
const KEPT: Duration = Duration::from_secs(5);

/// The time of one request.
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    /// By [`Host::elapsed`].
    ends_sending: Duration,
    ends: Duration,
}

impl Budget {
    /// The time of a request that began at `began`, by [`Host::elapsed`].
    pub fn new(began: Duration, limits: Limits) -> Self {
        let ends = began.saturating_add(limits.total);
        let kept = KEPT.min(limits.total.checked_div(4).unwrap_or_default());
        Self { limits, ends_sending: ends.saturating_sub(kept), ends }
    }

    /// The same, with what was kept for settling to be spent.
    pub fn for_settling(&self) -> Self {
        Self { ends_sending: self.ends, ..self.clone() }
    }

    /// The limits that it is made of.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long something may still be sent.
    pub fn left_to_send<H: Host>(&self, host: &H) -> Duration {
        self.ends_sending.saturating_sub(host.elapsed())
    }

    /// The limits of a call that begins now; `None` when there is no time left for one.
    pub fn call<H: Host>(&self, host: &H, answer: usize) -> Option<host::Limits> {
        let left = self.left_to_send(host);
        if left.is_zero() {
            return None;
        }
        let call = self.limits.call.min(left);
        Some(host::Limits {
            connect: self.limits.connect.min(call),
            first_byte: self.limits.first_byte.min(call),
            call,
            answer,
        })
    }
}
