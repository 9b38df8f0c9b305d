//! Finished pages, kept with their compressed forms. The key names everything a page depends on, so nothing needs to be
//! thrown away on a change: the stamp of the space grows and the old entry is not asked for again.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use wiki::PageHead;

use crate::compress::{Coding, accepted, brotli, gzip};
use crate::limits;
use crate::metrics::Metrics;
use crate::visitor::{Theme, Visitor};

/// Everything a page of content depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    content: i64,
    stamp: i64,
    version: i64,
    rights: [bool; 5],
    /// Empty for anonymous visitors; else the session, and through it the account.
    session: String,
    theme: Theme,
    sidebar_px: Option<u16>,
    site: String,
    variant: u8,
}

impl Key {
    /// The key of a page as this visitor sees it; `variant` tells forms of the same page apart (reading, opening the editor).
    pub(crate) fn new(head: &PageHead, visitor: &Visitor, site: &str, variant: u8) -> Self {
        Self {
            content: head.id.get(),
            stamp: head.stamp,
            version: head.version,
            rights: [
                head.can_comment,
                head.can_edit,
                head.can_administer,
                head.unpublished,
                head.restricted,
            ],
            session: if visitor.actor.is_anonymous() {
                String::new()
            } else {
                format!("{}/{}", visitor.name(), visitor.csrf)
            },
            theme: visitor.theme,
            sidebar_px: visitor.sidebar_px,
            site: site.to_owned(),
            variant,
        }
    }
}

/// A finished page.
pub(crate) struct Kept {
    /// Its canonical address.
    pub(crate) url: String,
    plain: Bytes,
    br: Bytes,
    gz: Bytes,
    etag: HeaderValue,
    shared: bool,
}

impl Kept {
    pub(crate) fn new(url: String, html: String, visitor: &Visitor) -> Self {
        let digest = hex::encode(Sha256::digest(html.as_bytes()));
        let etag = format!("\"{}\"", digest.get(..24).unwrap_or(&digest));
        let shared = visitor.actor.is_anonymous();
        Self {
            url,
            br: brotli(html.as_bytes(), if shared { 6 } else { 4 }).into(),
            gz: gzip(html.as_bytes()).into(),
            plain: html.into(),
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\"")),
            shared,
        }
    }

    /// The page in the form this client takes, or 304 when it has it.
    pub(crate) fn answer(&self, headers: &HeaderMap, metrics: &Metrics) -> Response {
        let fresh = headers
            .get(header::IF_NONE_MATCH)
            .is_some_and(|known| known == self.etag);
        let (body, coding) = match accepted(headers) {
            _ if fresh => (Bytes::new(), None),
            Coding::Brotli => (self.br.clone(), Some("br")),
            Coding::Gzip => (self.gz.clone(), Some("gzip")),
            Coding::Plain => (self.plain.clone(), None),
        };
        let mut response = Response::new(Body::from(body));
        let out = response.headers_mut();
        out.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        out.insert(header::ETAG, self.etag.clone());
        out.insert(
            header::VARY,
            HeaderValue::from_static("accept-encoding, cookie, authorization"),
        );
        let caching = if self.shared {
            "no-cache"
        } else {
            "private, no-cache"
        };
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        if let Some(coding) = coding {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        if fresh {
            metrics.not_modified.fetch_add(1, Relaxed);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }
}

/// Finished pages by key.
pub(crate) struct PageCache(Cache<Key, Arc<Kept>>);

impl PageCache {
    pub(crate) fn new() -> Self {
        let weigh = |_: &Key, page: &Arc<Kept>| {
            u32::try_from(page.plain.len() + page.br.len() + page.gz.len() + 512)
                .unwrap_or(u32::MAX)
        };
        let cache = Cache::builder()
            .max_capacity(limits::PAGE_CACHE_BYTES_MAX)
            .weigher(weigh)
            .time_to_live(limits::PAGE_CACHE_AGE_MAX)
            .build();
        Self(cache)
    }

    pub(crate) fn get(&self, key: &Key, metrics: &Metrics) -> Option<Arc<Kept>> {
        let found = self.0.get(key);
        let counter = if found.is_some() {
            &metrics.cache_hits
        } else {
            &metrics.cache_misses
        };
        counter.fetch_add(1, Relaxed);
        found
    }

    pub(crate) fn keep(&self, key: Key, page: Arc<Kept>) {
        self.0.insert(key, page);
    }
}
