//! SQLite: one file, a write-ahead log, every commit synced.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::session::{Connector, Elsewhere, Failure, Fate, Mode, Session};
use crate::{Error, Row, Value, ddl, limits, schema};

/// Whether a commit has to survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    Full,
    None,
}

/// Opens connections to one SQLite file.
pub(crate) struct SqliteConnector {
    path: PathBuf,
    durability: Durability,
}

impl SqliteConnector {
    pub(crate) fn new(path: &Path, durability: Durability) -> SqliteConnector {
        SqliteConnector {
            path: path.to_owned(),
            durability,
        }
    }
}

impl Connector for SqliteConnector {
    fn connect(&self, mode: Mode) -> Result<Box<dyn Session>, Failure> {
        // Readers need the right to write too: the first one may have to recover the write-ahead log.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)
            .and_then(|connection| {
                configure(&connection, mode, self.durability)?;
                Ok(connection)
            })
            .map_err(|error| fault(&error, &self.path))?;
        Ok(Box::new(SqliteSession {
            connection,
            path: self.path.clone(),
            usable: true,
            version: None,
        }))
    }
}

fn configure(
    connection: &Connection,
    mode: Mode,
    durability: Durability,
) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    connection.set_prepared_statement_cache_capacity(limits::STATEMENTS_MAX);
    let (journal, synchronous) = match durability {
        Durability::Full => ("WAL", "FULL"),
        Durability::None => ("WAL", "OFF"),
    };
    let (cache_kib, query_only) = match mode {
        Mode::Read => (limits::SQLITE_READER_CACHE_KIB, "ON"),
        Mode::Write => (limits::SQLITE_WRITER_CACHE_KIB, "OFF"),
    };
    connection.execute_batch(&format!(
        "PRAGMA journal_mode={journal}; PRAGMA synchronous={synchronous}; PRAGMA foreign_keys=ON;
         PRAGMA cache_size=-{cache_kib}; PRAGMA journal_size_limit={}; PRAGMA trusted_schema=OFF;
         PRAGMA query_only={query_only};",
        limits::SQLITE_JOURNAL_BYTES
    ))
}

struct SqliteSession {
    connection: Connection,
    path: PathBuf,
    usable: bool,
    /// The number of the file's content when somebody last asked; only commits of others change it.
    version: Option<i64>,
}

impl Session for SqliteSession {
    fn begin(&mut self, mode: Mode) -> Result<(), Failure> {
        let sql = match mode {
            Mode::Read => "BEGIN DEFERRED",
            Mode::Write => "BEGIN IMMEDIATE",
        };
        self.script(sql)
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let committed = self.connection.execute_batch("COMMIT");
        committed.map_err(|error| match error.sqlite_error_code() {
            // References that are checked at the end of the transaction; the transaction is still open here.
            Some(ErrorCode::ConstraintViolation) => {
                let name = self.first_broken_reference(None).ok().flatten();
                Failure::doomed(Error::Constraint {
                    name: name.unwrap_or_else(|| error.to_string()),
                })
            }
            _ => fault(&error, &self.path),
        })
    }

    fn rollback(&mut self) {
        // SQLite itself has already rolled back after some errors.
        if !self.connection.is_autocommit() {
            self.usable = self.connection.execute_batch("ROLLBACK").is_ok();
        }
    }

    fn usable(&self) -> bool {
        self.usable
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Failure> {
        let changed = self.try_execute(sql, params);
        changed.map_err(|error| self.explain(&error, sql, params))
    }

    fn execute_many(&mut self, sql: &str, rows: &[&[Value]]) -> Result<u64, Failure> {
        let mut done = 0;
        let changed = self.try_execute_many(sql, rows, &mut done);
        let failed = rows.get(done).copied().unwrap_or_default();
        changed.map_err(|error| self.explain(&error, sql, failed))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<(), Failure> {
        match self.try_query(sql, params, each) {
            Ok(None) => Ok(()),
            Ok(Some(column)) => Err(Failure::doomed(Error::Internal(format!(
                "column `{column}` is a floating point number; use CAST(... AS BIGINT)"
            )))),
            Err(error) => Err(self.explain(&error, sql, params)),
        }
    }

    fn script(&mut self, sql: &str) -> Result<(), Failure> {
        self.connection
            .execute_batch(sql)
            .map_err(|error| fault(&error, &self.path))
    }

    fn lock_schema(&mut self) -> Result<(), Failure> {
        // BEGIN IMMEDIATE has already locked everything.
        Ok(())
    }

    fn has_table(&mut self, table: &str) -> Result<bool, Failure> {
        let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1";
        let mut found = false;
        self.query(sql, &[Value::from(table)], &mut |_| {
            found = true;
            false
        })?;
        Ok(found)
    }

    fn schema(&mut self) -> Result<Vec<String>, Failure> {
        schema::sqlite(self)
    }

    fn defer_references(&mut self) -> Result<(), Failure> {
        self.script("PRAGMA defer_foreign_keys=ON")
    }

    fn restore_references(&mut self) -> Result<(), Failure> {
        let broken = self.broken_references()?;
        match broken.first() {
            None => Ok(()),
            Some(line) => Err(Failure::doomed(Error::Damaged(line.clone()))),
        }
    }

    fn announce(&mut self, _: &str) -> Result<bool, Failure> {
        Ok(false)
    }

    fn changed_elsewhere(&mut self) -> Elsewhere {
        let read = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        let Ok(now) = self.connection.query_row("PRAGMA data_version", [], read) else {
            self.version = None;
            return Elsewhere::Unknown;
        };
        match self.version.replace(now) {
            None => Elsewhere::Unknown,
            Some(before) if before == now => Elsewhere::Nothing,
            Some(_) => Elsewhere::Committed,
        }
    }

    fn self_check(&mut self) -> Result<Vec<String>, Failure> {
        let mut faults = Vec::new();
        self.query("PRAGMA integrity_check(100)", &[], &mut |row| {
            if let Some(Value::Text(line)) = row.values().first()
                && line != "ok"
            {
                faults.push(format!("the database file is damaged: {line}"));
            }
            true
        })?;
        faults.extend(self.broken_references()?);
        Ok(faults)
    }
}

impl SqliteSession {
    fn try_execute(&self, sql: &str, params: &[Value]) -> Result<u64, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        let params = rusqlite::params_from_iter(params.iter().map(Bound));
        if statement.column_count() > 0 {
            // RETURNING: the rows have to be stepped through for the statement to be complete.
            let mut rows = statement.query(params)?;
            while rows.next()?.is_some() {}
            drop(rows);
            return Ok(self.connection.changes());
        }
        statement.execute(params).map(|changed| changed as u64)
    }

    /// The statement is looked up once for all rows; `done` says how many were run.
    fn try_execute_many(
        &self,
        sql: &str,
        rows: &[&[Value]],
        done: &mut usize,
    ) -> Result<u64, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        let mut changed = 0;
        if statement.column_count() > 0 {
            drop(statement);
            for params in rows {
                changed += self.try_execute(sql, params)?;
                *done += 1;
            }
            return Ok(changed);
        }
        for params in rows {
            changed +=
                statement.execute(rusqlite::params_from_iter(params.iter().map(Bound)))? as u64;
            *done += 1;
        }
        Ok(changed)
    }

    /// Returns the name of a column that holds a type this crate does not have, if it meets one.
    fn try_query(
        &self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<Option<String>, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(rusqlite::params_from_iter(params.iter().map(Bound)))?;
        let mut go_on = true;
        while let Some(row) = rows.next()? {
            if !go_on {
                // A statement with RETURNING has done its work only when it has been stepped to its end.
                if row.as_ref().readonly() {
                    break;
                }
                continue;
            }
            let mut values = Vec::with_capacity(columns.len());
            for (position, column) in columns.iter().enumerate() {
                values.push(match row.get_ref(position)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(value) => Value::Int(value),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                    ValueRef::Real(_) => return Ok(Some(column.clone())),
                });
            }
            go_on = each(Row::new(Arc::clone(&columns), values));
        }
        Ok(None)
    }

    fn broken_references(&mut self) -> Result<Vec<String>, Failure> {
        let mut broken = Vec::new();
        self.query("PRAGMA foreign_key_check", &[], &mut |row| {
            let text = |column: &str| row.opt_text(column).ok().flatten().unwrap_or_default();
            let number = row.opt_i64("rowid").ok().flatten().unwrap_or_default();
            broken.push(format!(
                "row {number} of table `{}` refers to a row of `{}` that does not exist",
                text("table"),
                text("parent")
            ));
            broken.len() < 100
        })?;
        Ok(broken)
    }

    /// Turns an error of a statement into one of this crate, with the name of the constraint where there is one.
    fn explain(&mut self, error: &rusqlite::Error, sql: &str, params: &[Value]) -> Failure {
        if let rusqlite::Error::SqliteFailure(code, message) = error
            && code.code == ErrorCode::ConstraintViolation
        {
            let message = message.as_deref().unwrap_or_default();
            let name = self
                .violated(message, sql, params)
                .unwrap_or_else(|| message.to_owned());
            return Failure::doomed(Error::Constraint { name });
        }
        fault(error, &self.path)
    }

    fn violated(&self, message: &str, sql: &str, params: &[Value]) -> Option<String> {
        let (kind, subject) = message.split_once(" constraint failed")?;
        let subject = subject.trim_start_matches([':', ' ']);
        match kind {
            "UNIQUE" => match subject.strip_prefix("index '") {
                Some(index) => Some(index.trim_end_matches('\'').to_owned()),
                None => self.violated_unique(subject),
            },
            "FOREIGN KEY" => self.violated_reference(sql, params),
            // CHECK tells its name, NOT NULL its `table.column`.
            _ => Some(subject.to_owned()),
        }
    }

    /// SQLite tells the columns of a violated `UNIQUE`; the DDL tells which constraint or index has these columns.
    fn violated_unique(&self, subject: &str) -> Option<String> {
        let (mut table, mut columns) = ("", Vec::new());
        for part in subject.split(", ") {
            let (part_table, column) = part.split_once('.')?;
            table = part_table;
            columns.push(column.to_owned());
        }
        let constraint = self
            .constraints(table)
            .ok()?
            .into_iter()
            .find(|constraint| constraint.kind.is_unique() && constraint.columns == columns);
        match constraint {
            Some(constraint) => Some(constraint.name),
            None => self.unique_index(table, &columns).ok()?,
        }
    }

    fn constraints(&self, table: &str) -> Result<Vec<ddl::Constraint>, rusqlite::Error> {
        let sql = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
        let sql: String = self.connection.query_row(sql, [table], |row| row.get(0))?;
        Ok(ddl::constraints(&sql))
    }

    fn unique_index(
        &self,
        table: &str,
        columns: &[String],
    ) -> Result<Option<String>, rusqlite::Error> {
        let sql = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1";
        let mut statement = self.connection.prepare(sql)?;
        let names: Vec<String> = statement
            .query_map([table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for name in names {
            let mut statement = self
                .connection
                .prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
            let found: Vec<Option<String>> = statement
                .query_map([&name], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            if found.into_iter().flatten().eq(columns.iter().cloned()) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// SQLite does not tell which reference is violated: the statement is run again with checking put off, the broken
    /// reference is looked up, and all of that is undone.
    fn violated_reference(&self, sql: &str, params: &[Value]) -> Option<String> {
        let run = |script: &str| self.connection.execute_batch(script).ok();
        run("SAVEPOINT explain; PRAGMA defer_foreign_keys=ON")?;
        let found = self
            .try_execute(sql, params)
            .and_then(|_| self.first_broken_reference(ddl::changed_table(sql)));
        run("ROLLBACK TO explain; RELEASE explain; PRAGMA defer_foreign_keys=OFF")?;
        found.ok()?
    }

    /// The name of one violated reference of a table, or of any.
    fn first_broken_reference(
        &self,
        table: Option<String>,
    ) -> Result<Option<String>, rusqlite::Error> {
        let check = match &table {
            Some(table) => {
                "SELECT \"table\", fkid FROM pragma_foreign_key_check('".to_owned()
                    + &table.replace('\'', "''")
                    + "') LIMIT 1"
            }
            None => "SELECT \"table\", fkid FROM pragma_foreign_key_check LIMIT 1".to_owned(),
        };
        let (table, id): (String, i64) = self
            .connection
            .query_row(&check, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut statement = self.connection.prepare(
            "SELECT \"from\" FROM pragma_foreign_key_list(?1) WHERE id = ?2 ORDER BY seq",
        )?;
        let columns: Vec<String> = statement
            .query_map((&table, id), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let constraint = self
            .constraints(&table)?
            .into_iter()
            .find(|it| it.kind == ddl::Kind::ForeignKey && it.columns == columns);
        Ok(constraint.map(|constraint| constraint.name))
    }
}

struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// `$1` is a name to SQLite and `?1` a number: the former would be counted in the order in which it appears.
fn numbered(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut numbered = String::with_capacity(sql.len());
    let mut quote = None;
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        match quote {
            Some(end) if character == end => quote = None,
            None if character == '\'' || character == '"' => quote = Some(character),
            _ => {}
        }
        let is_parameter = quote.is_none()
            && character == '$'
            && characters.peek().is_some_and(char::is_ascii_digit);
        numbered.push(if is_parameter { '?' } else { character });
    }
    Cow::Owned(numbered)
}

/// What an error that is not a violated constraint means, and what to do about it.
fn fault(error: &rusqlite::Error, path: &Path) -> Failure {
    let shown = path.display();
    let code = error.sqlite_error_code();
    let (error, fate) = match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Error::Unavailable(format!(
                "`{shown}` is locked by another process; try again when its transaction is over"
            )),
            Fate::Retry,
        ),
        Some(ErrorCode::DiskFull) => (
            Error::Unavailable(format!(
                "the disk with `{shown}` is full; nothing was changed; free some space and try again"
            )),
            Fate::Doomed,
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            Error::Unavailable(format!(
                "`{shown}` cannot be written; give the account that runs watersmeet the right to write to it and to its folder"
            )),
            Fate::Doomed,
        ),
        Some(ErrorCode::CannotOpen) => (
            Error::Unavailable(format!(
                "cannot open `{shown}`; check that its folder exists and can be written"
            )),
            Fate::Doomed,
        ),
        Some(ErrorCode::SystemIoFailure) => (
            Error::Unavailable(format!(
                "cannot read or write `{shown}` ({error}); check the disk"
            )),
            Fate::Doomed,
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Error::Damaged(format!(
                "`{shown}` is damaged or not a database ({error}); stop, keep a copy of the file, and restore a backup"
            )),
            Fate::Doomed,
        ),
        Some(ErrorCode::TooBig) => (
            Error::Invalid("a value is too large for the database".into()),
            Fate::Doomed,
        ),
        _ => (Error::Internal(format!("sqlite: {error}")), Fate::Doomed),
    };
    Failure { error, fate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_outside_quotes_only() {
        assert_eq!(numbered("SELECT $2, $1"), "SELECT ?2, ?1");
        assert_eq!(
            numbered("SELECT '$1', \"$2\", $3"),
            "SELECT '$1', \"$2\", ?3"
        );
        assert_eq!(numbered("SELECT 1"), "SELECT 1");
    }

    #[test]
    fn a_full_disk_is_told_and_the_transaction_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let connector = SqliteConnector::new(&folder.path().join("w.sqlite"), Durability::Full);
        let mut session = connector.connect(Mode::Write).unwrap();
        session
            .script("CREATE TABLE t (b BYTEA); PRAGMA max_page_count=4")
            .unwrap();
        session.begin(Mode::Write).unwrap();
        let large = [Value::Bytes(vec![1; 100_000])];
        let failure = session
            .execute("INSERT INTO t (b) VALUES ($1)", &large)
            .unwrap_err();
        assert_eq!(failure.fate, Fate::Doomed);
        let told = failure.error.to_string();
        assert!(
            told.contains("full") && told.contains("free some space"),
            "{told}"
        );
        session.rollback();
        assert!(session.usable());
        session.begin(Mode::Write).unwrap();
        let small = [Value::Bytes(vec![1])];
        session
            .execute("INSERT INTO t (b) VALUES ($1)", &small)
            .unwrap();
        session.commit().unwrap();
    }
}
