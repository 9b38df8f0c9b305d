//! What a closure can do inside its transaction.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use crate::session::{Elsewhere, Failure, Fate, Mode, Session};
use crate::{Error, Row, Value, limits};

/// A transaction that reads. All statements see one snapshot.
pub struct Tx {
    session: RefCell<Box<dyn Session>>,
    fate: Cell<Option<Fate>>,
    noted: RefCell<Noted>,
}

/// What is to be done in this process after a commit.
#[derive(Default)]
pub(crate) struct Noted {
    /// A job was put into the queue.
    pub(crate) enqueued: bool,
    /// What the database itself does not pass on.
    pub(crate) announced: Vec<String>,
}

impl Tx {
    /// All rows of a statement. Use [`Tx::query_each`] where the number of rows has no bound.
    pub fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        self.rows(sql, params, &mut |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    /// The first row of a statement, if there is one.
    pub fn query_opt(&self, sql: &str, params: &[Value]) -> Result<Option<Row>, Error> {
        let mut first = None;
        self.rows(sql, params, &mut |row| {
            first = Some(row);
            false
        })?;
        Ok(first)
    }

    /// The first row of a statement, or [`Error::NoRow`].
    pub fn query_one(&self, sql: &str, params: &[Value]) -> Result<Row, Error> {
        self.query_opt(sql, params)?.ok_or(Error::NoRow)
    }

    /// Hands every row of a statement to `each`, one at a time, in constant memory. While it runs, the transaction cannot run
    /// another statement.
    pub fn query_each<E: From<Error>>(
        &self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut outcome = Ok(());
        self.rows(sql, params, &mut |row| {
            outcome = each(row);
            outcome.is_ok()
        })?;
        outcome
    }

    fn rows(
        &self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<(), Error> {
        check_params(params)?;
        self.with(|session| session.query(sql, params, each))
    }

    pub(crate) fn new(session: Box<dyn Session>) -> Tx {
        Tx {
            session: RefCell::new(session),
            fate: Cell::new(None),
            noted: RefCell::default(),
        }
    }

    /// Runs something on the connection and remembers what a failure means for the transaction.
    pub(crate) fn with<T>(
        &self,
        run: impl FnOnce(&mut dyn Session) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let Ok(mut session) = self.session.try_borrow_mut() else {
            return Err(Error::Internal(
                "a statement was run inside `query_each` of the same transaction; collect the rows first".into(),
            ));
        };
        if self.fate.get().is_some() {
            return Err(Error::Internal(
                "a statement was run in a transaction that has already failed; return the first error".into(),
            ));
        }
        run(session.as_mut()).map_err(|failure| {
            self.fate.set(Some(failure.fate));
            failure.error
        })
    }

    pub(crate) fn fate(&self) -> Option<Fate> {
        self.fate.get()
    }

    pub(crate) fn usable(&self) -> bool {
        self.session
            .try_borrow()
            .is_ok_and(|session| session.usable())
    }

    /// Whether another process has committed since this was last asked on this connection. Not inside a transaction.
    pub(crate) fn changed_elsewhere(&self) -> Elsewhere {
        self.session
            .try_borrow_mut()
            .map_or(Elsewhere::Unknown, |mut session| {
                session.changed_elsewhere()
            })
    }

    pub(crate) fn begin(&self, mode: Mode) -> Result<(), Error> {
        self.fate.set(None);
        self.noted.take();
        self.with(|session| session.begin(mode))
    }

    pub(crate) fn commit(&self) -> Result<(), Error> {
        self.with(|session| session.commit())
    }

    pub(crate) fn rollback(&self) {
        if let Ok(mut session) = self.session.try_borrow_mut() {
            session.rollback();
        }
    }
}

/// A transaction that reads and writes. It is committed when the closure returns `Ok`.
pub struct WriteTx {
    tx: Tx,
}

impl WriteTx {
    pub(crate) fn new(session: Box<dyn Session>) -> WriteTx {
        WriteTx {
            tx: Tx::new(session),
        }
    }

    /// Runs one statement and returns how many rows it changed.
    ///
    /// A failed statement dooms the transaction, on both databases: to go on after a conflict, write `ON CONFLICT DO NOTHING`.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        check_params(params)?;
        self.with(|session| session.execute(sql, params))
    }

    /// Runs one statement once for every row of parameters and returns how many rows were changed.
    pub fn execute_many<R: AsRef<[Value]>>(&self, sql: &str, rows: &[R]) -> Result<u64, Error> {
        let rows: Vec<&[Value]> = rows.iter().map(AsRef::as_ref).collect();
        for params in &rows {
            check_params(params)?;
        }
        self.with(|session| session.execute_many(sql, &rows))
    }

    /// Tells `text` (at most 7,000 bytes) to everybody who listens to [`Database::announcements`](crate::Database::announcements)
    /// in any process, after the commit and never without one. Equal texts of one transaction may be told once.
    pub fn announce(&self, text: &str) -> Result<(), Error> {
        if text.is_empty() || text.len() > limits::ANNOUNCEMENT_BYTES_MAX {
            return Err(Error::Invalid(format!(
                "an announcement has {} bytes; give it between 1 and {}",
                text.len(),
                limits::ANNOUNCEMENT_BYTES_MAX
            )));
        }
        check_params(&[Value::from(text)])?;
        if !self.with(|session| session.announce(text))? {
            self.noted.borrow_mut().announced.push(text.to_owned());
        }
        Ok(())
    }

    /// Notes that a job was put into the queue, so that a runner is woken after the commit.
    pub(crate) fn note_enqueued(&self) {
        self.noted.borrow_mut().enqueued = true;
    }

    pub(crate) fn take_noted(&self) -> Noted {
        self.noted.take()
    }
}

impl Deref for WriteTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

/// PostgreSQL cannot hold U+0000 in text, so SQLite must not accept it either.
fn check_params(params: &[Value]) -> Result<(), Error> {
    let nul = params
        .iter()
        .any(|value| matches!(value, Value::Text(text) if text.as_bytes().contains(&0)));
    if nul {
        return Err(Error::Invalid(
            "text contains the character U+0000, which cannot be stored; remove it".into(),
        ));
    }
    Ok(())
}
