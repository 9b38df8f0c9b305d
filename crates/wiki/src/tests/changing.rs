use crate::testing::on_each_database;
use crate::{Actor, Change, Error, PageUpdate, Place, Status};

#[test]
fn titles_are_unique_in_a_space_whatever_their_case() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let one = site.page("DOC", None, "Plan", "").await.id;
        let two = site.page("DOC", None, "Other", "").await.id;
        assert!(matches!(
            site.edit(&Actor::System, two, "PLAN", "").await,
            Err(Error::Conflict(_))
        ));
        site.wiki.pages().trash(&Actor::System, one).await.unwrap();
        assert_eq!(site.edit(&Actor::System, two, "plan", "").await, Ok(2));
        let restored = site
            .wiki
            .pages()
            .restore_from_trash(&Actor::System, one)
            .await;
        assert!(matches!(restored, Err(Error::Conflict(_))), "{restored:?}");
    });
}

#[test]
fn a_body_that_is_not_well_formed_is_refused_with_its_place() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "<p>good</p>").await.id;
        let refused = site.edit(&Actor::System, page, "Plan", "<p>bad<p>").await;
        assert!(
            matches!(&refused, Err(Error::Invalid(message)) if message.contains("line 1")),
            "{refused:?}"
        );
        assert_eq!(
            site.wiki
                .versions()
                .body(&Actor::System, page, None)
                .await
                .unwrap()
                .storage,
            "<p>good</p>"
        );
    });
}

#[test]
fn a_change_that_builds_on_an_old_version_is_refused() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "").await.id;
        let update = || PageUpdate {
            expected: 1,
            title: "Plan".into(),
            storage: "<p>x</p>".into(),
            message: "a\nb".into(),
            minor: true,
        };
        assert_eq!(
            site.wiki
                .versions()
                .publish(&Actor::System, page, update())
                .await,
            Ok(2)
        );
        let other = PageUpdate {
            storage: "<p>y</p>".into(),
            ..update()
        };
        let versions = site.wiki.versions();
        let refused = versions.publish(&Actor::System, page, other).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
        let newest = &site
            .wiki
            .versions()
            .list(&Actor::System, page, None, 10)
            .await
            .unwrap()[0];
        assert_eq!(
            (newest.number, newest.message.as_str(), newest.minor),
            (2, "a b", true)
        );
    });
}

#[test]
fn two_versions_are_compared_and_an_old_one_is_restored_as_a_new_one() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site
            .page("DOC", None, "Plan", "<p>one two</p><p>same</p>")
            .await
            .id;
        site.edit(
            &Actor::System,
            page,
            "Plan B",
            "<p>one three</p><p>same</p>",
        )
        .await
        .unwrap();
        let versions = site.wiki.versions();
        let comparison = versions.compare(&Actor::System, page, 2, 1).await.unwrap();
        assert_eq!(
            (
                comparison.from.number,
                comparison.to.number,
                comparison.changes
            ),
            (1, 2, 1)
        );
        assert_eq!(comparison.blocks[0].change, Change::Changed);
        assert_eq!(versions.restore(&Actor::System, page, 1).await, Ok(3));
        let body = versions.body(&Actor::System, page, None).await.unwrap();
        assert_eq!(body.storage, "<p>one two</p><p>same</p>");
        assert_eq!(
            (body.summary.title.as_str(), body.summary.message.as_str()),
            ("Plan", "restored from version 1")
        );
        assert!(matches!(
            versions.body(&Actor::System, page, Some(9)).await,
            Err(Error::NotFound(_))
        ));
    });
}

#[test]
fn pages_move_in_the_tree_but_never_below_themselves() {
    on_each_database(async |site| {
        site.space("DOC").await;
        site.space("NEW").await;
        let home = site
            .wiki
            .spaces()
            .find(&Actor::System, "DOC")
            .await
            .unwrap()
            .home_id
            .unwrap();
        let mut ids = Vec::new();
        for title in ["A", "B", "C"] {
            ids.push(site.page("DOC", None, title, "").await.id);
        }
        let [a, b, c] = ids[..] else { unreachable!() };
        let pages = site.wiki.pages();
        let order = async |parent| {
            let nodes = pages.children(&Actor::System, parent).await.unwrap();
            nodes.into_iter().map(|node| node.title).collect::<String>()
        };
        pages
            .move_to(&Actor::System, c, Place::Before(b))
            .await
            .unwrap();
        assert_eq!(order(home).await, "ACB");
        pages
            .move_to(&Actor::System, a, Place::After(b))
            .await
            .unwrap();
        assert_eq!(order(home).await, "CBA");
        pages
            .move_to(&Actor::System, b, Place::Under(a))
            .await
            .unwrap();
        assert_eq!(
            (order(home).await.as_str(), order(a).await.as_str()),
            ("CA", "B")
        );
        for place in [Place::Under(b), Place::Under(a), Place::Before(b)] {
            assert!(
                matches!(
                    pages.move_to(&Actor::System, a, place).await,
                    Err(Error::Conflict(_))
                ),
                "{place:?}"
            );
        }
        let other_home = site
            .wiki
            .spaces()
            .find(&Actor::System, "NEW")
            .await
            .unwrap()
            .home_id
            .unwrap();
        pages
            .move_to(&Actor::System, a, Place::Under(other_home))
            .await
            .unwrap();
        assert_eq!(
            pages.head(&Actor::System, b).await.unwrap().space.key,
            "NEW"
        );
        assert_eq!(site.wiki.check().await.unwrap().faults, [""; 0]);
    });
}

#[test]
fn the_trash_gives_back_what_it_took() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let home = site
            .wiki
            .spaces()
            .find(&Actor::System, "DOC")
            .await
            .unwrap()
            .home_id
            .unwrap();
        let a = site.page("DOC", None, "A", "<p>kept</p>").await.id;
        let b = site.page("DOC", Some(a), "B", "").await.id;
        let (ann, pages) = (site.user("ann").await, site.wiki.pages());
        pages.trash(&ann, a).await.unwrap();
        assert_eq!(pages.head(&ann, b).await.unwrap().parent_id, Some(home));
        assert_eq!(pages.head(&ann, a).await.unwrap().status, Status::Trashed);
        assert_eq!(pages.trashed(&ann, "DOC").await.unwrap()[0].link.id, a);
        pages.restore_from_trash(&ann, a).await.unwrap();
        let head = pages.head(&ann, a).await.unwrap();
        assert_eq!(
            (head.status, head.parent_id, head.version),
            (Status::Current, Some(home), 1)
        );
        assert!(matches!(
            pages.trash(&ann, home).await,
            Err(Error::Conflict(_))
        ));
    });
}

#[test]
fn comments_belong_to_who_wrote_them() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "").await.id;
        let (ann, bob, comments) = (
            site.user("ann").await,
            site.user("bob").await,
            site.wiki.comments(),
        );
        let comment = comments.add(&ann, page, None, "first words").await.unwrap();
        let answer = comments
            .add(&bob, page, Some(comment), "an answer")
            .await
            .unwrap();
        assert!(matches!(
            comments.edit(&bob, comment, "mine").await,
            Err(Error::Forbidden(_))
        ));
        assert!(matches!(
            comments.add(&Actor::Anonymous, page, None, "x").await,
            Err(Error::Forbidden(_))
        ));
        assert_eq!(
            comments.source(&ann, comment).await.unwrap().trim(),
            "first words"
        );
        comments.edit(&ann, comment, "second words").await.unwrap();
        let shown = site.wiki.pages().view(&bob, page).await.unwrap();
        assert!(shown.content.comments[0].html.contains("second words"));
        assert!(shown.content.comments[0].edited_at_ms.is_some());
        comments.delete(&Actor::System, comment).await.unwrap();
        let shown = site.wiki.pages().view(&bob, page).await.unwrap();
        assert_eq!(
            shown
                .content
                .comments
                .iter()
                .map(|c| (c.id, c.depth))
                .collect::<Vec<_>>(),
            [(answer, 0)]
        );
    });
}
