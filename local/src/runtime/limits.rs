//! The limiter of an instance. As in Spin without a configured limit, it is asked at each growth and refuses none.

use super::meter::Meter;
use wasmtime::ResourceLimiterAsync;
use wasmtime_wasi::async_trait;

/// Counts the linear memory of an instance.
#[derive(Debug)]
pub(super) struct Limits {
    /// In bytes.
    memory: usize,
    meter: Option<Meter>,
}

impl Limits {
    pub(super) fn new(meter: Option<Meter>) -> Self {
        Self { memory: 0, meter }
    }
}

#[async_trait]
impl ResourceLimiterAsync for Limits {
    async fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        self.memory += more;
        if let Some(meter) = &self.meter {
            meter.add_memory(more);
        }
        Ok(true)
    }

    async fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}
