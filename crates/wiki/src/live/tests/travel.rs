//! Who wrote what, and the draft as it was.

use super::editor::Editor;
use crate::live::LiveDocuments;
use crate::testing::{Site, on_each_database};
use crate::{Actor, ContentId};

struct Scene {
    live: LiveDocuments,
    ann: Actor,
    bob: Actor,
    page: ContentId,
    site: Site,
}

impl Scene {
    async fn new(site: Site) -> Scene {
        site.space("DOC").await;
        Scene {
            page: site.page("DOC", None, "Plan", "<p>old</p>").await.id,
            live: LiveDocuments::start(site.wiki.clone()).await.unwrap(),
            ann: site.user("ann").await,
            bob: site.user("bob").await,
            site,
        }
    }

    /// Somebody comes, writes this, and goes.
    async fn writes(&self, actor: &Actor, body: &str) -> u64 {
        Editor::join(&self.live, actor, self.page)
            .await
            .write("Plan", body)
            .await
    }

    async fn publish(&self) -> i64 {
        let drafts = self.site.wiki.drafts();
        let done = drafts.publish(&self.ann, self.page, "", false).await;
        done.unwrap().version
    }

    /// The authors of the current version with their units of text, and the page.
    async fn authorship(&self) -> (Vec<(String, u64)>, String) {
        let versions = self.site.wiki.versions();
        let found = versions
            .authorship(&self.ann, self.page, None)
            .await
            .unwrap();
        let name = |share: &crate::Share| match &share.person {
            Some(person) => person.name.clone(),
            None => String::new(),
        };
        let shares = found.shares.iter().map(|share| (name(share), share.units));
        (shares.collect(), found.html)
    }
}

fn shares<const N: usize>(expected: [(&str, u64); N]) -> Vec<(String, u64)> {
    expected
        .map(|(name, units)| (name.to_owned(), units))
        .into()
}

/// [WHO-1] [WHO-2] [WHO-3] Each run is its author's, in the version and in what is written on it later, also after a new epoch.
#[test]
fn who_wrote_what() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        scene.writes(&scene.ann, "<p>old and ann</p>").await;
        scene.writes(&scene.bob, "<p>old and bob and ann</p>").await;
        assert_eq!(scene.publish().await, 2);
        let (authors, html) = scene.authorship().await;
        assert_eq!(authors, shares([("ann", 8), ("bob", 8), ("", 3)]));
        assert_eq!(
            html,
            "<p>old<span class=\"by h0\" data-by=\"0\"> and </span><span class=\"by h1\" data-by=\"1\">bob and </span><span class=\"by h0\" data-by=\"0\">ann</span></p>"
        );
        // A new epoch is written by the server in one go, and the words stay whose they were.
        scene.writes(&scene.bob, "<p>x</p>").await;
        let drafts = scene.site.wiki.drafts();
        drafts.discard(&scene.ann, scene.page).await.unwrap();
        scene
            .writes(&scene.ann, "<p>old and bob and ann!!</p>")
            .await;
        assert_eq!(scene.publish().await, 3);
        let (authors, _) = scene.authorship().await;
        assert_eq!(authors, shares([("ann", 10), ("bob", 8), ("", 3)]));
    });
}

/// [WHO-6] The list of client ids names everybody who wrote in the live document.
#[test]
fn whose_client_ids() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        scene.writes(&scene.ann, "<p>ann</p>").await;
        scene.writes(&scene.bob, "<p>ann bob</p>").await;
        let drafts = scene.site.wiki.drafts();
        let found = drafts.authors(&scene.bob, scene.page).await.unwrap();
        let mut names: Vec<_> = found
            .people
            .iter()
            .map(|person| person.name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["ann", "bob"]);
        assert_eq!(found.clients.len(), 2, "those of the server are nobody's");
    });
}

/// [WHO-4] [WHO-5] The draft is there as it was at every moment since the last version, and can be made so again.
#[test]
fn time_travel() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let drafts = scene.site.wiki.drafts();
        let empty = drafts.history(&scene.ann, scene.page).await.unwrap();
        assert!(empty.moments.is_empty());
        let first = scene.writes(&scene.ann, "<p>one</p>").await;
        let second = scene.writes(&scene.bob, "<p>one</p><p>two</p>").await;
        scene.writes(&scene.ann, "<p>three</p>").await;
        let history = drafts.history(&scene.ann, scene.page).await.unwrap();
        let seen: Vec<_> = history
            .moments
            .iter()
            .map(|moment| (moment.seq, moment.person.as_ref().unwrap().name.as_str()))
            .collect();
        assert_eq!(seen, [(first, "ann"), (second, "bob"), (second + 1, "ann")]);
        let text = async |seq| {
            let state = drafts.at(&scene.ann, scene.page, seq).await.unwrap();
            let html = state.blocks.iter().map(|block| block.html.clone());
            (html.collect::<String>(), state.changes)
        };
        assert_eq!(text(history.base_seq).await, ("<p>old</p>".into(), 0));
        assert!(text(second).await.0.contains("two"));
        drafts
            .restore(&scene.bob, scene.page, second)
            .await
            .unwrap();
        let (document, _) = drafts.read(&scene.ann, scene.page).await.unwrap();
        assert_eq!(
            document::StorageFormat::write(&document),
            "<p>one</p><p>two</p>"
        );
        assert!(
            text(second + 1).await.0.contains("three"),
            "nothing is removed"
        );
        // A version begins a new history.
        scene.publish().await;
        let after = drafts.history(&scene.ann, scene.page).await.unwrap();
        assert!(after.moments.is_empty() && after.since_version == 2);
        assert!(drafts.at(&scene.ann, scene.page, second).await.is_err());
    });
}
