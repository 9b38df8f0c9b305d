//! Imports in the background, with their progress as rows: the pages that start one can come back and look.

use std::path::PathBuf;

use serde::Serialize;
use storage::{Row, WriteTx, params};

use super::report::{ImportProgress, ImportReport};
use super::{ImportOptions, Imports, run};
use crate::accounts::require_admin;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::sequence;
use crate::wiki::Wiki;

/// Milliseconds between two writings of progress.
const PROGRESS_MS: i64 = 500;
/// A running import that has not said anything for this long was interrupted.
const SILENT_MS: i64 = 15 * 60_000;
/// Imports in a list.
const LISTED_MAX: i64 = 50;

/// A file that was uploaded to be imported. It is removed at the end.
#[derive(Clone, Debug)]
pub struct ImportUpload {
    /// Where it is.
    pub path: PathBuf,
    /// What it was called.
    pub name: String,
}

/// How far a background import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It goes on.
    Running,
    /// It is over; the report says what it came to.
    Done,
    /// It ended early. Running it again goes on where it ended.
    Failed,
}

/// One background import.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportRun {
    /// Its id.
    pub id: i64,
    /// Name of the file.
    pub name: String,
    /// Whether it still runs.
    pub state: RunState,
    /// What it does.
    pub progress: ImportProgress,
    /// What it came to.
    pub report: Option<ImportReport>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at_ms: i64,
}

impl Imports<'_> {
    /// Starts an import in the background and returns its id at once. Administrators of the site only. Must be called on an
    /// async runtime.
    pub async fn start(
        &self,
        actor: &Actor,
        upload: ImportUpload,
        options: ImportOptions,
    ) -> Result<i64> {
        require_admin(actor)?;
        let (name, user, now_ms) = (upload.name.clone(), actor.user_id(), self.wiki.now_ms());
        let insert = move |tx: &WriteTx| {
            let id = sequence::next_id(tx, "import")?;
            let sql = "INSERT INTO import_run (id, name, state, phase, done, started_by, started_at_ms, updated_at_ms)
                VALUES ($1, $2, 'running', 'reading', 0, $3, $4, $4)";
            tx.execute(sql, params![id, &name, user, now_ms])?;
            Ok(id)
        };
        let id = self.wiki.write(insert).await?;
        let wiki = self.wiki.clone();
        tokio::task::spawn_blocking(move || work(&wiki, id, &upload, &options));
        Ok(id)
    }

    /// A background import. Administrators of the site only.
    pub async fn run(&self, actor: &Actor, id: i64) -> Result<ImportRun> {
        require_admin(actor)?;
        let now_ms = self.wiki.now_ms();
        let found = self.wiki.read(move |tx| {
            let row = tx.query_opt(&format!("{SELECT} WHERE id = $1"), params![id])?;
            row.map(|row| run_of(&row, now_ms)).transpose()
        });
        found
            .await?
            .ok_or_else(|| Error::NotFound(format!("there is no import `{id}`")))
    }

    /// The last background imports, newest first. Administrators of the site only.
    pub async fn runs(&self, actor: &Actor) -> Result<Vec<ImportRun>> {
        require_admin(actor)?;
        let now_ms = self.wiki.now_ms();
        let list = move |tx: &storage::Tx| {
            let rows = tx.query(
                &format!("{SELECT} ORDER BY id DESC LIMIT $1"),
                params![LISTED_MAX],
            )?;
            rows.iter().map(|row| run_of(row, now_ms)).collect()
        };
        self.wiki.read(list).await
    }
}

const SELECT: &str = "SELECT id, name, state, phase, done, total, report, error, started_at_ms, updated_at_ms FROM import_run";

fn run_of(row: &Row, now_ms: i64) -> Result<ImportRun> {
    let is_silent = now_ms - row.i64("updated_at_ms")? > SILENT_MS;
    let state = match row.text_ref("state")? {
        "done" => RunState::Done,
        "running" if !is_silent => RunState::Running,
        _ => RunState::Failed,
    };
    let was_interrupted = state == RunState::Failed && row.opt_text_ref("error")?.is_none();
    let error = match was_interrupted {
        true => {
            Some("the import was interrupted; start it again, it goes on where it ended".to_owned())
        }
        false => row.opt_text("error")?,
    };
    Ok(ImportRun {
        id: row.i64("id")?,
        name: row.text("name")?,
        state,
        progress: ImportProgress {
            phase: row.text("phase")?,
            done: row.i64("done")?.unsigned_abs(),
            total: row.opt_i64("total")?.map(i64::unsigned_abs),
        },
        report: row
            .opt_text_ref("report")?
            .and_then(|report| serde_json::from_str(report).ok()),
        error,
        started_at_ms: row.i64("started_at_ms")?,
    })
}

fn work(wiki: &Wiki, id: i64, upload: &ImportUpload, options: &ImportOptions) {
    let mut told_ms = 0;
    let mut tell = |progress: ImportProgress| {
        let now_ms = wiki.now_ms();
        if now_ms - told_ms >= PROGRESS_MS {
            told_ms = now_ms;
            note(wiki, id, progress, now_ms);
        }
    };
    let result = run::run(wiki, &upload.path, options, &mut tell);
    if let Err(error) = std::fs::remove_file(&upload.path) {
        tracing::warn!(path = %upload.path.display(), %error, "an uploaded export could not be removed");
    }
    finish(wiki, id, result);
}

fn note(wiki: &Wiki, id: i64, progress: ImportProgress, now_ms: i64) {
    let done = i64::try_from(progress.done).unwrap_or(i64::MAX);
    let total = progress
        .total
        .map(|total| i64::try_from(total).unwrap_or(i64::MAX));
    let written = wiki.database().write_blocking::<_, Error, _>(move |tx| {
        let sql = "UPDATE import_run SET phase = $2, done = $3, total = $4, updated_at_ms = $5 WHERE id = $1";
        Ok(tx.execute(sql, params![id, &progress.phase, done, total, now_ms])?)
    });
    if let Err(error) = written {
        tracing::warn!(import = id, %error, "the progress of an import could not be noted");
    }
}

fn finish(wiki: &Wiki, id: i64, result: Result<ImportReport>) {
    let (state, report, error) = match result {
        Ok(report) => ("done", serde_json::to_string(&report).ok(), None),
        Err(error) => {
            tracing::warn!(import = id, %error, "an import failed");
            ("failed", None, Some(error.message().to_owned()))
        }
    };
    let now_ms = wiki.now_ms();
    let written = wiki.database().write_blocking::<_, Error, _>(move |tx| {
        let sql = "UPDATE import_run SET state = $2, phase = 'finished', report = $3, error = $4, updated_at_ms = $5 WHERE id = $1";
        Ok(tx.execute(sql, params![id, state, &report, &error, now_ms])?)
    });
    if let Err(error) = written {
        tracing::error!(import = id, %error, "the end of an import could not be noted");
    }
}
