//! The destination of the component's output and of the runtime's own log lines, one whole line at a time.

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

    /// Returns the lines captured so far.
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
        LogStream(Arc::new(Mutex::new(Partial { line: Vec::new(), logs: self.clone() })))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Collects the pieces that a component writes (`eprintln!` writes each argument separately) until a line is complete.
#[derive(Clone)]
pub(crate) struct LogStream(Arc<Mutex<Partial>>);

struct Partial {
    line: Vec<u8>,
    logs: Logs,
}

impl Partial {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.flush();
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn flush(&mut self) {
        self.logs.line(&String::from_utf8_lossy(&self.line));
        self.line.clear();
    }
}

/// Writes a line that the instance left unfinished.
impl Drop for Partial {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.flush();
        }
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
        locked(&self.0).write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LogStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        locked(&self.0).write(bytes);
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
    fn pieces_become_lines_and_the_last_one_is_kept() {
        let logs = Logs::captured();
        let mut stream = logs.stream();
        for piece in ["a", "b\nc\n", "\nrest"] {
            OutputStream::write(&mut stream, piece.into()).unwrap();
        }
        assert_eq!(logs.lines(), ["ab", "c", ""]);
        drop(stream);
        assert_eq!(logs.lines(), ["ab", "c", "", "rest"]);
    }
}
