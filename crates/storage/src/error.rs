//! What can go wrong, named for what the caller can do about it.

use std::fmt;

/// An error of the database, the job queue, or the blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// `query_one` found no row.
    NoRow,
    /// A constraint was violated. The name is the one in the DDL; for a missing value it is `table.column`.
    Constraint {
        /// Name of the constraint.
        name: String,
    },
    /// The caller gave something that no database can hold, or asked for something that makes no sense here.
    Invalid(String),
    /// The request was refused because of the state of things; the message says what to do first.
    Refused(String),
    /// It cannot be done now and may work later: overload, a lost connection, a lock of another process, a full disk.
    Unavailable(String),
    /// Stored data is damaged; a person has to look.
    Damaged(String),
    /// A fault in the program: wrong SQL, wrong column type, a panic.
    Internal(String),
}

impl Error {
    /// The name of the violated constraint, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Error::Constraint { name } => Some(name),
            _ => None,
        }
    }

    pub(crate) fn io(action: &str, path: &std::path::Path, error: &std::io::Error) -> Error {
        let message = format!("cannot {action} `{}`: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                Error::Unavailable(format!("{message}; free some space there and try again"))
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Error::Unavailable(format!(
                    "{message}; give the account that runs watersmeet the right to write there"
                ))
            }
            _ => Error::Unavailable(message),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoRow => f.write_str("no such row"),
            Error::Constraint { name } => write!(f, "constraint `{name}` is violated"),
            Error::Invalid(message)
            | Error::Refused(message)
            | Error::Unavailable(message)
            | Error::Damaged(message)
            | Error::Internal(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}
