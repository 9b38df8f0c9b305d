//! Reads names out of the DDL text that SQLite keeps, because SQLite does not report them itself.

/// What a named constraint demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    PrimaryKey,
    Unique,
    Check,
    ForeignKey,
}

impl Kind {
    pub(crate) fn is_unique(self) -> bool {
        matches!(self, Kind::PrimaryKey | Kind::Unique)
    }

    fn of(words: &[Token<'_>]) -> Option<Kind> {
        let word = |position: usize| match words.get(position) {
            Some(Token::Word(word)) => word.to_ascii_uppercase(),
            _ => String::new(),
        };
        match (word(0).as_str(), word(1).as_str()) {
            ("PRIMARY", "KEY") => Some(Kind::PrimaryKey),
            ("UNIQUE", _) => Some(Kind::Unique),
            ("CHECK", _) => Some(Kind::Check),
            ("FOREIGN", "KEY") | ("REFERENCES", _) => Some(Kind::ForeignKey),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::PrimaryKey => "primary key",
            Kind::Unique => "unique",
            Kind::Check => "check",
            Kind::ForeignKey => "foreign key",
        }
    }
}

/// A constraint that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The columns it is about; empty for a check.
    pub(crate) columns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Open,
    Close,
    Comma,
    Other,
}

/// The named constraints of a `CREATE TABLE` statement, in the order of the text.
pub(crate) fn constraints(create_table: &str) -> Vec<Constraint> {
    let tokens = tokens(create_table);
    items(&tokens)
        .into_iter()
        .flat_map(constraints_of_item)
        .collect()
}

/// The table that an `INSERT` or `UPDATE` changes. `None` for a `DELETE`, which breaks references in other tables.
pub(crate) fn changed_table(sql: &str) -> Option<String> {
    let tokens = tokens(sql);
    let mut words = tokens.iter();
    while let Some(token) = words.next() {
        if let Token::Word(word) = token {
            match word.to_ascii_uppercase().as_str() {
                "INTO" | "UPDATE" => {
                    return match words.next() {
                        Some(Token::Word(table)) => Some((*table).to_owned()),
                        _ => None,
                    };
                }
                "DELETE" => return None,
                _ => {}
            }
        }
    }
    None
}

/// Splits the list between the outermost parentheses at its commas.
fn items<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (position, token) in tokens.iter().enumerate() {
        let boundary = match token {
            Token::Open => {
                depth += 1;
                depth == 1
            }
            Token::Close => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            Token::Comma => depth == 1,
            _ => false,
        };
        if boundary {
            if *token != Token::Open {
                items.extend(tokens.get(start..position));
            }
            start = position + 1;
        }
    }
    items
}

fn constraints_of_item(item: &[Token<'_>]) -> Vec<Constraint> {
    let column = match item.first() {
        Some(Token::Word(word)) if !word.eq_ignore_ascii_case("CONSTRAINT") => Some(*word),
        _ => None,
    };
    let mut found = Vec::new();
    for (position, token) in item.iter().enumerate() {
        let is_named =
            matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("CONSTRAINT"));
        let rest = item.get(position + 1..).unwrap_or_default();
        let ([Token::Word(name), rest @ ..], true) = (rest, is_named) else {
            continue;
        };
        if let Some(kind) = Kind::of(rest) {
            let columns = match (column, kind) {
                (_, Kind::Check) => Vec::new(),
                (Some(column), _) => vec![column.to_owned()],
                (None, _) => first_list(rest),
            };
            found.push(Constraint {
                name: (*name).to_owned(),
                kind,
                columns,
            });
        }
    }
    found
}

/// The words in the first parentheses.
fn first_list(tokens: &[Token<'_>]) -> Vec<String> {
    tokens
        .iter()
        .skip_while(|token| **token != Token::Open)
        .take_while(|token| **token != Token::Close)
        .filter_map(|token| match token {
            Token::Word(word) => Some((*word).to_owned()),
            _ => None,
        })
        .collect()
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            ',' => (Some(Token::Comma), 1),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '\'' => (Some(Token::Other), quoted_length(rest, '\'')),
            '"' => {
                let length = quoted_length(rest, '"');
                let word = rest.get(1..length.saturating_sub(1)).unwrap_or_default();
                (Some(Token::Word(word)), length)
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let length = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len());
                (rest.get(..length).map(Token::Word), length)
            }
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ => (Some(Token::Other), first.len_utf8()),
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

fn quoted_length(text: &str, quote: char) -> usize {
    text.char_indices()
        .skip(1)
        .find(|(_, character)| *character == quote)
        .map_or(text.len(), |(position, _)| position + quote.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "CREATE TABLE page (
        id BIGINT NOT NULL, -- a comment, with ( and CONSTRAINT no UNIQUE
        \"key\" TEXT CONSTRAINT page_key_once UNIQUE,
        parent BIGINT CONSTRAINT page_parent REFERENCES page (id) ON DELETE SET NULL,
        kind TEXT NOT NULL CONSTRAINT page_kind CHECK (kind IN ('a', 'b(')),
        CONSTRAINT page_pk PRIMARY KEY (id),
        CONSTRAINT page_two UNIQUE (parent, kind),
        CONSTRAINT page_far FOREIGN KEY (kind, parent) REFERENCES other (x, y)
    )";

    #[test]
    fn names_kinds_and_columns_are_read() {
        let found: Vec<String> = constraints(CREATE)
            .iter()
            .map(|it| format!("{} {} {}", it.name, it.kind.word(), it.columns.join("+")))
            .collect();
        assert_eq!(
            found,
            [
                "page_key_once unique key",
                "page_parent foreign key parent",
                "page_kind check ",
                "page_pk primary key id",
                "page_two unique parent+kind",
                "page_far foreign key kind+parent",
            ]
        );
    }

    #[test]
    fn the_changed_table_is_found() {
        assert_eq!(
            changed_table("INSERT INTO page (id) VALUES (1)").as_deref(),
            Some("page")
        );
        assert_eq!(
            changed_table("update page set id = 1").as_deref(),
            Some("page")
        );
        assert_eq!(changed_table("DELETE FROM page"), None);
    }
}
