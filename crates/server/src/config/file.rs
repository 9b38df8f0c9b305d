//! The file `watersmeet.toml`: a flat list of settings.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::limits;

/// One line of the file.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    /// The text of a string, or what was found instead.
    pub(super) value: Result<String, String>,
}

/// Reads a file; the error is one sentence.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, String> {
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
    let mut entries: Vec<Entry> = table
        .get_ref()
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            line: line_of(&text, key.span().start),
            value: match value.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(format!(
                    "`{}`, which is {}",
                    text.get(value.span()).unwrap_or_default(),
                    kind(other)
                )),
            },
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
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
