//! Numbered steps that bring a database to the form this program expects.

use crate::{Error, SchemaVersions, WriteTx, params};

/// One step. Steps are numbered from 1 without a gap and never edited after a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Position, from 1.
    pub number: i64,
    /// What it does, in a few words.
    pub name: &'static str,
    /// Statements, separated by semicolons.
    pub sql: &'static str,
}

/// The tables of this crate itself. They are kept apart from the caller's by the column `component`.
const OWN: &[Migration] = &[Migration {
    number: 1,
    name: "jobs",
    sql: include_str!("migrations/0001_jobs.sql"),
}];

/// The component of this crate's own steps.
pub(crate) const STORAGE: &str = "storage";

/// The component of the caller's steps.
pub(crate) const CALLER: &str = "caller";

/// The table that remembers which steps were applied.
pub(crate) const TABLE: &str = "schema_migration";

const CREATE: &str = "CREATE TABLE schema_migration (
    component TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    CONSTRAINT schema_migration_pk PRIMARY KEY (component, number)
)";

/// Applies what is missing, up to and including the steps in `until`.
pub(crate) fn apply(
    tx: &WriteTx,
    migrations: &[Migration],
    until: Option<SchemaVersions>,
) -> Result<(), Error> {
    tx.with(|session| session.lock_schema())?;
    if !tx.with(|session| session.has_table(TABLE))? {
        tx.execute(CREATE, params![])?;
    }
    apply_component(tx, STORAGE, OWN, until.map(|it| it.storage))?;
    apply_component(tx, CALLER, migrations, until.map(|it| it.caller))
}

/// The number of the last step of a list that was applied, 0 before the first.
pub(crate) fn version(tx: &crate::Tx, component: &str) -> Result<i64, Error> {
    let sql = "SELECT COALESCE(MAX(number), 0) FROM schema_migration WHERE component = $1";
    tx.query_one(sql, params![component])?.i64(0)
}

/// The number of the last step of this crate's own list.
pub(crate) fn storage_version() -> i64 {
    OWN.len() as i64
}

fn apply_component(
    tx: &WriteTx,
    component: &str,
    migrations: &[Migration],
    until: Option<i64>,
) -> Result<(), Error> {
    check_numbers(migrations)?;
    let sql =
        "SELECT number, name, checksum FROM schema_migration WHERE component = $1 ORDER BY number";
    let applied = tx.query(sql, params![component])?;
    if applied.len() > migrations.len() {
        return Err(Error::Refused(format!(
            "the database is at version {} and this program knows only {}; use the newer program",
            applied.len(),
            migrations.len()
        )));
    }
    for (row, migration) in applied.iter().zip(migrations) {
        if row.text_ref("checksum")? != checksum(migration) {
            return Err(Error::Refused(format!(
                "step {} `{}` of the database differs from step `{}` of this program; use the program that made the database, or restore a backup into a new one",
                row.i64("number")?,
                row.text_ref("name")?,
                migration.name
            )));
        }
    }
    for migration in migrations.iter().skip(applied.len()) {
        if until.is_some_and(|until| migration.number > until) {
            break;
        }
        tx.with(|session| session.script(migration.sql))?;
        let sql = "INSERT INTO schema_migration (component, number, name, checksum) VALUES ($1, $2, $3, $4)";
        let (number, name) = (migration.number, migration.name);
        tx.execute(sql, params![component, number, name, checksum(migration)])?;
    }
    Ok(())
}

fn check_numbers(migrations: &[Migration]) -> Result<(), Error> {
    let in_order = migrations
        .iter()
        .zip(1..)
        .all(|(migration, number)| migration.number == number);
    if in_order {
        return Ok(());
    }
    Err(Error::Internal(
        "migrations must be numbered from 1 without a gap".into(),
    ))
}

fn checksum(migration: &Migration) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(migration.sql.as_bytes()))
}
