//! The wait before a statement is sent again.

use std::time::Duration;

use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;
use spin_sdk::wasip3::random::random::get_random_u64;

/// Waits at random, at most this long, so that those who wait do not come back together.
pub(super) async fn pause(longest: Duration) {
    let nanoseconds = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX).max(1);
    wait_for(get_random_u64().checked_rem(nanoseconds).unwrap_or_default()).await;
}
