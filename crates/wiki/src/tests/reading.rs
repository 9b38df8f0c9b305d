use crate::testing::{Site, on_each_database};
use crate::{Actor, Error, Right, SpaceChange, Subject};

async fn read_openly(site: &Site, key: &str) {
    let change = SpaceChange {
        anonymous_reading: Some(true),
        ..SpaceChange::default()
    };
    site.wiki
        .spaces()
        .update(&Actor::System, key, change)
        .await
        .unwrap();
}

#[test]
fn rights_of_a_space_are_view_comment_edit_admin() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "<p>Text</p>").await.id;
        let (ann, pages) = (site.user("ann").await, site.wiki.pages());
        assert!(matches!(
            pages.head(&Actor::Anonymous, page).await,
            Err(Error::Forbidden(_))
        ));
        let head = pages.head(&ann, page).await.unwrap();
        assert_eq!(
            (head.can_comment, head.can_edit, head.can_administer),
            (true, true, false)
        );

        read_openly(&site, "DOC").await;
        let head = pages.head(&Actor::Anonymous, page).await.unwrap();
        assert_eq!(
            (head.can_comment, head.can_edit, head.can_administer),
            (false, false, false)
        );

        let spaces = site.wiki.spaces();
        spaces
            .permit(&Actor::System, "doc", Subject::Users, Some(Right::Comment))
            .await
            .unwrap();
        let head = pages.head(&ann, page).await.unwrap();
        assert_eq!((head.can_comment, head.can_edit), (true, false));
        let ann_id = ann.user_id().unwrap();
        spaces
            .permit(
                &Actor::System,
                "doc",
                Subject::User(ann_id),
                Some(Right::Admin),
            )
            .await
            .unwrap();
        assert!(pages.head(&ann, page).await.unwrap().can_administer);
        spaces
            .permit(&ann, "doc", Subject::Anonymous, None)
            .await
            .unwrap();
        assert!(spaces.list(&Actor::Anonymous).await.unwrap().is_empty());
        assert_eq!(spaces.permissions(&ann, "DOC").await.unwrap().len(), 2);
    });
}

#[test]
fn a_restriction_of_reading_holds_for_all_pages_below() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let (ann, bob) = (site.user("ann").await, site.user("bob").await);
        let top = site.page("DOC", None, "Top", "").await.id;
        let below = site.page("DOC", Some(top), "Below", "").await.id;
        let home = site
            .wiki
            .spaces()
            .find(&ann, "DOC")
            .await
            .unwrap()
            .home_id
            .unwrap();
        let ann_id = ann.user_id().unwrap();
        site.wiki
            .write(move |tx| {
                let sql = "INSERT INTO content_restriction (content_id, operation, subject_kind, subject_id) VALUES ($1, 'view', 'user', $2)";
                tx.execute(sql, storage::params![top, ann_id])?;
                Ok(())
            })
            .await
            .unwrap();
        let pages = site.wiki.pages();
        for page in [top, below] {
            assert!(pages.head(&ann, page).await.unwrap().restricted);
            assert!(matches!(
                pages.head(&bob, page).await,
                Err(Error::NotFound(_))
            ));
            assert!(pages.head(&Actor::System, page).await.is_ok());
        }
        let titles = |links: &[crate::PageLink]| {
            links
                .iter()
                .map(|link| link.title.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            titles(&pages.view(&ann, home).await.unwrap().children),
            ["Top"]
        );
        assert_eq!(
            titles(&pages.view(&bob, home).await.unwrap().children),
            [""; 0]
        );
        assert_eq!(
            pages.tree(&bob, "DOC", Some(below)).await.unwrap()[0]
                .children
                .len(),
            0
        );
        assert!(
            !pages
                .recent(&bob, None, 50)
                .await
                .unwrap()
                .iter()
                .any(|page| page.link.title == "Below")
        );
        assert!(
            pages
                .recent(&ann, None, 50)
                .await
                .unwrap()
                .iter()
                .any(|page| page.link.title == "Below")
        );
    });
}

#[test]
fn a_link_follows_the_page_it_names() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let ann = site.user("ann").await;
        let body = "<p>See <ac:link><ri:page ri:content-title=\"Below\" /></ac:link></p>";
        let top = site.page("DOC", None, "Top", body).await.id;
        let pages = site.wiki.pages();
        let view = pages.view(&ann, top).await.unwrap();
        assert!(
            view.content.html.contains("missing"),
            "{}",
            view.content.html
        );
        let below = site
            .page("DOC", Some(top), "Below", "<p>Hello</p>")
            .await
            .id;
        let view = pages.view(&ann, top).await.unwrap();
        let link = format!("<a href=\"/spaces/DOC/pages/{below}/Below\">Below</a>");
        assert!(view.content.html.contains(&link), "{}", view.content.html);
        assert_eq!(view.children[0].id, below);
    });
}

#[test]
fn a_view_has_labels_breadcrumbs_and_the_conversation_in_order() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let (ann, comments) = (site.user("ann").await, site.wiki.comments());
        let top = site.page("DOC", None, "Top", "").await.id;
        let below = site.page("DOC", Some(top), "Below", "").await.id;
        site.wiki
            .labels()
            .add(&ann, below, &["How-To".into()])
            .await
            .unwrap();
        let first = comments
            .add(&ann, below, None, "A <script>question</script>")
            .await
            .unwrap();
        site.clock.advance(1_000);
        let second = comments.add(&ann, below, None, "Another").await.unwrap();
        let answer = comments
            .add(&Actor::System, below, Some(first), "An answer")
            .await
            .unwrap();
        let content = site.wiki.pages().view(&ann, below).await.unwrap().content;
        assert_eq!(content.labels, ["how-to"]);
        let above: Vec<_> = content
            .breadcrumbs
            .iter()
            .map(|link| link.title.as_str())
            .collect();
        assert_eq!(above, ["Space DOC", "Top"]);
        let order: Vec<_> = content
            .comments
            .iter()
            .map(|comment| (comment.id, comment.depth))
            .collect();
        assert_eq!(order, [(first, 0), (answer, 1), (second, 0)]);
        assert!(
            !content.comments[0].html.contains("<script"),
            "{}",
            content.comments[0].html
        );
    });
}

#[test]
fn the_tree_is_open_along_the_way_to_the_current_page() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let a = site.page("DOC", None, "A", "").await.id;
        let b = site.page("DOC", Some(a), "B", "").await.id;
        let c = site.page("DOC", Some(b), "C", "").await.id;
        site.page("DOC", None, "Z", "").await;
        let pages = site.wiki.pages();
        let closed = pages.tree(&Actor::System, "DOC", None).await.unwrap();
        assert!(closed[0].has_children && closed[0].children.is_empty());
        let open = pages.tree(&Actor::System, "DOC", Some(b)).await.unwrap();
        let first = &open[0].children;
        assert_eq!(
            first
                .iter()
                .map(|node| node.title.as_str())
                .collect::<Vec<_>>(),
            ["A", "Z"]
        );
        assert_eq!(first[0].children[0].children[0].id, c);
        assert_eq!(pages.children(&Actor::System, a).await.unwrap()[0].id, b);
    });
}

#[test]
fn drafts_are_for_those_who_may_edit() {
    on_each_database(async |site| {
        site.space("DOC").await;
        read_openly(&site, "DOC").await;
        let ann = site.user("ann").await;
        let new = crate::NewPage {
            space_key: "DOC".into(),
            parent: None,
            title: "Idea".into(),
            kind: crate::ContentKind::Page,
        };
        let draft = site.wiki.pages().create(&ann, new).await.unwrap();
        assert_eq!((draft.status, draft.version), (crate::Status::Draft, 0));
        assert!(matches!(
            site.wiki.pages().head(&Actor::Anonymous, draft.id).await,
            Err(Error::NotFound(_))
        ));
        assert_eq!(
            site.wiki
                .pages()
                .view(&ann, draft.id)
                .await
                .unwrap()
                .content
                .html,
            ""
        );
        let shown = async |actor: &Actor| {
            site.wiki
                .pages()
                .tree(actor, "DOC", draft.parent_id)
                .await
                .unwrap()[0]
                .children
                .len()
        };
        assert_eq!((shown(&ann).await, shown(&Actor::Anonymous).await), (1, 0));
    });
}

#[test]
fn a_restriction_of_editing_holds_for_its_page_alone_and_names_groups_too() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let (ann, bob) = (site.user("ann").await, site.user("bob").await);
        let top = site.page("DOC", None, "Top", "").await.id;
        let below = site.page("DOC", Some(top), "Below", "").await.id;
        let ann_id = ann.user_id().unwrap();
        site.wiki
            .write(move |tx| {
                tx.execute("INSERT INTO user_group (id, name, lower_name) VALUES (7, 'Writers', 'writers')", &[])?;
                tx.execute("INSERT INTO membership (user_id, group_id) VALUES ($1, 7)", storage::params![ann_id])?;
                let sql = "INSERT INTO content_restriction (content_id, operation, subject_kind, subject_id) VALUES ($1, 'edit', 'group', 7)";
                tx.execute(sql, storage::params![top])?;
                Ok(())
            })
            .await
            .unwrap();
        let may =
            async |actor: &Actor, page| site.wiki.grant(actor, page, Right::Edit).await.is_ok();
        assert!(may(&ann, top).await && !may(&bob, top).await && may(&bob, below).await);
        assert!(site.wiki.grant(&bob, top, Right::Comment).await.is_ok());
        let refused = site.edit(&bob, top, "Top", "<p>no</p>").await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    });
}
