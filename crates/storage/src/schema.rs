//! The schema as lines of text that are equal when the schemas are equal, whichever database holds them.

use crate::session::{Failure, Session};
use crate::{Database, Error, Row, Tx, Value, ddl, migration};

impl Database {
    /// Tables, columns, named constraints and indexes, one sorted line each, in words that do not depend on the product:
    /// a test compares the two databases with it.
    pub async fn schema_snapshot(&self) -> Result<Vec<String>, Error> {
        self.read(|tx| tx.with(|session| session.schema())).await
    }
}

/// The tables that hold data, with their columns, both sorted.
pub(crate) fn tables(tx: &Tx) -> Result<Vec<(String, Vec<String>)>, Error> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for line in tx.with(|session| session.schema())? {
        let Some((table, rest)) = line.split_once(": column ") else {
            continue;
        };
        let column = rest.split(' ').next().unwrap_or_default().to_owned();
        match tables.last_mut() {
            Some((last, columns)) if last == table => columns.push(column),
            _ if table == migration::TABLE => {}
            _ => tables.push((table.to_owned(), vec![column])),
        }
    }
    Ok(tables)
}

/// Names as a list for a statement.
pub(crate) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
        .collect();
    quoted.join(", ")
}

pub(crate) fn sqlite(session: &mut dyn Session) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let sql = "SELECT m.name AS table_name, c.name AS column_name, c.type AS type, c.\"notnull\" AS required
        FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let columns = collect(session, sql)?;
    lines.extend(columns.iter().map(|row| {
        column_line(
            &text(row, 0),
            &text(row, 1),
            &text(row, 2),
            row.i64(3).unwrap_or_default() != 0,
        )
    }));
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    for row in collect(session, sql)? {
        for constraint in ddl::constraints(&text(&row, 1)) {
            lines.push(constraint_line(
                &text(&row, 0),
                &constraint.name,
                constraint.kind.word(),
            ));
        }
    }
    let sql = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
    let indexes = collect(session, sql)?;
    lines.extend(
        indexes
            .iter()
            .map(|row| index_line(&text(row, 0), &text(row, 1))),
    );
    lines.sort();
    Ok(lines)
}

pub(crate) fn postgres(session: &mut dyn Session) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let sql =
        "SELECT c.table_name::text, c.column_name::text, c.data_type::text, (c.is_nullable = 'NO')
        FROM information_schema.columns c JOIN information_schema.tables t
        ON t.table_schema = c.table_schema AND t.table_name = c.table_name
        WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'";
    let columns = collect(session, sql)?;
    lines.extend(columns.iter().map(|row| {
        column_line(
            &text(row, 0),
            &text(row, 1),
            &text(row, 2),
            row.i64(3).unwrap_or_default() != 0,
        )
    }));
    let sql = "SELECT r.relname::text, k.conname::text,
            CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' ELSE 'foreign key' END
        FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
        WHERE n.nspname = current_schema() AND k.contype IN ('p', 'u', 'c', 'f')";
    let constraints = collect(session, sql)?;
    lines.extend(
        constraints
            .iter()
            .map(|row| constraint_line(&text(row, 0), &text(row, 1), &text(row, 2))),
    );
    let sql = "SELECT i.tablename::text, i.indexname::text FROM pg_indexes i WHERE i.schemaname = current_schema()
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conname = i.indexname AND k.contype IN ('p', 'u'))";
    let indexes = collect(session, sql)?;
    lines.extend(
        indexes
            .iter()
            .map(|row| index_line(&text(row, 0), &text(row, 1))),
    );
    lines.sort();
    Ok(lines)
}

fn collect(session: &mut dyn Session, sql: &str) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    session.query(sql, &[], &mut |row| {
        rows.push(row);
        true
    })?;
    Ok(rows)
}

fn text(row: &Row, column: usize) -> String {
    match row.values().get(column) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

fn column_line(table: &str, column: &str, kind: &str, required: bool) -> String {
    let null = if required { "not null" } else { "null" };
    format!(
        "{table}: column {column} {} {null}",
        kind.to_ascii_lowercase()
    )
}

fn constraint_line(table: &str, name: &str, kind: &str) -> String {
    format!("{table}: constraint {name} {kind}")
}

fn index_line(table: &str, name: &str) -> String {
    format!("{table}: index {name}")
}
