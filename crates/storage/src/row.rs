//! One row of an answer.

use std::sync::Arc;

use crate::{Error, Value};

/// One row of an answer. Columns are named by position (from 0) or by name.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

/// A way to say which column: its position from 0, or its name.
pub trait Column: Copy + std::fmt::Display {
    /// The position of the column among `columns`, if there is one.
    fn position(self, columns: &[String]) -> Option<usize>;
}

impl Column for usize {
    fn position(self, columns: &[String]) -> Option<usize> {
        (self < columns.len()).then_some(self)
    }
}

impl Column for &str {
    fn position(self, columns: &[String]) -> Option<usize> {
        columns.iter().position(|column| column == self)
    }
}

impl Row {
    pub(crate) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Row {
        Row { columns, values }
    }

    /// Names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// All values, in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of a column, whatever it is.
    pub fn value(&self, column: impl Column) -> Result<&Value, Error> {
        column
            .position(&self.columns)
            .and_then(|position| self.values.get(position))
            .ok_or_else(|| Error::Internal(format!("the answer has no column `{column}`")))
    }

    /// An integer that is never null.
    pub fn i64(&self, column: impl Column) -> Result<i64, Error> {
        self.opt_i64(column)?.ok_or_else(|| null(column))
    }

    /// An integer, or `None` for null.
    pub fn opt_i64(&self, column: impl Column) -> Result<Option<i64>, Error> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(*value)),
            other => Err(wrong(column, "an integer", other)),
        }
    }

    /// A boolean, stored as integer, that is never null.
    pub fn bool(&self, column: impl Column) -> Result<bool, Error> {
        Ok(self.i64(column)? != 0)
    }

    /// Text that is never null.
    pub fn text(&self, column: impl Column) -> Result<String, Error> {
        self.text_ref(column).map(str::to_owned)
    }

    /// Text, or `None` for null.
    pub fn opt_text(&self, column: impl Column) -> Result<Option<String>, Error> {
        Ok(self.opt_text_ref(column)?.map(str::to_owned))
    }

    /// Like [`Row::text`], without a copy.
    pub fn text_ref(&self, column: impl Column) -> Result<&str, Error> {
        self.opt_text_ref(column)?.ok_or_else(|| null(column))
    }

    /// Like [`Row::opt_text`], without a copy.
    pub fn opt_text_ref(&self, column: impl Column) -> Result<Option<&str>, Error> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            other => Err(wrong(column, "text", other)),
        }
    }

    /// Bytes that are never null.
    pub fn bytes(&self, column: impl Column) -> Result<Vec<u8>, Error> {
        self.bytes_ref(column).map(<[u8]>::to_vec)
    }

    /// Bytes, or `None` for null.
    pub fn opt_bytes(&self, column: impl Column) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.opt_bytes_ref(column)?.map(<[u8]>::to_vec))
    }

    /// Like [`Row::bytes`], without a copy.
    pub fn bytes_ref(&self, column: impl Column) -> Result<&[u8], Error> {
        self.opt_bytes_ref(column)?.ok_or_else(|| null(column))
    }

    fn opt_bytes_ref(&self, column: impl Column) -> Result<Option<&[u8]>, Error> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Bytes(value) => Ok(Some(value)),
            other => Err(wrong(column, "bytes", other)),
        }
    }
}

fn null(column: impl Column) -> Error {
    Error::Internal(format!(
        "column `{column}` is null where a value is expected"
    ))
}

fn wrong(column: impl Column, expected: &str, found: &Value) -> Error {
    Error::Internal(format!(
        "column `{column}` holds {} where {expected} is expected",
        found.kind()
    ))
}
