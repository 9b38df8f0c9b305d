//! Backup, restore and check, from and to both databases.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage::{
    BackupManifest, BlobStore, Database, DatabaseUrl, DirectoryBlobs, Error, Migration, Value,
    backup, check_blobs, check_database, params, restore, test_databases,
};

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "nodes",
        sql: "CREATE TABLE node (id BIGINT NOT NULL, parent BIGINT, name TEXT NOT NULL, bytes BYTEA,
                CONSTRAINT node_pk PRIMARY KEY (id),
                CONSTRAINT node_parent FOREIGN KEY (parent) REFERENCES node (id));
              CREATE TABLE leaf (node BIGINT NOT NULL, n BIGINT NOT NULL, CONSTRAINT leaf_pk PRIMARY KEY (node, n),
                CONSTRAINT leaf_node FOREIGN KEY (node) REFERENCES node (id) DEFERRABLE INITIALLY DEFERRED);
              INSERT INTO node (id, name) VALUES (0, 'seed');",
    },
    Migration {
        number: 2,
        name: "colour",
        sql: "ALTER TABLE node ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'",
    },
];

struct Place {
    folder: tempfile::TempDir,
    blobs: DirectoryBlobs,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(&folder.path().join("blobs")).unwrap();
        Place { folder, blobs }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn fill(url: &DatabaseUrl, migrations: &[Migration], blobs: &DirectoryBlobs) -> Database {
    let database = Database::open_blocking(url, migrations).unwrap();
    let rows: Vec<[Value; 4]> = (1..=700_i64)
        .map(|id| {
            // Parents come after their children, so that references must be checked late.
            let parent = if id < 700 {
                Value::Int(id + 1)
            } else {
                Value::Null
            };
            [
                id.into(),
                parent,
                format!("näme \"{id}\"\n").into(),
                vec![id as u8; 40].into(),
            ]
        })
        .collect();
    database
        .write_blocking(move |tx| {
            tx.execute("DELETE FROM node", params![])?;
            let mut rows = rows.clone();
            rows.reverse();
            tx.execute_many(
                "INSERT INTO node (id, parent, name, bytes) VALUES ($1, $2, $3, $4)",
                &rows,
            )?;
            tx.execute(
                "INSERT INTO leaf (node, n) VALUES (5, $1)",
                params![i64::MIN],
            )
        })
        .unwrap();
    blobs.put(&mut &b"first attachment"[..]).unwrap();
    blobs.put(&mut &vec![9_u8; 200_000][..]).unwrap();
    database
}

fn save(
    database: &Database,
    blobs: &DirectoryBlobs,
    target: &Path,
) -> Result<BackupManifest, Error> {
    backup(database, blobs, target, 1_234, &mut |_| {})
}

fn load(url: &DatabaseUrl, blobs: &DirectoryBlobs, source: &Path) -> Result<BackupManifest, Error> {
    restore(url, MIGRATIONS, blobs, source, &mut |_| {})
}

fn dump(url: &DatabaseUrl) -> Vec<String> {
    let database = Database::open_blocking(url, MIGRATIONS).unwrap();
    let dump = database.read_blocking(|tx| -> Result<Vec<String>, Error> {
        let nodes = tx.query(
            "SELECT id, parent, name, bytes, colour FROM node ORDER BY id",
            params![],
        )?;
        let leaves = tx.query("SELECT node, n FROM leaf ORDER BY node", params![])?;
        Ok(nodes
            .iter()
            .chain(&leaves)
            .map(|row| format!("{:?}", row.values()))
            .collect())
    });
    database.close_blocking();
    dump.unwrap()
}

#[test]
fn a_backup_of_either_database_is_restored_into_either() {
    for source in test_databases() {
        let from = Place::new();
        let database = fill(&source.url, MIGRATIONS, &from.blobs);
        let file = from.file("backup.zip");
        let manifest = save(&database, &from.blobs, &file).unwrap();
        assert_eq!(
            (
                manifest.tables["node"].rows,
                manifest.blobs,
                manifest.blob_bytes
            ),
            (700, 2, 200_016)
        );
        assert!(matches!(
            save(&database, &from.blobs, &file),
            Err(Error::Refused(_))
        ));
        database.close_blocking();
        for target in test_databases() {
            let to = Place::new();
            assert_eq!(
                load(&target.url, &to.blobs, &file).unwrap(),
                manifest,
                "{} to {}",
                source.name,
                target.name
            );
            assert!(
                dump(&target.url) == dump(&source.url),
                "{} to {}",
                source.name,
                target.name
            );
            assert!(
                check_blobs(&to.blobs, &HashSet::new(), &mut |_| {})
                    .unwrap()
                    .damaged
                    .is_empty()
            );
            assert!(
                matches!(load(&target.url, &to.blobs, &file), Err(Error::Refused(_))),
                "not into a database in use"
            );
            let empty = Place::new();
            assert!(
                matches!(load(&target.url, &empty.blobs, &file), Err(Error::Refused(message)) if message.contains("not empty"))
            );
            // The references are enforced again.
            let database = Database::open_blocking(&target.url, MIGRATIONS).unwrap();
            let broken = database.write_blocking(|tx| {
                tx.execute("UPDATE node SET parent = 9999 WHERE id = 1", params![])
            });
            assert_eq!(broken.unwrap_err().constraint(), Some("node_parent"));
            database.close_blocking();
        }
    }
}

#[test]
fn an_older_backup_is_migrated_and_a_newer_one_refused() {
    for source in test_databases() {
        let (from, to) = (Place::new(), Place::new());
        let database = fill(&source.url, &MIGRATIONS[..1], &from.blobs);
        let file = from.file("old.zip");
        save(&database, &from.blobs, &file).unwrap();
        database.close_blocking();
        for target in test_databases() {
            let to = Place::new();
            load(&target.url, &to.blobs, &file).unwrap();
            assert!(dump(&target.url)[0].contains("blue"));
        }
        let none = DatabaseUrl::Sqlite(to.file("none.sqlite"));
        let newer = restore(&none, &[], &to.blobs, &file, &mut |_| {});
        assert!(matches!(newer, Err(Error::Refused(message)) if message.contains("newer program")));
    }
}

#[test]
fn a_backup_shows_one_moment_while_others_write() {
    for source in test_databases() {
        let (from, to) = (Place::new(), Place::new());
        let database = fill(&source.url, MIGRATIONS, &from.blobs);
        let stop = Arc::new(AtomicBool::new(false));
        let (writer, stopping) = (database.clone(), Arc::clone(&stop));
        let (started, has_started) = std::sync::mpsc::channel();
        let writing = std::thread::spawn(move || {
            let mut n = 0_i64;
            while !stopping.load(Ordering::Relaxed) {
                n += 1;
                // Both tables change together; a backup between the two statements would show a difference.
                let written: Result<u64, Error> = writer.write_blocking(move |tx| {
                    tx.execute("UPDATE node SET name = $1", params![format!("round {n}")])?;
                    tx.execute("UPDATE leaf SET n = $1", params![n])
                });
                written.unwrap();
                let _ = started.send(());
            }
            n
        });
        has_started.recv().unwrap();
        let file = from.file("busy.zip");
        save(&database, &from.blobs, &file).unwrap();
        has_started.recv().unwrap();
        stop.store(true, Ordering::Relaxed);
        assert!(writing.join().unwrap() > 1);
        database.close_blocking();
        let target = DatabaseUrl::Sqlite(to.file("target.sqlite"));
        load(&target, &to.blobs, &file).unwrap();
        let rows = dump(&target);
        let round = rows
            .last()
            .unwrap()
            .split("Int(")
            .last()
            .unwrap()
            .trim_end_matches(")]")
            .to_owned();
        let expected = format!("\"round {round}\"");
        assert!(
            rows[..700].iter().all(|row| row.contains(&expected)),
            "{expected}: {}",
            rows[0]
        );
    }
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_the_target_empty() {
    let (from, to) = (Place::new(), Place::new());
    let source = DatabaseUrl::Sqlite(from.file("source.sqlite"));
    let database = fill(&source, MIGRATIONS, &from.blobs);
    let file = from.file("backup.zip");
    save(&database, &from.blobs, &file).unwrap();
    let whole = fs::read(&file).unwrap();
    let damaged = to.file("damaged.zip");
    // A cut, and a changed byte in every twentieth part of the file.
    let mut variants = vec![whole[..whole.len() / 2].to_vec()];
    for part in 0..20 {
        let mut bytes = whole.clone();
        bytes[whole.len() * part / 20 + 60] ^= 0x55;
        variants.push(bytes);
    }
    let mut refused = 0;
    for (number, bytes) in variants.iter().enumerate() {
        fs::write(&damaged, bytes).unwrap();
        let to = Place::new();
        let target = DatabaseUrl::Sqlite(to.file("target.sqlite"));
        if load(&target, &to.blobs, &damaged).is_ok() {
            // The byte was in a part of the file that carries nothing.
            assert!(dump(&target) == dump(&source), "variant {number}");
            continue;
        }
        refused += 1;
        let mut blobs = 0;
        to.blobs
            .list(&mut |_| {
                blobs += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(blobs, 0, "variant {number}");
        load(&target, &to.blobs, &file).unwrap();
        assert!(dump(&target) == dump(&source), "variant {number}");
    }
    assert!(refused > 15, "{refused}");
}

#[test]
fn a_backup_whose_rows_were_exchanged_is_refused() {
    let (from, to) = (Place::new(), Place::new());
    let source = DatabaseUrl::Sqlite(from.file("source.sqlite"));
    let database = fill(&source, MIGRATIONS, &from.blobs);
    let file = from.file("backup.zip");
    save(&database, &from.blobs, &file).unwrap();
    let forged = from.file("forged.zip");
    let mut zip = zip::ZipArchive::new(fs::File::open(&file).unwrap()).unwrap();
    let mut out = zip::ZipWriter::new(fs::File::create(&forged).unwrap());
    for position in 0..zip.len() {
        let mut entry = zip.by_index(position).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == "tables/leaf.jsonl" {
            bytes = String::from_utf8(bytes)
                .unwrap()
                .replace("[-", "[")
                .into_bytes();
            bytes.extend_from_slice(b"[1,7]\n");
        }
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap();
    let target = DatabaseUrl::Sqlite(to.file("target.sqlite"));
    let refused = load(&target, &to.blobs, &forged).unwrap_err();
    assert!(
        matches!(&refused, Error::Damaged(message) if message.contains("leaf")),
        "{refused}"
    );
}

#[test]
fn a_damaged_blob_is_left_out_and_named() {
    let from = Place::new();
    let source = DatabaseUrl::Sqlite(from.file("source.sqlite"));
    let database = fill(&source, MIGRATIONS, &from.blobs);
    let blob = from.blobs.put(&mut &b"will be damaged"[..]).unwrap();
    let path = from
        .file("blobs")
        .join(&blob.sha256[..2])
        .join(&blob.sha256[2..]);
    fs::write(&path, b"Will be damaged").unwrap();
    let needed = HashSet::from([blob.sha256.clone(), "f".repeat(64)]);
    let found = check_blobs(&from.blobs, &needed, &mut |_| {}).unwrap();
    assert_eq!(found.damaged, [blob.sha256.as_str()]);
    assert_eq!(found.missing, ["f".repeat(64)]);
    assert_eq!((found.examined, found.orphans.len()), (3, 2));
    let file = from.file("backup.zip");
    let manifest = save(&database, &from.blobs, &file).unwrap();
    assert_eq!(manifest.damaged_blobs, [blob.sha256]);
    let to = Place::new();
    load(
        &DatabaseUrl::Sqlite(to.file("target.sqlite")),
        &to.blobs,
        &file,
    )
    .unwrap();
}

#[test]
fn a_damaged_database_file_is_told() {
    let from = Place::new();
    let path = from.file("source.sqlite");
    let database = fill(&DatabaseUrl::Sqlite(path.clone()), MIGRATIONS, &from.blobs);
    assert_eq!(check_database(&database), Ok(vec![]));
    database.close_blocking();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let found = Database::open_blocking(&DatabaseUrl::Sqlite(path), MIGRATIONS)
        .and_then(|it| check_database(&it));
    match found {
        Ok(faults) => assert!(!faults.is_empty()),
        Err(error) => assert!(matches!(error, Error::Damaged(_)), "{error:?}"),
    }
}
