//! The file `watersmeet.toml`: a list of settings, some of them in a section.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::limits;

/// One line of the file.
pub(super) struct Entry {
    /// With its section: `sync.port`.
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Written,
    /// How it is told when the setting does not take it.
    pub(super) got: String,
}

/// What stands behind the key.
pub(super) enum Written {
    Text(String),
    Number(String),
    List(Vec<String>),
    Other,
}

/// Reads a file; the error is one sentence. Tables of these names are sections, others are not looked into.
pub(super) fn read(path: &Path, sections: &[&str]) -> Result<Vec<Entry>, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| {
            file.take(limits::CONFIG_BYTES_MAX)
                .read_to_string(&mut text)
        })
        .map_err(|error| format!("cannot be read: {error}"))?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        match value.get_ref() {
            DeValue::Table(section) if sections.contains(&key.get_ref().as_ref()) => {
                let inside = section.iter().map(|(inner, value)| {
                    let name = format!("{}.{}", key.get_ref(), inner.get_ref());
                    entry(&text, name, inner.span().start, value)
                });
                entries.extend(inside);
            }
            _ => entries.push(entry(
                &text,
                key.get_ref().to_string(),
                key.span().start,
                value,
            )),
        }
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn entry(text: &str, key: String, start: usize, value: &Spanned<DeValue<'_>>) -> Entry {
    Entry {
        key,
        line: line_of(text, start),
        value: match value.get_ref() {
            DeValue::String(text) => Written::Text(text.to_string()),
            DeValue::Integer(number) => Written::Number(number.to_string()),
            DeValue::Array(items) => items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map_or(Written::Other, Written::List),
            _ => Written::Other,
        },
        got: format!(
            "`{}`, which is {}",
            text.get(value.span()).unwrap_or_default(),
            kind(value.get_ref())
        ),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn line_of(text: &str, position: usize) -> usize {
    text.bytes()
        .take(position)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}
