//! Values that go into statements and come out of rows.

/// One value of the database. There are no others: a boolean is an `Int` of 0 or 1, a time an `Int` of epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// SQL `NULL`.
    #[default]
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `TEXT`; must not contain U+0000, which PostgreSQL cannot hold.
    Text(String),
    /// `BYTEA`.
    Bytes(Vec<u8>),
}

/// The parameters of a statement: `params![id, title, Some(3)]`, for `$1`, `$2`, `$3`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::Value::from($value)),*] as &[$crate::Value]
    };
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Int(_) => "an integer",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
        }
    }
}

impl AsRef<Value> for Value {
    fn as_ref(&self) -> &Value {
        self
    }
}

macro_rules! from_int {
    ($($int:ty),*) => {$(
        impl From<$int> for Value {
            fn from(value: $int) -> Value {
                Value::Int(i64::from(value))
            }
        }
        impl From<&$int> for Value {
            fn from(value: &$int) -> Value {
                Value::Int(i64::from(*value))
            }
        }
    )*};
}
from_int!(i64, i32, i16, u32, u16, u8, bool);

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<&&str> for Value {
    fn from(value: &&str) -> Value {
        Value::Text((*value).to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Value {
        Value::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(value)
    }
}

impl From<&Vec<u8>> for Value {
    fn from(value: &Vec<u8>) -> Value {
        Value::Bytes(value.clone())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Value {
        Value::Bytes(value.to_vec())
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! from_option_reference {
    ($($inner:ty),*) => {$(
        impl From<&Option<$inner>> for Value {
            fn from(value: &Option<$inner>) -> Value {
                value.as_ref().map_or(Value::Null, Value::from)
            }
        }
    )*};
}
from_option_reference!(i64, String, Vec<u8>);
