//! Rows as lines of JSON.

use std::io::BufRead;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};

use crate::{Error, Value, limits};

/// The first line of a table.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) columns: Vec<String>,
}

/// One row, written without copies.
pub(super) struct Line<'a>(pub(super) &'a [Value]);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for value in self.0 {
            list.serialize_element(&Cell(value))?;
        }
        list.end()
    }
}

struct Cell<'a>(&'a Value);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("b64", &STANDARD.encode(bytes))?;
                map.end()
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReadCell {
    Int(i64),
    Text(String),
    Bytes { b64: String },
}

/// Reads one row that must have `width` values.
pub(super) fn parse(line: &str, width: usize) -> Result<Vec<Value>, String> {
    let cells: Vec<Option<ReadCell>> =
        serde_json::from_str(line).map_err(|error| error.to_string())?;
    if cells.len() != width {
        return Err(format!("{} values where {width} are expected", cells.len()));
    }
    cells
        .into_iter()
        .map(|cell| match cell {
            None => Ok(Value::Null),
            Some(ReadCell::Int(value)) => Ok(Value::Int(value)),
            Some(ReadCell::Text(text)) => Ok(Value::Text(text)),
            Some(ReadCell::Bytes { b64 }) => STANDARD
                .decode(b64)
                .map(Value::Bytes)
                .map_err(|error| error.to_string()),
        })
        .collect()
}

/// Reads the next line into `line`; false at the end.
pub(super) fn next_line(reader: &mut dyn BufRead, line: &mut String) -> Result<bool, Error> {
    use std::io::Read;
    line.clear();
    let read = reader
        .take(limits::BACKUP_LINE_BYTES)
        .read_line(line)
        .map_err(|error| Error::Damaged(format!("the backup cannot be read: {error}")))?;
    if read as u64 == limits::BACKUP_LINE_BYTES {
        return Err(Error::Damaged(
            "the backup holds a line that is too long".into(),
        ));
    }
    Ok(read > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[Value], line: &str) {
        assert_eq!(serde_json::to_string(&Line(values)).unwrap(), line);
        assert_eq!(parse(line, values.len()).unwrap(), values);
    }

    #[test]
    fn every_kind_of_value_survives() {
        check(
            &[Value::Null, Value::Int(i64::MIN), Value::Int(i64::MAX)],
            "[null,-9223372036854775808,9223372036854775807]",
        );
        check(
            &[Value::from("a\n\"ß\u{2028}🦀"), Value::from("")],
            "[\"a\\n\\\"ß\u{2028}🦀\",\"\"]",
        );
        check(
            &[Value::Bytes(vec![0, 255, 10]), Value::Bytes(vec![])],
            "[{\"b64\":\"AP8K\"},{\"b64\":\"\"}]",
        );
        assert!(parse("[1]", 2).is_err());
        assert!(parse("[1.5]", 1).is_err());
    }
}
