//! Backup, restore and check by the real program.

use std::fs;

use crate::support::{Machine, files};

const PASSWORD: &[u8] = b"correct horse battery\n";

#[test]
fn a_backup_of_a_running_wiki_is_restored_elsewhere() {
    let machine = Machine::new();
    machine
        .run_with(
            &["user", "add", "ann", "--admin", "--password-stdin"],
            PASSWORD,
        )
        .ok();
    let server = machine.serve(&[]);
    let adding = std::thread::scope(|scope| {
        let adding = scope.spawn(|| {
            (0..6)
                .map(|number| machine.run(&["user", "add", &format!("user{number}")]).ok())
                .count()
        });
        machine.run(&["backup", "one.zip"]).ok();
        adding.join().unwrap()
    });
    assert_eq!(adding, 6);
    let words = ["backup", "two.zip", "--json"];
    let summary = machine.run(&words).ok().json();
    assert!(summary["rows"].as_u64().unwrap() >= 7, "{summary}");
    machine
        .run(&["backup", "two.zip"])
        .fails(1, "exists already");
    drop(server);

    machine.run(&["restore", "two.zip"]).fails(1, "not empty");
    let elsewhere = ["--data", "elsewhere"];
    machine
        .run(&[&["restore", "two.zip"][..], &elsewhere].concat())
        .ok();
    machine.run(&[&["check"][..], &elsewhere].concat()).ok();
    let list = |more: &[&str]| {
        machine
            .run(&[&["user", "list", "--json"], more].concat())
            .ok()
            .json()
    };
    assert_eq!(list(&elsewhere), list(&[]));
    assert_eq!(list(&elsewhere)["users"].as_array().unwrap().len(), 7);
    machine
        .run(&["restore", "missing.zip", "--data", "third"])
        .fails(1, "missing.zip");
    let cut = fs::read(machine.path("two.zip")).unwrap();
    fs::write(machine.path("cut.zip"), &cut[..cut.len() / 2]).unwrap();
    machine
        .run(&["restore", "cut.zip", "--data", "third"])
        .fails(1, "not a complete backup");
    // What failed has left nothing in the way.
    machine.run(&["restore", "two.zip", "--data", "third"]).ok();
}

#[test]
fn a_backup_moves_between_the_two_databases() {
    let Ok(server) = std::env::var("WATERSMEET_TEST_POSTGRES") else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "WATERSMEET_TEST_POSTGRES must be set in CI"
        );
        eprintln!("skipped: WATERSMEET_TEST_POSTGRES is not set");
        return;
    };
    assert!(server.contains("://"));
    let target = storage::test_databases().pop().unwrap();
    let storage::DatabaseUrl::Postgres(address) = &target.url else {
        panic!("the last test database is PostgreSQL");
    };
    let machine = Machine::new();
    machine
        .run_with(
            &["user", "add", "ann", "--admin", "--password-stdin"],
            PASSWORD,
        )
        .ok();
    machine.run(&["backup", "a.zip"]).ok();
    let there = ["--data", "there", "--database", address];
    machine
        .run(&[&["restore", "a.zip"][..], &there].concat())
        .ok();
    machine
        .run(&[&["backup", "b.zip"][..], &there].concat())
        .ok();
    machine.run(&["restore", "b.zip", "--data", "back"]).ok();
    let list = |more: &[&str]| {
        machine
            .run(&[&["user", "list", "--json"], more].concat())
            .ok()
            .json()
    };
    assert_eq!(list(&["--data", "back"]), list(&[]));
    assert_eq!(list(&there), list(&[]));
}

#[test]
fn check_finds_a_flipped_byte_in_an_attachment() {
    let machine = Machine::new();
    import_garden(&machine);
    machine.run(&["check"]).ok();
    let blobs = files(&machine.path("data/blobs"));
    let blob = blobs.first().expect("the garden has an attachment");
    let mut bytes = fs::read(blob).unwrap();
    bytes[0] ^= 1;
    fs::write(blob, bytes).unwrap();
    let outcome = machine.run(&["check"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("fault: "), "{}", outcome.stdout);
    let report = machine.run(&["check", "--json"]).json();
    assert_eq!(report["faults"].as_array().unwrap().len(), 1, "{report}");
    fs::remove_file(blob).unwrap();
    let report = machine.run(&["check", "--json"]).json();
    assert_eq!(report["faults"].as_array().unwrap().len(), 1, "{report}");
}

#[test]
fn check_finds_a_hole_in_the_log_of_a_page() {
    let machine = Machine::new();
    import_garden(&machine);
    let change = |sql: &'static [&'static str]| {
        let url = storage::DatabaseUrl::Sqlite(machine.path("data/watersmeet.sqlite"));
        let database = storage::Database::open_blocking(&url, wiki::MIGRATIONS).unwrap();
        let changed: Result<(), storage::Error> = database.write_blocking(move |tx| {
            sql.iter()
                .try_for_each(|sql| tx.execute(sql, storage::params![]).map(|_| ()))
        });
        changed.unwrap();
        database.close_blocking();
    };
    let faults = || {
        machine.run(&["check", "--json"]).json()["faults"]
            .as_array()
            .unwrap()
            .len()
    };
    change(&[
        "DELETE FROM live_update",
        "DELETE FROM live_document",
        "INSERT INTO live_document (page_id, epoch, head_seq, snapshot_seq, published_seq) SELECT MIN(id), 1, 3, 0, 0 FROM content WHERE kind = 'page'",
        "INSERT INTO live_update (page_id, epoch, seq, connection, bytes, checksum, committed_at_ms) SELECT page_id, 1, 1, 0, '', 0, 0 FROM live_document",
        "INSERT INTO live_update (page_id, epoch, seq, connection, bytes, checksum, committed_at_ms) SELECT page_id, 1, 2, 0, '', 0, 0 FROM live_document",
        "INSERT INTO live_update (page_id, epoch, seq, connection, bytes, checksum, committed_at_ms) SELECT page_id, 1, 3, 0, '', 0, 0 FROM live_document",
    ]);
    let before = faults();
    change(&["DELETE FROM live_update WHERE seq = 2"]);
    assert!(faults() > before || before == 0 && faults() > 0);
    assert_eq!(machine.run(&["check"]).code, Some(1));
}

/// A small space of our own making, with attachments.
fn import_garden(machine: &Machine) {
    let garden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/import/garden");
    machine.run(&["import", "confluence", garden]).ok();
}
