//! Reading: what pages show, to whom, and that answers from the cache are the right ones.

use axum::body::Body;
use axum::http::{Request, header};
use wiki::PageUpdate;

use super::{Browser, HOSTILE, Site};

#[tokio::test]
async fn a_page_shows_title_body_and_the_way_to_it_and_hostile_text_stays_text() {
    let site = Site::new().await;
    let id = site.page("DOC", HOSTILE, "<h2>One</h2><p>Words</p>").await;
    let reply = site
        .follow(
            &Browser::default(),
            &format!("/pages/viewpage.action?pageId={id}"),
        )
        .await
        .is(200);
    let text = reply.text();
    assert!(!text.contains("<script>alert"), "{text}");
    assert!(
        text.contains("<h1 data-part=\"title\">C++ &amp; &lt;script&gt;alert(1)"),
        "{text}"
    );
    assert!(
        text.contains(&format!("<meta name=\"ajs-page-id\" content=\"{id}\">")),
        "{text}"
    );
    assert!(text.contains("<p>Words</p>") && text.contains("Skip to end of page metadata"));
    assert!(text.contains("role=\"treeitem\"") && text.contains("aria-label=\"Breadcrumbs\""));
    assert!(
        !text.contains("data-action=\"edit\""),
        "anonymous readers are not offered to edit"
    );
}

#[tokio::test]
async fn everybody_gets_their_own_page_from_the_cache_and_a_change_shows_at_once() {
    let site = Site::new().await;
    let id = site.page("DOC", "Home of all", "<p>first</p>").await;
    let (ann, bo) = (site.log_in("ann").await, site.log_in("bo").await);
    let url = site
        .get(&format!("/pages/viewpage.action?pageId={id}"))
        .await
        .is(302)
        .location()
        .to_owned();
    for _ in 0..2 {
        let for_ann = site
            .get_as(&ann, &url)
            .await
            .is(200)
            .shows("data-user=\"ann\"")
            .text();
        assert!(for_ann.contains(&ann.csrf) && !for_ann.contains(&bo.csrf));
        let for_bo = site
            .get_as(&bo, &url)
            .await
            .is(200)
            .shows("data-user=\"bo\"")
            .text();
        assert!(for_bo.contains(&bo.csrf) && !for_bo.contains("/admin"));
        let for_all = site.get(&url).await.is(200).shows("data-user=\"\"").text();
        assert!(!for_all.contains(&ann.csrf) && for_all.contains("first"));
    }
    let update = PageUpdate {
        expected: 1,
        title: "Home of all".into(),
        storage: "<p>second</p>".into(),
        message: String::new(),
        minor: false,
    };
    site.kit
        .wiki
        .versions()
        .publish(&site.ann, id, update)
        .await
        .unwrap();
    site.get(&url).await.is(200).shows("<p>second</p>");
}

#[tokio::test]
async fn a_page_that_the_client_has_is_not_sent_again() {
    let site = Site::new().await;
    let id = site.page("DOC", "Cached", "<p>text</p>").await;
    let url = site
        .get(&format!("/pages/viewpage.action?pageId={id}"))
        .await
        .location()
        .to_owned();
    let etag = site.get(&url).await.is(200).header("etag").to_owned();
    let ask = |coding: &str, etag: &str| {
        let request = Request::get(&url)
            .header(header::IF_NONE_MATCH, etag)
            .header(header::ACCEPT_ENCODING, coding);
        site.send(request.body(Body::empty()).unwrap())
    };
    let fresh = ask("br", &etag).await.is(304);
    assert!(fresh.bytes.is_empty());
    let packed = ask("gzip, br", "\"other\"").await.is(200);
    assert_eq!(packed.header("content-encoding"), "br");
    assert!(packed.header("vary").contains("cookie"));
    assert_eq!(
        ask("gzip", "\"other\"").await.header("content-encoding"),
        "gzip"
    );
}

#[tokio::test]
async fn every_page_of_the_site_answers_as_it_should_for_each_kind_of_visitor() {
    let site = Site::new().await;
    let id = site.page("DOC", "Page", "<p>text</p>").await;
    let nobody = Browser::default();
    let (ann, bo) = (site.log_in("ann").await, site.log_in("bo").await);
    let content = |rest: &str| format!("/content/{id}/{rest}");
    let paths: Vec<(String, [u16; 3])> = vec![
        ("/".into(), [200, 200, 200]),
        ("/spaces".into(), [200, 200, 200]),
        ("/spaces/DOC/pages".into(), [200, 200, 200]),
        ("/spaces/DOC/blog".into(), [200, 200, 200]),
        ("/spaces/OPS/pages".into(), [403, 200, 200]),
        ("/spaces/NOPE/pages".into(), [404, 404, 404]),
        ("/spaces/new".into(), [401, 200, 200]),
        ("/spaces/DOC/new".into(), [401, 200, 200]),
        ("/spaces/DOC/settings".into(), [401, 403, 200]),
        ("/spaces/DOC/trash".into(), [401, 200, 200]),
        ("/search".into(), [200, 200, 200]),
        ("/search?q=text".into(), [200, 200, 200]),
        ("/label".into(), [200, 200, 200]),
        ("/label/DOC".into(), [200, 200, 200]),
        ("/profile".into(), [401, 200, 200]),
        ("/people/ann".into(), [403, 200, 200]),
        ("/admin/users".into(), [401, 403, 200]),
        ("/admin/settings".into(), [401, 403, 200]),
        ("/admin/import".into(), [401, 403, 200]),
        ("/import/1".into(), [401, 403, 404]),
        (content("history"), [200, 200, 200]),
        (content("history/1"), [200, 200, 200]),
        (content("history/9"), [404, 404, 404]),
        (content("compare"), [422, 422, 422]),
        (content("info"), [200, 200, 200]),
        (content("source"), [200, 200, 200]),
        (content("attachments"), [200, 200, 200]),
        (content("export"), [200, 200, 200]),
        (content("export?format=storage"), [200, 200, 200]),
        (content("move"), [401, 200, 200]),
        (content("delete"), [401, 200, 200]),
        (format!("/spaces/DOC/tree?parent={id}"), [200, 200, 200]),
        ("/nothing/here".into(), [404, 404, 404]),
        ("/content/none/history".into(), [404, 404, 404]),
        ("/status".into(), [200, 200, 200]),
        ("/healthz".into(), [200, 200, 200]),
        ("/readyz".into(), [200, 200, 200]),
        ("/metrics".into(), [200, 200, 200]),
        ("/robots.txt".into(), [200, 200, 200]),
        ("/favicon.svg".into(), [200, 200, 200]),
        ("/opensearch.xml".into(), [200, 200, 200]),
        ("/api/search?q=text".into(), [200, 200, 200]),
        (format!("/api/pages/{id}/attachments"), [200, 200, 200]),
    ];
    let mut wrong = Vec::new();
    for (path, expect) in paths {
        for (browser, expect) in [&nobody, &bo, &ann].into_iter().zip(expect) {
            let got = site.get_as(browser, &path).await.status.as_u16();
            if got != expect {
                wrong.push(format!("{path}: {got} instead of {expect}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_missing_is_said_on_a_page_with_a_way_on_and_as_json_to_programs() {
    let site = Site::new().await;
    let page = site
        .get("/display/DOC/Not+there")
        .await
        .is(404)
        .shows("Page not found")
        .shows("Log in")
        .text();
    assert!(
        page.contains("os_destination=%2Fdisplay%2FDOC%2FNot%2Bthere"),
        "{page}"
    );
    let json = site.get("/api/pages/999999/attachments").await.is(404);
    assert!(json.header("content-type").starts_with("application/json"));
    assert!(json.text().starts_with("{\"error\":\""), "{}", json.text());
}

#[tokio::test]
async fn the_state_says_whether_the_site_is_set_up() {
    let kit = testkit::TestWiki::new().await;
    let settings = crate::Settings {
        public_url: "http://wiki.example".into(),
        upload_dir: kit.data().join("up"),
        sync: crate::SyncSettings::default(),
    };
    let web = crate::Web::new(kit.wiki.clone(), settings);
    let site = Site {
        ann: wiki::Actor::System,
        app: crate::router(web.clone()),
        web,
        kit,
    };
    assert_eq!(
        site.get("/status").await.is(200).text(),
        "{\"state\":\"FIRST_RUN\"}"
    );
    assert_eq!(site.get("/").await.is(302).location(), "/setup");
    site.get("/setup?token=wrong")
        .await
        .is(200)
        .shows("not valid");
    let token = site.kit.wiki.accounts().issue_setup_token().await.unwrap();
    site.get(&format!("/setup?token={token}"))
        .await
        .is(200)
        .shows("Create the administrator");
    let form = format!(
        "token={token}&site=Our+wiki&full_name=Ann+Lee&name=ann&password=correct+horse+battery"
    );
    let reply = site
        .post_raw(&Browser::default(), "/setup", &form)
        .await
        .is(303);
    assert_eq!(reply.location(), "/setup/start");
    assert!(
        reply
            .header("set-cookie")
            .contains("HttpOnly; SameSite=Lax")
    );
    assert_eq!(site.get("/status").await.text(), "{\"state\":\"RUNNING\"}");
    site.get("/").await.is(200).shows("Our wiki");
    assert_eq!(
        site.get(&format!("/setup?token={token}"))
            .await
            .is(302)
            .location(),
        "/"
    );
}
