//! Live documents that are written afresh, and edits from before.

use super::editor::Editor;
use crate::limits::EPOCH_KEPT_MS;
use crate::live::epochs::sweep_once;
use crate::live::{LiveDocuments, OfflineEdits, OfflineMerge};
use crate::testing::{Site, on_each_database};
use crate::{Actor, ContentId, Error};
use bytes::Bytes;
use collab::{Append, Log, NewRow, Position, ResetReason};
use document::{Live, StorageFormat};

const PLAN: &str = "<p>one fine day</p><p>two fine days</p>";

struct Scene {
    site: Site,
    live: LiveDocuments,
    page: ContentId,
    ann: Actor,
}

impl Scene {
    async fn new(site: Site) -> Scene {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", PLAN).await.id;
        Scene {
            live: LiveDocuments::start(site.wiki.clone()).await.unwrap(),
            ann: site.user("ann").await,
            page,
            site,
        }
    }

    async fn offline(&self, editor: &Editor, updates: Vec<Bytes>) -> crate::Result<OfflineMerge> {
        let edits = OfflineEdits {
            epoch: editor.at.epoch,
            client_id: editor.lease.client_id,
            proof: editor.lease.proof,
            updates,
        };
        let drafts = self.site.wiki.drafts();
        drafts.merge_offline(&self.ann, self.page, edits).await
    }

    async fn draft(&self) -> String {
        let drafts = self.site.wiki.drafts();
        let (document, _) = drafts.read(&self.ann, self.page).await.unwrap();
        StorageFormat::write(&document)
    }

    async fn unpublished(&self) -> bool {
        let pages = self.site.wiki.pages();
        pages.head(&self.ann, self.page).await.unwrap().unpublished
    }
}

/// [EPOCH-2] [EPOCH-3] [EPOCH-4] A rewriting keeps the draft a draft; who was offline meanwhile is merged, once and under their name.
#[test]
fn offline_across_an_epoch() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let wiki = &scene.site.wiki;
        let mut ann = Editor::join(&scene.live, &scene.ann, scene.page).await;
        let draft = PLAN.replace("one fine day", "one fine long day");
        ann.write("Plan", &draft).await;
        let mut away = Editor::join(&scene.live, &scene.ann, scene.page).await;
        let kept = away.edit(
            "Plan",
            &draft.replace("two fine days", "two fine cold days"),
        );
        let refused = wiki.drafts().compact(&scene.ann, scene.page).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        let done = wiki
            .drafts()
            .compact(&Actor::System, scene.page)
            .await
            .unwrap();
        assert_eq!(done.epoch, 2);
        assert_eq!(ann.reset().await, (2, ResetReason::Rewritten));
        assert_eq!(
            (scene.draft().await, scene.unpublished().await),
            (draft.clone(), true)
        );
        // The same again brings nothing new.
        for _ in 0..2 {
            let merged = scene.offline(&away, vec![kept.clone()]).await.unwrap();
            assert_eq!(merged, OfflineMerge::Merged { seq: 3 });
        }
        let both = draft.replace("two fine days", "two fine cold days");
        assert_eq!(scene.draft().await, both);
        let bob = scene.site.user("bob").await;
        let done = wiki
            .drafts()
            .publish(&bob, scene.page, "", false)
            .await
            .unwrap();
        let newest = &wiki
            .versions()
            .list(&bob, scene.page, None, 1)
            .await
            .unwrap()[0];
        assert_eq!((done.version, newest.contributors.len()), (2, 1));
        assert_eq!(newest.contributors[0].name, "ann");
    });
}

/// [EPOCH-4] Real overlaps, edits of others, and what is not kept any more are refused; the author gets the text.
#[test]
fn what_cannot_be_merged() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let wiki = &scene.site.wiki;
        let mut away = Editor::join(&scene.live, &scene.ann, scene.page).await;
        let kept = away.edit("Plan", &PLAN.replace("two fine days", "two fine cold days"));
        let now = scene.offline(&away, vec![kept.clone()]).await;
        assert!(matches!(now, Err(Error::Invalid(_))), "{now:?}");
        wiki.drafts()
            .compact(&Actor::System, scene.page)
            .await
            .unwrap();
        away.reset().await;
        let mut stranger = Editor::join(&scene.live, &scene.ann, scene.page).await;
        stranger.at = away.at;
        let stolen = scene.offline(&stranger, vec![kept.clone()]).await;
        assert!(matches!(stolen, Err(Error::Invalid(_))), "{stolen:?}");
        let mut ann = Editor::join(&scene.live, &scene.ann, scene.page).await;
        ann.write("Plan", &PLAN.replace("two fine days", "two fine hot days"))
            .await;
        // Two epochs on, the state is still there.
        wiki.drafts()
            .compact(&Actor::System, scene.page)
            .await
            .unwrap();
        let refused = scene.offline(&away, vec![kept.clone()]).await.unwrap();
        assert!(
            matches!(&refused, OfflineMerge::Refused { text, .. } if text == "two fine cold days"),
            "{refused:?}"
        );
        scene.site.clock.advance(EPOCH_KEPT_MS + 1);
        let refused = scene.offline(&away, vec![kept]).await.unwrap();
        assert!(
            matches!(&refused, OfflineMerge::Refused { text, why } if text.contains("cold") && why.contains("not kept")),
            "{refused:?}"
        );
    });
}

/// [EPOCH-1] A document that thousands of edits have bloated is written afresh once nobody has it open; others are left alone.
#[test]
fn bloated() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let wiki = &scene.site.wiki;
        let log = crate::live::log::WikiLog::new(wiki.clone());
        let name = format!("page-{}", scene.page);
        let (at, updates) = log.state_of(&name).await.unwrap();
        let (small, _) = StorageFormat::parse("<p>x</p>").unwrap();
        let (mut state, mut rows) = (collab::merge(&updates).unwrap(), Vec::new());
        for round in 0..40_u64 {
            let blocks: String = (0..120)
                .map(|n| format!("<p>word {n} {round}</p>"))
                .collect();
            for document in [&StorageFormat::parse(&blocks).unwrap().0, &small] {
                let client = (1 << 31) + 1 + rows.len() as u64;
                let update: Bytes = Live::rewrite(&state, document, "Plan", client)
                    .unwrap()
                    .into();
                state = collab::merge(&[state, update.clone()]).unwrap();
                let user = scene.ann.user_id().unwrap().to_string();
                rows.push(NewRow {
                    user,
                    connection: 3,
                    update,
                });
            }
        }
        let head = Position {
            epoch: 1,
            seq: rows.len() as u64,
        };
        let append = Append {
            document: name.clone(),
            base: at,
            rows,
            new_authors: Vec::new(),
        };
        log.append(vec![append]).await.unwrap();
        let fold = collab::Fold {
            document: name.clone(),
            at: head,
            snapshot: state,
        };
        log.fold(fold).await.unwrap();
        let open = Editor::join(&scene.live, &scene.ann, scene.page).await;
        assert_eq!(sweep_once(&scene.live.inner).await.unwrap(), 0);
        drop(open);
        assert_eq!(sweep_once(&scene.live.inner).await.unwrap(), 1);
        assert_eq!(sweep_once(&scene.live.inner).await.unwrap(), 0);
        let (at, updates) = log.state_of(&name).await.unwrap();
        assert_eq!(
            at,
            Position {
                epoch: 2,
                seq: head.seq + 1
            }
        );
        assert!(updates.iter().map(Bytes::len).sum::<usize>() < 1_000);
        assert_eq!(
            (scene.draft().await, scene.unpublished().await),
            ("<p>x</p>".to_owned(), true)
        );
    });
}
