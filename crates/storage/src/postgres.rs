//! PostgreSQL over TCP without TLS: snapshots for reads, `SERIALIZABLE` for writes.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use crate::batch::{self, Insert};
use crate::session::{Connector, Elsewhere, Failure, Fate, Mode, Session};
use crate::{Error, Row, Value, limits, schema};

/// Refuses an address that cannot work, with the reason.
pub(crate) fn check_url(url: &str) -> Result<(), Error> {
    parse(url).map(|_| ())
}

fn parse(url: &str) -> Result<Config, Error> {
    let wants_tls = url.contains("sslmode=verify")
        || url.contains("sslmode=require")
        || url.contains("sslnegotiation=direct");
    if wants_tls {
        return Err(Error::Invalid(
            "the database address asks for an encrypted connection, which is not supported yet; use `sslmode=disable` over a private network or a tunnel".into(),
        ));
    }
    let mut config = Config::from_str(url).map_err(|error| {
        Error::Invalid(format!(
            "the database address cannot be read ({}); it is written `postgres://USER:PASSWORD@HOST:PORT/NAME`",
            causes(&error)
        ))
    })?;
    if config.get_hosts().is_empty() {
        return Err(Error::Invalid(
            "the database address names no host; it is written `postgres://USER:PASSWORD@HOST:PORT/NAME`".into(),
        ));
    }
    config.ssl_mode(SslMode::Disable);
    config.application_name("watersmeet");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(limits::CONNECT_WAIT);
    }
    Ok(config)
}

/// Opens connections to one PostgreSQL database.
pub(crate) struct PostgresConnector {
    config: Config,
}

impl PostgresConnector {
    pub(crate) fn new(url: &str) -> Result<PostgresConnector, Error> {
        Ok(PostgresConnector {
            config: parse(url)?,
        })
    }
}

impl Connector for PostgresConnector {
    fn connect(&self, _mode: Mode) -> Result<Box<dyn Session>, Failure> {
        let mut client = self
            .config
            .connect(NoTls)
            .map_err(|error| refused(&error))?;
        let settings = format!(
            "SET lock_timeout = {}; SET synchronous_commit = on; SET client_min_messages = warning",
            limits::POSTGRES_LOCK_WAIT_MS
        );
        client
            .batch_execute(&settings)
            .map_err(|error| fault(&error))?;
        Ok(Box::new(PostgresSession {
            client,
            statements: HashMap::new(),
            uses: 0,
            schema_locked: false,
            dropped_references: Vec::new(),
            usable: true,
        }))
    }
}

/// Where announcements are sent and heard. The server keeps those of different databases apart.
const CHANNEL: &str = "watersmeet";

/// A connection that hears what others announce. It has no transaction and no lock.
pub(crate) struct Listener {
    client: Client,
}

impl Listener {
    pub(crate) fn connect(address: &str) -> Result<Listener, Error> {
        let mut config = parse(address)?;
        config.tcp_user_timeout(limits::CONNECT_WAIT);
        config.keepalives_idle(limits::ANNOUNCEMENT_PROOF);
        let mut client = config
            .connect(NoTls)
            .map_err(|error| refused(&error).error)?;
        client
            .batch_execute(&format!("LISTEN {CHANNEL}"))
            .map_err(|error| fault(&error).error)?;
        Ok(Listener { client })
    }

    /// The next text, or nothing for as long as `wait`.
    pub(crate) fn next(&mut self, wait: Duration) -> Result<Option<String>, Error> {
        let heard = self.client.notifications().timeout_iter(wait).next();
        match heard.map_err(|error| fault(&error).error)? {
            Some(notification) => Ok(Some(notification.payload().to_owned())),
            None if self.client.is_closed() => Err(Error::Unavailable(
                "the connection to the database was lost".into(),
            )),
            None => Ok(None),
        }
    }

    /// Makes certain that the server is still there.
    pub(crate) fn prove(&mut self) -> Result<(), Error> {
        self.client
            .is_valid(limits::CONNECT_WAIT)
            .map_err(|error| fault(&error).error)
    }
}

struct PostgresSession {
    client: Client,
    // Keyed by text and parameter types: null leaves the type to the server, the others state it.
    statements: HashMap<(String, Vec<u32>), Prepared>,
    uses: u64,
    schema_locked: bool,
    dropped_references: Vec<String>,
    usable: bool,
}

struct Prepared {
    statement: Statement,
    columns: Arc<[String]>,
    last_use: u64,
}

impl Session for PostgresSession {
    fn begin(&mut self, mode: Mode) -> Result<(), Failure> {
        self.script(match mode {
            Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Mode::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        })
    }

    fn commit(&mut self) -> Result<(), Failure> {
        self.script("COMMIT")?;
        self.unlock_schema();
        Ok(())
    }

    fn rollback(&mut self) {
        if self.client.is_closed() || self.client.batch_execute("ROLLBACK").is_err() {
            self.usable = false;
        }
        self.dropped_references.clear();
        self.unlock_schema();
    }

    fn usable(&self) -> bool {
        self.usable && !self.client.is_closed()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Failure> {
        let types: Vec<Type> = params.iter().map(type_of).collect();
        self.execute_typed(sql, &types, &mut params.iter())
    }

    fn execute_many(&mut self, sql: &str, rows: &[&[Value]]) -> Result<u64, Failure> {
        let together = Insert::parse(sql).and_then(|it| Some((it.samples(rows)?, it)));
        let mut changed = 0;
        let Some((samples, insert)) = together else {
            for params in rows {
                changed += self.execute(sql, params)?;
            }
            return Ok(changed);
        };
        let types: Vec<Type> = samples.into_iter().map(type_of).collect();
        for chunk in batch::chunks(rows) {
            let sql = insert.sql(chunk.len());
            let types: Vec<Type> = types
                .iter()
                .cycle()
                .take(types.len() * chunk.len())
                .cloned()
                .collect();
            let mut values = chunk.iter().flat_map(|row| row.iter());
            changed += self.execute_typed(&sql, &types, &mut values)?;
        }
        Ok(changed)
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<(), Failure> {
        let types: Vec<Type> = params.iter().map(type_of).collect();
        let (statement, columns) = self.prepare(sql, &types)?;
        let mut rows = self
            .client
            .query_raw(&statement, params.iter().map(Bound))
            .map_err(|error| fault(&error))?;
        let mut go_on = true;
        while let Some(row) = rows.next().map_err(|error| fault(&error))? {
            // The rest of the answer is read and dropped: only then is it certain that the statement has not failed.
            if go_on {
                let mut values = Vec::with_capacity(columns.len());
                for position in 0..columns.len() {
                    values.push(value(&row, position).map_err(Failure::doomed)?);
                }
                go_on = each(Row::new(Arc::clone(&columns), values));
            }
        }
        Ok(())
    }

    fn script(&mut self, sql: &str) -> Result<(), Failure> {
        self.client
            .batch_execute(sql)
            .map_err(|error| fault(&error))
    }

    fn lock_schema(&mut self) -> Result<(), Failure> {
        if self.schema_locked {
            return Ok(());
        }
        // The lock is taken before the transaction: a snapshot from before the wait would not see what was waited for.
        self.script("ROLLBACK; SET lock_timeout = 0; SELECT pg_advisory_lock(720192011)")?;
        self.schema_locked = true;
        self.script(&format!(
            "SET lock_timeout = {}; BEGIN ISOLATION LEVEL SERIALIZABLE",
            limits::POSTGRES_LOCK_WAIT_MS
        ))
    }

    fn has_table(&mut self, table: &str) -> Result<bool, Failure> {
        let sql = "SELECT 1::BIGINT FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1";
        let mut found = false;
        self.query(sql, &[Value::from(table)], &mut |_| {
            found = true;
            true
        })?;
        Ok(found)
    }

    fn schema(&mut self) -> Result<Vec<String>, Failure> {
        schema::postgres(self)
    }

    fn defer_references(&mut self) -> Result<(), Failure> {
        // References that are not DEFERRABLE cannot be put off, so they are taken away and put back in the same transaction.
        let sql = "SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', r.relname, k.conname),
                format('ALTER TABLE %I ADD CONSTRAINT %I %s', r.relname, k.conname, pg_get_constraintdef(k.oid))
            FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
            WHERE n.nspname = current_schema() AND k.contype = 'f' ORDER BY r.relname, k.conname";
        let (mut drops, mut adds) = (Vec::new(), Vec::new());
        self.query(sql, &[], &mut |row| {
            drops.extend(row.text(0));
            adds.extend(row.text(1));
            true
        })?;
        for drop in drops {
            self.script(&drop)?;
        }
        self.dropped_references = adds;
        Ok(())
    }

    fn restore_references(&mut self) -> Result<(), Failure> {
        for add in std::mem::take(&mut self.dropped_references) {
            self.script(&add)?;
        }
        Ok(())
    }

    fn announce(&mut self, text: &str) -> Result<bool, Failure> {
        let sql = "SELECT pg_notify($1, $2)::TEXT";
        let params = [Value::from(CHANNEL), Value::from(text)];
        self.query(sql, &params, &mut |_| true)?;
        Ok(true)
    }

    fn changed_elsewhere(&mut self) -> Elsewhere {
        // Others tell by themselves.
        Elsewhere::Nothing
    }

    fn self_check(&mut self) -> Result<Vec<String>, Failure> {
        // The server checks its own pages; there is no statement for it.
        Ok(Vec::new())
    }
}

impl PostgresSession {
    fn execute_typed(
        &mut self,
        sql: &str,
        types: &[Type],
        params: &mut dyn Iterator<Item = &Value>,
    ) -> Result<u64, Failure> {
        let (statement, _) = self.prepare(sql, types)?;
        let params: Vec<Bound<'_>> = params.map(Bound).collect();
        let run = || {
            let mut rows = self.client.query_raw(&statement, params)?;
            while rows.next()?.is_some() {}
            Ok(rows.rows_affected().unwrap_or(0))
        };
        run().map_err(|error| fault(&error))
    }

    fn prepare(
        &mut self,
        sql: &str,
        types: &[Type],
    ) -> Result<(Statement, Arc<[String]>), Failure> {
        self.uses += 1;
        let key = (sql.to_owned(), types.iter().map(Type::oid).collect());
        if let Some(prepared) = self.statements.get_mut(&key) {
            prepared.last_use = self.uses;
            return Ok((prepared.statement.clone(), Arc::clone(&prepared.columns)));
        }
        let statement = self
            .client
            .prepare_typed(sql, types)
            .map_err(|error| fault(&error))?;
        let columns: Arc<[String]> = statement
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        self.make_room();
        self.statements.insert(
            key,
            Prepared {
                statement: statement.clone(),
                columns: Arc::clone(&columns),
                last_use: self.uses,
            },
        );
        Ok((statement, columns))
    }

    fn make_room(&mut self) {
        if self.statements.len() < limits::STATEMENTS_MAX {
            return;
        }
        let oldest = self
            .statements
            .iter()
            .min_by_key(|(_, prepared)| prepared.last_use)
            .map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.statements.remove(&oldest);
        }
    }

    fn unlock_schema(&mut self) {
        if std::mem::take(&mut self.schema_locked)
            && self
                .client
                .batch_execute("SELECT pg_advisory_unlock_all()")
                .is_err()
        {
            self.usable = false;
        }
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
    }
}

#[derive(Debug)]
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) => value.to_sql(ty, out),
            Value::Text(text) => text.to_sql(ty, out),
            Value::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn value(row: &postgres::Row, position: usize) -> Result<Value, Error> {
    let wrong = |error: postgres::Error| Error::Internal(format!("postgres: {}", causes(&error)));
    let Some(column) = row.columns().get(position) else {
        return Err(Error::Internal("a row is shorter than its header".into()));
    };
    let value = match *column.type_() {
        Type::INT8 => row
            .try_get::<_, Option<i64>>(position)
            .map(|it| it.map(Value::Int)),
        Type::INT4 => row
            .try_get::<_, Option<i32>>(position)
            .map(|it| it.map(Value::from)),
        Type::BOOL => row
            .try_get::<_, Option<bool>>(position)
            .map(|it| it.map(Value::from)),
        Type::BYTEA => row
            .try_get::<_, Option<Vec<u8>>>(position)
            .map(|it| it.map(Value::Bytes)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => row
            .try_get::<_, Option<String>>(position)
            .map(|it| it.map(Value::Text)),
        ref other => {
            return Err(Error::Internal(format!(
                "column `{}` is of type {other}; use CAST(... AS BIGINT)",
                column.name()
            )));
        }
    };
    Ok(value.map_err(wrong)?.unwrap_or(Value::Null))
}

/// What an error means, and what to do about it.
fn fault(error: &postgres::Error) -> Failure {
    let Some(database) = error.as_db_error() else {
        if error.is_closed() || causes_io(error) {
            return Failure {
                error: Error::Unavailable(format!(
                    "the connection to the database was lost ({}); try again",
                    causes(error)
                )),
                fate: Fate::Lost,
            };
        }
        return Failure::doomed(Error::Internal(format!("postgres: {}", causes(error))));
    };
    let state = database.code();
    let class = state.code().get(..2).unwrap_or_default();
    match class {
        "23" => Failure::doomed(Error::Constraint {
            name: constraint_name(database),
        }),
        "40" => retry("the database is busy with other transactions; try again"),
        "55" if *state == SqlState::LOCK_NOT_AVAILABLE => retry(
            "the database is locked by another process; try again when its transaction is over",
        ),
        "57" | "08" => Failure {
            error: Error::Unavailable(format!(
                "the database server went away ({database}); try again"
            )),
            fate: Fate::Lost,
        },
        "53" => Failure::doomed(Error::Unavailable(format!(
            "the database server has run out of something ({database}); free it and try again"
        ))),
        "25" if *state == SqlState::READ_ONLY_SQL_TRANSACTION => Failure::doomed(Error::Internal(
            "a statement that writes was run in a transaction that reads".into(),
        )),
        "XX" => Failure::doomed(Error::Damaged(format!(
            "the database server reports damage ({database}); look at its log"
        ))),
        _ => Failure::doomed(Error::Internal(format!("postgres: {database}"))),
    }
}

fn retry(message: &str) -> Failure {
    Failure {
        error: Error::Unavailable(message.to_owned()),
        fate: Fate::Retry,
    }
}

fn constraint_name(database: &postgres::error::DbError) -> String {
    let (table, column) = (database.table(), database.column());
    match (database.code(), table, column, database.constraint()) {
        (&SqlState::NOT_NULL_VIOLATION, Some(table), Some(column), _) => {
            format!("{table}.{column}")
        }
        (_, _, _, Some(name)) => name.to_owned(),
        _ => database.message().to_owned(),
    }
}

fn refused(error: &postgres::Error) -> Failure {
    match error.as_db_error() {
        // Starting up, shutting down, too many connections: worth another try.
        Some(database) if matches!(database.code().code().get(..2), Some("57" | "53")) => Failure {
            error: Error::Unavailable(format!(
                "the database server does not answer yet ({database})"
            )),
            fate: Fate::Lost,
        },
        Some(database) => Failure::doomed(Error::Refused(format!(
            "the database server refused the connection ({database}); check the address, name and password"
        ))),
        None => Failure {
            error: Error::Unavailable(format!(
                "the database server cannot be reached ({}); check that it runs and that the address is right",
                causes(error)
            )),
            fate: Fate::Lost,
        },
    }
}

fn causes_io(error: &postgres::Error) -> bool {
    error
        .source()
        .is_some_and(|source| source.is::<std::io::Error>())
}

fn causes(error: &postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
