//! What every handler shares.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use axum::http::HeaderValue;
use wiki::{LiveDocuments, Wiki};

use crate::cache::PageCache;
use crate::failure::Answer;
use crate::headers;
use crate::live::{self, Registry, Sessions};
use crate::metrics::Metrics;
use crate::sync_process::SyncProcess;
use crate::sync_settings::SyncSettings;

/// What the server decides about the web part.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address people type, without a slash at the end: `https://wiki.example.org`. With `https` cookies are `Secure`.
    pub public_url: String,
    /// Where uploads wait while they are worked on (`DATA/uploads`).
    pub upload_dir: PathBuf,
    /// How people edit together.
    pub sync: SyncSettings,
}

/// The web part of a running wiki. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

struct Inner {
    wiki: Wiki,
    /// Started by the first who asks: not every process has a runtime to start it on.
    live: tokio::sync::OnceCell<LiveDocuments>,
    settings: Settings,
    /// Where the sync engine is, if not here.
    sync_process: Option<SyncProcess>,
    /// The policy for what pages may load; the sync engine's own address is in it.
    policy: HeaderValue,
    cache: PageCache,
    registry: Registry,
    sessions: Sessions,
    probes: Arc<tokio::sync::Semaphore>,
    metrics: Metrics,
    set_up: AtomicBool,
    requests: AtomicU64,
}

impl Web {
    /// Puts the web part on top of a wiki.
    pub fn new(wiki: Wiki, settings: Settings) -> Self {
        Self::beside(wiki, settings, None)
    }

    /// The same for the role `wiki`, which has the sync engine in another process.
    pub fn beside(wiki: Wiki, settings: Settings, sync_process: Option<SyncProcess>) -> Self {
        let inner = Inner {
            policy: headers::policy(&settings),
            sync_process,
            wiki,
            live: tokio::sync::OnceCell::new(),
            settings,
            cache: PageCache::new(),
            registry: Registry::default(),
            sessions: Sessions::default(),
            probes: live::probe_places(),
            metrics: Metrics::default(),
            set_up: AtomicBool::new(false),
            requests: AtomicU64::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Commits what people have typed and ends live connections with 1012: to be called when the server stops.
    pub async fn drain(&self) {
        self.inner.sessions.stop();
        if let Some(live) = self.inner.live.get() {
            live.drain().await;
        }
    }

    /// The pages that people edit together.
    pub(crate) async fn live(&self) -> wiki::Result<&LiveDocuments> {
        let start = async || {
            let live = LiveDocuments::start(self.inner.wiki.clone()).await?;
            live.set_writers_max(self.sync().writers_max).await;
            Ok(live)
        };
        self.inner.live.get_or_try_init(start).await
    }

    /// The same, if anybody has asked for them yet.
    pub(crate) fn live_now(&self) -> Option<&LiveDocuments> {
        self.inner.live.get()
    }

    pub(crate) fn wiki(&self) -> &Wiki {
        &self.inner.wiki
    }

    pub(crate) fn cache(&self) -> &PageCache {
        &self.inner.cache
    }

    /// Live connections over plain HTTP.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    /// Places for tests of the path to a browser.
    pub(crate) fn probes(&self) -> &Arc<tokio::sync::Semaphore> {
        &self.inner.probes
    }

    /// Everybody who is linked to this process.
    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The process that has the sync engine, if it is not this one.
    pub(crate) fn sync_process(&self) -> Option<&SyncProcess> {
        self.inner.sync_process.as_ref()
    }

    /// Whether the sync engine answers, here or in its own process.
    #[allow(dead_code, reason = "the editor asks for it with its connection")]
    pub(crate) async fn sync_answers(&self) -> bool {
        match self.sync_process() {
            Some(process) => process.answers().await,
            None => true,
        }
    }

    /// The policy for what pages may load.
    pub(crate) fn policy(&self) -> &HeaderValue {
        &self.inner.policy
    }

    /// How people edit together.
    pub fn sync(&self) -> &SyncSettings {
        &self.inner.settings.sync
    }

    /// The address people type, without a slash at the end.
    pub(crate) fn public_url(&self) -> &str {
        &self.inner.settings.public_url
    }

    /// Where uploads wait while they are worked on.
    pub(crate) fn upload_dir(&self) -> &Path {
        &self.inner.settings.upload_dir
    }

    /// Whether cookies may only go over TLS.
    pub(crate) fn secure(&self) -> bool {
        self.inner.settings.public_url.starts_with("https://")
    }

    /// The number of this request in this process.
    pub(crate) fn next_request(&self) -> u64 {
        self.inner.requests.fetch_add(1, Relaxed)
    }

    /// Whether the site waits for its first administrator. Once it does not, it never does again.
    pub(crate) async fn first_run(&self) -> Answer<bool> {
        if self.inner.set_up.load(Relaxed) {
            return Ok(false);
        }
        let first = self.inner.wiki.accounts().first_run().await?;
        self.inner.set_up.store(!first, Relaxed);
        Ok(first)
    }
}
