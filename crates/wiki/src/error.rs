//! What can go wrong, named for what the caller can do about it. HTTP maps these in one file of `web`.

use std::fmt;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done. Messages are for people: lower case, the thing in backticks, then what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It does not exist, or this actor may not know that it does.
    NotFound(String),
    /// It exists, and this actor may not do this to it. Anonymous visitors should be asked to log in.
    Forbidden(String),
    /// It clashes with what is there: a title in use, a newer version.
    Conflict(String),
    /// The request itself cannot be right.
    Invalid(String),
    /// The database or the disk does not answer now; try again.
    Unavailable {
        /// For people.
        message: String,
        /// For the log.
        detail: String,
    },
    /// A fault of the program or of the data.
    Internal {
        /// For people.
        message: String,
        /// For the log.
        detail: String,
    },
}

impl Error {
    /// A fault of the program or of the data, with the detail for the log.
    pub fn internal(detail: impl fmt::Display) -> Self {
        Error::Internal {
            message: "something went wrong inside; the log has the details".into(),
            detail: detail.to_string(),
        }
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        match self {
            Error::NotFound(message)
            | Error::Forbidden(message)
            | Error::Conflict(message)
            | Error::Invalid(message) => message,
            Error::Unavailable { message, .. } | Error::Internal { message, .. } => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unavailable { message, detail } | Error::Internal { message, detail } => {
                write!(f, "{message}: {detail}")
            }
            _ => f.write_str(self.message()),
        }
    }
}

impl std::error::Error for Error {}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Constraint { name } => match name.as_str() {
                "content_page_title_unique" => Error::Conflict(
                    "a page with this title exists in the space; choose another title".into(),
                ),
                "user_account_lower_name_unique" => {
                    Error::Conflict("an account with this name exists; choose another name".into())
                }
                "space_lower_key_unique" => {
                    Error::Conflict("a space with this key exists; choose another key".into())
                }
                _ => Error::internal(format!("constraint `{name}` is violated")),
            },
            storage::Error::Invalid(message) => Error::Invalid(message),
            storage::Error::Refused(message) => Error::Conflict(message),
            storage::Error::Unavailable(detail) => Error::Unavailable {
                message: "the database does not answer now; try again in a moment".into(),
                detail,
            },
            other => Error::internal(other),
        }
    }
}
