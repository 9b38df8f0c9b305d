//! What an import found and did, as one value that people read and programs parse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::{MACROS_MAX, PROBLEMS_MAX};

/// The whole account of one import.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// What the export says of itself.
    pub export: ExportInfo,
    /// The spaces that were imported.
    pub spaces: Vec<ImportedSpace>,
    /// Per class of `entities.xml`: how many objects it holds and what became of them.
    pub objects: BTreeMap<String, ObjectCount>,
    /// Per kind of thing in the wiki (`page`, `page version`, `comment`, ...): what was done.
    pub results: BTreeMap<String, ResultCount>,
    /// Every macro of the current bodies.
    pub macros: BTreeMap<String, MacroCount>,
    /// What was not as it should be, in order of discovery.
    pub problems: Vec<Problem>,
    /// Problems beyond the number that is kept.
    pub problems_left_out: u64,
    /// How long it took.
    pub duration_ms: u64,
}

/// What the export says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportInfo {
    /// `space` or `all`.
    pub kind: String,
    /// `server` or `cloud`, if it is said.
    pub source: Option<String>,
    /// Version of the program that wrote it.
    pub version: Option<String>,
    /// Build number of the program that wrote it.
    pub build: Option<String>,
    /// When it was written, as in the file.
    pub written_at: Option<String>,
    /// Zone in which all its times were read.
    pub time_zone: String,
}

/// A space that was imported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportedSpace {
    /// Key in the wiki.
    pub key: String,
    /// Key in the export.
    pub source_key: String,
    /// Name.
    pub name: String,
    /// Current pages in it that this export holds.
    pub pages: u64,
}

/// Objects of one class in `entities.xml`. `found` = `imported` + `skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectCount {
    /// Objects in the file.
    pub found: u64,
    /// Objects that are in the wiki now, as themselves or as a part of another.
    pub imported: u64,
    /// Objects that are not: a kind the wiki does not have, or damaged.
    pub skipped: u64,
}

/// Things of the wiki.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultCount {
    /// New in this run.
    pub created: u64,
    /// There before, changed by this run.
    pub updated: u64,
    /// There before and left as they were.
    pub unchanged: u64,
    /// Not imported.
    pub skipped: u64,
}

/// One macro.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacroCount {
    /// How often it occurs in current bodies.
    pub count: u64,
    /// It can be edited as what it is; otherwise it is kept unchanged and shown as a placeholder.
    pub typed: bool,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something to know; nothing is lost.
    Note,
    /// Something had to be guessed, changed or left out.
    Warning,
    /// Content is missing.
    Error,
}

/// One thing that was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Class of the object in the export, or the file it is in.
    pub object: String,
    /// Its id in the export.
    pub id: Option<String>,
    /// Line in `entities.xml`.
    pub line: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// What was done about it.
    pub done: String,
}

/// Names an object of the export in a problem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) object: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) line: Option<u64>,
}

impl<'a> Place<'a> {
    /// A place that is a file, not an object.
    pub(crate) fn file(name: &'a str) -> Place<'a> {
        Place {
            object: name,
            id: None,
            line: None,
        }
    }

    pub(crate) fn object(class: &'a str, id: &'a str, line: u64) -> Place<'a> {
        Place {
            object: class,
            id: Some(id),
            line: Some(line),
        }
    }
}

impl ImportReport {
    /// Writes a problem down.
    pub(crate) fn problem(
        &mut self,
        severity: Severity,
        place: Place<'_>,
        what: impl Into<String>,
        done: impl Into<String>,
    ) {
        if self.problems.len() >= PROBLEMS_MAX {
            self.problems_left_out += 1;
            return;
        }
        self.problems.push(Problem {
            severity,
            object: place.object.to_owned(),
            id: place.id.map(str::to_owned),
            line: place.line,
            what: what.into(),
            done: done.into(),
        });
    }

    /// The counts of a class.
    pub(crate) fn class(&mut self, class: &str) -> &mut ObjectCount {
        if !self.objects.contains_key(class) {
            self.objects
                .insert(class.to_owned(), ObjectCount::default());
        }
        self.objects.entry(class.to_owned()).or_default()
    }

    /// The counts of a kind of thing.
    pub(crate) fn result(&mut self, kind: &str) -> &mut ResultCount {
        self.results.entry(kind.to_owned()).or_default()
    }

    /// More uses of a macro.
    pub(crate) fn count_macro(&mut self, name: &str, count: u64, typed: bool) {
        if self.macros.len() >= MACROS_MAX && !self.macros.contains_key(name) {
            return;
        }
        let entry = self.macros.entry(name.to_owned()).or_default();
        entry.count += count;
        entry.typed = typed;
    }

    /// Nothing was created, updated or removed by this run.
    pub fn changed_nothing(&self) -> bool {
        self.results
            .values()
            .all(|count| count.created == 0 && count.updated == 0)
    }

    /// The worst severity met.
    pub fn worst(&self) -> Option<Severity> {
        self.problems.iter().map(|problem| problem.severity).max()
    }
}

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// What is going on: `reading`, `accounts`, `pages`, `attachments`, ...
    pub phase: String,
    /// Steps done in this phase.
    pub done: u64,
    /// Steps in this phase, if known.
    pub total: Option<u64>,
}
