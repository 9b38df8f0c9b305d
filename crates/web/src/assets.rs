//! The browser files embedded in the program: scripts, styles, icons; content-hashed and precompressed.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::compress::{Coding, accepted};

/// One embedded file with its compressed forms.
pub(crate) struct Embedded {
    pub(crate) name: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) br: Option<&'static [u8]>,
    pub(crate) gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

static BY_NAME: LazyLock<HashMap<&'static str, &'static Embedded>> =
    LazyLock::new(|| EMBEDDED.iter().map(|file| (file.name, file)).collect());

static BY_ENTRY: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(MANIFEST).unwrap_or_default());

/// Address of the entry file (`page.js`, `editor.css` ...) in this build, or `None` when the build had no browser files.
pub(crate) fn address(entry: &str) -> Option<String> {
    BY_ENTRY.get(entry).map(|name| format!("/assets/{name}"))
}

/// `GET /assets/{name}`: names carry a hash of the content, so that browsers may keep them for ever.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = BY_NAME.get(name.as_str()) else {
        return (StatusCode::NOT_FOUND, "no such file").into_response();
    };
    let (bytes, coding) = match accepted(&headers) {
        Coding::Brotli if file.br.is_some() => (file.br.unwrap_or(file.plain), Some("br")),
        Coding::Brotli | Coding::Gzip if file.gz.is_some() => {
            (file.gz.unwrap_or(file.plain), Some("gzip"))
        }
        _ => (file.plain, None),
    };
    let mut response = bytes.into_response();
    let out = response.headers_mut();
    out.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(media_type(&name)),
    );
    out.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    out.insert(
        header::VARY,
        header::HeaderValue::from_static("accept-encoding"),
    );
    if let Some(coding) = coding {
        out.insert(
            header::CONTENT_ENCODING,
            header::HeaderValue::from_static(coding),
        );
    }
    response
}

/// The icon of browser tabs.
pub(crate) async fn favicon() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, include_str!("favicon.svg")).into_response()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
