//! What a driver must be able to do: one connection, one transaction at a time.

use crate::{Error, Row, Value};

/// What kind of transaction is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A snapshot that never changes and cannot be written to.
    Read,
    /// Serialisable.
    Write,
}

/// What a failure means for the transaction around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The transaction cannot be committed any more; trying again would fail again.
    Doomed,
    /// Another transaction got in the way; trying again may succeed.
    Retry,
    /// The connection is gone; a new one may succeed.
    Lost,
}

/// An error of a driver together with what it means for the transaction.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) fate: Fate,
}

impl Failure {
    pub(crate) fn doomed(error: Error) -> Failure {
        Failure {
            error,
            fate: Fate::Doomed,
        }
    }
}

/// What other processes have done to the database since a session last looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// Nothing was committed.
    Nothing,
    /// Something was committed.
    Committed,
    /// There was nothing to compare with.
    Unknown,
}

/// One connection to a database. Placeholders in `sql` are `$1`, `$2`, and so on.
pub(crate) trait Session: Send {
    /// Starts a transaction.
    fn begin(&mut self, mode: Mode) -> Result<(), Failure>;
    /// Makes the transaction durable.
    fn commit(&mut self) -> Result<(), Failure>;
    /// Ends the transaction without a trace. When even that fails the session reports `usable() == false`.
    fn rollback(&mut self);
    /// Whether the connection can take another transaction.
    fn usable(&self) -> bool;
    /// Runs one statement and returns how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Failure>;
    /// Runs one statement for every row of parameters and returns how many rows were changed.
    fn execute_many(&mut self, sql: &str, rows: &[&[Value]]) -> Result<u64, Failure>;
    /// Runs one statement and hands over its rows one by one until `each` returns false.
    fn query(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<(), Failure>;
    /// Runs several statements without parameters.
    fn script(&mut self, sql: &str) -> Result<(), Failure>;
    /// Takes the lock under which migrations are applied. Must come before anything else in a write transaction, because it may
    /// start the transaction anew; a second call does nothing.
    fn lock_schema(&mut self) -> Result<(), Failure>;
    /// Whether a table exists.
    fn has_table(&mut self, table: &str) -> Result<bool, Failure>;
    /// Tables, columns, constraints and indexes, one line each, in a form that is equal for equal schemas on both databases.
    fn schema(&mut self) -> Result<Vec<String>, Failure>;
    /// Stops checking references until the transaction ends (`false` to `true` order), for a restore.
    fn defer_references(&mut self) -> Result<(), Failure>;
    /// Checks what `defer_references` left unchecked; called before the commit.
    fn restore_references(&mut self) -> Result<(), Failure>;
    /// Passes a text on to all processes with the commit; false when the database cannot do that.
    fn announce(&mut self, text: &str) -> Result<bool, Failure>;
    /// Whether another process has committed since this was last asked.
    fn changed_elsewhere(&mut self) -> Elsewhere;
    /// Faults that the database finds in itself, one line each.
    fn self_check(&mut self) -> Result<Vec<String>, Failure>;
}

/// Opens sessions.
pub(crate) trait Connector: Send + Sync {
    fn connect(&self, mode: Mode) -> Result<Box<dyn Session>, Failure>;
}
