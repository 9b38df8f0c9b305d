//! What reaches open editors from elsewhere, at once.

use super::editor::Editor;
use crate::live::{LiveDocuments, Mode};
use crate::testing::{Site, on_each_database};
use crate::{Actor, ContentId, Credentials, Error, LogIn, NewAccount, Place, Right, Subject};
use collab::{CloseCode, Rights};
use std::time::{Duration, Instant};
use storage::params;

/// A revoke takes effect in less.
const AT_ONCE: Duration = Duration::from_secs(1);

struct Scene {
    site: Site,
    live: LiveDocuments,
    page: ContentId,
    ann: Actor,
}

impl Scene {
    async fn new(site: Site) -> Scene {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "<p>a</p>").await.id;
        Scene {
            live: LiveDocuments::start(site.wiki.clone()).await.unwrap(),
            ann: site.user("ann").await,
            page,
            site,
        }
    }

    async fn editor(&self, actor: &Actor) -> Editor {
        Editor::join(&self.live, actor, self.page).await
    }

    async fn permit(&self, right: Option<Right>) {
        let spaces = self.site.wiki.spaces();
        let permitted = spaces.permit(&Actor::System, "DOC", Subject::Users, right);
        permitted.await.unwrap();
    }
}

/// [WRITE-9] [ROOM-9] Who may only read any more is told within a second, who may not even that is sent away.
#[test]
fn rights() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let mut ann = scene.editor(&scene.ann).await;
        let begun = Instant::now();
        scene.permit(Some(Right::View)).await;
        assert_eq!(ann.access().await, Rights::Read);
        scene.permit(Some(Right::Edit)).await;
        assert_eq!(ann.access().await, Rights::Write);
        scene.permit(None).await;
        assert_eq!(ann.access().await, Rights::None);
        assert_eq!(ann.end().await, CloseCode::Forbidden);
        assert!(begun.elapsed() < AT_ONCE * 3, "{:?}", begun.elapsed());
    });
}

/// [WRITE-9] A disabled account, a revoked token and an ended session end what was opened with them, and nothing else.
#[test]
fn credentials() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let wiki = &scene.site.wiki;
        let account = NewAccount {
            name: "bob".into(),
            password: Some("a long password".into()),
            ..NewAccount::default()
        };
        wiki.accounts().add(&Actor::System, account).await.unwrap();
        let credentials = Credentials {
            name: "bob".into(),
            password: "a long password".into(),
            address: "here".into(),
        };
        let LogIn::Done(session) = wiki.sessions().log_in(credentials).await.unwrap() else {
            panic!("logged in");
        };
        let secret = wiki
            .tokens()
            .create(&Actor::System, "bob", "t")
            .await
            .unwrap();
        let by_token = wiki.tokens().authenticate(&secret).await.unwrap().unwrap();
        let mut browser = scene.editor(&session.session.actor).await;
        let mut program = scene.editor(&by_token).await;
        let mut ann = scene.editor(&scene.ann).await;
        let begun = Instant::now();
        wiki.sessions().log_out(&session.token).await.unwrap();
        assert_eq!(browser.end().await, CloseCode::Forbidden);
        let token = wiki.tokens().list(&by_token, "bob").await.unwrap()[0].id;
        wiki.tokens().revoke(&by_token, token).await.unwrap();
        assert_eq!(program.end().await, CloseCode::Forbidden);
        ann.write("Plan", "<p>still here</p>").await;
        wiki.accounts()
            .disable(&Actor::System, "ann")
            .await
            .unwrap();
        assert_eq!(ann.end().await, CloseCode::Forbidden);
        assert!(begun.elapsed() < AT_ONCE * 3, "{:?}", begun.elapsed());
    });
}

/// [WRITE-10] [ROOM-12] A page that is moved tells its new address and judges again; one in the trash ends at once.
#[test]
fn moved_and_deleted() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let wiki = &scene.site.wiki;
        let secret = scene.site.page("DOC", None, "Secret", "").await.id;
        let restrict = move |tx: &storage::WriteTx| -> crate::Result<()> {
            let sql = "INSERT INTO content_restriction (content_id, operation, subject_kind, subject_id) VALUES ($1, 'view', 'user', 0)";
            tx.execute(sql, params![secret])?;
            Ok(())
        };
        wiki.write(restrict).await.unwrap();
        let mut ann = scene.editor(&scene.ann).await;
        let mut system = scene.editor(&Actor::System).await;
        let begun = Instant::now();
        let pages = wiki.pages();
        pages
            .move_to(&Actor::System, scene.page, Place::Under(secret))
            .await
            .unwrap();
        let moved = system.event("moved").await;
        let head = pages.head(&Actor::System, scene.page).await.unwrap();
        assert_eq!(
            (&moved["url"], &moved["title"]),
            (&head.url().into(), &"Plan".into())
        );
        assert_eq!(ann.end().await, CloseCode::Forbidden);
        pages.trash(&Actor::System, scene.page).await.unwrap();
        system.event("deleted").await;
        assert_eq!(system.end().await, CloseCode::NotFound);
        assert!(begun.elapsed() < AT_ONCE * 3, "{:?}", begun.elapsed());
    });
}

/// [MODE-1] [MODE-2] [MODE-3] Read-only and off, switched while people edit; nothing of the draft is lost.
#[test]
fn modes() {
    on_each_database(|site| async move {
        let scene = Scene::new(site).await;
        let wiki = &scene.site.wiki;
        let mut ann = scene.editor(&scene.ann).await;
        ann.write("Plan", "<p>ab</p>").await;
        let refused = wiki.set_live_mode(&scene.ann, Mode::Off).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        wiki.set_live_mode(&Actor::System, Mode::ReadOnly)
            .await
            .unwrap();
        assert_eq!(ann.access().await, Rights::Read);
        let drafts = wiki.drafts();
        let refused = drafts.publish(&scene.ann, scene.page, "", false).await;
        assert!(matches!(&refused, Err(Error::Conflict(why)) if why.contains("read-only")));
        assert!(drafts.discard(&scene.ann, scene.page).await.is_err());
        // An engine that starts now has the mode from the beginning.
        let later = LiveDocuments::start(wiki.clone()).await.unwrap();
        assert_eq!(later.mode(), Mode::ReadOnly);
        wiki.set_live_mode(&Actor::System, Mode::On).await.unwrap();
        assert_eq!(ann.access().await, Rights::Write);
        ann.write("Plan", "<p>abc</p>").await;
        wiki.set_live_mode(&Actor::System, Mode::Off).await.unwrap();
        ann.event("mode").await;
        let done = drafts
            .publish(&scene.ann, scene.page, "", false)
            .await
            .unwrap();
        assert_eq!(done.version, 2);
        let setting = wiki.live_mode().await.unwrap();
        assert_eq!(
            (setting.mode, setting.by.as_str()),
            (Mode::Off, "Watersmeet")
        );
    });
}
