//! Imports what other wikis export. Today: XML space and site exports of Confluence.
//!
//! The export is read twice at most and never held in memory: `archive.rs` opens it, `entities.rs` streams the objects out of
//! `entities.xml`, `table.rs` keeps them in a temporary database, `plan.rs` decides what they are together, and the `write_*`
//! files bring them into the wiki in many small transactions, so that the server goes on serving.
//!
//! Invariants: the same export twice changes nothing the second time; an import that was cut off can be run again; a page that
//! people have edited here is never overwritten; a broken export ends in a report, not in a crash; nothing is written outside the
//! data directory. Start reading at [`confluence`].

mod archive;
mod cleanse;
mod descriptor;
mod entities;
mod limits;
mod macros;
mod report;
mod time;

pub use report::{
    Export, ImportedSpace, MacroCount, ObjectCount, Problem, Progress, Report, ResultCount, Severity,
};
