//! The wiki and the sync engine as two processes over one PostgreSQL.

use serde_json::Value;
use storage::{DatabaseUrl, TestDatabase, test_databases};

use crate::support::{Machine, Server};

const PASSWORD: &[u8] = b"correct horse battery\n";

/// A PostgreSQL database with the administrator `ann`, and a machine whose two roles share it.
struct Two {
    machine: Machine,
    database: String,
    _database: TestDatabase,
}

impl Two {
    /// Nothing where there is no PostgreSQL.
    fn new() -> Option<Two> {
        let found = test_databases()
            .into_iter()
            .find_map(|it| match it.url.clone() {
                DatabaseUrl::Postgres(url) => Some((url, it)),
                DatabaseUrl::Sqlite(_) => None,
            });
        let (database, kept) = found?;
        let machine = Machine::new();
        let words = [
            "user",
            "add",
            "ann",
            "--admin",
            "--password-stdin",
            "--database",
            &database,
        ];
        machine.run_with(&words, PASSWORD).ok();
        Some(Two {
            machine,
            database,
            _database: kept,
        })
    }

    fn serve(&self, more: &[&str]) -> Server {
        let mut words = vec!["--database", &self.database];
        words.extend(more);
        self.machine.serve(&words)
    }

    fn sync(&self) -> Server {
        self.serve(&["--role", "sync", "--sync-port", "0"])
    }

    fn wiki(&self, sync: &Server, more: &[&str]) -> Server {
        let internal = format!("http://{}/synchrony", sync.address());
        let mut words = vec!["--role", "wiki", "--sync-internal-url", &internal];
        words.extend(more);
        self.serve(&words)
    }
}

fn is(answer: (String, String), status: &str, words: &str) {
    assert!(
        answer.0.starts_with(&format!("HTTP/1.1 {status}")),
        "{answer:?}"
    );
    assert!(answer.1.contains(words), "{words:?} in {answer:?}");
}

/// [ROLE-8] [ROLE-9]
#[test]
fn each_role_answers_what_is_its_own() {
    let Some(two) = Two::new() else { return };
    let sync = two.sync();
    let wiki = two.wiki(&sync, &[]);
    is(sync.get("/synchrony/heartbeat"), "200", "OK");
    is(sync.get("/status"), "200", "RUNNING");
    is(sync.get("/metrics"), "200", "watersmeet_http");
    for path in [
        "/",
        "/login",
        "/admin",
        "/api/search?q=a",
        "/synchrony-proxy/heartbeat",
        "/assets/x.js",
    ] {
        is(sync.get(path), "404", "live connections only");
    }
    is(wiki.get("/status"), "200", "RUNNING");
    is(wiki.get("/login"), "200", "Log in");
    is(wiki.get("/synchrony-proxy/heartbeat"), "200", "OK");
    for path in ["/synchrony", "/synchrony/heartbeat", "/synchrony/v1/live"] {
        is(
            wiki.get(path),
            "404",
            "let the proxy in front send `/synchrony/` to port 8091",
        );
    }
    // The engine's own refusal comes through as it is.
    is(
        wiki.get("/synchrony-proxy/v1/state"),
        "403",
        "for the wiki itself",
    );
    is(
        sync.get("/synchrony/v1/state"),
        "403",
        "for the wiki itself",
    );
}

/// [ROLE-8]
#[test]
fn without_the_internal_proxy_its_path_is_nowhere() {
    let Some(two) = Two::new() else { return };
    let sync = two.sync();
    let wiki = two.wiki(&sync, &["--sync-proxy", "off"]);
    is(wiki.get("/synchrony-proxy/heartbeat"), "404", "");
    let (_, told) = wiki.get("/synchrony/heartbeat");
    assert!(!told.contains("synchrony-proxy"), "{told}");
}

/// [ROLE-10]
#[test]
fn the_wiki_works_while_the_engine_is_away_and_finds_it_again() {
    let Some(two) = Two::new() else { return };
    let sync = two.sync();
    let port = sync.address().rsplit_once(':').unwrap().1.to_owned();
    let wiki = two.wiki(&sync, &[]);
    is(wiki.get("/synchrony-proxy/heartbeat"), "200", "OK");
    sync.signal("KILL");
    assert_eq!(sync.end().0, None);
    is(
        wiki.get("/synchrony-proxy/heartbeat"),
        "502",
        "does not answer now",
    );
    is(wiki.get("/login"), "200", "Log in");
    is(wiki.get("/readyz"), "200", "ready");
    let back = two.serve(&["--role", "sync", "--sync-port", &port]);
    is(wiki.get("/synchrony-proxy/heartbeat"), "200", "OK");
    back.signal("TERM");
    let (code, log) = back.end();
    assert_eq!(code, Some(0), "{log}");
}

/// [ROLE-11]
#[test]
fn the_state_of_the_engine_is_for_the_wiki_itself() {
    let Some(two) = Two::new() else { return };
    let sync = two.sync();
    // Neither an administrator's access token nor a token for a document will do.
    let place = ["--database", &two.database, "--json"];
    let with_place = |words: &[&str]| -> Value {
        let words: Vec<&str> = words.iter().chain(&place).copied().collect();
        two.machine.run(&words).ok().json()
    };
    let personal = with_place(&["token", "create", "--user", "ann", "--name", "t"]);
    let signed = with_place(&[
        "sync",
        "token",
        "--document",
        "*",
        "--rights",
        "write",
        "--user",
        "ann",
    ]);
    for token in [&personal["token"], &signed["token"]] {
        let answer = sync.get_as("/synchrony/v1/state", token.as_str().unwrap());
        assert!(answer.0.contains("403"), "{answer:?}");
    }
    let words = [
        "sync",
        "token",
        "--document",
        "page-1",
        "--rights",
        "read",
        "--user",
        "ann",
        "--valid",
        "2d",
    ];
    let words: Vec<&str> = words.iter().chain(&place).copied().collect();
    two.machine.run(&words).fails(2, "30m");
    let rotated = with_place(&["sync", "rotate-keys"]);
    assert_eq!(rotated["old_tokens"], "good");
}

/// [ROLE-7]
#[test]
fn two_processes_over_a_file_are_refused() {
    let machine = Machine::new();
    for role in ["wiki", "sync"] {
        machine
            .run(&["serve", "--role", role])
            .fails(2, "two processes need PostgreSQL");
    }
    machine
        .run(&["serve", "--role", "proxy"])
        .fails(2, "`role` (--role): got `proxy`");
}
