//! Imports from Confluence through the browser: a streamed upload, then a page that shows how far it is and ends in the report.

use std::path::PathBuf;

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use tokio::io::AsyncWriteExt as _;
use wiki::{ImportOptions, ImportProgress, ImportReport, ImportUpload, RunState, Severity};

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column};
use crate::limits;
use crate::parts::icons::icon;
use crate::parts::{dates, forms};
use crate::state::Web;
use crate::upload::broken;
use crate::visitor::{Member, Visitor};

/// The form that sends an export.
pub(crate) fn import_form(visitor: &Visitor) -> Markup {
    html! {
        form action="/import" method="post" enctype="multipart/form-data" {
            (forms::csrf(visitor))
            div.field { label.visually-hidden for="export" { "Export file" }
                div.drop { input #export type="file" name="export" accept=".zip,application/zip" required aria-describedby="export-hint"; }
                p.hint #export-hint { "Space tools › Content tools › Export › XML, with everything in it. A very large file is imported faster with " code { "watersmeet import confluence FILE.zip" } "." }
            }
            div.buttons { button.button.primary type="submit" { (icon("upload")) "Import" } }
        }
    }
}

/// Imports as a list, newest first.
pub(crate) async fn past(web: &Web, visitor: &Visitor) -> Answer<Markup> {
    let runs = web.wiki().imports().runs(&visitor.actor).await?;
    Ok(html! {
        @if !runs.is_empty() { section.section { h2 { "Imports" } ul.rows { @for run in &runs {
            li.row { (icon("upload"))
                span.grow { a.title href={ "/import/" (run.id) } { (run.name) } span.meta { (dates::minute(run.started_at_ms)) } }
                @match run.state {
                    RunState::Running => span.badge.accent { "Running" },
                    RunState::Done => span.badge.ok { "Done" },
                    RunState::Failed => span.badge.danger { "Failed" },
                }
            }
        } } } }
    })
}

/// `POST /import`: streams the file to disk, then imports it in the background.
pub(crate) async fn start(
    State(web): State<Web>,
    visitor: Visitor,
    headers: HeaderMap,
    mut form: Multipart,
) -> Answer {
    if !visitor.actor.is_admin() {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "only administrators of the site may import",
        ));
    }
    let mut allowed = visitor.check_csrf(&headers, None).is_ok();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or("") {
            "csrf" => {
                let token = field.text().await.map_err(broken)?;
                allowed = visitor.check_csrf(&headers, Some(&token)).is_ok();
            }
            "export" if !allowed => visitor.check_csrf(&headers, None)?,
            "export" => {
                let name = field.file_name().unwrap_or("export.zip").to_owned();
                let path = keep(&web, field).await?;
                let upload = ImportUpload { path, name };
                let number = web
                    .wiki()
                    .imports()
                    .start(&visitor.actor, upload, ImportOptions::default())
                    .await?;
                return Ok(see_other(&format!("/import/{number}")));
            }
            _ => {}
        }
    }
    Err(Failure::invalid("choose an export first"))
}

async fn keep(web: &Web, mut field: Field<'_>) -> Answer<PathBuf> {
    let folder = web.upload_dir();
    let path = folder.join(format!(
        "import-{}-{}.zip",
        web.wiki().now_ms(),
        web.next_request()
    ));
    let full = |error: std::io::Error| {
        tracing::error!(%error, path = %path.display(), "an upload could not be stored");
        Failure::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "the file could not be stored; look at the space on the disk",
        )
    };
    tokio::fs::create_dir_all(folder).await.map_err(full)?;
    let mut file = tokio::fs::File::create(&path).await.map_err(full)?;
    let mut size = 0u64;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        size += chunk.len() as u64;
        if size > limits::IMPORT_BYTES_MAX {
            return Err(Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "this export is too large to upload; import it with the command line",
            ));
        }
        file.write_all(&chunk).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    Ok(path)
}

/// `GET /import/{number}`: renews itself while the import runs, with or without script.
pub(crate) async fn progress(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(number): Path<i64>,
) -> Answer {
    if !visitor.actor.is_admin() {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "only administrators of the site see imports",
        ));
    }
    let run = web.wiki().imports().run(&visitor.actor, number).await?;
    let running = run.state == RunState::Running;
    let main = html! {
        div.page-head { h1 { "Import of " (run.name) } }
        div data-import=(if running { "running" } else { "ended" }) aria-live="polite" {
            @if running { (progress_part(&run.progress)) }
            @if let Some(message) = &run.error {
                div.notice.danger { (icon("warn")) div.grow { "The import stopped. What came in so far stays; start it again and it goes on. " (crate::layout::sentence(message)) } }
            }
            @if let Some(report) = &run.report { (report_part(report)) }
        }
    };
    let refresh = html! { @if running { noscript { meta http-equiv="refresh" content="2"; } } };
    web.page(
        &visitor,
        Sheet::new(
            format!("Import of {}", run.name),
            Section::Admin,
            column(false, main),
        )
        .with_head(refresh),
    )
    .await
}

fn progress_part(progress: &ImportProgress) -> Markup {
    let phase = if progress.phase.is_empty() {
        "starting"
    } else {
        &progress.phase
    };
    html! {
        p { (crate::layout::capitalised(phase)) @if progress.done > 0 { ": " (progress.done) @if let Some(total) = progress.total { " of " (total) } } " …" }
        @if let Some(total) = progress.total.filter(|total| *total > 0) { progress max=(total) value=(progress.done.min(total)) aria-label="Progress" {} }
        @else { progress aria-label="Progress" {} }
        p.meta { "You may leave this page; the import goes on." }
    }
}

fn report_part(report: &ImportReport) -> Markup {
    html! {
        div.notice.ok { (icon("done")) div.grow { "The import is done." } }
        div.buttons { @for space in &report.spaces { a.button.primary href={ "/spaces/" (crate::params::encode(&space.key)) "/overview" } { "Open " (space.name) } } }
        section.section { h2 { "What came in" } div.scroll { table.list {
            thead { tr { th scope="col" { "Kind" } @for word in ["New", "Changed", "Unchanged", "Left out"] { th.num scope="col" { (word) } } } }
            tbody { @for (kind, counts) in &report.results { tr { td { (crate::layout::capitalised(kind)) }
                @for count in [counts.created, counts.updated, counts.unchanged, counts.skipped] { td.num { (count) } } } } }
        } } }
        @if !report.macros.is_empty() { section.section { h2 { "Macros" } p.meta { "Those that are kept unchanged show a placeholder and come back whole in every export." } div.scroll { table.list {
            thead { tr { th scope="col" { "Name" } th.num scope="col" { "Times" } th scope="col" { "Here" } } }
            tbody { @for (name, met) in &report.macros { tr { td { (name) } td.num { (met.count) } td { @if met.typed { span.badge.ok { "Works" } } @else { span.badge { "Kept unchanged" } } } } } }
        } } } }
        section.section { h2 { "Remarks" }
            @if report.problems.is_empty() { p.meta { "Nothing was wrong with this export." } }
            @else { ul.rows { @for problem in &report.problems { li.row {
                    (severity(problem.severity))
                    span.grow { (crate::layout::capitalised(&problem.what)) @if !problem.done.is_empty() { ": " (problem.done) }
                        span.meta { (problem.object) @if let Some(id) = &problem.id { " " (id) } @if let Some(line) = problem.line { ", line " (line) } }
                    }
                } } } }
            @if report.problems_left_out > 0 { p.meta { "and " (report.problems_left_out) " more" } }
        }
    }
}

fn severity(severity: Severity) -> Markup {
    match severity {
        Severity::Note => html! { span.badge { "Note" } },
        Severity::Warning => html! { span.badge.warn { "Warning" } },
        Severity::Error => html! { span.badge.danger { "Missing" } },
    }
}
