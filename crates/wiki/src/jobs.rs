//! What is done after a change, in the background: feeding the search index. Jobs are put into the queue in the
//! transaction of the change.

use crate::error::Result;
use crate::ids::ContentId;
use crate::wiki::Wiki;
use std::sync::Arc;
use storage::{Job, JobRunner, WriteTx, enqueue_job};

/// Brings the index up to date with one piece of content; the key is its id.
const INDEX: &str = "index";
/// Makes the whole index anew; enqueued when it is missing, and at the end of an import.
const REBUILD: &str = "index-rebuild";

/// Has a piece of content indexed again, or taken out of the index when it is gone.
pub(crate) fn enqueue_index(tx: &WriteTx, content: ContentId) -> Result<()> {
    Ok(enqueue_job(tx, INDEX, &content.to_string(), "", 0)?)
}

/// Has the whole index made anew: cheaper than one job each where very much changed.
pub(crate) fn enqueue_rebuild(tx: &WriteTx) -> Result<()> {
    Ok(enqueue_job(tx, REBUILD, "all", "", 0)?)
}

impl Wiki {
    /// A runner of the wiki's jobs, for [`JobRunner::run`] beside the server.
    pub fn job_runner(&self) -> JobRunner {
        let clock = self.clone();
        let (one, all) = (self.clone(), self.clone());
        JobRunner::new(self.database().clone(), move || clock.now_ms())
            .handle(INDEX, move |jobs| index(one.clone(), jobs))
            .handle(REBUILD, move |_| rebuild(all.clone()))
    }

    /// Does all jobs that are due now and returns how many: at the end of an import, and in tests.
    pub async fn run_due_jobs(&self) -> Result<usize> {
        let runner = Arc::new(self.job_runner());
        let mut done = 0;
        loop {
            match runner.run_due().await? {
                0 => return Ok(done),
                some => done += some,
            }
        }
    }
}

async fn index(wiki: Wiki, jobs: Vec<Job>) -> Result<(), String> {
    let ids = jobs.iter().filter_map(|job| job.key.parse().ok()).collect();
    wiki.index_contents(ids)
        .await
        .map_err(|error| error.to_string())
}

async fn rebuild(wiki: Wiki) -> Result<(), String> {
    wiki.rebuild_index()
        .await
        .map_err(|error| error.to_string())
}
