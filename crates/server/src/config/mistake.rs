//! One mistake in a configuration, and the guess what was meant.

use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mistake {
    /// A value that a setting does not take.
    Value {
        key: String,
        origin: String,
        got: String,
        takes: &'static str,
    },
    /// A key that is no setting.
    Unknown {
        key: String,
        origin: String,
        meant: Option<String>,
    },
    /// A value that does not go with the others.
    Together {
        key: String,
        origin: String,
        reason: &'static str,
    },
    /// A file that cannot be read at all.
    File { path: String, reason: String },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::Value {
                key,
                origin,
                got,
                takes,
            } => write!(f, "`{key}` ({origin}): got {got}, takes {takes}"),
            Mistake::Unknown { key, origin, meant } => {
                write!(f, "`{key}` ({origin}): is not a setting")?;
                match meant {
                    Some(meant) => write!(f, "; did you mean `{meant}`?"),
                    None => write!(f, "; `watersmeet config show` lists them"),
                }
            }
            Mistake::Together {
                key,
                origin,
                reason,
            } => write!(f, "`{key}` ({origin}): {reason}"),
            Mistake::File { path, reason } => write!(f, "`{path}`: {reason}"),
        }
    }
}

/// The candidate that differs least from a word, if it differs by a slip or two.
pub(super) fn meant<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2.min(candidate.len() / 2))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters must be put in, taken out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut above_left = row[0];
        row[0] = line + 1;
        for (column, b) in other.iter().enumerate() {
            let changed = above_left + usize::from(a != *b);
            above_left = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(above_left + 1);
        }
    }
    row[other.len()]
}
