//! Imports what other wikis export. Today: XML space and site exports of Confluence.
//!
//! The export is never held in memory: `archive.rs` opens it, `entities.rs` streams the objects out of `entities.xml`, `table.rs`
//! keeps them in a temporary database, `plan.rs` and `small.rs` decide there what they are together, and `run.rs` with the
//! `write_*` files brings them into the wiki in many small transactions, so that a server on the same database goes on serving.
//!
//! Invariants: the same export twice changes nothing the second time; an import that was cut off can be run again; what people
//! have edited here is never overwritten; a broken export ends in a report, not in a crash; rights are never wider than the
//! export says; nothing is written outside the data directory. Start reading at [`Imports::confluence`], then `run.rs`.

use std::path::{Path, PathBuf};

use crate::accounts::require_admin;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::wiki::Wiki;

mod archive;
mod batch;
mod body;
mod cleanse;
mod descriptor;
mod entities;
mod limits;
mod macros;
mod model;
mod people;
mod plan;
mod read;
mod record;
mod report;
mod run;
mod runs;
mod scratch;
mod small;
mod store_files;
mod table;
mod time;
mod update_page;
mod write_attachment;
mod write_comment;
mod write_page;
mod write_space;

#[cfg(test)]
mod tests;

pub(crate) use record::former_space;
pub use report::{
    ExportInfo, ImportProgress, ImportReport, ImportedSpace, MacroCount, ObjectCount, Problem,
    ResultCount, Severity,
};
pub use runs::{ImportRun, ImportUpload, RunState};

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Key for the space here, in place of the one in the export.
    pub space_key: Option<String>,
    /// Do everything but write.
    pub dry_run: bool,
}

/// Imports.
#[derive(Clone, Copy)]
pub struct Imports<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Imports<'_> {
    /// Imports an XML export of Confluence: a zip file, or a directory with the same files. Administrators of the site only.
    ///
    /// `Invalid` when it is no such export, `Conflict` when its space key is taken by a space that is not from it. Everything
    /// else that is wrong with an export is in the report. The index is fed by jobs, as after every change.
    pub async fn confluence(
        &self,
        actor: &Actor,
        path: &Path,
        options: ImportOptions,
        mut progress: impl FnMut(ImportProgress) + Send + 'static,
    ) -> Result<ImportReport> {
        require_admin(actor)?;
        let (wiki, path): (Wiki, PathBuf) = (self.wiki.clone(), path.to_owned());
        let work = move || run::run(&wiki, &path, &options, &mut progress);
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)?
    }
}
