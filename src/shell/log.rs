//! The log, on the standard error output: one call of the runtime for most lines, where `std` needs three.

use std::io::Write;

use wasip2::cli::stderr::get_stderr;
use wasip2::io::streams::OutputStream;

/// What the runtime takes in that one call, in bytes.
const LARGEST: usize = 4096;

thread_local! {
    static STDERR: OutputStream = get_stderr();
}

/// Writes a line, in one write, because Spin makes a log record of each. Errors are ignored: there is no other place to tell them.
pub(super) fn write_line(line: &str) {
    let line = format!("{line}\n");
    if line.len() <= LARGEST {
        STDERR.with(|stderr| drop(stderr.blocking_write_and_flush(line.as_bytes())));
    } else {
        drop(std::io::stderr().write_all(line.as_bytes()));
    }
}
