//! What happens when things go wrong around the database: lost connections, overload, files that are no databases.

use std::fs;
use std::sync::mpsc;

use storage::{Database, DatabaseUrl, Error, Migration, params, test_databases};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "notes",
    sql: "CREATE TABLE note (id BIGINT NOT NULL, CONSTRAINT note_pk PRIMARY KEY (id))",
}];

async fn insert(database: &Database, id: i64) -> Result<u64, Error> {
    database
        .write(move |tx| tx.execute("INSERT INTO note (id) VALUES ($1)", params![id]))
        .await
}

#[tokio::test]
async fn lost_connections_are_opened_again_without_anybody_noticing() {
    for target in test_databases() {
        let DatabaseUrl::Postgres(_) = &target.url else {
            continue;
        };
        let database = Database::open(&target.url, MIGRATIONS).await.unwrap();
        for round in 0..5 {
            // Every connection of the pool is used, and then all but one are cut.
            let used = (0..16).map(|number| {
                let database = database.clone();
                tokio::spawn(async move { insert(&database, round * 100 + number).await })
            });
            for used in used.collect::<Vec<_>>() {
                used.await.unwrap().unwrap();
            }
            let cut = database.write(|tx| {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
                tx.query(sql, params![])
            });
            cut.await.unwrap();
        }
        let count =
            database.read(|tx| tx.query_one("SELECT COUNT(*) FROM note", params![])?.i64(0));
        assert_eq!(count.await, Ok::<i64, Error>(80));
        database.close().await;
    }
}

#[tokio::test]
async fn too_many_waiting_transactions_are_refused_and_the_rest_is_done() {
    let target = test_databases().remove(0);
    let database = Database::open(&target.url, MIGRATIONS).await.unwrap();
    let (release, wait) = mpsc::channel::<()>();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let mut started = Some(started);
    let blocking = {
        let database = database.clone();
        tokio::spawn(async move {
            let blocked: Result<(), Error> = database
                .write(move |_| {
                    let _ = started.take().map(|it| it.send(()));
                    let _ = wait.recv();
                    Ok(())
                })
                .await;
            blocked
        })
    };
    has_started.await.unwrap();
    let waiting: Vec<_> = (0..1_100)
        .map(|id| {
            let database = database.clone();
            tokio::spawn(async move { insert(&database, id).await })
        })
        .collect();
    // All have been taken or refused once the last one has been polled.
    while waiting.iter().filter(|it| it.is_finished()).count() < 1_100 - 1_024 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    blocking.await.unwrap().unwrap();
    let (mut done, mut refused) = (0, 0);
    for outcome in waiting {
        match outcome.await.unwrap() {
            Ok(_) => done += 1,
            Err(Error::Unavailable(message)) => {
                assert!(message.contains("too many"), "{message}");
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((done, refused), (1_024, 76));
    database.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.sqlite");
    fs::write(
        &path,
        "this is not a database, it only stands where one should be",
    )
    .unwrap();
    let error = Database::open(&DatabaseUrl::Sqlite(path.clone()), MIGRATIONS)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, Error::Damaged(message) if message.contains("restore a backup")),
        "{error}"
    );
    let nowhere = DatabaseUrl::Sqlite(folder.path().join("missing/w.sqlite"));
    let error = Database::open(&nowhere, MIGRATIONS).await.err().unwrap();
    assert!(
        matches!(&error, Error::Unavailable(message) if message.contains("folder exists")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_or_refuses_is_told_with_the_reason() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url: DatabaseUrl = format!("postgres://u:secret@{closed}/d").parse().unwrap();
    let error = Database::open(&url, MIGRATIONS).await.err().unwrap();
    assert!(
        matches!(&error, Error::Unavailable(message) if message.contains("cannot be reached")),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"));
    for target in test_databases() {
        if let DatabaseUrl::Postgres(address) = &target.url {
            let (server, _) = address.rsplit_once('/').unwrap();
            let url = format!("{server}/no_such_database").parse().unwrap();
            let error = Database::open(&url, MIGRATIONS).await.err().unwrap();
            assert!(
                matches!(&error, Error::Refused(message) if message.contains("no_such_database")),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_transaction_of_a_caller_that_went_away_still_counts() {
    for target in test_databases() {
        let database = Database::open(&target.url, MIGRATIONS).await.unwrap();
        let (started, has_started) = mpsc::channel();
        let (release, wait) = mpsc::channel::<()>();
        let other = database.clone();
        let caller = tokio::spawn(async move {
            let written: Result<u64, Error> = other
                .write(move |tx| {
                    let _ = started.send(());
                    let _ = wait.recv();
                    tx.execute("INSERT INTO note (id) VALUES (7)", params![])
                })
                .await;
            written
        });
        tokio::task::spawn_blocking(move || has_started.recv())
            .await
            .unwrap()
            .unwrap();
        caller.abort();
        release.send(()).unwrap();
        database.clone().close().await;
        let again = Database::open(&target.url, MIGRATIONS).await.unwrap();
        let found = again.read(|tx| tx.query_opt("SELECT id FROM note", params![]));
        assert!(found.await.unwrap().is_some());
        again.close().await;
    }
}
