use crate::sequence;
use crate::testing::on_each_database;
use crate::{Actor, Address, ContentId, Destination, Error, tiny_code};

fn title(key: &str, title: &str) -> Address {
    Address::Title {
        key: key.into(),
        title: title.into(),
    }
}

#[test]
fn every_kind_of_address_leads_to_the_page() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site
            .page("DOC", None, "Release (notes) & more", "")
            .await
            .id;
        let comment = site
            .wiki
            .comments()
            .add(&Actor::System, page, None, "hello")
            .await
            .unwrap();
        let url = format!("/spaces/DOC/pages/{page}/Release+notes+%26+more");
        let expected = Destination::Page {
            id: page,
            comment: None,
            version: None,
            url: url.clone(),
        };
        let addresses = [
            title("doc", "release (NOTES) & more"),
            Address::Id(page.get()),
            Address::Tiny(tiny_code(page)),
        ];
        for address in addresses {
            assert_eq!(
                site.wiki.resolve(&Actor::System, &address).await.as_ref(),
                Ok(&expected),
                "{address:?}"
            );
            assert!(matches!(
                site.wiki.resolve(&Actor::Anonymous, &address).await,
                Err(Error::Forbidden(_))
            ));
        }
        let to_comment = site
            .wiki
            .resolve(&Actor::System, &Address::Id(comment.get()))
            .await
            .unwrap();
        let url = format!("{url}#comment-{comment}");
        assert_eq!(
            to_comment,
            Destination::Page {
                id: page,
                comment: Some(comment),
                version: None,
                url
            }
        );
        let nowhere = site
            .wiki
            .resolve(&Actor::System, &title("DOC", "No such page"))
            .await;
        assert!(matches!(nowhere, Err(Error::NotFound(_))));
    });
}

#[test]
fn a_former_title_leads_on_until_another_page_takes_it() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Old name", "").await.id;
        site.edit(&Actor::System, page, "New name", "")
            .await
            .unwrap();
        let leads_to = async || match site
            .wiki
            .resolve(&Actor::System, &title("DOC", "old NAME"))
            .await
            .unwrap()
        {
            Destination::Page { id, .. } => id,
            other => panic!("{other:?}"),
        };
        assert_eq!(leads_to().await, page);
        let other = site.page("DOC", None, "Old name", "").await.id;
        assert_eq!(leads_to().await, other);
    });
}

#[test]
fn imported_ids_are_kept_where_free_and_redirected_where_not() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let taken = site.page("DOC", None, "Taken", "").await.id;
        let claim = async |wanted: i64| {
            site.wiki
                .write(move |tx| sequence::claim_content_id(tx, wanted))
                .await
                .unwrap()
        };
        assert_eq!(claim(2_408_012_834).await, ContentId::new(2_408_012_834));
        let instead = claim(taken.get()).await;
        assert_eq!(instead, ContentId::new(2_408_012_835));
        assert_eq!(
            claim(1 << 60).await,
            ContentId::new(2_408_012_836),
            "ids that JavaScript cannot hold are not kept"
        );

        let page = site.page("DOC", None, "Imported", "").await.id;
        site.wiki
            .write(move |tx| sequence::redirect(tx, 777_777, page))
            .await
            .unwrap();
        let led = site
            .wiki
            .resolve(&Actor::System, &Address::Id(777_777))
            .await
            .unwrap();
        assert!(matches!(led, Destination::Page { id, .. } if id == page));
        assert!(
            claim(777_777).await > page,
            "a redirected id stays what it is"
        );
    });
}

#[test]
fn the_id_of_an_old_version_leads_to_that_version() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "<p>1</p>").await.id;
        site.edit(&Actor::System, page, "Plan", "<p>2</p>")
            .await
            .unwrap();
        site.sql(
            "UPDATE content_version SET historical_id = 555000 WHERE number = 1 AND title = 'Plan'",
        )
        .await;
        let led = site
            .wiki
            .resolve(&Actor::System, &Address::Id(555_000))
            .await
            .unwrap();
        assert!(
            matches!(led, Destination::Page { id, version: Some(1), .. } if id == page),
            "{led:?}"
        );
    });
}
