//! The wiki as one cheap handle: database, blobs, search, clock and randomness together.

use crate::accounts::Accounts;
use crate::attachments::Attachments;
use crate::comments::Comments;
use crate::environment::{Clock, Randomness};
use crate::error::{Error, Result};
use crate::import::Imports;
use crate::labels::Labels;
use crate::limits::{
    PASSWORD_HASHES_AT_ONCE, PASSWORD_REMEMBERED_S, PASSWORDS_REMEMBERED_MAX, SETTINGS_AGE_MAX_MS,
};
use crate::live::Drafts;
use crate::pages::Pages;
use crate::passwords;
use crate::search_index::SearchIndex;
use crate::secrets;
use crate::sessions::Sessions;
use crate::settings::SiteSettings;
use crate::spaces::Spaces;
use crate::tokens::Tokens;
use crate::trust::KeptKeys;
use crate::versions::Versions;
use crate::view::RenderCache;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::{BlobStore, Database, Migration, Tx, WriteTx};
use tokio::sync::Semaphore;

/// The steps that bring a database to the form this crate expects, for [`Database::open`].
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        sql: include_str!("../migrations/0001_initial.sql"),
    },
    Migration {
        number: 2,
        name: "open documents",
        sql: include_str!("../migrations/0002_open_documents.sql"),
    },
    Migration {
        number: 3,
        name: "writes and epochs",
        sql: include_str!("../migrations/0003_writes_and_epochs.sql"),
    },
    Migration {
        number: 4,
        name: "authorship",
        sql: include_str!("../migrations/0004_authorship.sql"),
    },
];

/// What a wiki is made of; the server brings it, tests bring their own.
pub struct Parts {
    /// Opened with [`MIGRATIONS`].
    pub database: Database,
    /// Bytes of attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// Folder of the search index (`DATA/search`).
    pub search_dir: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Secrets come from here.
    pub random: Arc<dyn Randomness>,
}

/// The wiki. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Wiki {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    blobs: Arc<dyn BlobStore>,
    search: SearchIndex,
    work_dir: PathBuf,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Randomness>,
    rendered: RenderCache,
    password_hashes: Semaphore,
    process_secret: String,
    remembered_passwords: moka::sync::Cache<String, ()>,
    // A lock around one value, never held across an await: the settings and when they were read.
    settings: Mutex<Option<(SiteSettings, i64)>>,
    set_up: AtomicBool,
    trust_keys: KeptKeys,
}

impl Wiki {
    /// Puts the parts together. An index that is missing or damaged is rebuilt by the jobs.
    pub async fn open(parts: Parts) -> Result<Self> {
        let wiki = Self::open_without_search(parts);
        wiki.prepare_search().await?;
        Ok(wiki)
    }

    /// The same for a process that neither searches nor does jobs: it leaves the index alone.
    pub fn open_without_search(parts: Parts) -> Self {
        Self {
            inner: Arc::new(Inner {
                work_dir: parts.search_dir.with_file_name("work"),
                search: SearchIndex::new(parts.search_dir),
                process_secret: secrets::new_secret(parts.random.as_ref()),
                database: parts.database,
                blobs: parts.blobs,
                clock: parts.clock,
                random: parts.random,
                rendered: RenderCache::new(),
                password_hashes: Semaphore::new(PASSWORD_HASHES_AT_ONCE),
                remembered_passwords: moka::sync::Cache::builder()
                    .max_capacity(PASSWORDS_REMEMBERED_MAX)
                    .time_to_live(Duration::from_secs(PASSWORD_REMEMBERED_S))
                    .build(),
                settings: Mutex::new(None),
                set_up: AtomicBool::new(false),
                trust_keys: KeptKeys::default(),
            }),
        }
    }

    /// Milliseconds since 1970, by the wiki's clock.
    pub fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Accounts.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { wiki: self }
    }

    /// Logging in and out.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { wiki: self }
    }

    /// Personal access tokens.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { wiki: self }
    }

    /// Spaces.
    pub fn spaces(&self) -> Spaces<'_> {
        Spaces { wiki: self }
    }

    /// Pages and blog posts.
    pub fn pages(&self) -> Pages<'_> {
        Pages { wiki: self }
    }

    /// Versions of pages and blog posts.
    pub fn versions(&self) -> Versions<'_> {
        Versions { wiki: self }
    }

    /// Drafts of pages and blog posts.
    pub fn drafts(&self) -> Drafts<'_> {
        Drafts { wiki: self }
    }

    /// Comments.
    pub fn comments(&self) -> Comments<'_> {
        Comments { wiki: self }
    }

    /// Labels.
    pub fn labels(&self) -> Labels<'_> {
        Labels { wiki: self }
    }

    /// Attachments.
    pub fn attachments(&self) -> Attachments<'_> {
        Attachments { wiki: self }
    }

    /// Imports from other wikis.
    pub fn imports(&self) -> Imports<'_> {
        Imports { wiki: self }
    }

    /// A place below the data directory for files that are gone when their work is done.
    pub(crate) fn work_dir(&self) -> &Path {
        &self.inner.work_dir
    }

    /// The database, for backup and for the command line's own tables; rules of the wiki stay behind its functions.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Where the bytes of attachments are.
    pub fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.inner.blobs
    }

    pub(crate) fn search_index(&self) -> &SearchIndex {
        &self.inner.search
    }

    pub(crate) fn rendered(&self) -> &RenderCache {
        &self.inner.rendered
    }

    /// The door for questions.
    pub(crate) async fn read<T, F>(&self, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx) -> Result<T> + Send + 'static,
    {
        self.inner.database.read(run).await
    }

    /// The door for changes: one call is one change.
    pub(crate) async fn write<T, F>(&self, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&WriteTx) -> Result<T> + Send + 'static,
    {
        self.inner.database.write(run).await
    }

    pub(crate) fn random(&self) -> &dyn Randomness {
        self.inner.random.as_ref()
    }

    pub(crate) fn new_secret(&self) -> String {
        secrets::new_secret(self.random())
    }

    pub(crate) async fn hash_password(&self, password: &str) -> Result<String> {
        let mut salt = [0; 16];
        self.random().fill(&mut salt);
        let password = password.to_owned();
        self.away(move || passwords::hash(&password, salt)).await?
    }

    pub(crate) async fn verify_password(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool> {
        let password = password.to_owned();
        self.away(move || passwords::verify(&password, hash.as_deref()))
            .await
    }

    /// Runs a password hash on a thread of its own; few at once, because each takes memory and a core.
    async fn away<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _place = self
            .inner
            .password_hashes
            .acquire()
            .await
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)
    }

    /// Under what a right password is remembered: it tells nothing outside this process, and a new password makes a new key.
    pub(crate) fn password_memory_key(&self, stored_hash: &str, password: &str) -> String {
        secrets::hash_of(&format!(
            "{}\n{stored_hash}\n{password}",
            self.inner.process_secret
        ))
    }

    pub(crate) fn remembers_password(&self, key: &str) -> bool {
        self.inner.remembered_passwords.get(key).is_some()
    }

    pub(crate) fn remember_password(&self, key: String) {
        self.inner.remembered_passwords.insert(key, ());
    }

    pub(crate) fn cached_settings(&self) -> Option<SiteSettings> {
        let cached = self
            .inner
            .settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (settings, read_at_ms) = cached.as_ref()?;
        let age_ms = self.now_ms() - read_at_ms;
        (0..SETTINGS_AGE_MAX_MS)
            .contains(&age_ms)
            .then(|| settings.clone())
    }

    pub(crate) fn cache_settings(&self, settings: SiteSettings) {
        let mut cached = self
            .inner
            .settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *cached = Some((settings, self.now_ms()));
    }

    pub(crate) fn trust_keys(&self) -> &KeptKeys {
        &self.inner.trust_keys
    }

    pub(crate) fn is_set_up(&self) -> bool {
        self.inner.set_up.load(Ordering::Relaxed)
    }

    pub(crate) fn note_set_up(&self) {
        self.inner.set_up.store(true, Ordering::Relaxed);
    }
}
