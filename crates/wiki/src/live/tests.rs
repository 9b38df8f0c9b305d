//! The log over storage, on each database.

mod editor;
mod epochs;
mod pushed;
mod travel;
mod writes;

use super::follow::{State, note_published, start_again};
use super::log::WikiLog;
use crate::ids::ContentId;
use crate::permissions::{self, Right};
use crate::testing::{Site, on_each_database};
use crate::{Actor, Result};
use bytes::Bytes;
use collab::{Append, Fold, Loaded, Log, LogError, NewRow, Outcome, Position};
use document::{Live, StorageFormat};
use storage::params;

/// A page with a live document, and edits for it.
struct Opened<'a> {
    site: &'a Site,
    log: WikiLog,
    page: ContentId,
    state: Bytes,
    client: u64,
}

impl Opened<'_> {
    async fn new<'a>(site: &'a Site, title: &str) -> Opened<'a> {
        if title != "Two" {
            site.space("DOC").await;
        }
        let page = site.page("DOC", None, title, "<p>a</p>").await.id;
        let log = WikiLog::new(site.wiki.clone());
        let (_, updates) = log.state_of(&format!("page-{page}")).await.unwrap();
        let state = collab::merge(&updates).unwrap();
        Opened {
            site,
            log,
            page,
            state,
            client: 1 << 31,
        }
    }

    fn document(&self) -> String {
        format!("page-{}", self.page)
    }

    /// An edit that makes the body this.
    fn edit(&mut self, body: &str) -> Bytes {
        self.client += 1;
        let (document, _) = StorageFormat::parse(body).unwrap();
        let update: Bytes = Live::rewrite(&self.state, &document, "Plan", self.client)
            .unwrap()
            .into();
        self.state = collab::merge(&[self.state.clone(), update.clone()]).unwrap();
        update
    }

    fn append(&mut self, base: Position, body: &str) -> Append {
        let update = self.edit(body);
        let row = NewRow {
            user: String::new(),
            connection: 3,
            update,
        };
        Append {
            document: self.document(),
            base,
            rows: vec![row],
            new_authors: Vec::new(),
        }
    }

    async fn head(&self) -> Option<Position> {
        self.log.heads(vec![self.document()]).await.unwrap()[0]
    }

    async fn rows(&self) -> i64 {
        let page = self.page;
        let count = move |tx: &storage::Tx| -> Result<i64> {
            let sql = "SELECT COUNT(*) FROM live_update WHERE document_id = $1";
            Ok(tx.query_one(sql, params![page])?.i64(0)?)
        };
        self.site.wiki.read(count).await.unwrap()
    }
}

fn at(epoch: u64, seq: u64) -> Position {
    Position { epoch, seq }
}

/// [LOG-1] [LOG-4] An append counts on from its base or does nothing; what is refused for one page is committed for another.
#[test]
fn appends() {
    on_each_database(|site| async move {
        let mut one = Opened::new(&site, "One").await;
        let mut two = Opened::new(&site, "Two").await;
        let first = one.append(at(1, 0), "<p>ab</p>");
        assert_eq!(
            one.log.append(vec![first]).await,
            Ok(vec![Outcome::Committed])
        );
        let stale = one.append(at(1, 0), "<p>abc</p>");
        let fine = two.append(at(1, 0), "<p>xyz</p>");
        let outcomes = one.log.append(vec![stale, fine]).await;
        assert_eq!(outcomes, Ok(vec![Outcome::Moved, Outcome::Committed]));
        assert_eq!(
            (one.head().await, two.head().await),
            (Some(at(1, 1)), Some(at(1, 1)))
        );
        let Loaded::Since { tail, .. } =
            one.log.load(&one.document(), Some(at(1, 0))).await.unwrap()
        else {
            panic!("the tail is enough");
        };
        assert_eq!(tail.len(), 1);
        site.wiki
            .pages()
            .trash(&Actor::System, one.page)
            .await
            .unwrap();
        assert_eq!(one.head().await, None);
        let late = one.append(at(1, 1), "<p>late</p>");
        assert_eq!(one.log.append(vec![late]).await, Ok(vec![Outcome::Gone]));
        assert_eq!(
            one.log.load(&one.document(), None).await.err(),
            Some(LogError::Gone)
        );
    });
}

/// [LOG-9] Rows go when they are folded and published, not before; the content stays.
#[test]
fn folding() {
    on_each_database(|site| async move {
        let mut page = Opened::new(&site, "Plan").await;
        for (seq, body) in ["<p>ab</p>", "<p>abc</p>"].into_iter().enumerate() {
            let append = page.append(at(1, seq as u64), body);
            page.log.append(vec![append]).await.unwrap();
        }
        let fold = Fold {
            document: page.document(),
            at: at(1, 2),
            snapshot: page.state.clone(),
        };
        page.log.fold(fold).await.unwrap();
        assert_eq!(page.rows().await, 2);
        let (id, state) = (page.page, page.state.clone());
        site.wiki
            .write(move |tx| note_published(tx, id, at(1, 2), &state))
            .await
            .unwrap();
        assert_eq!(page.rows().await, 0);
        let (head, updates) = page.log.state_of(&page.document()).await.unwrap();
        assert_eq!((head, updates), (at(1, 2), vec![page.state.clone()]));
        // A fold of the past changes nothing.
        let old = Fold {
            document: page.document(),
            at: at(1, 1),
            snapshot: Bytes::from_static(&[0, 0]),
        };
        page.log.fold(old).await.unwrap();
        assert_eq!(
            page.log.state_of(&page.document()).await.unwrap().1,
            vec![page.state.clone()]
        );
    });
}

/// [WRITE-11] What was typed since the last publish stays row by row, behind the state of then, also after folds.
#[test]
fn history() {
    on_each_database(|site| async move {
        let mut page = Opened::new(&site, "Plan").await;
        let id = page.page;
        let bodies = ["<p>ab</p>", "<p>abc</p>", "<p>abcd</p>", "<p>abcde</p>"];
        let base = move |tx: &storage::Tx| Ok(super::base::read(tx, id));
        for (seq, body) in (0..).zip(bodies) {
            let append = page.append(at(1, seq), body);
            page.log.append(vec![append]).await.unwrap();
            let fold = Fold {
                document: page.document(),
                at: at(1, seq + 1),
                snapshot: page.state.clone(),
            };
            page.log.fold(fold).await.unwrap();
            let (from, _) = site.wiki.read(base).await.unwrap().unwrap().unwrap();
            assert_eq!(
                (from, page.rows().await),
                (
                    at(1, if seq < 2 { 0 } else { 2 }),
                    if seq < 2 {
                        seq as i64 + 1
                    } else {
                        seq as i64 - 1
                    }
                )
            );
            if seq == 1 {
                let done = site
                    .wiki
                    .drafts()
                    .publish(&Actor::System, id, "", false)
                    .await;
                assert_eq!(done.unwrap().version, 2);
            }
        }
        let (_, state) = site.wiki.read(base).await.unwrap().unwrap().unwrap();
        let (document, _, _) = Live::read(&[&state]).unwrap();
        assert_eq!(StorageFormat::write(&document), "<p>abc</p>");
    });
}

/// [LOG-1] [LOG-4] A discard begins an epoch whose numbers go on; appends to the old one do nothing.
#[test]
fn epochs() {
    on_each_database(|site| async move {
        let mut page = Opened::new(&site, "Plan").await;
        let append = page.append(at(1, 0), "<p>ab</p>");
        page.log.append(vec![append]).await.unwrap();
        let id = page.page;
        let again = move |tx: &storage::WriteTx| {
            let (_, head) = permissions::require(tx, &Actor::System, id, Right::Edit)?;
            start_again(tx, &head, 0)
        };
        site.wiki.write(again).await.unwrap();
        assert_eq!((page.head().await, page.rows().await), (Some(at(2, 2)), 0));
        let late = page.append(at(1, 1), "<p>late</p>");
        assert_eq!(page.log.append(vec![late]).await, Ok(vec![Outcome::Moved]));
        let state = site
            .wiki
            .read(move |tx| State::read(tx, id))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(state.published_seq, state.head_seq);
    });
}

/// [LOG-7] A hole and damaged bytes are errors that say where.
#[test]
fn damage() {
    on_each_database(|site| async move {
        let mut page = Opened::new(&site, "Plan").await;
        for (seq, body) in ["<p>ab</p>", "<p>abc</p>"].into_iter().enumerate() {
            let append = page.append(at(1, seq as u64), body);
            page.log.append(vec![append]).await.unwrap();
        }
        for (sql, place) in [
            (
                "UPDATE live_update SET checksum = checksum + 1 WHERE seq = 2",
                "update 2",
            ),
            ("DELETE FROM live_update WHERE seq = 1", "update 1"),
            (
                "UPDATE live_snapshot SET checksum = checksum + 1",
                "update 0",
            ),
        ] {
            site.wiki
                .write(move |tx| Ok(tx.execute(sql, params![])?))
                .await
                .unwrap();
            let Err(LogError::Corrupt(why)) = page.log.load(&page.document(), None).await else {
                panic!("{sql}");
            };
            assert!(
                why.contains(place) && why.contains(&page.document()),
                "{why}"
            );
            let (_, faults) = site.wiki.read(super::check).await.unwrap();
            assert_eq!(faults.len(), 1, "{faults:?}");
        }
    });
}
