use crate::testing::{Site, on_each_database};
use storage::params;

use crate::{Actor, ContentKind, Place, SearchQuery};

async fn find(site: &Site, actor: &Actor, text: &str) -> Vec<String> {
    site.wiki.run_due_jobs().await.unwrap();
    let query = SearchQuery {
        text: text.into(),
        ..SearchQuery::default()
    };
    let result = site.wiki.search(actor, query).await.unwrap();
    assert_eq!(result.total, result.hits.len());
    result.hits.into_iter().map(|hit| hit.title).collect()
}

#[test]
fn titles_count_more_than_bodies_and_the_last_word_may_be_unfinished() {
    on_each_database(async |site| {
        site.space("DOC").await;
        site.page("DOC", None, "Coffee", "<p>How to make a café crème.</p>")
            .await;
        site.page(
            "DOC",
            None,
            "Kitchen",
            "<p>There is coffee in the kitchen, and more coffee.</p>",
        )
        .await;
        let all = Actor::System;
        assert_eq!(find(&site, &all, "coffee").await, ["Coffee", "Kitchen"]);
        assert_eq!(find(&site, &all, "cafe CRE").await, ["Coffee"]);
        assert_eq!(
            find(&site, &all, "cre cafe").await,
            [""; 0],
            "only the last word is unfinished"
        );
        assert_eq!(find(&site, &all, "coffee kit").await, ["Kitchen"]);
        assert_eq!(find(&site, &all, "").await, [""; 0]);
        let result = site
            .wiki
            .search(
                &all,
                SearchQuery {
                    text: "creme".into(),
                    ..SearchQuery::default()
                },
            )
            .await
            .unwrap();
        let marked: Vec<_> = result.hits[0]
            .excerpt
            .iter()
            .filter(|f| f.matched)
            .map(|f| f.text.as_str())
            .collect();
        assert_eq!(marked, ["crème"]);
    });
}

#[test]
fn a_damaged_body_keeps_no_other_page_from_being_found() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let damaged = site.page("DOC", None, "Damaged", "<p>zebra</p>").await.id;
        let missing = site.page("DOC", None, "Missing", "<p>zebra</p>").await.id;
        site.page("DOC", None, "Whole", "<p>zebra</p>").await;
        site.wiki
            .write(move |tx| {
                let sql = "UPDATE content_version SET body = $2 WHERE content_id = $1";
                tx.execute(sql, params![damaged, b"\x01\x02".as_slice()])?;
                let sql = "DELETE FROM content_version WHERE content_id = $1";
                tx.execute(sql, params![missing])?;
                Ok(())
            })
            .await
            .unwrap();
        let all = Actor::System;
        assert_eq!(find(&site, &all, "zebra").await, ["Whole"]);
        assert_eq!(find(&site, &all, "damaged").await, ["Damaged"]);
        assert_eq!(find(&site, &all, "missing").await, ["Missing"]);
    });
}

#[test]
fn nobody_finds_what_they_may_not_read() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let (ann, bob) = (site.user("ann").await, site.user("bob").await);
        let top = site
            .page("DOC", None, "Salaries", "<p>secret numbers</p>")
            .await
            .id;
        let below = site
            .page("DOC", Some(top), "Details", "<p>secret details</p>")
            .await
            .id;
        site.wiki
            .comments()
            .add(&ann, below, None, "a secret remark")
            .await
            .unwrap();
        assert_eq!(find(&site, &bob, "secret").await.len(), 3);
        assert_eq!(find(&site, &Actor::Anonymous, "secret").await.len(), 0);
        let ann_id = ann.user_id().unwrap();
        site.wiki
            .write(move |tx| {
                let sql = "INSERT INTO content_restriction (content_id, operation, subject_kind, subject_id) VALUES ($1, 'view', 'user', $2)";
                tx.execute(sql, storage::params![top, ann_id])?;
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(find(&site, &bob, "secret").await.len(), 0);
        assert_eq!(find(&site, &ann, "secret").await.len(), 3);
        let home = site
            .wiki
            .spaces()
            .find(&ann, "DOC")
            .await
            .unwrap()
            .home_id
            .unwrap();
        site.wiki
            .pages()
            .move_to(&Actor::System, below, Place::Under(home))
            .await
            .unwrap();
        assert_eq!(
            find(&site, &bob, "secret").await.len(),
            2,
            "moved out from under the restricted page"
        );
    });
}

#[test]
fn the_index_follows_renaming_trashing_and_labels() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Apples", "<p>fruit</p>").await.id;
        let all = Actor::System;
        site.edit(&all, page, "Pears", "<p>fruit</p>")
            .await
            .unwrap();
        assert_eq!(find(&site, &all, "apples").await, [""; 0]);
        assert_eq!(find(&site, &all, "pears").await, ["Pears"]);
        site.wiki
            .labels()
            .add(&all, page, &["harvest".into()])
            .await
            .unwrap();
        site.wiki.run_due_jobs().await.unwrap();
        let query = SearchQuery {
            label: Some("Harvest".into()),
            kind: Some(ContentKind::Page),
            ..SearchQuery::default()
        };
        assert_eq!(site.wiki.search(&all, query).await.unwrap().total, 1);
        site.wiki
            .comments()
            .add(&all, page, None, "delicious")
            .await
            .unwrap();
        assert_eq!(find(&site, &all, "delicious").await, ["Pears"]);
        site.wiki.pages().trash(&all, page).await.unwrap();
        assert_eq!(find(&site, &all, "delicious").await, [""; 0]);
        assert_eq!(find(&site, &all, "fruit").await, [""; 0]);
        assert_eq!(site.wiki.check().await.unwrap().faults, [""; 0]);
    });
}

#[test]
fn an_index_that_is_missing_is_made_anew() {
    on_each_database(async |site| {
        site.space("DOC").await;
        site.page("DOC", None, "Apples", "").await;
        site.wiki.run_due_jobs().await.unwrap();
        std::fs::remove_dir_all(site.folder.path().join("search")).unwrap();
        site.wiki.prepare_search().await.unwrap();
        assert_eq!(find(&site, &Actor::System, "apples").await, ["Apples"]);
    });
}
