//! Files: up, down, in part, and never as something that runs.

use axum::body::Body;
use axum::http::{Request, header};

use super::{Browser, Site};

fn multipart(csrf: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body =
        format!("--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n")
            .into_bytes();
    let head = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--XX--\r\n");
    body
}

async fn upload(
    site: &Site,
    browser: &Browser,
    page: i64,
    csrf: &str,
    name: &str,
    bytes: &[u8],
) -> u16 {
    let request = Request::post(format!("/content/{page}/attachments"))
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
        .body(Body::from(multipart(csrf, name, bytes)));
    site.send(request.unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_whole_in_part_and_not_at_all_when_known() {
    let site = Site::new().await;
    let page = site.page("DOC", "Page", "<p>text</p>").await.get();
    let ann = site.log_in("ann").await;
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 4000]].concat();
    assert_eq!(
        upload(&site, &ann, page, "wrong", "a b.png", &png).await,
        403
    );
    assert_eq!(
        upload(&site, &ann, page, &ann.csrf, "a b.png", &png).await,
        303
    );
    let path = format!("/download/attachments/{page}/a%20b.png");
    let whole = site.get(&path).await.is(200);
    assert_eq!(
        (whole.bytes.as_slice(), whole.header("content-type")),
        (png.as_slice(), "image/png")
    );
    assert!(whole.header("content-security-policy").contains("sandbox"));
    let ask = |name: header::HeaderName, value: &str| {
        site.send(
            Request::get(&path)
                .header(name, value)
                .body(Body::empty())
                .unwrap(),
        )
    };
    let part = ask(header::RANGE, "bytes=8-11").await.is(206);
    assert_eq!(
        (part.bytes.as_slice(), part.header("content-range")),
        ([7u8; 4].as_slice(), "bytes 8-11/4008")
    );
    ask(header::IF_NONE_MATCH, whole.header("etag"))
        .await
        .is(304);
    ask(header::RANGE, "bytes=5000-").await.is(416);
    site.get(&format!("/download/attachments/{page}/none.png"))
        .await
        .is(404);
}

#[tokio::test]
async fn a_file_that_could_run_is_sent_as_a_download() {
    let site = Site::new().await;
    let page = site.page("DOC", "Page", "<p>text</p>").await.get();
    let ann = site.log_in("ann").await;
    for (name, bytes) in [
        ("evil.html", "<script>alert(1)</script>"),
        (
            "evil.svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        ),
    ] {
        assert_eq!(
            upload(&site, &ann, page, &ann.csrf, name, bytes.as_bytes()).await,
            303
        );
        let reply = site
            .get(&format!("/download/attachments/{page}/{name}"))
            .await
            .is(200);
        assert!(
            reply
                .header("content-disposition")
                .starts_with("attachment;"),
            "{name}"
        );
        assert_eq!(
            reply.header("content-type"),
            "application/octet-stream",
            "{name}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{name}");
    }
}

#[tokio::test]
async fn files_of_a_closed_space_are_not_given_away() {
    let site = Site::new().await;
    let page = site.page("OPS", "Page", "<p>text</p>").await.get();
    let ann = site.log_in("ann").await;
    assert_eq!(
        upload(&site, &ann, page, &ann.csrf, "plan.txt", b"secret").await,
        303
    );
    let reply = site
        .get(&format!("/download/attachments/{page}/plan.txt"))
        .await
        .is(403);
    assert!(!reply.text().contains("secret"));
}
