//! Importing and exporting by the real program.

use std::fs;

use crate::support::Machine;

/// A small space of our own making, with attachments.
pub(crate) const GARDEN: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/import/garden");

#[test]
fn an_import_reports_as_text_and_as_one_object() {
    let machine = Machine::new();
    let words = ["import", "confluence", GARDEN, "--json"];
    let first = machine.run(&words).ok().json();
    assert_eq!(first["spaces"][0]["key"], "GARDEN");
    let created = first["results"]["page"]["created"].as_u64().unwrap();
    assert!(created > 0, "{first}");
    let second = machine.run(&words).ok().json();
    assert_eq!(second["results"]["page"]["created"], 0);
    assert_eq!(second["results"]["page"]["unchanged"], created);
    let text = machine.run(&words[..3]).ok();
    assert!(text.stdout.starts_with("space GARDEN"), "{}", text.stdout);
    assert!(
        text.stderr.is_empty(),
        "no progress without a terminal: {}",
        text.stderr
    );
    machine.run(&["check"]).ok();
}

#[test]
fn an_import_beside_a_running_server_is_seen_at_once() {
    let machine = Machine::new();
    machine.run(&["user", "add", "ann", "--admin"]).ok();
    let server = machine.serve(&[]);
    machine
        .run(&["import", "confluence", GARDEN, "--as", "PLOT"])
        .ok();
    let token = ["token", "create", "--user", "ann", "--name", "test"];
    let token = machine.run(&token).ok().stdout;
    let status = |path: &str| server.get_as(path, token.trim()).0;
    let found = status("/display/PLOT/Garden");
    assert!(found.contains(" 200 ") || found.contains(" 30"), "{found}");
    let by_its_former_key = status("/display/GARDEN/Garden");
    assert!(by_its_former_key.contains(" 30"), "{by_its_former_key}");
    assert!(status("/display/MEADOW/Garden").contains(" 404 "));
    assert!(
        !server.get("/display/PLOT/Garden").0.contains(" 200 "),
        "not for everybody"
    );
}

#[test]
fn a_dry_run_writes_nothing_and_nonsense_is_refused() {
    let machine = Machine::new();
    machine
        .run(&["import", "confluence", GARDEN, "--dry-run"])
        .ok();
    let listed = machine
        .run(&["import", "confluence", GARDEN, "--json"])
        .ok()
        .json();
    assert!(listed["results"]["page"]["created"].as_u64().unwrap() > 0);
    fs::write(machine.path("letter.zip"), "Dear reader").unwrap();
    machine
        .run(&["import", "confluence", "letter.zip"])
        .fails(1, "letter.zip");
    machine
        .run(&["import", "confluence", "missing.zip"])
        .fails(1, "missing.zip");
}

#[test]
fn a_page_is_exported_in_every_form() {
    let machine = Machine::new();
    machine.run(&["import", "confluence", GARDEN]).ok();
    let url = storage::DatabaseUrl::Sqlite(machine.path("data/watersmeet.sqlite"));
    let database = storage::Database::open_blocking(&url, wiki::MIGRATIONS).unwrap();
    let id = database.read_blocking(|tx| {
        let sql = "SELECT id FROM content WHERE kind = 'page' AND title = 'Garden' AND status = 'current'";
        tx.query_one(sql, storage::params![])?.i64(0)
    });
    let id = Result::<i64, storage::Error>::unwrap(id).to_string();
    database.close_blocking();
    let export = |form: &str| machine.run(&["page", "export", &id, "--format", form]);
    let storage = export("storage").ok().stdout;
    assert!(storage.starts_with('<'), "{storage}");
    assert!(export("html").ok().stdout.starts_with('<'));
    let words = |text: &str| text.split_whitespace().count();
    assert!(words(&export("text").ok().stdout) > 3);
    assert!(words(&export("markdown").ok().stdout) > 3);
    machine
        .run(&["page", "export", "999999", "--format", "html"])
        .fails(1, "999999");
}
