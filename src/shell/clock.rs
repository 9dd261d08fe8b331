//! The instance's clocks. They stand still while the instance works, and run on while it waits for the runtime: between two waits
//! every reader gets the same time, for one call of the runtime. An instance works for about a millisecond at a time.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

thread_local! {
    static STARTED: Instant = instant();
    /// What the monotonic clock said last.
    static LATEST: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether the instance has waited since.
    static RAN_ON: Cell<bool> = const { Cell::new(false) };
    /// The date since the last wait; `None` if nothing has asked.
    static DATE: Cell<Option<SystemTime>> = const { Cell::new(None) };
}

/// Notes that the instance has waited, or begins a request.
pub(super) fn run_on() {
    RAN_ON.set(true);
    DATE.set(None);
}

/// The time by the monotonic clock.
pub(super) fn instant() -> Instant {
    if RAN_ON.take() {
        LATEST.set(None);
    }
    latest()
}

/// The time that was asked for last: as old as the last wait, and without a call.
pub(super) fn latest() -> Instant {
    let at = LATEST.get().unwrap_or_else(Instant::now);
    LATEST.set(Some(at));
    at
}

/// The time since the instance began to work.
pub(super) fn elapsed() -> Duration {
    instant().saturating_duration_since(STARTED.with(|started| *started))
}

/// The date, in whole milliseconds.
pub(super) fn now() -> DateTime<Utc> {
    let date = DATE.get().unwrap_or_else(SystemTime::now);
    DATE.set(Some(date));
    let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}
