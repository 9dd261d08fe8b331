//! The destination of the component's output and of the runtime's own log lines.
//!
//! As in Spin, each `write` of the component is one record: `eprintln!` with arguments makes a record of each piece.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A destination of log lines. Clones share it.
#[derive(Clone, Default)]
pub struct Logs(Option<Arc<Mutex<Vec<String>>>>);

impl Logs {
    /// Writes lines to the standard error of this process.
    #[must_use]
    pub fn stderr() -> Self {
        Self(None)
    }

    /// Keeps lines in memory, for [`Logs::lines`].
    #[must_use]
    pub fn captured() -> Self {
        Self(Some(Arc::default()))
    }

    /// Returns the records captured so far. One that the component wrote with line breaks inside is one.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.as_ref().map(|lines| locked(lines).clone()).unwrap_or_default()
    }

    pub(crate) fn line(&self, line: &str) {
        match &self.0 {
            Some(lines) => locked(lines).push(line.to_owned()),
            None => eprintln!("{line}"),
        }
    }

    /// Returns a stream for the component that writes here.
    pub(crate) fn stream(&self) -> LogStream {
        LogStream(self.clone())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The component's standard output or standard error.
#[derive(Clone)]
pub(crate) struct LogStream(Logs);

impl LogStream {
    fn record(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        self.0.line(text.strip_suffix('\n').unwrap_or(&text));
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.record(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1024 * 1024)
    }
}

#[async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LogStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.record(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_write_is_a_record_without_its_last_line_break() {
        let logs = Logs::captured();
        let mut stream = logs.stream();
        for piece in ["a", "b\nc\n", "\n", "rest"] {
            OutputStream::write(&mut stream, piece.into()).unwrap();
        }
        assert_eq!(logs.lines(), ["a", "b\nc", "", "rest"]);
    }
}
