//! Bounds of the program, with what happens when they are reached.

use std::time::Duration;

/// How long a stopping server waits for requests and live connections; then it ends all the same, with nothing lost that was
/// acknowledged.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(10);

/// How often a server looks for jobs that another process has put into the queue.
pub(crate) const JOB_POLL: Duration = Duration::from_secs(1);

/// How often a line of progress is written anew.
pub(crate) const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The longest input that `document convert` reads; more is refused.
pub(crate) const CONVERT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The longest password that is read from standard input; more is refused.
pub(crate) const PASSWORD_BYTES_MAX: u64 = 4 * 1024;

/// The longest configuration file; more is refused.
pub(crate) const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
