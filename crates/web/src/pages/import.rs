//! Imports from Confluence through the browser: a streamed upload, then a page that shows how far it is and ends in the report.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use tokio::io::AsyncWriteExt as _;

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column};
use crate::limits;
use crate::parts::forms;
use crate::parts::icons::icon;
use crate::state::Web;
use crate::upload::broken;
use crate::visitor::{Member, Visitor};

/// Imports of this process, oldest first. They are kept until the program stops; the report of each is stored by the wiki.
#[derive(Default)]
pub(crate) struct Imports {
    // A lock, because the import's task writes while pages read; it is held to copy or set one value.
    runs: Mutex<Vec<Run>>,
}

/// One import.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) state: RunState,
}

/// How far one import is.
#[derive(Clone)]
pub(crate) enum RunState {
    Running(Progress),
    Done(Arc<Report>),
    Failed(String),
}

/// What is going on in a running import.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) phase: String,
    pub(crate) done: u64,
    pub(crate) total: Option<u64>,
}

/// What an import did, ready to be drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) spaces: Vec<(String, String)>,
    pub(crate) results: Vec<(String, [u64; 4])>,
    pub(crate) macros: Vec<(String, u64, bool)>,
    pub(crate) problems: Vec<(String, String)>,
    pub(crate) problems_left_out: u64,
}

impl Imports {
    fn begin(&self, name: String) -> usize {
        let Ok(mut runs) = self.runs.lock() else {
            return 0;
        };
        runs.push(Run {
            name,
            state: RunState::Running(Progress::default()),
        });
        runs.len()
    }

    pub(crate) fn set(&self, number: usize, state: RunState) {
        if let Ok(mut runs) = self.runs.lock()
            && let Some(run) = number.checked_sub(1).and_then(|at| runs.get_mut(at))
        {
            run.state = state;
        }
    }

    fn get(&self, number: usize) -> Option<Run> {
        let at = number.checked_sub(1)?;
        self.runs.lock().ok().and_then(|runs| runs.get(at).cloned())
    }

    fn all(&self) -> Vec<Run> {
        self.runs
            .lock()
            .map(|runs| runs.clone())
            .unwrap_or_default()
    }
}

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

/// Imports of this process as a list.
pub(crate) fn past(web: &Web) -> Markup {
    let runs = web.imports().all();
    html! {
        @if !runs.is_empty() { section.section { h2 { "Imports since the program started" } ul.rows { @for (at, run) in runs.iter().enumerate() {
            li.row { (icon("upload")) span.grow { a.title href={ "/import/" (at + 1) } { (run.name) } }
                @match &run.state {
                    RunState::Running(_) => span.badge.accent { "Running" },
                    RunState::Done(_) => span.badge.ok { "Done" },
                    RunState::Failed(_) => span.badge.danger { "Failed" },
                }
            }
        } } } }
    }
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
                let file = keep(&web, field).await?;
                let number = web.imports().begin(name);
                tokio::spawn(run(web, visitor, number, file));
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

async fn run(web: Web, visitor: Visitor, number: usize, file: PathBuf) {
    let state = match import(&web, &visitor, number, &file).await {
        Ok(report) => RunState::Done(Arc::new(report)),
        Err(message) => RunState::Failed(message),
    };
    web.imports().set(number, state);
    if let Err(error) = tokio::fs::remove_file(&file).await {
        tracing::warn!(%error, file = %file.display(), "the uploaded export could not be removed");
    }
}

async fn import(
    _web: &Web,
    _visitor: &Visitor,
    _number: usize,
    _file: &std::path::Path,
) -> Result<Report, String> {
    Err("importing is not built in yet".to_owned())
}

/// `GET /import/{number}`: renews itself while the import runs, with or without script.
pub(crate) async fn progress(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(number): Path<usize>,
) -> Answer {
    if !visitor.actor.is_admin() {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "only administrators of the site see imports",
        ));
    }
    let run = web.imports().get(number).ok_or_else(Failure::not_found)?;
    let running = matches!(run.state, RunState::Running(_));
    let main = html! {
        div.page-head { h1 { "Import of " (run.name) } }
        div data-import=(if running { "running" } else { "ended" }) aria-live="polite" {
            @match &run.state {
                RunState::Running(progress) => (progress_part(progress)),
                RunState::Failed(message) => div.notice.danger { (icon("warn")) div.grow { p { "The import stopped. What was imported so far stays; run it again to go on." } p { (message) } } },
                RunState::Done(report) => (report_part(report)),
            }
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

fn progress_part(progress: &Progress) -> Markup {
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

fn report_part(report: &Report) -> Markup {
    html! {
        div.notice.ok { (icon("done")) div.grow { "The import is done." } }
        div.buttons { @for (key, name) in &report.spaces { a.button.primary href={ "/spaces/" (crate::params::encode(key)) "/overview" } { "Open " (name) } } }
        section.section { h2 { "What came in" } div.scroll { table.list {
            thead { tr { th scope="col" { "Kind" } @for word in ["New", "Changed", "Unchanged", "Left out"] { th.num scope="col" { (word) } } } }
            tbody { @for (kind, counts) in &report.results { tr { td { (crate::layout::capitalised(kind)) } @for count in counts { td.num { (count) } } } } }
        } } }
        @if !report.macros.is_empty() { section.section { h2 { "Macros" } p.meta { "Those that are kept unchanged show a placeholder and come back whole in every export." } div.scroll { table.list {
            thead { tr { th scope="col" { "Name" } th.num scope="col" { "Times" } th scope="col" { "Here" } } }
            tbody { @for (name, count, typed) in &report.macros { tr { td { (name) } td.num { (count) } td { @if *typed { span.badge.ok { "Works" } } @else { span.badge { "Kept unchanged" } } } } } }
        } } } }
        section.section { h2 { "Remarks" }
            @if report.problems.is_empty() { p.meta { "Nothing was wrong with this export." } }
            @else { ul.rows { @for (place, what) in &report.problems { li.row { span.grow { (what) span.meta { (place) } } } } } }
            @if report.problems_left_out > 0 { p.meta { "and " (report.problems_left_out) " more" } }
        }
    }
}
