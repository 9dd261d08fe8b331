//! What keeps a gateway running: the jobs of a scheduler, the metrics, whether it is ready, traces in the log.

mod jobs;
mod metrics;
mod prune;
mod ready;
pub(crate) mod shared;
mod trace;
