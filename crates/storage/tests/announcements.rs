//! What is told with a commit, on both databases.

use std::time::Duration;

use storage::{
    ANNOUNCEMENT_BYTES_MAX, Announcement, Announcements, Database, DatabaseUrl, Error, Migration,
    TestDatabase, params, test_databases,
};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "boxes",
    sql: "CREATE TABLE box (id BIGINT NOT NULL, CONSTRAINT box_pk PRIMARY KEY (id));",
}];

async fn each(test: impl AsyncFn(Database, &TestDatabase)) {
    for target in test_databases() {
        eprintln!("on {}", target.name);
        let database = Database::open(&target.url, MIGRATIONS).await.unwrap();
        test(database.clone(), &target).await;
        database.close().await;
    }
}

/// The next announcement; a test that waits in vain fails.
async fn next(ear: &mut Announcements) -> Option<Announcement> {
    let heard = tokio::time::timeout(Duration::from_secs(20), ear.next());
    heard.await.expect("nothing was announced")
}

/// An ear that hears for certain: PostgreSQL says with `Missed` from when on it passes things on.
async fn ear(database: &Database) -> Announcements {
    let mut ear = database.announcements();
    if matches!(database.url(), DatabaseUrl::Postgres(_)) {
        assert_eq!(next(&mut ear).await, Some(Announcement::Missed));
    }
    ear
}

async fn announce(database: &Database, text: &'static str) {
    let told = database.write(move |tx| tx.announce(text));
    told.await.unwrap();
}

fn message(text: &str) -> Option<Announcement> {
    Some(Announcement::Message(text.to_owned()))
}

/// [ROLE-1]
#[tokio::test]
async fn what_was_committed_is_told_in_order_to_all_and_what_was_not_is_never() {
    each(async |database, _| {
        let mut one = ear(&database).await;
        let mut other = database.clone().announcements();
        let told = database.write(|tx| {
            tx.execute("INSERT INTO box (id) VALUES (1)", params![])?;
            tx.announce("first")?;
            tx.announce("second")
        });
        told.await.unwrap();
        let taken_back: Result<(), Error> = database
            .write(|tx| {
                tx.announce("never")?;
                Err(Error::NoRow)
            })
            .await;
        assert_eq!(taken_back, Err(Error::NoRow));
        let refused = database.write(|tx| {
            tx.announce("never")?;
            tx.execute("INSERT INTO box (id) VALUES (1)", params![])
        });
        assert_eq!(refused.await.unwrap_err().constraint(), Some("box_pk"));
        announce(&database, "third").await;
        for ear in [&mut one, &mut other] {
            for text in ["first", "second", "third"] {
                assert_eq!(next(ear).await, message(text));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_text_has_a_limit_and_the_largest_arrives() {
    each(async |database, _| {
        let mut ear = ear(&database).await;
        for length in [0, ANNOUNCEMENT_BYTES_MAX + 1] {
            let told = database.write(move |tx| tx.announce(&"x".repeat(length)));
            assert!(matches!(told.await, Err(Error::Invalid(_))));
        }
        let largest = "ü".repeat(ANNOUNCEMENT_BYTES_MAX / 2);
        let text = largest.clone();
        let told = database.write(move |tx| tx.announce(&text));
        told.await.unwrap();
        assert_eq!(next(&mut ear).await, message(&largest));
    })
    .await;
}

/// [ROLE-2]
#[tokio::test]
async fn who_is_too_slow_hears_that_it_has_missed_something() {
    each(async |database, _| {
        let mut slow = ear(&database).await;
        let mut quick = database.announcements();
        for round in 0..30 {
            let told = database.write(move |tx| {
                (0..100).try_for_each(|number| tx.announce(&format!("{round} {number}")))
            });
            told.await.unwrap();
            for number in 0..100 {
                let text = format!("{round} {number}");
                assert_eq!(next(&mut quick).await, message(&text));
            }
        }
        assert_eq!(next(&mut slow).await, Some(Announcement::Missed));
        assert!(matches!(
            next(&mut slow).await,
            Some(Announcement::Message(_))
        ));
    })
    .await;
}

/// [ROLE-1] [ROLE-2] A second handle has connections of its own, as another process has.
#[tokio::test]
async fn another_process_is_heard() {
    each(async |database, target| {
        let mut here = ear(&database).await;
        let other = Database::open(&target.url, MIGRATIONS).await.unwrap();
        match target.url {
            DatabaseUrl::Postgres(_) => {
                announce(&other, "from there").await;
                assert_eq!(next(&mut here).await, message("from there"));
            }
            DatabaseUrl::Sqlite(_) => {
                // The first look compares with nothing, so the other goes on until it is noticed.
                let noticed =
                    async { while next(&mut here).await != Some(Announcement::Missed) {} };
                let write = async {
                    loop {
                        announce(&other, "from there").await;
                        let sql = "INSERT INTO box (id) SELECT COUNT(*) FROM box";
                        let insert = other.write(move |tx| tx.execute(sql, params![]));
                        insert.await.unwrap();
                    }
                };
                tokio::select! {
                    () = noticed => {}
                    () = write => {}
                }
            }
        }
        other.close().await;
    })
    .await;
}

/// Commits of the process itself are no news from elsewhere: the only `Missed` would be wrong.
#[tokio::test]
async fn own_commits_are_not_taken_for_those_of_others() {
    each(async |database, _| {
        let mut ear = ear(&database).await;
        let until = std::time::Instant::now() + Duration::from_millis(1_700);
        while std::time::Instant::now() < until {
            let sql = "INSERT INTO box (id) SELECT COUNT(*) FROM box";
            let work = database.write(move |tx| {
                tx.execute(sql, params![])?;
                tx.announce("own")
            });
            work.await.unwrap();
            assert_eq!(next(&mut ear).await, message("own"));
        }
    })
    .await;
}

/// [ROLE-2]
#[tokio::test]
async fn a_lost_connection_is_made_again_and_told() {
    each(async |database, _| {
        if !matches!(database.url(), DatabaseUrl::Postgres(_)) {
            return;
        }
        let mut ear = ear(&database).await;
        let cut = database.write(|tx| {
            let sql =
                "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'LISTEN%'";
            tx.query_one(sql, params![])?.i64(0)
        });
        assert_eq!(cut.await, Ok(1));
        assert_eq!(next(&mut ear).await, Some(Announcement::Missed));
        announce(&database, "again").await;
        assert_eq!(next(&mut ear).await, message("again"));
    })
    .await;
}

#[tokio::test]
async fn a_closed_database_says_so_to_those_who_listen() {
    each(async |database, _| {
        let mut ear = ear(&database).await;
        database.clone().close().await;
        assert_eq!(next(&mut ear).await, None);
        assert_eq!(next(&mut database.announcements()).await, None);
    })
    .await;
}
