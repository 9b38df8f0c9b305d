//! Marks as formatting of a live text: their keys and values.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use yrs::types::Attrs as Formats;
use yrs::{Any, Number};

use super::encode::Encoder;
use crate::limits::MARKS_MAX;
use crate::schema::{AttrSpec, MarkKind};
use crate::storage_format::nesting_index;
use crate::tree::{Attrs, Mark, Value};

/// Bytes of a hash that stand in a key.
const HASH_BYTES: usize = 6;

/// Marks by the keys under which a live text stores them.
pub(super) type Keyed = Vec<(String, Mark)>;

/// The key of a mark: its name, and a hash of it if several of its kind may lie on the same text.
pub(super) fn key(mark: &Mark) -> String {
    let name = mark.kind.name();
    if mark.kind.overlaps() {
        format!("{name}--{}", hash(mark))
    } else {
        name.to_owned()
    }
}

/// What y-prosemirror's `hashOfJSON` gives for the mark.
fn hash(mark: &Mark) -> String {
    let mut encoder = Encoder::default();
    encoder.byte(118);
    encoder.uint(2);
    encoder.string("type");
    encoder.any_text(mark.kind.name());
    encoder.string("attrs");
    encoder.byte(118);
    let specs = mark.kind.spec().attrs;
    encoder.uint(specs.len() as u64);
    for (name, _) in specs {
        encoder.string(name);
        match value(name, specs, &mark.attrs) {
            None => encoder.byte(126),
            Some(Value::Int(number)) => encoder.any_int(number),
            Some(Value::Text(text)) => encoder.any_text(&text),
        }
    }
    let digest = Sha256::digest(encoder.finish());
    let mut folded = [0u8; HASH_BYTES];
    for chunk in digest.chunks(HASH_BYTES) {
        for (slot, byte) in folded.iter_mut().zip(chunk) {
            *slot ^= byte;
        }
    }
    STANDARD.encode(folded)
}

/// An attribute as ProseMirror has it: the default where it is absent.
pub(super) fn value(name: &str, specs: &[AttrSpec], attrs: &Attrs) -> Option<Value> {
    let default = || {
        let (_, default) = specs.iter().find(|(key, _)| *key == name)?;
        default.value()
    };
    attrs.get(name).cloned().or_else(default)
}

/// The attributes of a mark as the JSON that a formatting carries, in the order of the schema.
pub(super) fn json_text(mark: &Mark) -> String {
    let specs = mark.kind.spec().attrs;
    let object: Map<String, Json> = specs
        .iter()
        .map(|(name, _)| {
            let value = match value(name, specs, &mark.attrs) {
                None => Json::Null,
                Some(Value::Int(number)) => json!(number),
                Some(Value::Text(text)) => json!(text),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    Json::Object(object).to_string()
}

/// The formatting that gives a text these marks.
pub(super) fn formats(marks: &Keyed) -> Formats {
    marks
        .iter()
        .map(|(key, mark)| (Arc::from(key.as_str()), any(mark)))
        .collect()
}

pub(super) fn any(mark: &Mark) -> Any {
    let specs = mark.kind.spec().attrs;
    let object: HashMap<String, Any> = specs
        .iter()
        .map(|(name, _)| {
            let value = value(name, specs, &mark.attrs).map_or(Any::Null, any_value);
            ((*name).to_owned(), value)
        })
        .collect();
    Any::Map(Arc::new(object))
}

pub(super) fn any_value(value: Value) -> Any {
    match value {
        Value::Int(number) => Any::from(number),
        Value::Text(text) => Any::from(text),
    }
}

/// The keys of a node's marks.
pub(super) fn keyed(marks: &[Mark]) -> Keyed {
    marks.iter().map(|mark| (key(mark), mark.clone())).collect()
}

/// The marks that a formatting means, in canonical order, each with its key; and the names that the schema does not know.
pub(super) fn read(formats: Option<&Formats>) -> (Keyed, Vec<String>) {
    let mut marks: Keyed = Vec::new();
    let mut unknown = Vec::new();
    for (key, value) in formats.into_iter().flatten() {
        if matches!(value, Any::Null | Any::Undefined) {
            continue;
        }
        match MarkKind::from_name(name_of(key)) {
            Some(kind) => marks.push((key.to_string(), read_mark(kind, value))),
            None => unknown.push(key.to_string()),
        }
    }
    marks.sort_by_cached_key(|(key, mark)| {
        let text = mark.attrs.text("xml").unwrap_or_default().to_owned();
        (mark.kind, nesting_index(mark), text, key.clone())
    });
    marks.dedup_by(|(_, b), (_, a)| a.kind == b.kind && (!a.kind.overlaps() || a == b));
    marks.truncate(MARKS_MAX);
    unknown.sort();
    (marks, unknown)
}

fn read_mark(kind: MarkKind, value: &Any) -> Mark {
    let mut mark = Mark::new(kind);
    if let Any::Map(attrs) = value {
        for (name, _) in kind.spec().attrs {
            if let Some(value) = attrs.get(*name).and_then(read_value) {
                mark.set(name, value);
            }
        }
    }
    mark
}

/// An attribute's value, if it is of a type that the schema has.
pub(super) fn read_value(value: &Any) -> Option<Value> {
    match value {
        Any::String(text) => Some(Value::Text(text.to_string())),
        Any::Number(Number::Int(number)) => Some(Value::Int(*number)),
        Any::Number(Number::Float(float)) if float.trunc() == *float => {
            Some(Value::Int(*float as i64))
        }
        _ => None,
    }
}

/// The name in a key such as `styled--AbCd0123`.
fn name_of(key: &str) -> &str {
    match key.rsplit_once("--") {
        Some((name, hash)) if is_hash(hash) => name,
        _ => key,
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}
