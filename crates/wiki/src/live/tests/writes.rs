//! Versions that come by another way than the draft.

use super::editor::Editor;
use crate::live::LiveDocuments;
use crate::testing::{Site, on_each_database};
use crate::{Actor, ContentId, Error, PageUpdate};
use storage::params;

const PLAN: &str = "<p>one fine day</p><p>two fine days</p><p>three fine days</p>";

struct Scene {
    site: Site,
    live: LiveDocuments,
    page: ContentId,
    ann: Actor,
    bob: Actor,
}

impl Scene {
    async fn new(site: Site) -> Scene {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", PLAN).await.id;
        Scene {
            live: LiveDocuments::start(site.wiki.clone()).await.unwrap(),
            ann: site.user("ann").await,
            bob: site.user("bob").await,
            page,
            site,
        }
    }

    async fn editor(&self) -> Editor {
        Editor::join(&self.live, &self.ann, self.page).await
    }

    /// What a program writes that knows version `expected`.
    async fn program(&self, expected: i64, body: &str) -> crate::Result<i64> {
        let update = PageUpdate {
            expected,
            title: "Plan".into(),
            storage: body.into(),
            message: "by a program".into(),
            minor: false,
        };
        let versions = self.site.wiki.versions();
        versions.publish(&self.bob, self.page, update).await
    }

    async fn published(&self) -> (i64, bool, String) {
        let wiki = &self.site.wiki;
        let head = wiki.pages().head(&self.ann, self.page).await.unwrap();
        let body = wiki.versions().body(&self.ann, self.page, None).await;
        (head.version, head.unpublished, body.unwrap().storage)
    }

    async fn contributors(&self) -> Vec<String> {
        let versions = self.site.wiki.versions();
        let newest = &versions.list(&self.ann, self.page, None, 1).await.unwrap()[0];
        let names = newest.contributors.iter().map(|person| person.name.clone());
        names.collect()
    }
}

/// [WRITE-2] [WRITE-4] [WRITE-5] A version from elsewhere goes into the draft by block; the draft stays a draft, and its flag stays.
#[test]
fn a_program_writes_beside_a_draft() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let mut ann = scene.editor().await;
        let draft = PLAN.replace("one fine day", "one fine long day");
        ann.write("Plan", &draft).await;
        let written = PLAN.replace("three fine days", "three cold days");
        assert_eq!(scene.program(1, &written).await, Ok(2));
        assert_eq!(scene.published().await, (2, true, written.clone()));
        let event = ann.event("written").await;
        assert_eq!(
            (&event["by"], &event["version"]),
            (&"bob".into(), &2.into())
        );
        let both = written.replace("one fine day", "one fine long day");
        while ann.reads().1 != both {
            ann.wait(|_| Some(())).await;
        }
        let drafts = scene.site.wiki.drafts();
        let done = drafts.publish(&scene.ann, scene.page, "", false).await;
        assert_eq!(done.unwrap().version, 3);
        assert_eq!(scene.published().await, (3, false, both));
        // The program's author is named at its own version only.
        assert_eq!(scene.contributors().await, Vec::<String>::new());
    });
}

/// [WRITE-5] Start "A", draft "AB", a program writes "AC": the flag does not vanish, and nobody publishes anything unknowingly.
#[test]
fn the_flag_does_not_vanish() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let mut ann = scene.editor().await;
        let with = |more: &str| format!("{PLAN}<p>{more}</p>");
        ann.write("Plan", &with("B")).await;
        assert_eq!(scene.program(1, &with("C")).await, Ok(2));
        assert_eq!(scene.published().await, (2, true, with("C")));
        // Without a draft nothing is unpublished after a write.
        scene
            .site
            .wiki
            .drafts()
            .discard(&scene.ann, scene.page)
            .await
            .unwrap();
        assert_eq!(scene.published().await, (2, false, with("C")));
        assert_eq!(scene.program(2, &with("D")).await, Ok(3));
        assert_eq!(scene.published().await, (3, false, with("D")));
        let draft = scene.site.wiki.drafts().read(&scene.ann, scene.page).await;
        let (document, _) = draft.unwrap();
        assert_eq!(document::StorageFormat::write(&document), with("D"));
    });
}

/// [WRITE-3] The same block changed differently is refused with both texts, and nothing is stored.
#[test]
fn a_real_overlap() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let mut ann = scene.editor().await;
        ann.write(
            "Plan",
            &PLAN.replace("two fine days", "two fine rainy days"),
        )
        .await;
        let refused = scene
            .program(1, &PLAN.replace("two fine days", "two fine hot days"))
            .await;
        let Err(Error::Conflict(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(why.contains("`two fine rainy days` there"), "{why}");
        assert!(why.contains("`two fine hot days` here"), "{why}");
        assert_eq!(scene.published().await, (1, true, PLAN.to_owned()));
        // A restore is such a write too.
        let versions = scene.site.wiki.versions();
        scene
            .site
            .wiki
            .drafts()
            .discard(&scene.ann, scene.page)
            .await
            .unwrap();
        ann.reset().await;
        scene
            .program(1, &PLAN.replace("two fine days", "two cold days"))
            .await
            .unwrap();
        let mut ann = scene.editor().await;
        ann.write(
            "Plan",
            &PLAN.replace("two fine days", "two cold and dark days"),
        )
        .await;
        let refused = versions.restore(&scene.bob, scene.page, 1).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    });
}

/// [WRITE-7] A change that builds on an older version is merged with what was published since.
#[test]
fn a_write_on_an_older_version() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let first = PLAN.replace("one fine day", "one fine long day");
        assert_eq!(scene.program(1, &first).await, Ok(2));
        let late = PLAN.replace("three fine days", "three fine hot days");
        assert_eq!(scene.program(1, &late).await, Ok(3));
        let both = late.replace("one fine day", "one fine long day");
        assert_eq!(scene.published().await, (3, false, both));
        let overlap = PLAN.replace("one fine day", "one fine short day");
        assert!(matches!(
            scene.program(1, &overlap).await,
            Err(Error::Conflict(_))
        ));
        assert!(matches!(
            scene.program(9, PLAN).await,
            Err(Error::Conflict(_))
        ));
    });
}

/// [WRITE-1] A publish names those who wrote in the draft, and publishes nothing but what its author could see.
#[test]
fn contributors() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let mut ann = scene.editor().await;
        ann.write("New plan", PLAN).await;
        let drafts = scene.site.wiki.drafts();
        let done = drafts
            .publish(&scene.bob, scene.page, "", false)
            .await
            .unwrap();
        assert_eq!((done.version, done.title.as_str()), (2, "New plan"));
        let event = ann.event("published").await;
        assert_eq!(
            (&event["by"], &event["title"]),
            (&"bob".into(), &"New plan".into())
        );
        assert_eq!(scene.contributors().await, ["ann"]);
        // Without changes the same version is the answer.
        let same = drafts
            .publish(&scene.ann, scene.page, "", false)
            .await
            .unwrap();
        assert_eq!(same.version, 2);
    });
}

/// [WRITE-6] [WRITE-8] An update that does not fit names who made it, and a discard mends the page.
#[test]
fn a_draft_that_cannot_be_read() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let mut ann = scene.editor().await;
        ann.write("Plan", "<p>one</p>").await;
        ann.write("Plan", "<p>two</p>").await;
        let user = scene.ann.user_id();
        // Passes the scan, and is behind a hole.
        let hole = {
            let mut bytes = ann.edit("Plan", "<p>three</p>");
            for _ in 0..2 {
                bytes = ann.edit("Plan", &format!("<p>three{}</p>", bytes.len()));
            }
            bytes
        };
        let page = scene.page;
        let spoil = move |tx: &storage::WriteTx| -> crate::Result<()> {
            let checksum = super::super::follow::checksum(&hole);
            tx.execute(
                "UPDATE live_update SET bytes = $2, checksum = $3, user_id = $4 WHERE document_id = $1 AND seq = 2",
                params![page, hole.as_ref(), checksum, user],
            )?;
            Ok(())
        };
        scene.site.wiki.write(spoil).await.unwrap();
        let drafts = scene.site.wiki.drafts();
        let refused = drafts.publish(&scene.bob, page, "", false).await;
        let Err(Error::Conflict(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(
            why.contains("change 2 by ann") && why.contains("discard"),
            "{why}"
        );
        drafts.discard(&scene.bob, page).await.unwrap();
        assert_eq!(
            drafts
                .publish(&scene.bob, page, "", false)
                .await
                .unwrap()
                .version,
            1
        );
    });
}
