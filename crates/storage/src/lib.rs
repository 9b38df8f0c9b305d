//! One database behind two doors, a queue of jobs, and a place for the bytes of attachments.
//!
//! **What is here.** [`Database`] speaks to SQLite or to PostgreSQL; the rest of the program cannot tell which. The only ways
//! in are [`Database::read`] and [`Database::write`]: each takes a closure, runs it in one transaction on a thread that belongs
//! to this crate, and commits when the closure returns `Ok`. [`enqueue_job`] keeps work as rows, put there in the caller's own
//! transaction; [`WriteTx::announce`] tells every process what a transaction did. [`BlobStore`] keeps bytes under the name of their hash. [`backup`] and [`restore`] move all of it through one file.
//!
//! **What is not here.** No table of the wiki and no word of its glossary: the caller brings its [`Migration`]s and its SQL. No
//! HTTP, no configuration, no clock (times come in as epoch milliseconds).
//!
//! **One SQL text.** Statements are written once: `$1` for parameters; the types `BIGINT`, `TEXT` and `BYTEA` only (a boolean is
//! a `BIGINT` 0 or 1, a time is a `BIGINT` of epoch milliseconds); `ON CONFLICT`, `RETURNING` and `WITH RECURSIVE` are fine;
//! `SUM` and friends need `CAST(... AS BIGINT)`; a parameter that may be null in a place without a type needs a `CAST` too;
//! neither collation for order nor `LIKE` for case can be relied on. Every `UNIQUE`, `CHECK`, `PRIMARY KEY` and `FOREIGN KEY`
//! is named in the DDL, because the names are what [`Error::Constraint`] reports.
//!
//! **Invariants.**
//! * A transaction that was answered with `Ok` is on disk: SQLite runs with `synchronous=FULL`, PostgreSQL with its default.
//! * Writes are serialisable. A closure may run more than once (hence `FnMut`), its effects on the database count once.
//! * A closure that returns `Err`, panics, or drops the error of a failed statement leaves no trace in the database.
//! * Every queue and every wait is bounded by a constant in `limits.rs`; when a bound is reached the answer is
//!   [`Error::Unavailable`].
//!
//! **Where to start.** `database.rs` for the doors, `tx.rs` for what a closure can do, `pool.rs` for threads and retries,
//! `sqlite.rs` and `postgres.rs` for the only two files that name a product's API.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod limits;

mod error;
mod value;

mod row;
mod tx;

mod announce;
mod database;
mod url;

mod pool;
mod session;

mod batch;
mod ddl;
mod migration;
mod postgres;
mod schema;
mod sqlite;

mod jobs;

mod blobs;

mod archive;
mod check;

#[cfg(any(test, feature = "testing"))]
mod testing;

pub use announce::{Announcement, Announcements};
pub use archive::{BackupManifest, Progress, SchemaVersions, TableEntry, backup, restore};
pub use blobs::{BlobReader, BlobRef, BlobStore, BlobWriter, DirectoryBlobs};
pub use check::{BlobCheck, check_blobs, check_database};
pub use database::Database;
pub use error::Error;
pub use jobs::{Job, JobCounts, JobRunner, enqueue_job, job_counts};
pub use limits::ANNOUNCEMENT_BYTES_MAX;
pub use migration::Migration;
pub use row::{Column, Row};
#[cfg(any(test, feature = "testing"))]
pub use testing::{TestDatabase, test_databases};
pub use tx::{Tx, WriteTx};
pub use url::DatabaseUrl;
pub use value::Value;
