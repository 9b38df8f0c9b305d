//! Backup, restore and check by the real program.

use std::fs;

use storage::{Database, DatabaseUrl, Error, WriteTx, params};

use crate::importing::GARDEN;
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
    let DatabaseUrl::Postgres(address) = &target.url else {
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
    // Three updates that change nothing, as the engine would have written them.
    change(&machine, |tx| {
        let nothing = vec![0_u8, 0];
        let checksum = crc32c::crc32c(&nothing);
        tx.execute(
            "INSERT INTO live_document (document_id, epoch, head_seq, snapshot_seq, published_seq, epoch_reason)
             SELECT MIN(id), 1, 3, 0, 0, 1 FROM content WHERE kind = 'page'",
            params![],
        )?;
        tx.execute(
            "INSERT INTO live_snapshot (document_id, bytes, checksum) SELECT document_id, $1, $2 FROM live_document",
            params![&nothing, checksum],
        )?;
        for seq in 1..=3 {
            tx.execute(
                "INSERT INTO live_update (document_id, epoch, seq, connection, bytes, checksum, committed_at_ms)
                 SELECT document_id, 1, $1, 0, $2, $3, 0 FROM live_document",
                params![seq, &nothing, checksum],
            )?;
        }
        Ok(())
    });
    machine.run(&["check"]).ok();
    change(&machine, |tx| {
        tx.execute("DELETE FROM live_update WHERE seq = 2", params![])
            .map(|_| ())
    });
    let outcome = machine.run(&["check"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("update 2 of"), "{}", outcome.stdout);
}

/// Changes the database of a machine behind the program's back.
fn change(machine: &Machine, run: impl Fn(&WriteTx) -> Result<(), Error> + Send + 'static) {
    let url = DatabaseUrl::Sqlite(machine.path("data/watersmeet.sqlite"));
    let database = Database::open_blocking(&url, wiki::MIGRATIONS).unwrap();
    database.write_blocking(run).unwrap();
    database.close_blocking();
}

fn import_garden(machine: &Machine) {
    machine.run(&["import", "confluence", GARDEN]).ok();
}
