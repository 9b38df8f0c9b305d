//! What the server costs, as the system counts it.

use std::fs;
use std::time::{Duration, Instant};

/// The system's ticks per second for processor times.
const TICKS_PER_SECOND: u64 = 100;

/// The measured process, 0 for none.
#[derive(Clone, Copy)]
pub(crate) struct Server(pub(crate) u32);

impl Server {
    /// Processor time so far, user and system, of all threads.
    pub(crate) fn cpu(self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let numbers = after_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = numbers
            .filter_map(|number| number.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
    }

    /// Resident bytes now and at most since `forget_peak`.
    pub(crate) fn memory(self) -> (u64, u64) {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let of = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
            number.unwrap_or(0) * 1024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// Begins a new peak of memory.
    pub(crate) fn forget_peak(self) {
        if let Err(why) = fs::write(format!("/proc/{}/clear_refs", self.0), "5") {
            eprintln!("the peak of memory cannot be reset: {why}");
        }
    }
}

/// Processor time and time of a part of the run.
pub(crate) struct Span {
    server: Server,
    began: Instant,
    cpu: Duration,
}

impl Span {
    /// From now on.
    pub(crate) fn start(server: Server) -> Span {
        Span {
            server,
            began: Instant::now(),
            cpu: server.cpu(),
        }
    }

    /// Seconds that passed, and seconds of the processor.
    pub(crate) fn end(&self) -> (f64, f64) {
        let cpu = self.server.cpu() - self.cpu;
        (self.began.elapsed().as_secs_f64(), cpu.as_secs_f64())
    }
}
