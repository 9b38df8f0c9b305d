//! Every bound of this crate, with what happens when it is reached.

use std::time::Duration;

/// Connections that read from SQLite. More would only add page caches: readers do not wait for the writer.
pub(crate) const SQLITE_READERS: usize = 4;

/// Connections that read from PostgreSQL.
pub(crate) const POSTGRES_READERS: usize = 4;

/// Connections that write to PostgreSQL. SQLite has one writer by nature.
pub(crate) const POSTGRES_WRITERS: usize = 4;

/// Transactions that may wait for a connection; the next one is answered `Unavailable` at once.
pub(crate) const WAITING_MAX: usize = 1_024;

/// How long a transaction may wait for a connection before it is answered `Unavailable`.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);

/// How long SQLite waits for a lock that another process holds, in one attempt.
pub(crate) const SQLITE_BUSY: Duration = Duration::from_secs(10);

/// Page cache of one SQLite reader, in KiB. Five connections together stay near 10 MB.
pub(crate) const SQLITE_READER_CACHE_KIB: u32 = 1_536;

/// Page cache of the SQLite writer, in KiB.
pub(crate) const SQLITE_WRITER_CACHE_KIB: u32 = 4_096;

/// The write-ahead log is cut back to this size after a checkpoint.
pub(crate) const SQLITE_JOURNAL_BYTES: u64 = 32 * 1024 * 1024;

/// Prepared statements kept by one connection; the one that was used least recently goes first.
pub(crate) const STATEMENTS_MAX: usize = 96;

/// How often a transaction is tried when others get in its way; then the answer is `Unavailable`.
pub(crate) const ATTEMPTS_MAX: u32 = 12;

/// The first pause between two attempts; it doubles up to `PAUSE_MAX`.
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(2);

/// The longest pause between two attempts.
pub(crate) const PAUSE_MAX: Duration = Duration::from_millis(400);

/// How often a new connection is tried in a row before the answer is `Unavailable`.
pub(crate) const CONNECT_ATTEMPTS_MAX: u32 = 6;

/// How long one attempt to connect to PostgreSQL may take.
pub(crate) const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// How long a statement may wait for a lock on PostgreSQL, in milliseconds.
pub(crate) const POSTGRES_LOCK_WAIT_MS: u64 = 20_000;

/// Jobs that one claim takes and one handler gets at once.
pub(crate) const JOB_BATCH: i64 = 64;

/// How long a runner may be silent before others take its jobs over, in milliseconds.
pub(crate) const JOB_LEASE_MS: i64 = 30_000;

/// How often a runner renews its lease.
pub(crate) const JOB_RENEWAL: Duration = Duration::from_secs(10);

/// How often a runner looks for jobs that another process has put into the queue.
pub(crate) const JOB_POLL: Duration = Duration::from_secs(1);

/// Failures after which a job is dead.
pub(crate) const JOB_ATTEMPTS_MAX: i64 = 8;

/// The pause after a failure starts at twice this and doubles, in milliseconds.
pub(crate) const JOB_PAUSE_MIN_MS: i64 = 500;

/// The longest pause after a failure, in milliseconds.
pub(crate) const JOB_PAUSE_MAX_MS: i64 = 10 * 60 * 1_000;

/// Bytes read or written at once when blobs and backups are copied.
pub(crate) const COPY_BYTES: usize = 64 * 1024;

/// An incomplete blob that is older than this was left by a process that has died.
pub(crate) const INCOMING_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest line of a backup: one row with its largest value, in base64.
pub(crate) const BACKUP_LINE_BYTES: u64 = 512 * 1024 * 1024;

/// Rows that a restore inserts at once.
pub(crate) const RESTORE_BATCH: usize = 200;

/// The longest text that a transaction may announce; PostgreSQL takes less than 8,000 bytes.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 7_000;

/// Announcements kept for a listener that is behind; then it hears `Missed` in place of the oldest.
pub(crate) const ANNOUNCEMENTS_KEPT: usize = 1_024;

/// How often a process looks whether another has committed to the same SQLite file.
pub(crate) const ANNOUNCEMENT_POLL: Duration = Duration::from_millis(500);

/// How long the listener of PostgreSQL waits at once; a closed database is noticed after that.
pub(crate) const ANNOUNCEMENT_WAIT: Duration = Duration::from_millis(500);

/// The pause before the listener of PostgreSQL connects again.
pub(crate) const ANNOUNCEMENT_RECONNECT: Duration = Duration::from_millis(500);

/// After this long without an announcement the listener asks the server whether it is still there.
pub(crate) const ANNOUNCEMENT_PROOF: Duration = Duration::from_secs(5);
