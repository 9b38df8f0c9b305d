//! What both databases must do in the same way. Every test runs on each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use storage::{Database, Error, Migration, TestDatabase, Value, params, test_databases};

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "boxes",
        sql: "CREATE TABLE box (
            id BIGINT NOT NULL,
            label TEXT NOT NULL,
            note TEXT,
            bytes BYTEA,
            parent BIGINT,
            CONSTRAINT box_pk PRIMARY KEY (id),
            CONSTRAINT box_label_once UNIQUE (label),
            CONSTRAINT box_label_short CHECK (length(label) < 40),
            CONSTRAINT box_parent FOREIGN KEY (parent) REFERENCES box (id)
        );
        CREATE UNIQUE INDEX box_note_once ON box (note) WHERE note IS NOT NULL;",
    },
    Migration {
        number: 2,
        name: "counters",
        sql: "CREATE TABLE counter (name TEXT NOT NULL, n BIGINT NOT NULL, CONSTRAINT counter_pk PRIMARY KEY (name));
              CREATE TABLE late (id BIGINT NOT NULL, box BIGINT, CONSTRAINT late_pk PRIMARY KEY (id),
                CONSTRAINT late_box FOREIGN KEY (box) REFERENCES box (id) DEFERRABLE INITIALLY DEFERRED);
              INSERT INTO counter (name, n) VALUES ('a', 0), ('b', 0);",
    },
];

async fn each(test: impl AsyncFn(Database, &TestDatabase)) {
    for target in test_databases() {
        let database = Database::open(&target.url, MIGRATIONS).await.unwrap();
        eprintln!("on {}", target.name);
        test(database.clone(), &target).await;
        database.close().await;
    }
}

async fn insert(database: &Database, id: i64, label: &'static str) -> Result<u64, Error> {
    let sql = "INSERT INTO box (id, label) VALUES ($1, $2)";
    database
        .write(move |tx| tx.execute(sql, params![id, label]))
        .await
}

async fn count(database: &Database) -> i64 {
    let count = database.read(|tx| tx.query_one("SELECT COUNT(*) FROM box", params![])?.i64(0));
    count.await.unwrap()
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    each(async |database, _| {
        let bytes: Vec<u8> = (0..=255).collect();
        let expected = bytes.clone();
        let row = database.write(move |tx| -> Result<_, Error> {
            tx.execute(
                "INSERT INTO box (id, label, note, bytes) VALUES ($1, $2, $3, $4)",
                params![i64::MIN, "ß – 漢 – 🦀 'quoted'", None::<String>, &bytes],
            )?;
            tx.query_one(
                "SELECT *, 5 > 3 AS yes, $1 AS n FROM box WHERE id = $2",
                params![i64::MAX, i64::MIN],
            )
        });
        let row = row.await.unwrap();
        assert_eq!(row.i64("id").unwrap(), i64::MIN);
        assert_eq!(row.text("label").unwrap(), "ß – 漢 – 🦀 'quoted'");
        assert_eq!(row.opt_text("note").unwrap(), None);
        assert_eq!(row.bytes("bytes").unwrap(), expected);
        assert_eq!(row.opt_i64(4).unwrap(), None);
        assert!(row.bool("yes").unwrap());
        assert_eq!(row.i64("n").unwrap(), i64::MAX);
        assert!(matches!(row.i64("label"), Err(Error::Internal(_))));
        assert!(matches!(row.i64("parent"), Err(Error::Internal(_))));
        assert!(matches!(row.i64("nowhere"), Err(Error::Internal(_))));
    })
    .await;
}

#[tokio::test]
async fn an_error_leaves_no_trace() {
    each(async |database, _| {
        let failed: Result<(), Error> = database
            .write(|tx| {
                tx.execute("INSERT INTO box (id, label) VALUES (1, 'one')", params![])?;
                Err(Error::Invalid("second thoughts".into()))
            })
            .await;
        assert_eq!(failed, Err(Error::Invalid("second thoughts".into())));
        assert_eq!(count(&database).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_panic_leaves_no_trace_and_the_thread_lives_on() {
    each(async |database, _| {
        for _ in 0..6 {
            let panicked: Result<(), Error> = database
                .write(|tx| {
                    tx.execute("INSERT INTO box (id, label) VALUES (1, 'one')", params![])?;
                    panic!("on purpose")
                })
                .await;
            assert!(
                matches!(panicked, Err(Error::Internal(message)) if message.contains("on purpose"))
            );
        }
        assert_eq!(count(&database).await, 0);
        assert_eq!(insert(&database, 1, "one").await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn a_dropped_error_dooms_the_transaction() {
    each(async |database, _| {
        insert(&database, 1, "one").await.unwrap();
        let dropped: Result<(), Error> = database
            .write(|tx| {
                tx.execute("INSERT INTO box (id, label) VALUES (2, 'two')", params![])?;
                let again = tx.execute("INSERT INTO box (id, label) VALUES (3, 'one')", params![]);
                assert!(again.is_err());
                Ok(())
            })
            .await;
        assert!(matches!(dropped, Err(Error::Internal(_))), "{dropped:?}");
        assert_eq!(count(&database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn violated_constraints_are_named() {
    each(async |database, _| {
        insert(&database, 1, "one").await.unwrap();
        let cases = [
            ("box_pk", "INSERT INTO box (id, label) VALUES (1, 'two')"),
            ("box_label_once", "INSERT INTO box (id, label) VALUES (2, 'one')"),
            ("box_label_short", "INSERT INTO box (id, label) VALUES (2, '0123456789012345678901234567890123456789')"),
            ("box_parent", "INSERT INTO box (id, label, parent) VALUES (2, 'two', 77)"),
            ("box_parent", "UPDATE box SET parent = 78 WHERE id = 1"),
            ("late_box", "INSERT INTO late (id, box) VALUES (1, 77)"),
            ("box.label", "INSERT INTO box (id) VALUES (2)"),
            ("box_note_once", "INSERT INTO box (id, label, note) VALUES (2, 'two', 'n'), (3, 'three', 'n')"),
        ];
        for (name, sql) in cases {
            let error = database.write(move |tx| tx.execute(sql, params![])).await.unwrap_err();
            assert_eq!(error.constraint(), Some(name), "{sql}: {error:?}");
        }
        let error = database
            .write(|tx| -> Result<u64, Error> {
                tx.execute("INSERT INTO box (id, label, parent) VALUES (2, 'two', 1)", params![])?;
                tx.execute("DELETE FROM box WHERE id = 1", params![])
            })
            .await
            .unwrap_err();
        assert_eq!(error.constraint(), Some("box_parent"));
        assert_eq!(count(&database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_read_sees_one_snapshot_and_cannot_write() {
    each(async |database, _| {
        let (other, handle) = (database.clone(), tokio::runtime::Handle::current());
        let counts = database.read(move |tx| -> Result<_, Error> {
            let before = tx
                .query_one("SELECT COUNT(*) FROM box", params![])?
                .i64(0)?;
            let id = before + 1;
            handle.block_on(other.write(move |tx| {
                let sql = "INSERT INTO box (id, label) VALUES ($1, 'while reading')";
                tx.execute(sql, params![id])
            }))?;
            let after = tx
                .query_one("SELECT COUNT(*) FROM box", params![])?
                .i64(0)?;
            Ok((before, after))
        });
        assert_eq!(counts.await, Ok((0, 0)));
        assert_eq!(count(&database).await, 1);
        let written = database.read(|tx| tx.query("DELETE FROM box RETURNING id", params![]));
        assert!(written.await.is_err());
        assert_eq!(count(&database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn two_writers_cannot_both_act_on_what_the_other_undoes() {
    each(async |database, target| {
        // Write skew: each takes its own counter away only while the other one stands. Snapshots alone would let both go.
        let other = Database::open(&target.url, MIGRATIONS).await.unwrap();
        for _ in 0..10 {
            database
                .write(|tx| tx.execute("UPDATE counter SET n = 1", params![]))
                .await
                .unwrap();
            let both = tokio::join!(take_away(&database, "a", "b"), take_away(&other, "b", "a"));
            assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
            let sum = database.read(|tx| {
                tx.query_one("SELECT CAST(SUM(n) AS BIGINT) FROM counter", params![])?
                    .i64(0)
            });
            assert_eq!(sum.await, Ok::<i64, Error>(1));
        }
        other.close().await;
    })
    .await;
}

async fn take_away(
    database: &Database,
    own: &'static str,
    other: &'static str,
) -> Result<(), Error> {
    database
        .write(move |tx| -> Result<(), Error> {
            let sql = "SELECT n FROM counter WHERE name = $1";
            if tx.query_one(sql, params![other])?.i64(0)? == 1 {
                tx.execute("UPDATE counter SET n = 0 WHERE name = $1", params![own])?;
            }
            Ok(())
        })
        .await
}

#[tokio::test]
async fn no_increment_is_lost_between_two_handles() {
    each(async |database, target| {
        let other = Database::open(&target.url, MIGRATIONS).await.unwrap();
        let runs = Arc::new(AtomicU32::new(0));
        let mut tasks = Vec::new();
        for number in 0..30 {
            let database = if number % 2 == 0 {
                database.clone()
            } else {
                other.clone()
            };
            let runs = Arc::clone(&runs);
            tasks.push(tokio::spawn(async move {
                let increment = database.write(move |tx| -> Result<(), Error> {
                    runs.fetch_add(1, Ordering::Relaxed);
                    let n = tx
                        .query_one("SELECT n FROM counter WHERE name = 'a'", params![])?
                        .i64(0)?;
                    tx.execute("UPDATE counter SET n = $1 WHERE name = 'a'", params![n + 1])?;
                    Ok(())
                });
                increment.await.is_ok()
            }));
        }
        let mut committed = 0;
        for task in tasks {
            committed += i64::from(task.await.unwrap());
        }
        let n = database.read(|tx| {
            tx.query_one("SELECT n FROM counter WHERE name = 'a'", params![])?
                .i64(0)
        });
        assert_eq!(n.await, Ok(committed));
        assert!(i64::from(runs.load(Ordering::Relaxed)) >= committed);
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn rows_are_streamed_and_the_stream_can_be_left() {
    each(async |database, _| {
        let rows: Vec<[Value; 2]> = (0..5_000_i64)
            .map(|id| [id.into(), format!("box {id}").into()])
            .collect();
        let inserted = database
            .write(move |tx| tx.execute_many("INSERT INTO box (id, label) VALUES ($1, $2)", &rows));
        assert_eq!(inserted.await, Ok(5_000));
        let sum = database.read(|tx| -> Result<i64, Error> {
            let mut sum = 0;
            tx.query_each(
                "SELECT id FROM box",
                params![],
                |row| -> Result<(), Error> {
                    sum += row.i64(0)?;
                    Ok(())
                },
            )?;
            Ok(sum)
        });
        assert_eq!(sum.await, Ok(4_999 * 5_000 / 2));
        let left = database.read(|tx| {
            let mut seen = 0;
            let left = tx.query_each("SELECT id FROM box", params![], |_| {
                seen += 1;
                if seen == 3 {
                    Err(Error::Invalid("enough".into()))
                } else {
                    Ok(())
                }
            });
            assert_eq!(left, Err(Error::Invalid("enough".into())));
            // The connection is still good for another statement of the same transaction.
            Ok::<_, Error>((
                seen,
                tx.query_one("SELECT COUNT(*) FROM box", params![])?
                    .i64(0)?,
            ))
        });
        assert_eq!(left.await, Ok((3, 5_000)));
    })
    .await;
}

#[tokio::test]
async fn many_rows_of_mixed_nulls_go_in_and_a_bad_one_stops_all() {
    each(async |database, _| {
        let sql = "INSERT INTO box (id, label, note, bytes) VALUES ($1, $2, $3, $4)";
        let row = |id: i64| {
            let note = (id % 3 == 0).then(|| format!("note {id}"));
            let bytes = (id % 5 == 0).then(|| vec![id as u8; 3]);
            [id.into(), format!("label {id}").into(), note.into(), bytes.into()]
        };
        let rows: Vec<[Value; 4]> = (1..=83).map(row).collect();
        let inserted = database.write(move |tx| tx.execute_many(sql, &rows)).await;
        assert_eq!(inserted, Ok(83));
        let one = database.read(|tx| tx.query_one("SELECT * FROM box WHERE id = 15", params![]));
        let one = one.await.unwrap();
        assert_eq!(one.opt_text("note").unwrap().as_deref(), Some("note 15"));
        assert_eq!(one.bytes("bytes").unwrap(), [15; 3]);
        let rows: Vec<[Value; 4]> = (80..=120).map(row).collect();
        let bad = database.write(move |tx| tx.execute_many(sql, &rows)).await;
        let bad = bad.unwrap_err();
        assert!(
            matches!(bad.constraint(), Some("box_pk" | "box_label_once")),
            "{bad:?}"
        );
        assert_eq!(count(&database).await, 83);
        let ignoring = "INSERT INTO box (id, label, note, bytes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let rows: Vec<[Value; 4]> = (80..=120).map(row).collect();
        let ignored = database.write(move |tx| tx.execute_many(ignoring, &rows)).await;
        assert_eq!(ignored, Ok(37));
    })
    .await;
}

#[tokio::test]
async fn a_statement_inside_a_stream_is_an_error_not_a_deadlock() {
    each(async |database, _| {
        insert(&database, 1, "one").await.unwrap();
        let nested = database.read(|tx| {
            tx.query_each("SELECT id FROM box", params![], |_| {
                tx.query("SELECT 1", params![]).map(|_| ())
            })
        });
        assert!(
            matches!(nested.await, Err(Error::Internal(message)) if message.contains("query_each"))
        );
        assert_eq!(count(&database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn returning_and_conflict_clauses_work_alike() {
    each(async |database, _| {
        let sql = "INSERT INTO counter (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = counter.n + excluded.n RETURNING n";
        let n = database.write(move |tx| tx.query_one(sql, params!["a", 5])?.i64(0)).await;
        assert_eq!(n, Ok(5));
        let n = database.write(move |tx| tx.query_one(sql, params!["a", 5])?.i64("n")).await;
        assert_eq!(n, Ok(10));
        let changed = database.write(|tx| tx.execute("UPDATE counter SET n = 1 RETURNING name", params![]));
        assert_eq!(changed.await, Ok(2));
        let ignored = database.write(|tx| tx.execute("INSERT INTO counter (name, n) VALUES ('a', 1) ON CONFLICT DO NOTHING", params![]));
        assert_eq!(ignored.await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn text_that_one_database_cannot_hold_is_refused_by_both() {
    each(async |database, _| {
        let stored = database.write(|tx| {
            tx.execute(
                "INSERT INTO box (id, label) VALUES (1, $1)",
                params!["a\0b"],
            )
        });
        assert!(matches!(stored.await, Err(Error::Invalid(_))));
        let float = database.read(|tx| tx.query("SELECT AVG(n) FROM counter", params![]));
        assert!(matches!(float.await, Err(Error::Internal(message)) if message.contains("CAST")));
    })
    .await;
}

#[tokio::test]
async fn opening_twice_at_once_migrates_once() {
    for target in test_databases() {
        let opens = (0..4).map(|_| {
            let url = target.url.clone();
            tokio::spawn(async move { Database::open(&url, MIGRATIONS).await })
        });
        for open in opens.collect::<Vec<_>>() {
            let database = open.await.unwrap().unwrap();
            let applied = database.read(|tx| {
                let sql = "SELECT COUNT(*) FROM schema_migration WHERE component = 'caller'";
                tx.query_one(sql, params![])?.i64(0)
            });
            assert_eq!(applied.await, Ok::<i64, Error>(2));
            database.close().await;
        }
    }
}

#[tokio::test]
async fn a_newer_or_different_database_is_refused() {
    each(async |_, target| {
        let older = Database::open(&target.url, &MIGRATIONS[..1])
            .await
            .err()
            .unwrap();
        assert!(
            matches!(&older, Error::Refused(message) if message.contains("newer")),
            "{older}"
        );
        let edited = [
            MIGRATIONS[0],
            Migration {
                sql: "SELECT 1",
                ..MIGRATIONS[1]
            },
        ];
        let edited = Database::open(&target.url, &edited).await.err().unwrap();
        assert!(
            matches!(&edited, Error::Refused(message) if message.contains("counters")),
            "{edited}"
        );
    })
    .await;
}

#[tokio::test]
async fn both_databases_end_with_the_same_schema() {
    let mut snapshots = Vec::new();
    for target in test_databases() {
        let database = Database::open(&target.url, MIGRATIONS).await.unwrap();
        snapshots.push(database.schema_snapshot().await.unwrap());
        database.close().await;
    }
    for line in [
        "box: column bytes bytea null",
        "box: column id bigint not null",
        "box: constraint box_label_once unique",
        "box: constraint box_parent foreign key",
        "box: index box_note_once",
        "job: constraint job_state check",
    ] {
        assert!(
            snapshots[0].iter().any(|it| it == line),
            "{line} in {:#?}",
            snapshots[0]
        );
    }
    assert!(
        snapshots.iter().all(|snapshot| *snapshot == snapshots[0]),
        "{snapshots:#?}"
    );
}

#[tokio::test]
async fn work_after_closing_is_answered() {
    each(async |database, _| {
        let late = database.clone();
        database.close().await;
        assert!(matches!(
            insert(&late, 1, "late").await,
            Err(Error::Unavailable(_))
        ));
    })
    .await;
}
