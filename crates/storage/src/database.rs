//! The database handle and its two doors.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Notify, oneshot};

use crate::announce::{self, Announcement, Announcements, Announcer};
use crate::pool::{Ending, Lane, Slot, Verdict, Work};
use crate::session::{Connector, Mode};
use crate::sqlite::{Durability, SqliteConnector};
use crate::{DatabaseUrl, Error, Migration, Tx, WriteTx, limits, migration};

/// A database. Clones share its connections.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    url: DatabaseUrl,
    connector: Arc<dyn Connector>,
    readers: Lane,
    writers: Lane,
    enqueued: Notify,
    announcer: Announcer,
}

impl Database {
    /// Opens a database, creates the SQLite file if it is missing, and applies the migrations that are not applied yet.
    ///
    /// Several processes may open one database at once. A database that a newer program has migrated is refused.
    pub async fn open(url: &DatabaseUrl, migrations: &[Migration]) -> Result<Database, Error> {
        let database = Database::start(url)?;
        let migrations = migrations.to_vec();
        database
            .write(move |tx| migration::apply(tx, &migrations, None))
            .await?;
        Ok(database)
    }

    /// Like [`Database::open`], for a thread that may wait.
    pub fn open_blocking(url: &DatabaseUrl, migrations: &[Migration]) -> Result<Database, Error> {
        let database = Database::start(url)?;
        let migrations = migrations.to_vec();
        database.write_blocking(move |tx| migration::apply(tx, &migrations, None))?;
        Ok(database)
    }

    /// Opens a fast temporary SQLite file without durability, for work that can be done again from the start. Nothing is
    /// migrated; create tables with [`WriteTx::execute`]. The caller deletes the file.
    pub fn open_scratch(path: &Path) -> Result<Database, Error> {
        let connector = Arc::new(SqliteConnector::new(path, Durability::None));
        Database::with_connector(DatabaseUrl::Sqlite(path.to_owned()), connector, 1, 1)
    }

    pub(crate) fn start(url: &DatabaseUrl) -> Result<Database, Error> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let connector = Arc::new(SqliteConnector::new(path, Durability::Full));
                Database::with_connector(url.clone(), connector, limits::SQLITE_READERS, 1)
            }
            DatabaseUrl::Postgres(address) => {
                let connector = Arc::new(crate::postgres::PostgresConnector::new(address)?);
                let (readers, writers) = (limits::POSTGRES_READERS, limits::POSTGRES_WRITERS);
                Database::with_connector(url.clone(), connector, readers, writers)
            }
        }
    }

    fn with_connector(
        url: DatabaseUrl,
        connector: Arc<dyn Connector>,
        readers: usize,
        writers: usize,
    ) -> Result<Database, Error> {
        Ok(Database {
            inner: Arc::new(Inner {
                url,
                readers: Lane::start("db-read", readers, &connector, Mode::Read)?,
                writers: Lane::start("db-write", writers, &connector, Mode::Write)?,
                connector,
                enqueued: Notify::new(),
                announcer: Announcer::new(),
            }),
        })
    }

    /// Where the database is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// Runs a closure in a transaction that sees one snapshot and cannot write. It may run again after a lost connection.
    pub async fn read<T, E, F>(&self, mut run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&Tx) -> Result<T, E> + Send + 'static,
    {
        let (send, answer) = oneshot::channel();
        let work = self.work(
            move |tx: &WriteTx| run(tx),
            move |result| {
                // Nobody waits for the answer any more: the caller was dropped.
                let _ = send.send(result);
            },
        );
        self.inner.readers.submit(work);
        answer.await.unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Runs a closure in a serialisable transaction and commits it when it returns `Ok`. The closure may run several times; its
    /// changes count once. Once started it runs to its end, even if the caller is dropped.
    pub async fn write<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&WriteTx) -> Result<T, E> + Send + 'static,
    {
        let (send, answer) = oneshot::channel();
        let work = self.work(run, move |result| {
            let _ = send.send(result);
        });
        self.inner.writers.submit(work);
        answer.await.unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Like [`Database::read`], for a thread that may wait.
    pub fn read_blocking<T, E, F>(&self, mut run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&Tx) -> Result<T, E> + Send + 'static,
    {
        let (send, answer) = std::sync::mpsc::sync_channel(1);
        let work = self.work(
            move |tx: &WriteTx| run(tx),
            move |result| {
                let _ = send.send(result);
            },
        );
        self.inner.readers.submit(work);
        answer.recv().unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Like [`Database::write`], for a thread that may wait.
    pub fn write_blocking<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&WriteTx) -> Result<T, E> + Send + 'static,
    {
        let (send, answer) = std::sync::mpsc::sync_channel(1);
        let work = self.work(run, move |result| {
            let _ = send.send(result);
        });
        self.inner.writers.submit(work);
        answer.recv().unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Runs one long transaction on a connection of its own and on the caller's thread, so that it holds up nobody: a backup, a
    /// restore, a check. Must not be called on a thread of an async runtime.
    pub(crate) fn alone<T, E, F>(&self, mode: Mode, mut run: F) -> Result<T, E>
    where
        E: From<Error>,
        F: FnMut(&WriteTx) -> Result<T, E>,
    {
        let mut slot = Slot::new(Arc::clone(&self.inner.connector), mode);
        self.run(&mut slot, &mut run)
    }

    /// Refuses new transactions, waits for those that run, and closes the connections.
    pub async fn close(self) {
        let inner = Arc::clone(&self.inner);
        let joined = tokio::task::spawn_blocking(move || inner.close());
        // The task can only fail if the runtime goes away, and then the process ends anyway.
        let _ = joined.await;
    }

    /// Like [`Database::close`], for a thread that may wait.
    pub fn close_blocking(self) {
        self.inner.close();
    }

    /// Hears what transactions [announce](WriteTx::announce), of this process and of others. On PostgreSQL the first that is
    /// heard after the very first call is `Missed`, when the server has begun to pass announcements on.
    pub fn announcements(&self) -> Announcements {
        announce::listen(&self.inner)
    }

    /// Completes after a transaction of this process has put a job into the queue.
    pub async fn job_enqueued(&self) {
        self.inner.enqueued.notified().await;
    }

    fn work<T, E, F>(&self, mut run: F, reply: impl FnOnce(Result<T, E>) + Send + 'static) -> Work
    where
        T: 'static,
        E: From<Error> + 'static,
        F: FnMut(&WriteTx) -> Result<T, E> + Send + 'static,
    {
        // The handle keeps the database open until the work is done.
        let database = self.clone();
        Box::new(move |slot| {
            let result = match slot {
                Ok(slot) => database.run(slot, &mut run),
                Err(refusal) => Err(refusal.into()),
            };
            drop(run);
            drop(database);
            reply(result);
        })
    }

    fn run<T, E: From<Error>>(
        &self,
        slot: &mut Slot,
        run: &mut dyn FnMut(&WriteTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut kept: Option<Result<T, E>> = None;
        let (ending, noted) = slot.run(&mut |tx| {
            let result = run(tx);
            let verdict = match &result {
                Ok(_) => Verdict::Commit,
                Err(_) => Verdict::Rollback,
            };
            kept = Some(result);
            verdict
        });
        match (ending, kept) {
            (Ending::Failed(error), _) => Err(error.into()),
            (Ending::Committed, Some(result)) => {
                if noted.enqueued {
                    self.inner.enqueued.notify_one();
                }
                for text in noted.announced {
                    self.inner.announcer.tell(Announcement::Message(text));
                }
                result
            }
            (Ending::RolledBack, Some(result)) => result,
            (_, None) => Err(Error::Internal("a transaction ended without a result".into()).into()),
        }
    }
}

impl Inner {
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub(crate) fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    pub(crate) fn writers(&self) -> &Lane {
        &self.writers
    }

    fn close(&self) {
        self.announcer.close();
        self.writers.close();
        self.readers.close();
        self.writers.join();
        self.readers.join();
    }
}

fn stopped() -> Error {
    Error::Unavailable("the database was closed before the transaction ran; try again".into())
}
