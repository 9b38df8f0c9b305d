//! Databases for tests: a SQLite file always, a fresh PostgreSQL database where a server is given.

// A test that cannot have its database has nothing better to do than to stop.
#![allow(clippy::expect_used, clippy::panic)]

use crate::DatabaseUrl;
use postgres::{Client, NoTls};

/// A database that exists for one test and is removed with this value.
pub struct TestDatabase {
    /// `sqlite` or `postgres`, for messages.
    pub name: &'static str,
    /// Where it is.
    pub url: DatabaseUrl,
    server: Option<(String, String)>,
    _folder: Option<tempfile::TempDir>,
}

/// One empty database of each kind. PostgreSQL needs `WATERSMEET_TEST_POSTGRES`, the URL of a server where databases may be
/// created; without it the test is told to be skipped there, and in CI it fails.
pub fn test_databases() -> Vec<TestDatabase> {
    let mut databases = vec![sqlite()];
    match std::env::var("WATERSMEET_TEST_POSTGRES") {
        Ok(server) => databases.push(postgres(&server)),
        Err(_) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("WATERSMEET_TEST_POSTGRES must name a PostgreSQL server in CI")
        }
        Err(_) => eprintln!("skipped: PostgreSQL, because WATERSMEET_TEST_POSTGRES is not set"),
    }
    databases
}

fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder");
    TestDatabase {
        name: "sqlite",
        url: DatabaseUrl::Sqlite(folder.path().join("test.sqlite")),
        server: None,
        _folder: Some(folder),
    }
}

fn postgres(server: &str) -> TestDatabase {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).expect("random bytes");
    let database = format!("wm_test_{}", hex::encode(random));
    on_server(
        server,
        &format!("CREATE DATABASE {database} TEMPLATE template0"),
    );
    let (address, _) = server.rsplit_once('/').expect("a URL with a database name");
    TestDatabase {
        name: "postgres",
        url: DatabaseUrl::Postgres(format!("{address}/{database}")),
        server: Some((server.to_owned(), database)),
        _folder: None,
    }
}

/// The client has a runtime of its own, so it must not run on a thread of the test's.
fn on_server(server: &str, sql: &str) {
    let (server, sql) = (server.to_owned(), sql.to_owned());
    std::thread::spawn(move || {
        let mut client = Client::connect(&server, NoTls).expect("a PostgreSQL server");
        client
            .batch_execute(&sql)
            .expect("the right to create databases");
    })
    .join()
    .expect("the thread does not panic");
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, database)) = &self.server {
            on_server(
                server,
                &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            );
        }
    }
}
