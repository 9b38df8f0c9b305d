//! Many rows in one `INSERT`: where every statement costs a way to the server and back, this is what a group commit needs.

use std::fmt::Write;

use crate::Value;

/// Rows that one statement takes, largest first. Few sizes, so that few statements are prepared.
const SIZES: [usize; 3] = [64, 8, 1];

/// Columns beyond which rows go one by one: a statement takes at most 65,535 parameters.
const WIDTH_MAX: usize = 500;

/// An `INSERT ... VALUES ($1, ..., $n)` that may be given several rows at once.
pub(crate) struct Insert<'a> {
    before: &'a str,
    after: &'a str,
    width: usize,
}

impl<'a> Insert<'a> {
    /// Takes a statement apart. `None` for every statement that could mean something else with several rows.
    pub(crate) fn parse(sql: &'a str) -> Option<Insert<'a>> {
        let upper = sql.to_ascii_uppercase();
        if !upper.trim_start().starts_with("INSERT INTO") {
            return None;
        }
        let values = upper.rfind("VALUES")? + "VALUES".len();
        let (before, rest) = sql.split_at_checked(values)?;
        let (row, after) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
        let width = row.split(',').count();
        let is_plain = row
            .split(',')
            .zip(1..)
            .all(|(place, number)| place.trim().strip_prefix('$') == Some(&number.to_string()));
        // A second row with the same key is an error in one `DO UPDATE` and fine in two.
        let suffix = after.trim().to_ascii_uppercase();
        let is_harmless = suffix.is_empty()
            || suffix.starts_with("ON CONFLICT") && suffix.ends_with("DO NOTHING");
        let has_more = before.contains('$') || after.contains('$');
        (is_plain && is_harmless && !has_more && width <= WIDTH_MAX).then_some(Insert {
            before,
            after,
            width,
        })
    }

    /// The statement for so many rows.
    pub(crate) fn sql(&self, rows: usize) -> String {
        let mut sql = String::with_capacity(self.before.len() + rows * self.width * 6);
        sql.push_str(self.before);
        for row in 0..rows {
            sql.push_str(if row == 0 { " (" } else { ", (" });
            for column in 1..=self.width {
                let comma = if column == 1 { "" } else { ", " };
                // Writing to a string cannot fail.
                let _ = write!(sql, "{comma}${}", row * self.width + column);
            }
            sql.push(')');
        }
        sql.push_str(self.after);
        sql
    }

    /// For every column the first value that is not null, which tells its type. `None` when the rows do not agree.
    pub(crate) fn samples<'r>(&self, rows: &[&'r [Value]]) -> Option<Vec<&'r Value>> {
        let mut samples = rows.first()?.iter().collect::<Vec<_>>();
        for row in rows {
            if row.len() != self.width || samples.len() != self.width {
                return None;
            }
            for (sample, value) in samples.iter_mut().zip(row.iter()) {
                if **sample == Value::Null {
                    *sample = value;
                } else if *value != Value::Null && value.kind() != sample.kind() {
                    return None;
                }
            }
        }
        Some(samples)
    }
}

/// Splits rows into the sizes for which statements are prepared.
pub(crate) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (chunk, rest) = rows.split_at_checked(size)?;
        rows = rest;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, two_rows: Option<&str>) {
        let found = Insert::parse(sql).map(|insert| insert.sql(2));
        assert_eq!(found.as_deref(), two_rows, "{sql}");
    }

    #[test]
    fn only_plain_inserts_take_several_rows() {
        check(
            "INSERT INTO t (a, b) VALUES ($1, $2)",
            Some("INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)"),
        );
        check(
            "insert into t values ($1) ON CONFLICT DO NOTHING",
            Some("insert into t values ($1), ($2) ON CONFLICT DO NOTHING"),
        );
        check("INSERT INTO t (a, b) VALUES ($2, $1)", None);
        check("INSERT INTO t (a, b) VALUES ($1, lower($2))", None);
        check(
            "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1",
            None,
        );
        check("INSERT INTO t (a) VALUES ($1) RETURNING a", None);
        check("INSERT INTO t (a) SELECT $1", None);
        check("UPDATE t SET a = $1", None);
    }

    #[test]
    fn rows_are_split_into_few_sizes() {
        let rows = [0; 150];
        let sizes: Vec<usize> = chunks(&rows).map(<[i32]>::len).collect();
        assert_eq!(sizes, [64, 64, 8, 8, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_column_has_one_type_or_the_rows_go_one_by_one() {
        let insert = Insert::parse("INSERT INTO t VALUES ($1, $2)").unwrap();
        let (null, one, text) = (Value::Null, Value::Int(1), Value::from("a"));
        let first = [null.clone(), one.clone()];
        let second = [text.clone(), null.clone()];
        let third = [one.clone(), one.clone()];
        assert_eq!(insert.samples(&[&first, &second]), Some(vec![&text, &one]));
        assert_eq!(insert.samples(&[&second, &third]), None);
        assert_eq!(insert.samples(&[&first[..1]]), None);
    }
}
