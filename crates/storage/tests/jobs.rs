//! The job queue, on both databases.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use storage::{Database, Error, JobRunner, enqueue_job, job_counts, params, test_databases};

/// A clock that a test moves, and a record of what was done.
#[derive(Clone, Default)]
struct Stage {
    now_ms: Arc<AtomicI64>,
    done: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn take(&self) -> Vec<String> {
        let mut done = std::mem::take(&mut *self.done.lock().unwrap());
        done.sort();
        done
    }

    /// Fails on payload `bad`, panics on `panic`.
    fn runner(&self, database: &Database) -> JobRunner {
        let (now_ms, done) = (Arc::clone(&self.now_ms), Arc::clone(&self.done));
        JobRunner::new(database.clone(), move || now_ms.load(Ordering::SeqCst)).handle(
            "note",
            move |jobs| {
                let done = Arc::clone(&done);
                async move {
                    for job in jobs {
                        match job.payload.as_str() {
                            "bad" => return Err("no good".to_owned()),
                            "panic" => panic!("on purpose"),
                            _ => done
                                .lock()
                                .unwrap()
                                .push(format!("{} {}", job.key, job.payload)),
                        }
                    }
                    Ok(())
                }
            },
        )
    }
}

async fn each(test: impl AsyncFn(Database, Stage)) {
    for target in test_databases() {
        let database = Database::open(&target.url, &[]).await.unwrap();
        test(database.clone(), Stage::default()).await;
        database.close().await;
    }
}

async fn enqueue(database: &Database, key: &'static str, payload: &'static str, at: i64) {
    let enqueued = database.write(move |tx| enqueue_job(tx, "note", key, payload, at));
    enqueued.await.unwrap();
}

async fn counts(database: &Database) -> (i64, i64, i64) {
    let counts = database.read(job_counts).await.unwrap();
    (counts.queued, counts.running, counts.dead)
}

#[tokio::test]
async fn a_job_belongs_to_the_transaction_that_put_it_there() {
    each(async |database, stage| {
        let failed: Result<(), Error> = database
            .write(|tx| {
                enqueue_job(tx, "note", "a", "never", 0)?;
                Err(Error::Invalid("no".into()))
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(stage.runner(&database).run_due().await, Ok(0));
        enqueue(&database, "a", "1", 0).await;
        assert_eq!(stage.runner(&database).run_due().await, Ok(1));
        assert_eq!(stage.take(), ["a 1"]);
        assert_eq!(counts(&database).await, (0, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn jobs_wait_for_their_time_and_equal_ones_become_one() {
    each(async |database, stage| {
        enqueue(&database, "a", "1", 500).await;
        enqueue(&database, "a", "2", 100).await;
        enqueue(&database, "b", "1", 900).await;
        assert_eq!(counts(&database).await, (2, 0, 0));
        let runner = stage.runner(&database);
        assert_eq!(runner.run_due().await, Ok(0));
        stage.advance(100);
        assert_eq!(runner.run_due().await, Ok(1));
        stage.advance(800);
        assert_eq!(runner.run_due().await, Ok(1));
        assert_eq!(stage.take(), ["a 2", "b 1"]);
    })
    .await;
}

#[tokio::test]
async fn a_bad_job_holds_up_no_other_and_dies_in_the_end() {
    each(async |database, stage| {
        enqueue(&database, "a", "bad", 0).await;
        enqueue(&database, "b", "fine", 0).await;
        enqueue(&database, "c", "panic", 0).await;
        let runner = stage.runner(&database);
        runner.run_due().await.unwrap();
        // The good one may have run in the failed batch too: at least once is the promise.
        assert!(stage.take().contains(&"b fine".to_owned()));
        assert_eq!(counts(&database).await, (2, 0, 0));
        assert_eq!(
            runner.run_due().await,
            Ok(0),
            "it waits before it tries again"
        );
        for _ in 0..10 {
            stage.advance(3_600_000);
            runner.run_due().await.unwrap();
        }
        assert_eq!(counts(&database).await, (0, 0, 2));
        let error = database.read(|tx| {
            tx.query_one("SELECT last_error FROM job WHERE key = 'a'", params![])?
                .text(0)
        });
        assert_eq!(error.await, Ok::<String, Error>("no good".into()));
    })
    .await;
}

#[tokio::test]
async fn what_a_dead_process_held_is_taken_over_after_its_lease() {
    each(async |database, stage| {
        enqueue(&database, "a", "1", 0).await;
        // A process that claims the job and dies: its future is dropped before it has done anything.
        let now = Arc::clone(&stage.now_ms);
        let (claimed, was_claimed) = tokio::sync::oneshot::channel::<()>();
        let claimed = Arc::new(Mutex::new(Some(claimed)));
        let dying = JobRunner::new(database.clone(), move || now.load(Ordering::SeqCst)).handle(
            "note",
            move |_| {
                let _ = claimed.lock().unwrap().take().map(|it| it.send(()));
                std::future::pending()
            },
        );
        tokio::select! {
            _ = dying.run_due() => unreachable!("it never ends"),
            claimed = was_claimed => claimed.unwrap(),
        }
        assert_eq!(counts(&database).await, (0, 1, 0));
        let runner = stage.runner(&database);
        assert_eq!(runner.run_due().await, Ok(0), "the lease holds");
        enqueue(&database, "a", "2", 0).await;
        assert_eq!(
            runner.run_due().await,
            Ok(0),
            "one key never runs twice at once"
        );
        stage.advance(31_000);
        runner.run_due().await.unwrap();
        runner.run_due().await.unwrap();
        assert_eq!(stage.take(), ["a 1", "a 2"]);
        assert_eq!(counts(&database).await, (0, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn several_runners_do_every_job_once() {
    each(async |database, stage| {
        let keys: Vec<String> = (0..150).map(|number| format!("k{number:03}")).collect();
        let all = keys.clone();
        database
            .write(move |tx| {
                all.iter()
                    .try_for_each(|key| enqueue_job(tx, "note", key, "x", 0))
            })
            .await
            .unwrap();
        let runners = [
            stage.runner(&database),
            stage.runner(&database),
            stage.runner(&database),
        ];
        while counts(&database).await != (0, 0, 0) {
            let [a, b, c] = &runners;
            let (a, b, c) = tokio::join!(a.run_due(), b.run_due(), c.run_due());
            for outcome in [a, b, c] {
                assert!(
                    matches!(outcome, Ok(_) | Err(Error::Unavailable(_))),
                    "{outcome:?}"
                );
            }
        }
        let expected: Vec<String> = keys.iter().map(|key| format!("{key} x")).collect();
        assert_eq!(stage.take(), expected);
    })
    .await;
}

#[tokio::test]
async fn a_runner_wakes_for_a_new_job_and_stops_when_told() {
    each(async |database, stage| {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let runner = stage.runner(&database);
        let task = tokio::spawn(runner.run(async {
            let _ = stopped.await;
        }));
        enqueue(&database, "a", "1", 0).await;
        while counts(&database).await != (0, 0, 0) {
            tokio::task::yield_now().await;
        }
        assert_eq!(stage.take(), ["a 1"]);
        stop.send(()).unwrap();
        task.await.unwrap();
    })
    .await;
}
