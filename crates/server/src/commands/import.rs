//! `import confluence`.

use std::fmt::Write;

use wiki::{Actor, ImportOptions, ImportReport};

use super::with_wiki;
use crate::cli::ImportCommand;
use crate::config::Config;
use crate::outcome::{Failure, Output};
use crate::place::Place;
use crate::progress::ProgressLine;

pub(super) fn run(config: &Config, command: ImportCommand, output: &Output) -> Result<(), Failure> {
    let ImportCommand::Confluence {
        source,
        key,
        dry_run,
    } = command;
    if !source.exists() {
        return Err(Failure::new(format!(
            "there is no file or directory `{}`",
            source.display()
        )));
    }
    let options = ImportOptions {
        space_key: key,
        dry_run,
    };
    let place = Place::make(config)?;
    with_wiki(&place, config, async |wiki| {
        let mut line = ProgressLine::new();
        let show = move |progress: wiki::ImportProgress| {
            line.show(&progress.phase, progress.done, progress.total);
        };
        let imports = wiki.imports();
        let report = imports
            .confluence(&Actor::System, &source, options, show)
            .await?;
        if !dry_run && !place.is_served()? {
            // A running server feeds its index itself.
            while wiki.run_due_jobs().await? > 0 {}
        }
        output.answer(&report, || text(&report))
    })
}

fn text(report: &ImportReport) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut text, report);
    text
}

fn write_report(out: &mut String, report: &ImportReport) -> std::fmt::Result {
    if report.dry_run {
        writeln!(out, "dry run: nothing was written")?;
    }
    for space in &report.spaces {
        let (key, name) = (&space.key, &space.name);
        writeln!(out, "space {key} \"{name}\": {} pages", space.pages)?;
    }
    writeln!(out, "\nin the wiki            new  changed  same  left out")?;
    for (kind, count) in &report.results {
        let (new, changed) = (count.created, count.updated);
        let (same, out_of) = (count.unchanged, count.skipped);
        writeln!(
            out,
            "  {kind:<18} {new:>6} {changed:>8} {same:>5} {out_of:>9}"
        )?;
    }
    writeln!(
        out,
        "\nin the export                       found  imported  skipped"
    )?;
    for (class, count) in &report.objects {
        let (found, imported, skipped) = (count.found, count.imported, count.skipped);
        writeln!(out, "  {class:<32} {found:>6} {imported:>9} {skipped:>8}")?;
    }
    if !report.macros.is_empty() {
        writeln!(out, "\nmacros")?;
    }
    for (name, count) in &report.macros {
        let how = if count.typed {
            "editable"
        } else {
            "kept unchanged"
        };
        writeln!(out, "  {name:<32} {:>6}  {how}", count.count)?;
    }
    write_problems(out, report)
}

fn write_problems(out: &mut String, report: &ImportReport) -> std::fmt::Result {
    if !report.problems.is_empty() {
        writeln!(out, "\nproblems")?;
    }
    for problem in &report.problems {
        let severity = format!("{:?}", problem.severity).to_lowercase();
        write!(out, "  {severity}: {}", problem.object)?;
        if let Some(id) = &problem.id {
            write!(out, " {id}")?;
        }
        if let Some(line) = problem.line {
            write!(out, ", line {line}")?;
        }
        writeln!(out, ": {}; {}", problem.what, problem.done)?;
    }
    if report.problems_left_out > 0 {
        writeln!(out, "  and {} more", report.problems_left_out)?;
    }
    writeln!(
        out,
        "\ntook {}.{:03} s",
        report.duration_ms / 1_000,
        report.duration_ms % 1_000
    )
}
