//! Forms that change things: comments, labels, pages, spaces, people.

use super::{Browser, Site};

#[tokio::test]
async fn a_comment_is_written_answered_edited_and_deleted() {
    let site = Site::new().await;
    let id = site.page("DOC", "Page", "<p>text</p>").await;
    let (ann, bo) = (site.log_in("ann").await, site.log_in("bo").await);
    let path = format!("/content/{id}/comments");
    let first = site
        .post(&bo, &path, "text=Is+there+*straw*%3F")
        .await
        .is(303)
        .location()
        .to_owned();
    let comment = first.rsplit("#comment-").next().unwrap();
    site.get_as(&bo, first.split('#').next().unwrap())
        .await
        .is(200)
        .shows("straw")
        .shows("Add a comment");
    site.post(&ann, &path, &format!("parent={comment}&text=Plenty"))
        .await
        .is(303);
    site.get_as(&bo, &format!("/comments/{comment}/edit"))
        .await
        .is(200)
        .shows("straw");
    site.post(
        &bo,
        &format!("/comments/{comment}/edit"),
        "text=Is+there+hay%3F",
    )
    .await
    .is(303);
    let page = site
        .follow(&ann, &format!("/pages/viewpage.action?pageId={id}"))
        .await
        .shows("hay")
        .shows("Plenty")
        .text();
    assert!(!page.contains("straw"), "{page}");
    let ids = page
        .split("id=\"comment-")
        .filter_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
    let answer = ids.max().unwrap();
    site.post(&bo, &format!("/comments/{answer}/delete"), "")
        .await
        .is(403);
    site.post(&bo, &format!("/comments/{comment}/delete"), "")
        .await
        .is(303);
    site.post(&Browser::default(), &path, "text=anonymous")
        .await
        .is(403);
}

#[tokio::test]
async fn a_page_is_made_moved_deleted_and_restored_by_forms() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    let parent = site.page("DOC", "Parent", "<p>text</p>").await;
    let made = site
        .post(&ann, "/spaces/DOC/new", "title=Fresh+page&kind=page")
        .await
        .is(303)
        .location()
        .to_owned();
    assert!(made.ends_with("?edit=1"), "{made}");
    let text = site
        .get_as(&ann, &made)
        .await
        .is(200)
        .shows("data-autoedit=\"true\"")
        .shows("This page is a draft")
        .text();
    let id = text
        .split_once("data-page-id=\"")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    site.post(
        &ann,
        &format!("/content/{id}/move"),
        "place=under&target=Parent",
    )
    .await
    .is(303);
    site.get_as(&ann, &format!("/spaces/DOC/tree?parent={parent}"))
        .await
        .is(200)
        .shows("Fresh page");
    site.post(&ann, &format!("/content/{parent}/delete"), "")
        .await
        .is(303);
    site.get_as(&ann, "/spaces/DOC/trash")
        .await
        .is(200)
        .shows("Parent");
    site.post(&ann, &format!("/content/{parent}/restore-from-trash"), "")
        .await
        .is(303);
    site.follow(&ann, &format!("/pages/viewpage.action?pageId={parent}"))
        .await
        .is(200);
}

#[tokio::test]
async fn labels_are_added_listed_and_removed() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    let id = site.page("DOC", "Page", "<p>text</p>").await;
    site.post(
        &ann,
        &format!("/content/{id}/labels"),
        "name=garden%2C+tools",
    )
    .await
    .is(303);
    for path in ["/label/DOC/garden", "/label/tools", "/label/DOC"] {
        site.get(path).await.is(200).shows(if path == "/label/DOC" {
            "garden"
        } else {
            "Page"
        });
    }
    site.post(&ann, &format!("/content/{id}/labels/remove"), "name=garden")
        .await
        .is(303);
    site.get("/label/DOC/garden")
        .await
        .is(200)
        .shows("No page here");
}

#[tokio::test]
async fn a_space_is_made_and_its_settings_decide_who_reads() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    site.post(&ann, "/spaces", "name=Garden&key=GARDEN")
        .await
        .is(303);
    site.post(&ann, "/spaces", "name=Garden&key=garden")
        .await
        .is(200)
        .shows("role=\"alert\"");
    site.get("/spaces/GARDEN/pages").await.is(403);
    site.post(
        &ann,
        "/spaces/GARDEN/settings",
        "name=Garden&anonymous_reading=on",
    )
    .await
    .is(303);
    site.get("/spaces/GARDEN/pages").await.is(200);
    let bo = site.log_in("bo").await;
    site.post(&bo, "/spaces/GARDEN/settings", "name=Mine")
        .await
        .is(403);
}

#[tokio::test]
async fn administrators_add_and_disable_people_and_others_do_not() {
    let site = Site::new().await;
    let (ann, bo) = (site.log_in("ann").await, site.log_in("bo").await);
    site.post(
        &bo,
        "/admin/users",
        "name=eve&password=correct+horse+battery",
    )
    .await
    .is(403);
    site.post(
        &ann,
        "/admin/users",
        "name=cleo&password=correct+horse+battery",
    )
    .await
    .is(303);
    let cleo = site.log_in("cleo").await;
    site.post(&ann, "/admin/users/cleo/disable", "")
        .await
        .is(303);
    site.get_as(&cleo, "/profile").await.is(401);
}

#[tokio::test]
async fn a_password_is_changed_only_with_the_current_one() {
    let site = Site::new().await;
    let bo = site.log_in("bo").await;
    site.post(
        &bo,
        "/profile/password",
        "current=wrong&new=another+good+phrase",
    )
    .await
    .is(200)
    .shows("is wrong");
    site.post(
        &bo,
        "/profile/password",
        "current=correct+horse+battery&new=another+good+phrase",
    )
    .await
    .is(303);
    site.post_raw(
        &Browser::default(),
        "/login",
        "os_username=bo&os_password=another+good+phrase",
    )
    .await
    .is(303);
}

#[tokio::test]
async fn a_token_is_shown_once() {
    let site = Site::new().await;
    let bo = site.log_in("bo").await;
    let page = site
        .post(&bo, "/profile/tokens", "token_name=script")
        .await
        .is(200)
        .shows("code class=\"secret\"")
        .text();
    let secret = page
        .split_once("class=\"secret\">")
        .unwrap()
        .1
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    assert!(
        !site
            .get_as(&bo, "/profile")
            .await
            .is(200)
            .shows("script")
            .text()
            .contains(&secret)
    );
}
