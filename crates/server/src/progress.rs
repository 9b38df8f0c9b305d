//! One line on a terminal that says how far long work is.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use crate::limits;

/// A line that is written again and again; silent when standard error is not a terminal.
pub(crate) struct ProgressLine {
    shown: bool,
    last: Option<Instant>,
}

impl ProgressLine {
    pub(crate) fn new() -> ProgressLine {
        ProgressLine {
            shown: io::stderr().is_terminal(),
            last: None,
        }
    }

    /// Shows a step and how many of what have been done, of how many if that is known.
    pub(crate) fn show(&mut self, step: &str, done: u64, total: Option<u64>) {
        let is_due = self
            .last
            .is_none_or(|last| last.elapsed() >= limits::PROGRESS_EVERY);
        if !self.shown || !is_due {
            return;
        }
        self.last = Some(Instant::now());
        let of = total.map_or(String::new(), |total| format!(" of {total}"));
        let _ = write!(io::stderr(), "\r\x1b[2K{step}: {done}{of}");
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}
