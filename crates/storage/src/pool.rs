//! Threads that own connections, the bounded queue before them, and the retry loop around a transaction.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::session::{Connector, Elsewhere, Failure, Fate, Mode};
use crate::tx::Noted;
use crate::{Error, WriteTx, limits};

/// What a closure said after one attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Commit,
    Rollback,
}

/// One attempt at a transaction; the closure keeps its own result.
pub(crate) type Attempt<'a> = &'a mut dyn FnMut(&WriteTx) -> Verdict;

/// How a transaction ended.
pub(crate) enum Ending {
    /// It is durable (or, for a read, complete).
    Committed,
    /// The closure asked for this.
    RolledBack,
    /// The database or the closure failed.
    Failed(Error),
}

/// Work for a thread: called with the thread's connection, or with the reason why it will not be run.
pub(crate) type Work = Box<dyn FnOnce(Result<&mut Slot, Error>) + Send>;

/// A place for one connection, opened when it is first needed and again after it is lost.
pub(crate) struct Slot {
    connector: Arc<dyn Connector>,
    mode: Mode,
    tx: Option<WriteTx>,
}

impl Slot {
    pub(crate) fn new(connector: Arc<dyn Connector>, mode: Mode) -> Slot {
        Slot {
            connector,
            mode,
            tx: None,
        }
    }

    /// Whether another process has committed since this was last asked.
    pub(crate) fn changed_elsewhere(&mut self) -> Elsewhere {
        self.tx
            .as_ref()
            .map_or(Elsewhere::Unknown, |tx| tx.changed_elsewhere())
    }

    /// Runs a transaction, as often as it takes, and says what it noted for after the commit.
    pub(crate) fn run(&mut self, attempt: Attempt<'_>) -> (Ending, Noted) {
        let mut last = Error::Unavailable("the database is busy; try again".into());
        let mode = self.mode;
        for number in 0..limits::ATTEMPTS_MAX {
            if number > 0 {
                pause(number);
            }
            let tx = match self.connected() {
                Ok(tx) => tx,
                Err(error) => return (Ending::Failed(error), Noted::default()),
            };
            match attempt_once(tx, mode, attempt) {
                Step::End(ending) => {
                    let noted = tx.take_noted();
                    self.drop_if_unusable();
                    return (ending, noted);
                }
                Step::Again(error) => last = error,
            }
            self.drop_if_unusable();
        }
        let message = match last {
            Error::Unavailable(message) => message,
            other => format!("{other}; try again"),
        };
        (
            Ending::Failed(Error::Unavailable(message)),
            Noted::default(),
        )
    }

    fn connected(&mut self) -> Result<&WriteTx, Error> {
        if self.tx.is_none() {
            self.tx = Some(WriteTx::new(connect(self.connector.as_ref(), self.mode)?));
        }
        self.tx
            .as_ref()
            .ok_or_else(|| Error::Internal("no connection after connecting".into()))
    }

    fn drop_if_unusable(&mut self) {
        if self.tx.as_ref().is_some_and(|tx| !tx.usable()) {
            self.tx = None;
        }
    }
}

fn connect(
    connector: &dyn Connector,
    mode: Mode,
) -> Result<Box<dyn crate::session::Session>, Error> {
    let mut number = 0;
    loop {
        match connector.connect(mode) {
            Ok(session) => return Ok(session),
            Err(Failure { error, fate }) => {
                number += 1;
                if fate == Fate::Doomed || number >= limits::CONNECT_ATTEMPTS_MAX {
                    return Err(error);
                }
                pause(number + 4);
            }
        }
    }
}

enum Step {
    End(Ending),
    Again(Error),
}

fn attempt_once(tx: &WriteTx, mode: Mode, attempt: Attempt<'_>) -> Step {
    if let Err(error) = tx.begin(mode) {
        tx.rollback();
        return again_or_failed(tx.fate(), error);
    }
    let verdict = catch_unwind(AssertUnwindSafe(|| attempt(tx)));
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(panic) => {
            tx.rollback();
            return Step::End(Ending::Failed(Error::Internal(format!(
                "a transaction panicked: {}",
                panic_message(panic.as_ref())
            ))));
        }
    };
    match (verdict, tx.fate()) {
        (Verdict::Commit, None) => commit(tx, mode),
        (_, Some(Fate::Retry | Fate::Lost)) => {
            tx.rollback();
            Step::Again(Error::Unavailable(
                "the database is busy or was restarted; try again".into(),
            ))
        }
        (Verdict::Commit, Some(Fate::Doomed)) => {
            tx.rollback();
            Step::End(Ending::Failed(Error::Internal(
                "a statement failed and its error was dropped; nothing was changed".into(),
            )))
        }
        (Verdict::Rollback, _) => {
            tx.rollback();
            Step::End(Ending::RolledBack)
        }
    }
}

fn commit(tx: &WriteTx, mode: Mode) -> Step {
    let Err(error) = tx.commit() else {
        return Step::End(Ending::Committed);
    };
    tx.rollback();
    match (mode, tx.fate()) {
        (Mode::Read, _) => Step::End(Ending::Committed),
        (Mode::Write, Some(Fate::Lost)) => Step::End(Ending::Failed(Error::Unavailable(
            "the connection to the database was lost during a commit; check whether the change is there before trying again".into(),
        ))),
        (Mode::Write, fate) => again_or_failed(fate, error),
    }
}

fn again_or_failed(fate: Option<Fate>, error: Error) -> Step {
    match fate {
        Some(Fate::Retry | Fate::Lost) => Step::Again(error),
        _ => Step::End(Ending::Failed(error)),
    }
}

/// Waits before another attempt: longer each time, and not equally long on every thread, so that two do not collide for ever.
fn pause(number: u32) {
    let doubled = limits::PAUSE_MIN.saturating_mul(1 << number.min(10));
    let longest = doubled.min(limits::PAUSE_MAX);
    let mut random = [0_u8; 2];
    let share = match getrandom::fill(&mut random) {
        Ok(()) => u32::from(u16::from_le_bytes(random)),
        Err(_) => u32::from(u16::MAX),
    };
    let nanos = longest.as_nanos() as u64 / u64::from(u16::MAX) * u64::from(share);
    std::thread::sleep(Duration::from_nanos(nanos) + limits::PAUSE_MIN);
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A queue and the threads that serve it.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    // A lock and not a channel: several threads take from it, and an item must be able to say how long it has waited.
    state: Mutex<Waiting>,
    ready: Condvar,
}

struct Waiting {
    items: VecDeque<(Instant, Work)>,
    closed: bool,
}

impl Lane {
    pub(crate) fn start(
        name: &str,
        threads: usize,
        connector: &Arc<dyn Connector>,
        mode: Mode,
    ) -> Result<Lane, Error> {
        let shared = Arc::new(Shared {
            state: Mutex::new(Waiting {
                items: VecDeque::new(),
                closed: false,
            }),
            ready: Condvar::new(),
        });
        let mut handles = Vec::new();
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let slot = Slot::new(Arc::clone(connector), mode);
            let handle = std::thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || serve(&shared, slot))
                .map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
            handles.push(handle);
        }
        Ok(Lane {
            shared,
            threads: Mutex::new(handles),
        })
    }

    /// Puts work into the queue; work that cannot be taken is told so.
    pub(crate) fn submit(&self, work: Work) {
        let mut state = lock(&self.shared.state);
        let refusal = if state.closed {
            Some("the database is being closed; start the program again")
        } else if state.items.len() >= limits::WAITING_MAX {
            Some("too many transactions are waiting for the database; try again")
        } else {
            None
        };
        match refusal {
            None => {
                state.items.push_back((Instant::now(), work));
                drop(state);
                self.shared.ready.notify_one();
            }
            Some(message) => {
                drop(state);
                work(Err(Error::Unavailable(message.into())));
            }
        }
    }

    /// Refuses new work, finishes what is waiting, and ends the threads.
    pub(crate) fn close(&self) {
        lock(&self.shared.state).closed = true;
        self.shared.ready.notify_all();
    }

    /// Waits until the threads have ended, after `close`.
    pub(crate) fn join(&self) {
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            // A thread of this crate catches the panics of its work; if it died all the same there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.close();
    }
}

fn serve(shared: &Shared, mut slot: Slot) {
    while let Some((since, work)) = next(shared) {
        if since.elapsed() > limits::WAIT_MAX {
            work(Err(Error::Unavailable(
                "the database did not get to this transaction in time; try again".into(),
            )));
        } else {
            work(Ok(&mut slot));
        }
    }
}

fn next(shared: &Shared) -> Option<(Instant, Work)> {
    let mut state = lock(&shared.state);
    loop {
        if let Some(item) = state.items.pop_front() {
            return Some(item);
        }
        if state.closed {
            return None;
        }
        state = shared
            .ready
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// Nothing panics while it holds one of these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
