//! A whole wiki in a test, in one line. For tests only; nothing that is shipped depends on it.
//!
//! [`TestWiki::each`] runs a test on a wiki of each database kind (PostgreSQL where `WATERSMEET_TEST_POSTGRES` names a server);
//! [`TestWiki::new`] gives one on SQLite. Folder and database go away with the value. The clock stands still until the test
//! moves it, and randomness is repeatable, so that a failure happens again.
//!
//! What it must not hold: expectations. It makes worlds; tests say what must be true in them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use storage::{Database, DirectoryBlobs, TestDatabase};
use wiki::{Actor, Clock, MIGRATIONS, NewAccount, NewSpace, Parts, Randomness, Wiki};

/// The moment at which every test begins: 2024-05-06 07:08:09 UTC.
pub const START_MS: i64 = 1_714_979_289_000;

/// The password of every account that [`TestWiki::person`] makes.
pub const PASSWORD: &str = "correct horse battery";

/// A wiki on data of its own.
pub struct TestWiki {
    /// The wiki.
    pub wiki: Wiki,
    /// Its clock.
    pub clock: Arc<StillClock>,
    /// `sqlite` or `postgres`, for messages.
    pub name: &'static str,
    target: TestDatabase,
    data: tempfile::TempDir,
}

impl TestWiki {
    /// A wiki on SQLite.
    pub async fn new() -> TestWiki {
        let mut targets = storage::test_databases();
        Self::on(targets.swap_remove(0)).await
    }

    /// Runs a test on a fresh wiki of each kind.
    pub async fn each(test: impl AsyncFn(TestWiki)) {
        for target in storage::test_databases() {
            eprintln!("on {}", target.name);
            test(Self::on(target).await).await;
        }
    }

    async fn on(target: TestDatabase) -> TestWiki {
        let data = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(StillClock(AtomicI64::new(START_MS)));
        let wiki = open(&target, data.path(), clock.clone()).await;
        TestWiki {
            wiki,
            clock,
            name: target.name,
            target,
            data,
        }
    }

    /// A second handle on the same data, as another process would have it.
    pub async fn another(&self) -> Wiki {
        open(&self.target, self.data.path(), self.clock.clone()).await
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// An account that can log in with [`PASSWORD`].
    pub async fn person(&self, name: &str) -> Actor {
        self.account(name, false).await
    }

    /// A site administrator that can log in with [`PASSWORD`].
    pub async fn administrator(&self, name: &str) -> Actor {
        self.account(name, true).await
    }

    /// A space, made by the program itself.
    pub async fn space(&self, key: &str) -> wiki::Space {
        let space = NewSpace {
            key: key.into(),
            name: format!("Space {key}"),
            description: String::new(),
        };
        self.wiki
            .spaces()
            .create(&Actor::System, space)
            .await
            .expect("a new space")
    }

    async fn account(&self, name: &str, admin: bool) -> Actor {
        let account = NewAccount {
            name: name.into(),
            full_name: String::new(),
            email: None,
            admin,
            password: Some(PASSWORD.into()),
        };
        let person = self
            .wiki
            .accounts()
            .add(&Actor::System, account)
            .await
            .expect("a new account");
        Actor::User {
            person,
            admin,
            proof: wiki::Proof::Given,
        }
    }
}

async fn open(target: &TestDatabase, data: &Path, clock: Arc<StillClock>) -> Wiki {
    let database = Database::open(&target.url, MIGRATIONS)
        .await
        .expect("an empty database");
    let blobs = DirectoryBlobs::open(&data.join("blobs")).expect("a folder for blobs");
    let random = Arc::new(Repeatable(AtomicU64::new(1)));
    let parts = Parts {
        database,
        blobs: Arc::new(blobs),
        search_dir: data.join("search"),
        clock,
        random,
    };
    Wiki::open(parts).await.expect("a wiki")
}

/// A clock that only the test moves.
pub struct StillClock(AtomicI64);

impl StillClock {
    /// Lets time pass.
    pub fn pass_ms(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for StillClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// SplitMix64: different on every call, the same in every run.
struct Repeatable(AtomicU64);

impl Randomness for Repeatable {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_handles_on_the_same_data_see_each_other() {
        TestWiki::each(async |world| {
            let ann = world.administrator("ann").await;
            world.space("DOC").await;
            let spaces = world.another().await.spaces().list(&ann).await.unwrap();
            assert_eq!(
                spaces
                    .iter()
                    .map(|space| space.key.as_str())
                    .collect::<Vec<_>>(),
                ["DOC"]
            );
        })
        .await;
    }
}
