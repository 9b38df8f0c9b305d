//! Where the database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Error;

/// Where the database is: a file for SQLite, or the address of a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file, written `sqlite:PATH`.
    Sqlite(PathBuf),
    /// A PostgreSQL database, written `postgres://USER:PASSWORD@HOST:PORT/NAME`.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<DatabaseUrl, Error> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            crate::postgres::check_url(text)?;
            return Ok(DatabaseUrl::Postgres(text.to_owned()));
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() => Ok(DatabaseUrl::Sqlite(PathBuf::from(path))),
            _ => Err(Error::Invalid(
                "a database is written `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`"
                    .into(),
            )),
        }
    }
}

/// Shows the address without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn masked(url: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut shown = match address.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, host)) => {
                let user = user
                    .split_once(':')
                    .map_or(user.to_owned(), |(name, _)| format!("{name}:***"));
                format!("{scheme}://{user}@{host}")
            }
            None => address.to_owned(),
        },
        None => "***".to_owned(),
    };
    let options: Vec<String> = query
        .split('&')
        .filter(|option| !option.is_empty())
        .map(|option| match option.split_once('=') {
            Some(("password", _)) => "password=***".to_owned(),
            _ => option.to_owned(),
        })
        .collect();
    if !options.is_empty() {
        shown.push('?');
        shown.push_str(&options.join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, shown: &str) {
        assert_eq!(input.parse::<DatabaseUrl>().unwrap().to_string(), shown);
    }

    #[test]
    fn a_password_is_never_shown() {
        check(
            "postgres://wiki:s3cret@db:5432/wiki",
            "postgres://wiki:***@db:5432/wiki",
        );
        check(
            "postgres://wiki:p@ss@db/wiki",
            "postgres://wiki:***@db/wiki",
        );
        check(
            "postgres://db/wiki?user=a&password=b",
            "postgres://db/wiki?user=a&password=***",
        );
        check("sqlite:/srv/w.sqlite", "sqlite:/srv/w.sqlite");
    }

    #[test]
    fn a_url_that_asks_for_encryption_is_refused_with_a_reason() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = format!("postgres://db/wiki?sslmode={mode}")
                .parse::<DatabaseUrl>()
                .unwrap_err();
            assert!(error.to_string().contains("encrypted"), "{error}");
        }
        check(
            "postgres://db/wiki?sslmode=disable",
            "postgres://db/wiki?sslmode=disable",
        );
    }

    #[test]
    fn nonsense_is_refused_with_the_accepted_forms() {
        for text in ["", "mysql://x", "sqlite:", "/tmp/x"] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(error.to_string().contains("sqlite:PATH"), "{error}");
        }
    }
}
