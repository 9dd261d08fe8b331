//! Holds requests back until a test lets them go on.

use tokio::sync::watch;

use super::target::Target;

/// The holds in force, and the requests that wait because of them.
#[derive(Default)]
struct Waiting {
    holds: Vec<Target>,
    requests: Vec<Option<Target>>,
}

impl Waiting {
    fn holds(&self, request: Option<Target>) -> bool {
        self.holds.iter().any(|hold| hold.covers(request))
    }
}

pub(super) struct Queue(watch::Sender<Waiting>);

impl Queue {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Waiting::default()))
    }

    pub(super) fn hold(&self, target: Target) {
        self.0.send_modify(|waiting| waiting.holds.push(target));
    }

    /// Ends one hold of this target.
    pub(super) fn release(&self, target: Target) {
        self.0.send_modify(|waiting| remove_one(&mut waiting.holds, &target));
    }

    /// Returns when no hold covers the request.
    pub(super) async fn pass(&self, request: Option<Target>) {
        let has_to_wait = self.0.send_if_modified(|waiting| {
            let holds = waiting.holds(request);
            if holds {
                waiting.requests.push(request);
            }
            holds
        });
        if has_to_wait {
            wait_for(&self.0, |waiting| !waiting.holds(request)).await;
            self.0.send_modify(|waiting| remove_one(&mut waiting.requests, &request));
        }
    }

    /// Returns when `count` requests that `target` covers wait.
    pub(super) async fn waiting(&self, target: Target, count: usize) {
        let is_covered = |request: &&Option<Target>| target.covers(**request);
        wait_for(&self.0, |waiting| waiting.requests.iter().filter(is_covered).count() >= count).await;
    }
}

/// Waits for a condition. It cannot fail: the sender lives as long as it is borrowed here.
pub(super) async fn wait_for<T>(watched: &watch::Sender<T>, condition: impl FnMut(&T) -> bool) {
    let _ = watched.subscribe().wait_for(condition).await;
}

fn remove_one<T: PartialEq>(items: &mut Vec<T>, item: &T) {
    if let Some(position) = items.iter().position(|one| one == item) {
        items.swap_remove(position);
    }
}
