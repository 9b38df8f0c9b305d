//! The temporary database in which the objects of an export wait until all of them are known. It lives in the data directory
//! and is deleted at the end; an export of any size takes constant memory.

use std::path::Path;

use storage::{Database, Tx, Value, WriteTx, params};

use super::body::Body;
use super::entities::{Field, Object};
use super::limits::{TABLE_BATCH, TABLE_BATCH_BYTES};
use super::model::{BodyRow, COLLECTIONS, ContentRow, PropertyRow};
use crate::error::{Error, Result};

const TABLES: [&str; 9] = [
    "CREATE TABLE content (
        id BIGINT PRIMARY KEY, class TEXT NOT NULL, line BIGINT NOT NULL, space BIGINT, parent BIGINT, original BIGINT,
        container BIGINT, number BIGINT, status TEXT NOT NULL, title TEXT NOT NULL, position BIGINT, creator TEXT,
        modifier TEXT, created_ms BIGINT, modified_ms BIGINT, message TEXT NOT NULL, media_type TEXT, bytes BIGINT,
        role TEXT NOT NULL DEFAULT '', depth BIGINT NOT NULL DEFAULT 0, page BIGINT)",
    "CREATE TABLE body (
        id TEXT NOT NULL, content BIGINT, line BIGINT NOT NULL, kind BIGINT NOT NULL, hash TEXT NOT NULL,
        packed BYTEA NOT NULL, macros TEXT NOT NULL, malformed TEXT)",
    "CREATE TABLE property (id TEXT PRIMARY KEY, content BIGINT, name TEXT NOT NULL, value TEXT NOT NULL)",
    "CREATE TABLE member (
        name TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (name, id))",
    "CREATE TABLE object (
        class TEXT NOT NULL, id TEXT NOT NULL, line BIGINT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (class, id))",
    "CREATE INDEX content_original ON content (original)",
    "CREATE INDEX content_container ON content (container)",
    "CREATE INDEX content_order ON content (role, space, depth, id)",
    "CREATE INDEX property_content ON property (content)",
];

/// The temporary database, being filled.
pub(crate) struct Table {
    db: Database,
    waiting: Waiting,
}

#[derive(Default)]
struct Waiting {
    content: Vec<Vec<Value>>,
    bodies: Vec<Vec<Value>>,
    properties: Vec<Vec<Value>>,
    members: Vec<Vec<Value>>,
    objects: Vec<Vec<Value>>,
    bytes: usize,
}

/// An object whose class and id occurred before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    pub(crate) class: String,
    pub(crate) id: String,
    pub(crate) line: u64,
}

impl Table {
    /// Makes the tables in a new file.
    pub(crate) fn create(path: &Path) -> Result<Table> {
        let db = Database::open_scratch(path)?;
        db.write_blocking::<_, Error, _>(|tx| {
            for sql in TABLES {
                tx.execute(sql, params![])?;
            }
            Ok(())
        })?;
        Ok(Table {
            db,
            waiting: Waiting::default(),
        })
    }

    /// Runs a closure that reads.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        run: impl FnMut(&Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read_blocking(run)
    }

    /// Runs a closure that writes.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        run: impl FnMut(&WriteTx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write_blocking(run)
    }

    /// Closes the file so that it can be deleted.
    pub(crate) fn close(self) {
        self.db.close_blocking();
    }

    pub(crate) fn add_content(&mut self, row: ContentRow) {
        self.waiting.bytes += row.title.len() + row.message.len();
        self.waiting.content.push(content_values(row));
    }

    /// Packs a body and keeps it.
    pub(crate) fn add_body(&mut self, row: &BodyRow) -> Result<()> {
        let body = match row.kind {
            0 if row.text.is_empty() => Body::read("", 2),
            kind => Body::read(&row.text, kind),
        };
        let packed = crate::publish::compress(&body.storage)?;
        self.waiting.bytes += packed.len();
        let macros = serde_json::to_string(&body.macros).map_err(Error::internal)?;
        let values = params![
            row.id.as_str(),
            row.content,
            line(row.line),
            row.kind,
            body.hash,
            packed,
            macros,
            body.malformed
        ];
        self.waiting.bodies.push(values.to_vec());
        Ok(())
    }

    pub(crate) fn add_property(&mut self, row: PropertyRow) {
        self.waiting.bytes += row.value.len();
        self.waiting
            .properties
            .push(params![row.id, row.content, row.name, row.value].to_vec());
    }

    pub(crate) fn add_object(&mut self, object: &Object) {
        let data = data_of(object);
        self.waiting.bytes += data.len();
        let values = params![
            object.class.as_str(),
            object.id.as_str(),
            line(object.line),
            data
        ];
        self.waiting.objects.push(values.to_vec());
    }

    /// Keeps the collections that may be needed in place of references.
    pub(crate) fn add_members(&mut self, object: &Object) {
        for name in COLLECTIONS {
            for member in object.many(name) {
                self.waiting.bytes += 64;
                self.waiting
                    .members
                    .push(params![name, member.id.as_str(), object.id.as_str()].to_vec());
            }
        }
    }

    /// Writes what waits, if it is enough; returns the objects that had been there before.
    pub(crate) fn flush_if_full(&mut self) -> Result<Vec<Duplicate>> {
        let waiting = &self.waiting;
        let rows = waiting.content.len()
            + waiting.bodies.len()
            + waiting.properties.len()
            + waiting.objects.len();
        if rows < TABLE_BATCH
            && waiting.members.len() < TABLE_BATCH * 20
            && waiting.bytes < TABLE_BATCH_BYTES
        {
            return Ok(Vec::new());
        }
        self.flush()
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> Result<Vec<Duplicate>> {
        let waiting = std::mem::take(&mut self.waiting);
        self.db
            .write_blocking(move |tx| write_waiting(tx, &waiting))
    }
}

fn write_waiting(tx: &WriteTx, waiting: &Waiting) -> Result<Vec<Duplicate>> {
    let mut duplicates = Vec::new();
    let insert = "INSERT INTO content (id, class, line, space, parent, original, container, number, status, title, position,
            creator, modifier, created_ms, modified_ms, message, media_type, bytes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING";
    if tx.execute_many(insert, &waiting.content)? < waiting.content.len() as u64 {
        for row in &waiting.content {
            let there = tx.query_one("SELECT class, line FROM content WHERE id = $1", &row[..1])?;
            note_duplicate(&mut duplicates, &row[1], &row[0], &row[2], &there)?;
        }
    }
    let insert =
        "INSERT INTO object (class, id, line, data) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    if tx.execute_many(insert, &waiting.objects)? < waiting.objects.len() as u64 {
        for row in &waiting.objects {
            let there = tx.query_one(
                "SELECT class, line FROM object WHERE class = $1 AND id = $2",
                &row[..2],
            )?;
            note_duplicate(&mut duplicates, &row[0], &row[1], &row[2], &there)?;
        }
    }
    let insert = "INSERT INTO body (id, content, line, kind, hash, packed, macros, malformed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute_many(insert, &waiting.bodies)?;
    let insert = "INSERT INTO property (id, content, name, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute_many(insert, &waiting.properties)?;
    let insert = "INSERT INTO member (name, id, owner) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute_many(insert, &waiting.members)?;
    Ok(duplicates)
}

fn note_duplicate(
    found: &mut Vec<Duplicate>,
    class: &Value,
    id: &Value,
    at: &Value,
    there: &storage::Row,
) -> Result<()> {
    let own_line = int_of(at);
    if there.i64("line")? != own_line {
        found.push(Duplicate {
            class: shown(class),
            id: shown(id),
            line: own_line.unsigned_abs(),
        });
    }
    Ok(())
}

fn int_of(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        _ => 0,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

fn line(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn content_values(row: ContentRow) -> Vec<Value> {
    params![
        row.id,
        row.class,
        line(row.line),
        row.space,
        row.parent,
        row.original,
        row.container,
        row.number,
        row.status,
        row.title,
        row.position,
        row.creator,
        row.modifier,
        row.created_ms,
        row.modified_ms,
        row.message,
        row.media_type,
        row.bytes
    ]
    .to_vec()
}

/// The fields of a small object as JSON: text as text, a reference as its class and id.
fn data_of(object: &Object) -> String {
    let mut data = serde_json::Map::new();
    for (name, field) in &object.fields {
        let value = match field {
            Field::Text(text) => serde_json::Value::from(text.as_str()),
            Field::One(reference) => serde_json::json!([reference.class, reference.id]),
            Field::Many(_) => continue,
        };
        data.insert(name.clone(), value);
    }
    serde_json::Value::Object(data).to_string()
}

/// A small object as it was kept.
pub(crate) fn object_of(row: &storage::Row) -> Result<Object> {
    let data: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(row.text_ref("data")?).map_err(Error::internal)?;
    let fields = data
        .into_iter()
        .filter_map(|(name, value)| Some((name, field_of(value)?)))
        .collect();
    Ok(Object {
        class: row.text("class")?,
        id: row.text("id")?,
        line: row.i64("line")?.unsigned_abs(),
        fields,
    })
}

fn field_of(value: serde_json::Value) -> Option<Field> {
    match value {
        serde_json::Value::String(text) => Some(Field::Text(text)),
        serde_json::Value::Array(parts) => {
            let mut parts = parts
                .into_iter()
                .filter_map(|part| part.as_str().map(str::to_owned));
            let (class, id) = (parts.next()?, parts.next()?);
            Some(Field::One(super::entities::Reference { class, id }))
        }
        _ => None,
    }
}
