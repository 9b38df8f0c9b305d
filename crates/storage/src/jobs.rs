//! Work kept as rows: put there in the transaction that makes it necessary, done at least once afterwards.

use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use crate::{Database, Error, Row, Tx, WriteTx, limits, params};

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its row.
    pub id: i64,
    /// What is to be done; names a handler.
    pub kind: String,
    /// What it is to be done to. Jobs of one kind and key never run side by side.
    pub key: String,
    /// Whatever the handler needs, usually JSON.
    pub payload: String,
    /// 1 for the first attempt.
    pub attempt: i64,
}

/// How many jobs are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting for their time.
    pub queued: i64,
    /// Held by a runner.
    pub running: i64,
    /// Given up after too many failures.
    pub dead: i64,
}

/// Puts a job into the queue as part of the caller's transaction. A job of the same kind and key that still waits is replaced:
/// the later payload and the earlier time count. One that is already running is left alone and the new one runs after it.
pub fn enqueue_job(
    tx: &WriteTx,
    kind: &str,
    key: &str,
    payload: &str,
    run_at_ms: i64,
) -> Result<(), Error> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Error::Unavailable(format!("the system gives no randomness: {error}")))?;
    let id = i64::from_le_bytes(random) & i64::MAX;
    tx.execute(
        "INSERT INTO job (id, kind, key, payload, state, run_at_ms, attempts)
         VALUES ($1, $2, $3, $4, 'queued', $5, 0)
         ON CONFLICT (kind, key) WHERE state = 'queued' DO UPDATE SET payload = excluded.payload,
         run_at_ms = CASE WHEN excluded.run_at_ms < job.run_at_ms THEN excluded.run_at_ms ELSE job.run_at_ms END",
        params![id, kind, key, payload, run_at_ms],
    )?;
    tx.note_enqueued();
    Ok(())
}

/// How many jobs are in which state.
pub fn job_counts(tx: &Tx) -> Result<JobCounts, Error> {
    let mut counts = JobCounts {
        queued: 0,
        running: 0,
        dead: 0,
    };
    for row in tx.query("SELECT state, COUNT(*) FROM job GROUP BY state", params![])? {
        match row.text_ref(0)? {
            "queued" => counts.queued = row.i64(1)?,
            "running" => counts.running = row.i64(1)?,
            _ => counts.dead = row.i64(1)?,
        }
    }
    Ok(counts)
}

type Work = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Handler = Arc<dyn Fn(Vec<Job>) -> Work + Send + Sync>;
type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Takes due jobs and does them. Any number of runners, in any number of processes, may work on one database.
///
/// A runner holds a lease on what it does and renews it; when its process dies, others take over after the lease has run out. A
/// job may therefore be done twice, and handlers have to bear that.
pub struct JobRunner {
    database: Database,
    handlers: HashMap<&'static str, Handler>,
    now_ms: Clock,
}

impl JobRunner {
    /// A runner without handlers. `now_ms` is the clock, in epoch milliseconds.
    pub fn new(database: Database, now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> JobRunner {
        JobRunner {
            database,
            handlers: HashMap::new(),
            now_ms: Arc::new(now_ms),
        }
    }

    /// Adds the handler of a kind. It gets up to 64 jobs at once; when it fails on several, each is tried again by itself, so
    /// that one bad job holds up no other. The error text is kept with the job.
    pub fn handle<F, W>(mut self, kind: &'static str, handler: F) -> JobRunner
    where
        F: Fn(Vec<Job>) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.handlers
            .insert(kind, Arc::new(move |jobs| Box::pin(handler(jobs))));
        self
    }

    /// Works until `stop` completes, and then finishes what it has begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            match self.run_due().await {
                Ok(0) => {}
                Ok(_) => {
                    // There may be more; look again at once, unless it is time to go.
                    tokio::select! {
                        biased;
                        () = &mut stop => return,
                        () = std::future::ready(()) => continue,
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the job queue cannot be read; it is tried again")
                }
            }
            tokio::select! {
                () = &mut stop => return,
                () = self.database.job_enqueued() => {}
                () = tokio::time::sleep(limits::JOB_POLL) => {}
            }
        }
    }

    /// Does what is due now and returns how many jobs that was.
    pub async fn run_due(&self) -> Result<usize, Error> {
        let now = (self.now_ms)();
        let due = self.database.read(move |tx| due_kinds(tx, now)).await?;
        let mut done = 0;
        for kind in due {
            let Some((kind, handler)) = self.handlers.get_key_value(kind.as_str()) else {
                continue;
            };
            let kind = *kind;
            let jobs = self.database.write(move |tx| claim(tx, kind, now)).await?;
            done += jobs.len();
            self.run_batch(handler, jobs).await?;
        }
        Ok(done)
    }

    async fn run_batch(&self, handler: &Handler, jobs: Vec<Job>) -> Result<(), Error> {
        if jobs.is_empty() {
            return Ok(());
        }
        let outcome = self.with_lease(&jobs, handler(jobs.clone())).await;
        if outcome.is_ok() || jobs.len() == 1 {
            return self.finish(jobs, outcome).await;
        }
        for job in jobs {
            let one = vec![job];
            let outcome = self.with_lease(&one, handler(one.clone())).await;
            self.finish(one, outcome).await?;
        }
        Ok(())
    }

    /// Runs the work and renews the lease while it runs. A panic of the handler counts as a failure.
    async fn with_lease(&self, jobs: &[Job], work: Work) -> Result<(), String> {
        let mut task = tokio::spawn(work);
        loop {
            tokio::select! {
                joined = &mut task => {
                    return joined.unwrap_or_else(|error| Err(format!("the handler panicked: {error}")));
                }
                () = tokio::time::sleep(limits::JOB_RENEWAL) => {
                    let until = (self.now_ms)() + limits::JOB_LEASE_MS;
                    let ids: Vec<_> = jobs.iter().map(|job| [until.into(), job.id.into(), job.attempt.into()]).collect();
                    let sql = "UPDATE job SET lease_until_ms = $1 WHERE id = $2 AND attempts = $3 AND state = 'running'";
                    if let Err(error) = self.database.write(move |tx| tx.execute_many(sql, &ids)).await {
                        tracing::warn!(%error, "the lease on a job cannot be renewed; another runner may take it over");
                    }
                }
            }
        }
    }

    async fn finish(&self, jobs: Vec<Job>, outcome: Result<(), String>) -> Result<(), Error> {
        let now = (self.now_ms)();
        if let (Err(error), Some(job)) = (&outcome, jobs.first()) {
            tracing::warn!(kind = %job.kind, key = %job.key, attempt = job.attempt, %error, "a job failed");
        }
        self.database
            .write(move |tx| {
                for job in &jobs {
                    match &outcome {
                        Ok(()) => delete(tx, job)?,
                        Err(error) => postpone(tx, job, error, now)?,
                    }
                }
                Ok(())
            })
            .await
    }
}

const DUE: &str = "((j.state = 'queued' AND j.run_at_ms <= $1) OR (j.state = 'running' AND j.lease_until_ms < $1))";

fn due_kinds(tx: &Tx, now_ms: i64) -> Result<Vec<String>, Error> {
    let sql = format!("SELECT DISTINCT j.kind FROM job j WHERE {DUE}");
    let rows = tx.query(&sql, params![now_ms])?;
    rows.iter().map(|row| row.text(0)).collect()
}

fn claim(tx: &WriteTx, kind: &str, now_ms: i64) -> Result<Vec<Job>, Error> {
    let sql = format!(
        "UPDATE job SET state = 'running', attempts = attempts + 1, lease_until_ms = $3
         WHERE id IN (
            SELECT j.id FROM job j WHERE {DUE} AND j.kind = $2 AND NOT EXISTS (
                SELECT 1 FROM job r WHERE r.kind = j.kind AND r.key = j.key AND r.id <> j.id
                AND r.state = 'running' AND r.lease_until_ms >= $1)
            ORDER BY j.run_at_ms, j.id LIMIT $4)
         RETURNING id, kind, key, payload, attempts"
    );
    let until = now_ms + limits::JOB_LEASE_MS;
    let rows = tx.query(&sql, params![now_ms, kind, until, limits::JOB_BATCH])?;
    rows.iter().map(job).collect()
}

fn job(row: &Row) -> Result<Job, Error> {
    Ok(Job {
        id: row.i64("id")?,
        kind: row.text("kind")?,
        key: row.text("key")?,
        payload: row.text("payload")?,
        attempt: row.i64("attempts")?,
    })
}

/// The number of the attempt tells whether the lease is still ours: whoever took the job over has counted on.
fn delete(tx: &WriteTx, job: &Job) -> Result<(), Error> {
    let sql = "DELETE FROM job WHERE id = $1 AND attempts = $2 AND state = 'running'";
    tx.execute(sql, params![job.id, job.attempt]).map(|_| ())
}

fn postpone(tx: &WriteTx, job: &Job, error: &str, now_ms: i64) -> Result<(), Error> {
    let newer = "SELECT 1 FROM job WHERE kind = $1 AND key = $2 AND state = 'queued'";
    let newer = tx.query_opt(newer, params![&job.kind, &job.key])?;
    if newer.is_some() {
        // A later job for the same thing waits already and will do what this one could not.
        return delete(tx, job);
    }
    let state = if job.attempt >= limits::JOB_ATTEMPTS_MAX {
        "dead"
    } else {
        "queued"
    };
    let doubled = limits::JOB_PAUSE_MIN_MS.saturating_mul(1 << job.attempt.clamp(0, 20));
    let run_at_ms = now_ms + doubled.min(limits::JOB_PAUSE_MAX_MS);
    let error = error.replace('\0', "");
    tx.execute(
        "UPDATE job SET state = $1, run_at_ms = $2, last_error = $3, lease_until_ms = NULL
         WHERE id = $4 AND attempts = $5 AND state = 'running'",
        params![state, run_at_ms, error, job.id, job.attempt],
    )
    .map(|_| ())
}
