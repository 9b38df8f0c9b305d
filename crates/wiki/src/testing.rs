//! A wiki for one test, on each kind of database.

use crate::{
    Actor, Clock, MIGRATIONS, NewAccount, NewPage, NewSpace, PageHead, Parts, Randomness, Wiki,
};
use crate::{ContentId, ContentKind};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use storage::{Database, DirectoryBlobs, TestDatabase, test_databases};

/// 2026-01-02 03:04:05 UTC.
pub(crate) const START_MS: i64 = 1_767_323_045_000;

/// A clock that a test sets.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct TestRandomness;

impl Randomness for TestRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// A wiki of one test; everything goes with it.
pub(crate) struct Site {
    pub(crate) wiki: Wiki,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) folder: tempfile::TempDir,
    _database: TestDatabase,
}

/// Runs a test on SQLite and on PostgreSQL.
pub(crate) fn on_each_database<F, W>(test: F)
where
    F: Fn(Site) -> W,
    W: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for database in test_databases() {
        eprintln!("on {}", database.name);
        runtime.block_on(async { test(Site::new(database).await).await });
    }
}

impl Site {
    async fn new(test_database: TestDatabase) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
        let database = Database::open(&test_database.url, MIGRATIONS)
            .await
            .unwrap();
        let parts = Parts {
            database,
            blobs: Arc::new(DirectoryBlobs::open(&folder.path().join("blobs")).unwrap()),
            search_dir: folder.path().join("search"),
            clock: clock.clone(),
            random: Arc::new(TestRandomness),
        };
        Site {
            wiki: Wiki::open(parts).await.unwrap(),
            clock,
            folder,
            _database: test_database,
        }
    }

    /// An account without password, as an actor.
    pub(crate) async fn user(&self, name: &str) -> Actor {
        let account = NewAccount {
            name: name.into(),
            ..NewAccount::default()
        };
        let person = self
            .wiki
            .accounts()
            .add(&Actor::System, account)
            .await
            .unwrap();
        Actor::User {
            person,
            admin: false,
            proof: crate::Proof::Given,
        }
    }

    /// A space that everybody logged in may edit.
    pub(crate) async fn space(&self, key: &str) {
        let space = NewSpace {
            key: key.into(),
            name: format!("Space {key}"),
            description: String::new(),
        };
        self.wiki
            .spaces()
            .create(&Actor::System, space)
            .await
            .unwrap();
    }

    /// A published page.
    pub(crate) async fn page(
        &self,
        key: &str,
        parent: Option<ContentId>,
        title: &str,
        body: &str,
    ) -> PageHead {
        let page = NewPage {
            space_key: key.into(),
            parent,
            title: title.into(),
            kind: ContentKind::Page,
        };
        self.wiki
            .pages()
            .create_published(&Actor::System, page, body)
            .await
            .unwrap()
    }

    /// Publishes the next version of a page.
    pub(crate) async fn edit(
        &self,
        actor: &Actor,
        page: ContentId,
        title: &str,
        body: &str,
    ) -> crate::Result<i64> {
        let expected = self.wiki.pages().head(actor, page).await?.version;
        let (title, storage) = (title.to_owned(), body.to_owned());
        let update = crate::PageUpdate {
            expected,
            title,
            storage,
            message: String::new(),
            minor: false,
        };
        self.wiki.versions().publish(actor, page, update).await
    }

    /// Runs statements that no function of the wiki would, to set a scene.
    pub(crate) async fn sql(&self, sql: &'static str) {
        self.wiki
            .write(move |tx| {
                tx.execute(sql, &[])?;
                Ok(())
            })
            .await
            .unwrap();
    }
}
