//! What every answer carries: security headers, a request id, a line in the log, a place in the counters, an end in time.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::failure::Failure;
use crate::limits;
use crate::live::origin_of;
use crate::state::{Settings, Web};

/// Names a request in answers and in the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestId(pub(crate) String);

/// A policy that ends with the addresses to connect to. No inline script, nothing from another host. Style attributes are
/// allowed because sanitised page styles need them.
const CSP: &str = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; \
    connect-src 'self'";

/// The policy for what pages may load: nothing from elsewhere, but a sync engine at an address of its own may be connected to.
pub(crate) fn policy(settings: &Settings) -> HeaderValue {
    let own = origin_of(&settings.public_url);
    let service_url = settings.sync.service_url(&settings.public_url);
    let service = origin_of(&service_url);
    if service == own {
        return HeaderValue::from_static(CSP);
    }
    let socket = service.replacen("http", "ws", 1);
    HeaderValue::from_str(&format!("{CSP} {service} {socket}"))
        .unwrap_or(HeaderValue::from_static(CSP))
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Security headers, unless the handler set its own.
pub(crate) async fn secure(State(web): State<Web>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(web.policy().clone());
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "SAMEORIGIN");
    set(header::REFERRER_POLICY, "same-origin");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if web.secure() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// Request id, counters, log line and time limit.
pub(crate) async fn account(
    State(web): State<Web>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = request_id(&web, &request);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let unlimited = path.starts_with("/synchrony")
        || path.starts_with("/download")
        || method == axum::http::Method::POST;
    web.metrics().in_flight.fetch_add(1, Relaxed);
    let _leaving = Leaving(&web);
    let mut response = if unlimited {
        next.run(request).await
    } else {
        match tokio::time::timeout(limits::REQUEST_TIMEOUT, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "this took too long; try again",
            )
            .into_response(),
        }
    };
    let took = started.elapsed();
    let status = response.status().as_u16();
    let route = matched.as_ref().map_or("other", MatchedPath::as_str);
    web.metrics().record(route, status, took);
    tracing::debug!(%method, path, status, took_us = took.as_micros() as u64, request = id.0, "answered");
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.extensions_mut().insert(id);
    response
}

/// A request is over even when its client went away in the middle.
struct Leaving<'a>(&'a Web);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.metrics().in_flight.fetch_sub(1, Relaxed);
    }
}

/// The id a gateway in front gave, if it is a plain word, else one of our own.
fn request_id(web: &Web, request: &Request) -> RequestId {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match given.filter(plain) {
        Some(id) => RequestId(id.to_owned()),
        None => RequestId(format!(
            "{:x}-{:x}",
            web.wiki().now_ms(),
            web.next_request()
        )),
    }
}
