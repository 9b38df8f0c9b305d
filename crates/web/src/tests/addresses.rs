//! Addresses of Confluence lead to the page they led to.

use wiki::{ContentKind, NewPage, tiny_code};

use super::{Browser, Site};

#[tokio::test]
async fn every_old_address_of_a_page_leads_to_it() {
    let site = Site::new().await;
    let id = site.page("DOC", "C++ and Friends", "<p>text</p>").await;
    let addresses = [
        "/display/DOC/C%2B%2B+and+Friends".to_owned(),
        "/display/doc/c%2b%2b%20and%20friends".to_owned(),
        format!("/pages/viewpage.action?pageId={id}"),
        "/pages/viewpage.action?spaceKey=DOC&title=C%2B%2B+and+Friends".to_owned(),
        format!("/x/{}", tiny_code(id)),
        format!("/spaces/DOC/pages/{id}"),
        format!("/spaces/DOC/pages/{id}/Some+other+words"),
        format!("/spaces/WRONG/pages/{id}/x"),
    ];
    for address in addresses {
        let reply = site.follow(&Browser::default(), &address).await;
        assert_eq!(reply.status, 200, "{address}: {}", reply.text());
        assert!(
            reply
                .text()
                .contains("<h1 data-part=\"title\">C++ and Friends</h1>"),
            "{address}"
        );
    }
}

#[tokio::test]
async fn functions_of_a_page_answer_at_their_old_names() {
    let site = Site::new().await;
    let id = site.page("DOC", "Page", "<p>one</p>").await;
    let ann = site.log_in("ann").await;
    let checks = [
        ("viewpreviousversions.action?", "History of Page"),
        ("viewpageattachments.action?", "Attachments"),
        ("viewinfo.action?", "Page information"),
        ("editpage.action?", "data-autoedit=\"true\""),
    ];
    for (action, text) in checks {
        site.follow(&ann, &format!("/pages/{action}pageId={id}"))
            .await
            .is(200)
            .shows(text);
    }
    let compare = site.get(&format!("/pages/diffpagesbyversion.action?pageId={id}&selectedPageVersions=3&selectedPageVersions=1")).await;
    assert_eq!(
        compare.location(),
        format!("/content/{id}/compare?from=1&to=3")
    );
    site.follow(
        &ann,
        &format!("/plugins/viewstorage/viewpagestorage.action?pageId={id}"),
    )
    .await
    .is(200)
    .shows("&lt;p&gt;one&lt;/p&gt;");
}

#[tokio::test]
async fn spaces_people_search_and_the_start_page_answer_at_their_old_names() {
    let site = Site::new().await;
    let to = async |path: &str| site.get(path).await.is(302).location().to_owned();
    assert_eq!(
        to("/dosearchsite.action?queryString=beans+and+peas").await,
        "/search?q=beans%20and%20peas"
    );
    assert_eq!(
        to("/users/viewuserprofile.action?username=ann").await,
        "/people/ann"
    );
    assert_eq!(to("/display/~ann").await, "/people/ann");
    assert_eq!(to("/dashboard.action").await, "/");
    assert_eq!(
        to("/pages/createpage.action?spaceKey=DOC&fromPageId=7").await,
        "/spaces/DOC/new?parent=7"
    );
    assert_eq!(
        to("/labels/viewlabel.action?key=DOC&labelString=a").await,
        "/label/DOC/a"
    );
    for path in [
        "/display/DOC",
        "/spaces/DOC/overview",
        "/spaces/DOC",
        "/spaces/viewspace.action?key=DOC",
        "/spaces/space.action?key=doc",
    ] {
        assert!(to(path).await.starts_with("/spaces/DOC/pages"), "{path}");
    }
}

#[tokio::test]
async fn blog_posts_answer_by_date_and_title() {
    let site = Site::new().await;
    let post = NewPage {
        space_key: "DOC".into(),
        parent: None,
        title: "First harvest".into(),
        kind: ContentKind::BlogPost,
    };
    let head = site
        .kit
        .wiki
        .pages()
        .create_published(&site.ann, post, "<p>beans</p>")
        .await
        .unwrap();
    let day = head.posted_on.unwrap().replace('-', "/");
    let nobody = Browser::default();
    site.follow(&nobody, &format!("/display/DOC/{day}/First+harvest"))
        .await
        .is(200)
        .shows("<p>beans</p>");
    site.follow(&nobody, &format!("/display/DOC/{day}"))
        .await
        .is(200)
        .shows("First harvest");
    site.get("/spaces/DOC/blog/1999/01")
        .await
        .is(200)
        .shows("No posts here yet");
}
