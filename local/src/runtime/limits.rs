//! The limiter of an instance. As in Spin without a configured limit, it is asked at each growth and refuses none.

use wasmtime::ResourceLimiterAsync;
use wasmtime_wasi::async_trait;

/// Counts the linear memory of an instance.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// In bytes.
    memory: usize,
}

#[async_trait]
impl ResourceLimiterAsync for Limits {
    async fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory += desired.saturating_sub(current);
        Ok(true)
    }

    async fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}
