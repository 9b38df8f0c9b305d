//! How errors answer: the one place that maps the wiki's errors to HTTP, and draws them as a page or as JSON.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use wiki::{Error, SearchHit, SearchQuery};

use crate::headers::RequestId;
use crate::layout::{self, Section, Sheet};
use crate::params::{decode, encode};
use crate::parts::icons::icon;
use crate::state::Web;
use crate::visitor::Visitor;

/// What handlers return.
pub(crate) type Answer<T = Response> = Result<T, Failure>;

/// An answer that nobody is to draw again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready;

/// An error on its way to the client. `dress` turns it into a page or JSON.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) retry_after_s: Option<i64>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after_s: None,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "there is no such page; it may have been renamed, moved or deleted",
        )
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub(crate) fn log_in_first() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "log in to see this page")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if let Error::Unavailable { detail, .. } | Error::Internal { detail, .. } = &error {
            tracing::error!(status = status.as_u16(), detail, "a request failed inside");
        }
        Self::new(status, error.message())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.message.clone()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives failures the form that the client asked for.
pub(crate) async fn dress(State(web): State<Web>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |it| it.as_str())
        .to_owned();
    let response = next.run(request).await;
    if response.extensions().get::<Ready>().is_some() {
        return response;
    }
    let Some(failure) = response
        .extensions()
        .get::<Failure>()
        .cloned()
        .or_else(|| of_the_router(&response, &path))
    else {
        return response;
    };
    let id = response
        .extensions()
        .get::<RequestId>()
        .cloned()
        .unwrap_or_default();
    let mut dressed = if wants_json(&path, &headers) {
        as_json(&failure)
    } else {
        as_page(&web, &failure, &headers, &path, &target, &id).await
    };
    if let Some(seconds) = failure.retry_after_s {
        dressed
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if failure.status == StatusCode::UNAUTHORIZED && headers.contains_key(header::AUTHORIZATION) {
        dressed.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"Watersmeet\""),
        );
    }
    dressed
}

/// Refusals that the router or an extractor made itself (no such address, wrong method, too large a body).
fn of_the_router(response: &Response, path: &str) -> Option<Failure> {
    if path.starts_with("/assets/") || path.starts_with("/synchrony") {
        return None;
    }
    match response.status() {
        StatusCode::NOT_FOUND if response.headers().get(header::CONTENT_TYPE).is_none() => {
            Some(Failure::not_found())
        }
        // A path whose number is no number.
        StatusCode::BAD_REQUEST => Some(Failure::not_found()),
        status @ StatusCode::METHOD_NOT_ALLOWED => Some(Failure::new(
            status,
            "this address does not take this method",
        )),
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            Some(Failure::new(status, "that is too large; send less at once"))
        }
        _ => None,
    }
}

fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    path.starts_with("/api/")
        || path.starts_with("/rest/")
        || (accept.contains("application/json") && !accept.contains("text/html"))
}

fn as_json(failure: &Failure) -> Response {
    (
        failure.status,
        axum::Json(serde_json::json!({ "error": failure.message })),
    )
        .into_response()
}

async fn as_page(
    web: &Web,
    failure: &Failure,
    headers: &HeaderMap,
    path: &str,
    target: &str,
    id: &RequestId,
) -> Response {
    let visitor = Visitor::of_headers(web, headers).await.unwrap_or_default();
    let suggestions = match failure.status {
        StatusCode::NOT_FOUND => suggestions(web, &visitor, path).await,
        _ => Vec::new(),
    };
    let sheet = Sheet::new(
        heading(failure.status),
        Section::None,
        error_main(failure, &visitor, target, &suggestions, id),
    );
    let site = web
        .wiki()
        .settings()
        .await
        .map_or_else(|_| "Watersmeet".to_owned(), |site| site.name);
    let text = layout::document(&visitor, &site, web, &sheet);
    let mut response = (failure.status, Body::from(text)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Page not found",
        StatusCode::UNAUTHORIZED => "Please log in",
        StatusCode::FORBIDDEN => "You may not see or do this",
        StatusCode::CONFLICT => "That clashes with what is there",
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => "That cannot be right",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        StatusCode::SERVICE_UNAVAILABLE => "Not available right now",
        StatusCode::METHOD_NOT_ALLOWED => "That does not work here",
        _ => "Something went wrong",
    }
}

/// Pages whose title is near the words of an address that leads nowhere.
async fn suggestions(web: &Web, visitor: &Visitor, path: &str) -> Vec<SearchHit> {
    let words = decode(path.trim_end_matches('/').rsplit('/').next().unwrap_or(""))
        .replace(['-', '_', '.'], " ");
    if words.trim().len() < 3 || path.starts_with("/download") {
        return Vec::new();
    }
    let mut found = near(web, visitor, &words).await;
    // All words together found nothing: the longest of them alone often does.
    let mut single: Vec<&str> = words
        .split_whitespace()
        .filter(|word| word.len() > 3)
        .collect();
    single.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in single.into_iter().take(3) {
        if !found.is_empty() {
            break;
        }
        found = near(web, visitor, word).await;
    }
    found
}

async fn near(web: &Web, visitor: &Visitor, words: &str) -> Vec<SearchHit> {
    let query = SearchQuery {
        text: words.to_owned(),
        limit: 5,
        ..SearchQuery::default()
    };
    let found = web.wiki().search(&visitor.actor, query).await;
    found.map(|found| found.hits).unwrap_or_default()
}

fn error_main(
    failure: &Failure,
    visitor: &Visitor,
    target: &str,
    suggestions: &[SearchHit],
    id: &RequestId,
) -> Markup {
    let log_in = visitor.actor.is_anonymous()
        && matches!(
            failure.status,
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND
        );
    html! {
        div.stage { div.stage-wide {
            p.error-code { (failure.status.as_u16()) }
            h1 { (heading(failure.status)) }
            p { (layout::sentence(&failure.message)) }
            @if !suggestions.is_empty() {
                section.section {
                    h2 { "Perhaps you meant" }
                    ul.rows { @for hit in suggestions {
                        li.row { (icon("page")) span.grow { a.title href=(hit.url) { (hit.title) } span.meta { (hit.space_name) } } }
                    } }
                }
            }
            div.buttons.section {
                @if log_in { a.button.primary href={ "/login?os_destination=" (encode(target)) } { "Log in" } }
                a.button href="/" { "Go to the start page" }
                a.button href="/search" { "Search" }
            }
            @if failure.status.is_server_error() {
                p.meta.section { "Tell your administrator this number: " code { (id.0) } }
            }
        } }
    }
}
