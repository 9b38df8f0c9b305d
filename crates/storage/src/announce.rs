//! Short texts that a transaction tells everybody who uses the database, in this process and in others.
//!
//! PostgreSQL carries them itself (`NOTIFY`, heard by one thread with a connection of its own). SQLite cannot: there they are handed
//! over within the process after the commit, and a commit of another process shows only as a changed number of the file, which is
//! answered with [`Announcement::Missed`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::database::Inner;
use crate::postgres::Listener;
use crate::session::Elsewhere;
use crate::{DatabaseUrl, limits};

/// Something that was told to everybody who uses the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// The text that a committed transaction announced.
    Message(String),
    /// Something may have been announced that was not heard, or another process may have changed something: look again at
    /// everything that matters.
    Missed,
}

/// Hears announcements from when it was made. Clones of a database share one ear.
pub struct Announcements {
    receiver: broadcast::Receiver<Announcement>,
}

impl Announcements {
    /// The next announcement; who is too slow hears `Missed` in place of what was dropped. `None` after the database is closed.
    pub async fn next(&mut self) -> Option<Announcement> {
        match self.receiver.recv().await {
            Ok(announcement) => Some(announcement),
            Err(RecvError::Lagged(_)) => Some(Announcement::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The ear and the mouth of one process.
pub(crate) struct Announcer {
    // Taken away when the database is closed, so that those who listen are told the end.
    sender: Mutex<Option<broadcast::Sender<Announcement>>>,
    started: AtomicBool,
    // Dropped when the database is closed: the thread that listens waits on its other end.
    alive: Mutex<Option<Sender<()>>>,
}

impl Announcer {
    pub(crate) fn new() -> Announcer {
        let (sender, _) = broadcast::channel(limits::ANNOUNCEMENTS_KEPT);
        Announcer {
            sender: Mutex::new(Some(sender)),
            started: AtomicBool::new(false),
            alive: Mutex::new(None),
        }
    }

    /// Tells this process.
    pub(crate) fn tell(&self, announcement: Announcement) {
        if let Some(sender) = &*lock(&self.sender) {
            // Nobody may be listening.
            let _ = sender.send(announcement);
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.alive).take();
        lock(&self.sender).take();
    }

    fn subscribe(&self) -> broadcast::Receiver<Announcement> {
        match &*lock(&self.sender) {
            Some(sender) => sender.subscribe(),
            // A channel whose other end is gone: it says at once that nothing will come.
            None => broadcast::channel(1).1,
        }
    }
}

/// Listens, and starts the thread that listens for this process if there is none.
pub(crate) fn listen(inner: &Arc<Inner>) -> Announcements {
    let announcer = inner.announcer();
    let receiver = announcer.subscribe();
    if !announcer.started.swap(true, Ordering::SeqCst) {
        let (alive, ended) = channel();
        *lock(&announcer.alive) = Some(alive);
        let weak = Arc::downgrade(inner);
        let wait = move |time| matches!(ended.recv_timeout(time), Err(RecvTimeoutError::Timeout));
        let run: Box<dyn FnOnce() + Send> = match inner.url() {
            DatabaseUrl::Sqlite(_) => Box::new(move || watch_file(&weak, &wait)),
            DatabaseUrl::Postgres(address) => {
                let address = address.clone();
                Box::new(move || listen_to_server(&weak, &address, &wait))
            }
        };
        let spawned = std::thread::Builder::new()
            .name("db-listen".into())
            .spawn(run);
        if let Err(error) = spawned {
            tracing::error!(%error, "cannot start the thread that hears of changes by other processes");
            announcer.started.store(false, Ordering::SeqCst);
        }
    }
    Announcements { receiver }
}

/// SQLite: looks now and then whether another process has committed. The writer's own connection does the looking, because to
/// any other the commits of this process would look foreign. The first look, with which the others are compared, is at once.
fn watch_file(weak: &Weak<Inner>, wait: &dyn Fn(Duration) -> bool) {
    let mut looked = false;
    while wait(if looked {
        limits::ANNOUNCEMENT_POLL
    } else {
        Duration::ZERO
    }) {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let (send, answer) = sync_channel(1);
        inner.writers().submit(Box::new(move |slot| {
            let seen = slot.map_or(Elsewhere::Unknown, |slot| slot.changed_elsewhere());
            // The receiver waits for as long as the work exists.
            let _ = send.send(seen);
        }));
        match answer.recv().unwrap_or(Elsewhere::Unknown) {
            Elsewhere::Nothing => looked = true,
            // The first look of all has nothing to compare with, and nobody has missed anything yet.
            Elsewhere::Unknown if !looked => looked = true,
            Elsewhere::Unknown | Elsewhere::Committed => {
                inner.announcer().tell(Announcement::Missed);
            }
        }
    }
}

/// PostgreSQL: hears what the server passes on, for ever. What was announced while there was no connection is lost, hence
/// `Missed` after each time that one was made.
fn listen_to_server(weak: &Weak<Inner>, address: &str, wait: &dyn Fn(Duration) -> bool) {
    let tell = |announcement| match weak.upgrade() {
        Some(inner) => inner.announcer().tell(announcement),
        None => tracing::debug!("the database was closed"),
    };
    let mut told = false;
    loop {
        match Listener::connect(address) {
            Ok(mut listener) => {
                tell(Announcement::Missed);
                told = false;
                let Err(error) = hear(&mut listener, &tell, wait) else {
                    return;
                };
                tracing::warn!(%error, "announcements of the database are not heard; connecting again");
            }
            Err(error) if !told => {
                told = true;
                tracing::warn!(%error, "announcements of the database are not heard; connecting again");
            }
            Err(_) => {}
        }
        if !wait(limits::ANNOUNCEMENT_RECONNECT) {
            return;
        }
    }
}

/// Hears until the connection is lost (an error) or the database is closed.
fn hear(
    listener: &mut Listener,
    tell: &dyn Fn(Announcement),
    wait: &dyn Fn(Duration) -> bool,
) -> Result<(), crate::Error> {
    let mut proved = Instant::now();
    while wait(Duration::ZERO) {
        match listener.next(limits::ANNOUNCEMENT_WAIT)? {
            Some(text) => {
                proved = Instant::now();
                tell(Announcement::Message(text));
            }
            None if proved.elapsed() > limits::ANNOUNCEMENT_PROOF => {
                listener.prove()?;
                proved = Instant::now();
            }
            None => {}
        }
    }
    Ok(())
}

/// Nothing panics while it holds one of these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
