//! The first half of an import: everything in `entities.xml` goes into the temporary table and is counted.

use std::io::Read;

use jiff::tz::TimeZone;
use storage::params;

use super::entities::{Damage, Entities, Object, Step};
use super::model::{self, Sorted};
use super::report::{ImportProgress, ImportReport, Place, Severity};
use super::table::{Duplicate, Table};
use crate::error::{Error, Result};

const FILE: &str = "entities.xml";
/// Objects between two reports of progress.
const PROGRESS_EVERY: u64 = 2_000;

/// What the reading came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The file ends too early or cannot be read on.
    pub(crate) damage: Option<Damage>,
    pub(crate) written_at: Option<String>,
}

/// Reads all objects into the table.
pub(crate) fn read(
    input: impl Read,
    zone: &TimeZone,
    table: &mut Table,
    report: &mut ImportReport,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<Outcome> {
    let mut entities = Entities::new(input);
    let mut outcome = Outcome::default();
    let mut count = 0;
    loop {
        match entities.step() {
            Step::Object(object) => take(object, zone, table, report)?,
            Step::End => break,
            Step::Damaged(damage) => {
                outcome.damage = Some(damage);
                break;
            }
            Step::Refused(damage) => {
                return Err(Error::Invalid(format!(
                    "`{FILE}`, line {}: {}; no export has one",
                    damage.line, damage.reason
                )));
            }
        }
        note_duplicates(table.flush_if_full()?, report);
        count += 1;
        if count % PROGRESS_EVERY == 0 {
            progress(ImportProgress {
                phase: "reading".to_owned(),
                done: count,
                total: None,
            });
        }
    }
    note_duplicates(table.flush()?, report);
    outcome.written_at = entities.exported_at().map(str::to_owned);
    note_file(&mut entities, &outcome, report);
    Ok(outcome)
}

fn take(
    object: Object,
    zone: &TimeZone,
    table: &mut Table,
    report: &mut ImportReport,
) -> Result<()> {
    let class = shown_class(&object.class).to_owned();
    report.class(&class).found += 1;
    let (id, line) = (object.id.clone(), object.line);
    table.add_members(&object);
    match model::sort(object, zone) {
        Sorted::Content(row) => table.add_content(*row),
        Sorted::Body(row) => table.add_body(&row)?,
        Sorted::Property(row) => table.add_property(row),
        Sorted::Small(object) => table.add_object(&object),
        Sorted::Other => report.class(&class).skipped += 1,
        Sorted::Damaged(what) => {
            report.class(&class).skipped += 1;
            report.problem(
                Severity::Error,
                Place::object(&class, &id, line),
                what,
                "left out",
            );
        }
    }
    Ok(())
}

fn shown_class(class: &str) -> &str {
    if class.is_empty() {
        "(without class)"
    } else {
        class
    }
}

fn note_duplicates(duplicates: Vec<Duplicate>, report: &mut ImportReport) {
    for duplicate in duplicates {
        report.class(&duplicate.class).skipped += 1;
        let place = Place::object(&duplicate.class, &duplicate.id, duplicate.line);
        report.problem(
            Severity::Warning,
            place,
            "an object with this id was there before",
            "the first one was kept",
        );
    }
}

fn note_file<R: Read>(entities: &mut Entities<R>, outcome: &Outcome, report: &mut ImportReport) {
    let cleansed = entities.cleansed();
    if cleansed.characters > 0 {
        let what = format!(
            "{} characters are not allowed in XML; this is the first",
            cleansed.characters
        );
        let place = Place {
            line: Some(cleansed.first_line),
            ..Place::file(FILE)
        };
        report.problem(Severity::Warning, place, what, "taken out");
    }
    if let Some(damage) = &outcome.damage {
        let place = Place {
            line: Some(damage.line),
            ..Place::file(FILE)
        };
        let what = format!("the file cannot be read from here on: {}", damage.reason);
        let done =
            "everything before was imported; export it again and import that to get the rest";
        report.problem(Severity::Error, place, what, done);
    }
}

/// A damaged file may lack the object of its space: the descriptor knows the key, and the pages know the id.
pub(crate) fn supply_space(
    table: &Table,
    key: Option<&str>,
    report: &mut ImportReport,
) -> Result<()> {
    let found = table.read(|tx| {
        let there = tx.query_opt("SELECT id FROM object WHERE class = 'Space' LIMIT 1", params![])?.is_some();
        let sql = "SELECT space, COUNT(*) FROM content WHERE space IS NOT NULL GROUP BY space ORDER BY 2 DESC, 1 LIMIT 1";
        let id = tx.query_opt(sql, params![])?.map(|row| row.i64(0)).transpose()?;
        Ok((there, id))
    })?;
    let (false, Some(id), Some(key)) = (found.0, found.1, key) else {
        return Ok(());
    };
    let sql = "INSERT INTO object (class, id, line, data) VALUES ('Space', $1, 0, $2)";
    let data = serde_json::json!({ "key": key, "name": key }).to_string();
    table.write(move |tx| Ok(tx.execute(sql, params![id.to_string(), data.as_str()])?))?;
    let place = Place {
        object: "Space",
        id: None,
        line: None,
    };
    let what = "the space itself is not in the export";
    report.problem(
        Severity::Error,
        place,
        what,
        format!("a space `{key}` was made for its pages"),
    );
    Ok(())
}
