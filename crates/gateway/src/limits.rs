//! Every bound of this crate, with what happens when it is reached.

use std::time::Duration;

/// How long a connection to a target may take; then it counts as unreachable.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);
/// How long a target may take until the head of its answer; longer than a long poll waits. Then the answer is an error.
pub(crate) const ANSWER: Duration = Duration::from_secs(60);
/// An idle connection to a target is kept so long; shorter than targets keep theirs.
pub(crate) const IDLE: Duration = Duration::from_secs(30);
/// Idle connections kept; more are closed.
pub(crate) const IDLE_MAX: usize = 64;
/// When one side of a WebSocket has ended, the other has so long for its last words.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(5);
