//! The whole web part, asked as a client asks it, on a wiki of its own.

mod addresses;
mod carried;
mod connections;
mod editing;
mod files;
mod overview;
mod reading;
mod security;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use testkit::{PASSWORD, TestWiki};
use tower::ServiceExt as _;
use wiki::{Actor, ContentId, ContentKind, NewPage, SpaceChange};

use crate::{Settings, Web, router};

/// A title that would break out of HTML, of an attribute and of an address, if anything let it.
pub(crate) const HOSTILE: &str = "C++ & <script>alert(1)</script> \"quotes\"";

/// A wiki with an open space `DOC`, a closed space `OPS`, an administrator `ann` and a user `bo`.
pub(crate) struct Site {
    pub(crate) kit: TestWiki,
    pub(crate) ann: Actor,
    pub(crate) web: Web,
    app: Router,
}

/// An answer, read whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(
            self.text().contains(text),
            "`{text}` is missing in {}",
            self.text()
        );
        self
    }
}

/// Somebody's browser: a cookie and the CSRF token of its pages.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    cookie: String,
    pub(crate) csrf: String,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(crate::SyncSettings::default()).await
    }

    pub(crate) async fn with(sync: crate::SyncSettings) -> Self {
        let kit = TestWiki::new().await;
        let ann = kit.administrator("ann").await;
        kit.person("bo").await;
        for key in ["DOC", "OPS"] {
            kit.space(key).await;
            let change = SpaceChange {
                anonymous_reading: Some(key == "DOC"),
                ..SpaceChange::default()
            };
            kit.wiki
                .spaces()
                .update(&Actor::System, key, change)
                .await
                .unwrap();
        }
        let settings = Settings {
            public_url: "http://wiki.example".into(),
            upload_dir: kit.data().join("uploads"),
            sync,
        };
        let web = Web::new(kit.wiki.clone(), settings);
        let app = router(web.clone());
        Self { kit, ann, web, app }
    }

    /// A published page.
    pub(crate) async fn page(&self, space: &str, title: &str, storage: &str) -> ContentId {
        let page = NewPage {
            space_key: space.into(),
            parent: None,
            title: title.into(),
            kind: ContentKind::Page,
        };
        self.kit
            .wiki
            .pages()
            .create_published(&self.ann, page, storage)
            .await
            .unwrap()
            .id
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    /// Asks without being logged in.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.get_as(&Browser::default(), path).await
    }

    pub(crate) async fn get_as(&self, browser: &Browser, path: &str) -> Reply {
        self.send(
            Request::get(path)
                .header(header::COOKIE, &browser.cookie)
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    /// Follows redirects to where an address leads.
    pub(crate) async fn follow(&self, browser: &Browser, path: &str) -> Reply {
        let mut at = path.to_owned();
        for _ in 0..5 {
            let reply = self.get_as(browser, at.split('#').next().unwrap()).await;
            if !reply.status.is_redirection() {
                return reply;
            }
            at = reply.location().to_owned();
        }
        panic!("{path} goes round in circles");
    }

    /// Sends a form with the browser's CSRF token.
    pub(crate) async fn post(&self, browser: &Browser, path: &str, form: &str) -> Reply {
        self.post_raw(browser, path, &format!("csrf={}&{form}", browser.csrf))
            .await
    }

    pub(crate) async fn post_raw(&self, browser: &Browser, path: &str, form: &str) -> Reply {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::COOKIE, &browser.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    /// Logs in through the form, as a person would.
    pub(crate) async fn log_in(&self, name: &str) -> Browser {
        let form = format!(
            "os_username={name}&os_password={}",
            PASSWORD.replace(' ', "+")
        );
        let reply = self
            .post_raw(&Browser::default(), "/login", &form)
            .await
            .is(303);
        let cookie = reply
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let mut browser = Browser {
            cookie,
            csrf: String::new(),
        };
        let page = self.get_as(&browser, "/").await.is(200).text();
        let (_, rest) = page.split_once("name=\"csrf-token\" content=\"").unwrap();
        browser.csrf = rest.split('"').next().unwrap().to_owned();
        browser
    }
}
