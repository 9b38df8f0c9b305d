//! `import confluence`.

use std::fmt::Write as _;
use std::path::Path;

use wiki::{Actor, ImportOptions, ImportReport, Problem, Severity, Wiki};

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
    let options = ImportOptions {
        space_key: key,
        dry_run,
    };
    let place = Place::make(config)?;
    with_wiki(&place, config, async |wiki| {
        import(&wiki, &source, options, output).await
    })
}

async fn import(
    wiki: &Wiki,
    source: &Path,
    options: ImportOptions,
    output: &Output,
) -> Result<(), Failure> {
    let dry_run = options.dry_run;
    let mut line = ProgressLine::new();
    let show = move |progress: wiki::ImportProgress| {
        line.show(&progress.phase, progress.done, progress.total);
    };
    let report = wiki
        .imports()
        .confluence(&Actor::System, source, options, show)
        .await?;
    if !dry_run && let Err(error) = wiki.run_due_jobs().await {
        output.note(&format!(
            "the search index was not brought up to date ({error}); the server does it"
        ));
    }
    output.answer(&report, || text_of(&report))
}

/// The report for people.
fn text_of(report: &ImportReport) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let _ = writeln!(text, "{}", problem_line(problem));
    }
    if report.problems_left_out > 0 {
        let _ = writeln!(text, "and {} more problems", report.problems_left_out);
    }
    let _ = writeln!(
        text,
        "\n{:<28}{:>9}{:>9}{:>10}{:>9}",
        "", "new", "changed", "unchanged", "left out"
    );
    for (kind, count) in &report.results {
        let _ = writeln!(
            text,
            "{kind:<28}{:>9}{:>9}{:>10}{:>9}",
            count.created, count.updated, count.unchanged, count.skipped
        );
    }
    let _ = writeln!(
        text,
        "\n{:<28}{:>9}{:>9}{:>19}",
        "objects of the export", "found", "imported", "left out"
    );
    for (class, count) in &report.objects {
        let _ = writeln!(
            text,
            "{class:<28}{:>9}{:>9}{:>19}",
            count.found, count.imported, count.skipped
        );
    }
    text.push_str(&macros_text(report));
    let done = if report.dry_run {
        "would be imported"
    } else {
        "imported"
    };
    for space in &report.spaces {
        let _ = writeln!(
            text,
            "space `{}` ({}): {} pages {done}",
            space.key, space.name, space.pages
        );
    }
    let seconds = report.duration_ms.div_ceil(1_000);
    let _ = write!(text, "{} problems, {seconds} s", problem_count(report));
    text
}

fn macros_text(report: &ImportReport) -> String {
    if report.macros.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{:<28}{:>9}\n", "macros", "uses");
    for (name, found) in &report.macros {
        let kept = if found.typed { "" } else { "   kept unchanged" };
        let _ = writeln!(text, "{name:<28}{:>9}{kept}", found.count);
    }
    text.push('\n');
    text
}

fn problem_count(report: &ImportReport) -> u64 {
    report.problems.len() as u64 + report.problems_left_out
}

/// `entities.xml:12: warning: Page 42: what; done`.
fn problem_line(problem: &Problem) -> String {
    let place = problem
        .line
        .map_or_else(String::new, |line| format!("entities.xml:{line}: "));
    let severity = match problem.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let id = problem
        .id
        .as_ref()
        .map_or_else(String::new, |id| format!(" {id}"));
    format!(
        "{place}{severity}: {}{id}: {}; {}",
        problem.object, problem.what, problem.done
    )
}
