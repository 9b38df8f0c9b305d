//! Changes need proof that the person wanted them; answers carry their guards; redirects stay on the site.

use axum::body::Body;
use axum::http::{Request, header};

use super::{Browser, Site};

#[tokio::test]
async fn a_change_without_the_token_of_the_session_is_refused() {
    let site = Site::new().await;
    let id = site.page("DOC", "Page", "<p>text</p>").await;
    let ann = site.log_in("ann").await;
    let path = format!("/content/{id}/comments");
    for form in ["text=hello", "csrf=&text=hello", "csrf=wrong&text=hello"] {
        site.post_raw(&ann, &path, form).await.is(403);
    }
    let stolen = site.log_in("bo").await;
    site.post_raw(&ann, &path, &format!("csrf={}&text=hello", stolen.csrf))
        .await
        .is(403);
    assert!(
        !site
            .follow(&ann, &format!("/pages/viewpage.action?pageId={id}"))
            .await
            .text()
            .contains("hello")
    );
    site.post(&ann, &path, "text=hello").await.is(303);
}

#[tokio::test]
async fn a_login_that_another_site_sends_is_refused() {
    let site = Site::new().await;
    let send = async |name: &str, value: &str| {
        let request = Request::post("/login")
            .header(header::HOST, "wiki.example")
            .header(name, value);
        site.send(
            request
                .body(Body::from(
                    "os_username=ann&os_password=correct+horse+battery",
                ))
                .unwrap(),
        )
        .await
        .status
        .as_u16()
    };
    assert_eq!(send("sec-fetch-site", "cross-site").await, 403);
    assert_eq!(send("origin", "https://evil.example").await, 403);
    assert_eq!(send("origin", "http://wiki.example").await, 303);
}

#[tokio::test]
async fn after_login_one_goes_to_where_one_wanted_but_never_to_another_site() {
    let site = Site::new().await;
    let to = async |destination: &str| {
        let form = format!(
            "os_username=ann&os_password=correct+horse+battery&os_destination={destination}"
        );
        site.post_raw(&Browser::default(), "/login", &form)
            .await
            .is(303)
            .location()
            .to_owned()
    };
    assert_eq!(to("%2Fspaces%2FDOC%2Fpages").await, "/spaces/DOC/pages");
    for evil in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "javascript%3Aalert(1)",
    ] {
        assert_eq!(to(evil).await, "/", "{evil}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_the_form_comes_back() {
    let site = Site::new().await;
    let reply = site
        .post_raw(
            &Browser::default(),
            "/login",
            "os_username=ann&os_password=wrong",
        )
        .await
        .is(401);
    assert!(reply.headers.get(header::SET_COOKIE).is_none());
    reply.shows("value=\"ann\"").shows("role=\"alert\"");
}

#[tokio::test]
async fn a_token_works_as_bearer_and_as_password_and_needs_no_csrf_token() {
    let site = Site::new().await;
    let id = site.page("OPS", "Secret", "<p>text</p>").await;
    let secret = site
        .kit
        .wiki
        .tokens()
        .create(&site.ann, "ann", "script")
        .await
        .unwrap();
    let basic = |password: &str| {
        use base64::Engine as _;
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(format!("ann:{password}"))
        )
    };
    let ask = async |authorization: String| {
        let request = Request::get(format!("/content/{id}/info"))
            .header(header::AUTHORIZATION, authorization);
        site.send(request.body(Body::empty()).unwrap()).await
    };
    ask(format!("Bearer {secret}")).await.is(200);
    ask(basic(&secret)).await.is(200);
    let refused = ask("Bearer wrong".into()).await.is(401);
    assert!(refused.header("www-authenticate").starts_with("Basic"));
    let request = Request::post(format!("/content/{id}/comments"))
        .header(header::AUTHORIZATION, format!("Bearer {secret}"));
    site.send(request.body(Body::from("text=from+a+script")).unwrap())
        .await
        .is(303);
}

#[tokio::test]
async fn every_answer_carries_the_guards() {
    let site = Site::new().await;
    for path in ["/", "/nothing", "/status", "/api/search?q=x", "/login"] {
        let reply = site.get(path).await;
        let csp = reply.header("content-security-policy");
        assert!(
            csp.contains("script-src 'self'") && csp.contains("frame-ancestors"),
            "{path}"
        );
        assert!(
            !csp.contains("unsafe-inline'; script") && !csp.contains("unsafe-eval"),
            "{path}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        assert!(!reply.header("x-request-id").is_empty(), "{path}");
    }
    let home = site.get("/").await.text();
    assert!(
        !home.contains("<script>") && !home.contains(" onclick="),
        "no inline script"
    );
}

#[tokio::test]
async fn logging_out_needs_a_form_and_ends_the_session() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    site.get_as(&ann, "/logout.action").await.is(200);
    site.get_as(&ann, "/profile").await.is(200);
    site.post(&ann, "/logout", "").await.is(303);
    site.get_as(&ann, "/profile").await.is(401);
}
