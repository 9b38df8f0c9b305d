//! Blobs in a directory.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use storage::{BlobRef, BlobStore, DirectoryBlobs, Error};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn path(root: &Path, sha256: &str) -> PathBuf {
    root.join(&sha256[..2]).join(&sha256[2..])
}

fn list(blobs: &DirectoryBlobs) -> Vec<BlobRef> {
    let mut found = Vec::new();
    blobs
        .list(&mut |blob| {
            found.push(blob);
            Ok(())
        })
        .unwrap();
    found.sort();
    found
}

fn read(blobs: &DirectoryBlobs, sha256: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    blobs.open(sha256).unwrap().read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn what_is_put_is_read_listed_and_deleted() {
    let root = tempfile::tempdir().unwrap();
    let blobs = DirectoryBlobs::open(root.path()).unwrap();
    let blob = blobs.put(&mut &b"abc"[..]).unwrap();
    assert_eq!((blob.sha256.as_str(), blob.size), (ABC, 3));
    assert!(blobs.contains(ABC).unwrap());
    assert_eq!(read(&blobs, ABC).unwrap(), b"abc");
    assert_eq!(list(&blobs), [blob]);
    let mut reader = blobs.open(ABC).unwrap();
    reader.seek(SeekFrom::Start(1)).unwrap();
    let mut part = String::new();
    reader.read_to_string(&mut part).unwrap();
    assert_eq!((part.as_str(), reader.size()), ("bc", 3));
    blobs.delete(ABC).unwrap();
    blobs.delete(ABC).unwrap();
    assert!(!blobs.contains(ABC).unwrap());
    assert_eq!(blobs.open(ABC).unwrap_err(), Error::NoRow);
}

#[test]
fn damage_is_noticed_at_the_end_of_the_read_and_healed_by_the_next_put() {
    let root = tempfile::tempdir().unwrap();
    let blobs = DirectoryBlobs::open(root.path()).unwrap();
    blobs.put(&mut &b"abc"[..]).unwrap();
    fs::write(path(root.path(), ABC), b"abd").unwrap();
    let error = read(&blobs, ABC).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    blobs.put(&mut &b"abc"[..]).unwrap();
    assert_eq!(read(&blobs, ABC).unwrap(), b"abc");
}

#[test]
fn an_unfinished_blob_leaves_nothing_and_a_crashed_one_is_not_a_blob() {
    let root = tempfile::tempdir().unwrap();
    let blobs = DirectoryBlobs::open(root.path()).unwrap();
    let mut writer = blobs.writer().unwrap();
    writer.write_all(b"half").unwrap();
    drop(writer);
    let incoming = root.path().join("incoming");
    assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
    // A process that was killed leaves its file.
    let left = incoming.join("blob-left");
    fs::write(&left, b"half").unwrap();
    let again = DirectoryBlobs::open(root.path()).unwrap();
    assert_eq!(list(&again), []);
    assert!(left.exists(), "another process may still be writing it");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 86_400);
    fs::File::options()
        .write(true)
        .open(&left)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    DirectoryBlobs::open(root.path()).unwrap();
    assert!(!left.exists());
}

#[test]
fn two_writers_of_one_content_both_succeed() {
    let root = tempfile::tempdir().unwrap();
    let blobs = DirectoryBlobs::open(root.path()).unwrap();
    let content = vec![7_u8; 300_000];
    let mut writers: Vec<_> = (0..2).map(|_| blobs.writer().unwrap()).collect();
    for part in content.chunks(1_000) {
        for writer in &mut writers {
            writer.write_all(part).unwrap();
        }
    }
    let threads = writers
        .into_iter()
        .map(|writer| std::thread::spawn(move || writer.finish()));
    let refs: Vec<BlobRef> = threads
        .collect::<Vec<_>>()
        .into_iter()
        .map(|it| it.join().unwrap().unwrap())
        .collect();
    assert_eq!(refs[0], refs[1]);
    assert_eq!(list(&blobs).len(), 1);
    assert_eq!(read(&blobs, &refs[0].sha256).unwrap(), content);
}

#[test]
fn names_cannot_lead_out_of_the_directory() {
    let root = tempfile::tempdir().unwrap();
    let blobs = DirectoryBlobs::open(root.path()).unwrap();
    for name in [
        "../../etc/passwd",
        "",
        "ab",
        &ABC.to_uppercase(),
        &format!("{}/", &ABC[..63]),
    ] {
        assert!(matches!(blobs.open(name), Err(Error::Invalid(_))), "{name}");
        assert!(
            matches!(blobs.delete(name), Err(Error::Invalid(_))),
            "{name}"
        );
    }
}
