//! The instance's clock. It stands still while the instance works, and runs on while it waits for the runtime: between two
//! waits every reader gets the same time, for one call of the runtime. An instance works for about a millisecond at a time.
//!
//! The date is asked for once a request and goes on by the monotonic clock: a date that is set while a request is answered
//! counts from the next request on.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

thread_local! {
    static STARTED: Instant = instant();
    /// What the monotonic clock said last.
    static LATEST: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether the instance has waited since.
    static RAN_ON: Cell<bool> = const { Cell::new(false) };
    /// The date at a moment: when the last request began.
    static DATE: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
}

/// Begins a request: the date is asked for when it is needed.
pub(super) fn start() {
    run_on();
    DATE.set(None);
}

/// Notes that the instance has waited.
pub(super) fn run_on() {
    RAN_ON.set(true);
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
    let at = instant();
    let (asked_at, date) = DATE.get().unwrap_or_else(|| (at, SystemTime::now()));
    DATE.set(Some((asked_at, date)));
    let since =
        date.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(at.saturating_duration_since(asked_at));
    i64::try_from(since.as_millis()).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}
