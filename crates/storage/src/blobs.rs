//! Bytes kept under the name of their hash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, limits};

/// Names stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobRef {
    /// SHA-256 of the content, 64 lowercase hexadecimal digits.
    pub sha256: String,
    /// Length in bytes.
    pub size: u64,
}

/// A place for bytes that never change. The methods block; call them from a thread that may wait.
///
/// The interface asks for nothing that object storage cannot do: whole objects are written once under a name derived from their
/// content, read in part or whole, listed and deleted.
pub trait BlobStore: Send + Sync {
    /// Starts a new blob; it comes into being with [`BlobWriter::finish`].
    fn writer(&self) -> Result<Box<dyn BlobWriter>, Error>;

    /// Opens a blob, or says [`Error::NoRow`].
    fn open(&self, sha256: &str) -> Result<BlobReader, Error>;

    /// Whether a blob exists.
    fn contains(&self, sha256: &str) -> Result<bool, Error>;

    /// Removes a blob; one that does not exist is removed already.
    fn delete(&self, sha256: &str) -> Result<(), Error>;

    /// Hands over every blob, in no particular order.
    fn list(&self, each: &mut dyn FnMut(BlobRef) -> Result<(), Error>) -> Result<(), Error>;

    /// Stores all that a reader gives. When this returns, the bytes are on disk.
    fn put(&self, reader: &mut dyn Read) -> Result<BlobRef, Error> {
        let mut writer = self.writer()?;
        copy(reader, &mut writer)
            .map_err(|error| Error::Unavailable(format!("cannot store an attachment: {error}")))?;
        writer.finish()
    }
}

/// A blob in the making. Dropped without [`BlobWriter::finish`] it leaves nothing behind.
pub trait BlobWriter: Write + Send {
    /// Makes the blob durable and names it.
    fn finish(self: Box<Self>) -> Result<BlobRef, Error>;
}

/// A stored blob. Read from its start to its end, it verifies the hash and fails at the end if the content is not what it was.
#[derive(Debug)]
pub struct BlobReader {
    file: File,
    sha256: String,
    size: u64,
    // None after a seek: a part cannot be verified.
    hash: Option<Sha256>,
}

impl BlobReader {
    /// Length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        if let (Some(hash), Some(bytes)) = (&mut self.hash, buffer.get(..length)) {
            hash.update(bytes);
        }
        if length == 0
            && !buffer.is_empty()
            && let Some(hash) = self.hash.take()
            && hex::encode(hash.finalize()) != self.sha256
        {
            let message = format!(
                "attachment `{}` is damaged; restore it from a backup",
                self.sha256
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(length)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.hash = None;
        self.file.seek(to)
    }
}

/// Blobs in a directory: `ROOT/ab/cdef...`, with `ROOT/incoming` for what is not complete yet.
#[derive(Debug, Clone)]
pub struct DirectoryBlobs {
    root: PathBuf,
}

impl DirectoryBlobs {
    /// Uses a directory and makes it if it is missing. What an earlier process left incomplete more than a day ago is removed.
    pub fn open(root: &Path) -> Result<DirectoryBlobs, Error> {
        let incoming = root.join("incoming");
        fs::create_dir_all(&incoming).map_err(|error| Error::io("create", &incoming, &error))?;
        remove_stale(&incoming)?;
        Ok(DirectoryBlobs {
            root: root.to_owned(),
        })
    }

    fn path(&self, sha256: &str) -> Result<PathBuf, Error> {
        let is_hash = sha256.len() == 64
            && sha256
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match (is_hash, sha256.get(..2), sha256.get(2..)) {
            (true, Some(folder), Some(name)) => Ok(self.root.join(folder).join(name)),
            _ => Err(Error::Invalid(format!(
                "`{sha256}` is not the name of a blob"
            ))),
        }
    }
}

impl BlobStore for DirectoryBlobs {
    fn writer(&self) -> Result<Box<dyn BlobWriter>, Error> {
        let incoming = self.root.join("incoming");
        let file = tempfile::Builder::new()
            .prefix("blob-")
            .tempfile_in(&incoming)
            .map_err(|error| Error::io("write in", &incoming, &error))?;
        Ok(Box::new(DirectoryWriter {
            blobs: self.clone(),
            file,
            hash: Sha256::new(),
            size: 0,
        }))
    }

    fn open(&self, sha256: &str) -> Result<BlobReader, Error> {
        let path = self.path(sha256)?;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::NoRow),
            Err(error) => return Err(Error::io("read", &path, &error)),
        };
        let size = file
            .metadata()
            .map_err(|error| Error::io("read", &path, &error))?
            .len();
        Ok(BlobReader {
            file,
            sha256: sha256.to_owned(),
            size,
            hash: Some(Sha256::new()),
        })
    }

    fn contains(&self, sha256: &str) -> Result<bool, Error> {
        let path = self.path(sha256)?;
        path.try_exists()
            .map_err(|error| Error::io("look for", &path, &error))
    }

    fn delete(&self, sha256: &str) -> Result<(), Error> {
        let path = self.path(sha256)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("delete", &path, &error))
            }
            _ => Ok(()),
        }
    }

    fn list(&self, each: &mut dyn FnMut(BlobRef) -> Result<(), Error>) -> Result<(), Error> {
        for folder in entries(&self.root)? {
            let prefix = folder.file_name().to_string_lossy().into_owned();
            if prefix.len() != 2 || !folder.path().is_dir() {
                continue;
            }
            for entry in entries(&folder.path())? {
                let sha256 = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if self.path(&sha256).is_err() {
                    continue;
                }
                let metadata = entry
                    .metadata()
                    .map_err(|error| Error::io("read", &entry.path(), &error))?;
                each(BlobRef {
                    sha256,
                    size: metadata.len(),
                })?;
            }
        }
        Ok(())
    }
}

struct DirectoryWriter {
    blobs: DirectoryBlobs,
    file: tempfile::NamedTempFile,
    hash: Sha256,
    size: u64,
}

impl Write for DirectoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.hash.update(bytes.get(..length).unwrap_or_default());
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl BlobWriter for DirectoryWriter {
    fn finish(self: Box<Self>) -> Result<BlobRef, Error> {
        let sha256 = hex::encode(self.hash.finalize());
        let blob = BlobRef {
            sha256,
            size: self.size,
        };
        let path = self.blobs.path(&blob.sha256)?;
        let failed = |error: io::Error| Error::io("write", &path, &error);
        if is_intact(&path, &blob) {
            // The same content again: what is there is kept, and the new file goes with the writer.
            return Ok(blob);
        }
        let Some(folder) = path.parent() else {
            return Err(Error::Internal("a blob has no folder".into()));
        };
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(failed)?;
            sync_folder(&self.blobs.root).map_err(failed)?;
        }
        self.file.as_file().sync_all().map_err(failed)?;
        // Two writers of one content replace each other's file with an equal one.
        self.file
            .persist(&path)
            .map_err(|error| failed(error.error))?;
        sync_folder(folder).map_err(failed)?;
        Ok(blob)
    }
}

/// Whether a file of the right name holds the right content; a damaged one is written anew by whoever has the bytes again.
fn is_intact(path: &Path, blob: &BlobRef) -> bool {
    let right_size = fs::metadata(path).is_ok_and(|metadata| metadata.len() == blob.size);
    right_size && hash_file(path).is_ok_and(|sha256| sha256 == blob.sha256)
}

fn hash_file(path: &Path) -> io::Result<String> {
    let mut hash = Hashing(Sha256::new());
    copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.finish())
}

/// A writer that keeps nothing but the hash.
pub(crate) struct Hashing(pub(crate) Sha256);

impl Hashing {
    pub(crate) fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies everything in constant memory and returns the number of bytes.
pub(crate) fn copy(reader: &mut dyn Read, writer: &mut dyn Write) -> io::Result<u64> {
    let mut buffer = vec![0; limits::COPY_BYTES];
    let mut total = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        writer.write_all(buffer.get(..length).unwrap_or_default())?;
        total += length as u64;
    }
}

/// A rename is durable only when its folder is synced.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(folder)?.sync_all()
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    fs::read_dir(folder)
        .and_then(Iterator::collect)
        .map_err(|error| Error::io("read", folder, &error))
}

fn remove_stale(incoming: &Path) -> Result<(), Error> {
    for entry in entries(incoming)? {
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > limits::INCOMING_MAX) {
            fs::remove_file(entry.path())
                .map_err(|error| Error::io("delete", &entry.path(), &error))?;
        }
    }
    Ok(())
}
