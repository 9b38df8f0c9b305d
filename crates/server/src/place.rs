//! The data directory and what is opened in it.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use storage::{BlobStore, Database, DirectoryBlobs};
use web::Role;
use wiki::{Parts, Wiki};

use crate::config::Config;
use crate::environment::{MachineClock, MachineRandomness};
use crate::outcome::Failure;

/// The data directory.
pub(crate) struct Place {
    root: PathBuf,
}

impl Place {
    /// Makes the data directory if it is missing, for nobody but the account that runs the program.
    pub(crate) fn make(config: &Config) -> Result<Place, Failure> {
        let root = &config.data;
        if !root.is_dir() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(root);
            made.map_err(|error| {
                Failure::new(format!(
                    "cannot make the data directory `{}`: {error}; choose another with --data",
                    root.display()
                ))
            })?;
        }
        Ok(Place { root: root.clone() })
    }

    /// The data directory of a wiki that exists already.
    pub(crate) fn existing(config: &Config) -> Result<Place, Failure> {
        let root = &config.data;
        if root.is_dir() && config.has_database() {
            return Ok(Place { root: root.clone() });
        }
        Err(Failure::new(format!(
            "there is no wiki in `{}`; name its data directory with --data, or start one with `watersmeet serve`",
            root.display()
        )))
    }

    pub(crate) fn blobs(&self) -> Result<DirectoryBlobs, Failure> {
        Ok(DirectoryBlobs::open(&self.root.join("blobs"))?)
    }

    /// Where uploads wait; what an earlier process left there is removed. Only the server asks for it.
    pub(crate) fn upload_dir(&self) -> Result<PathBuf, Failure> {
        let path = self.root.join("uploads");
        let failed = |error| Failure::new(format!("cannot make `{}`: {error}", path.display()));
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => fs::create_dir_all(&path).map_err(failed),
        }?;
        Ok(path)
    }

    fn search_dir(&self) -> PathBuf {
        self.root.join("search")
    }

    /// Where the role `sync` would put uploads; it takes none, and leaves those of the wiki alone.
    pub(crate) fn sync_upload_dir(&self) -> PathBuf {
        self.root.join("sync-uploads")
    }

    /// Takes the place of the one server that may use this directory; the role `sync` has a place of its own beside the wiki's.
    pub(crate) fn lock(&self, role: Role) -> Result<ServerLock, Failure> {
        let path = self.root.join(match role {
            Role::Sync => "sync.lock",
            Role::All | Role::Wiki => "server.lock",
        });
        match try_lock(&path)? {
            Some(lock) => Ok(lock),
            None => Err(Failure::new(format!(
                "another server uses the data directory `{}`; stop it first, or choose another with --data",
                self.root.display()
            ))),
        }
    }

    /// Whether a server uses this directory now.
    pub(crate) fn is_served(&self) -> Result<bool, Failure> {
        Ok(try_lock(&self.root.join("server.lock"))?.is_none())
    }

    /// Opens database, blobs and wiki.
    pub(crate) async fn open_wiki(&self, config: &Config) -> Result<OpenWiki, Failure> {
        let (parts, database) = self.parts(config).await?;
        let wiki = Wiki::open(parts).await?;
        Ok(OpenWiki { wiki, database })
    }

    /// The same for a process that neither searches nor does the jobs that make the index.
    pub(crate) async fn open_wiki_without_search(
        &self,
        config: &Config,
    ) -> Result<OpenWiki, Failure> {
        let (parts, database) = self.parts(config).await?;
        Ok(OpenWiki {
            wiki: Wiki::open_without_search(parts),
            database,
        })
    }

    async fn parts(&self, config: &Config) -> Result<(Parts, Database), Failure> {
        let database = Database::open(&config.database, wiki::MIGRATIONS).await?;
        let blobs: Arc<dyn BlobStore> = Arc::new(self.blobs()?);
        let parts = Parts {
            database: database.clone(),
            blobs,
            search_dir: self.search_dir(),
            clock: Arc::new(MachineClock),
            random: Arc::new(MachineRandomness),
        };
        Ok((parts, database))
    }
}

/// An open wiki; `close` ends its database in order.
pub(crate) struct OpenWiki {
    pub(crate) wiki: Wiki,
    pub(crate) database: Database,
}

impl OpenWiki {
    pub(crate) async fn close(self) {
        drop(self.wiki);
        self.database.close().await;
    }
}

/// Held while a server runs; the system gives it back when the process ends, however it ends.
pub(crate) struct ServerLock {
    _file: File,
}

fn try_lock(path: &Path) -> Result<Option<ServerLock>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(format!("cannot lock `{}`: {error}", path.display()))
    };
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(ServerLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}
