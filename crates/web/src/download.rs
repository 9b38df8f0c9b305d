//! Files to the reader: ranges, entity tags, and only harmless kinds shown in the page's origin.

use std::io::{Seek as _, SeekFrom};

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wiki::{Address, ContentId, Destination, Download, attachment_url};

use crate::addresses::redirect;
use crate::failure::{Answer, Failure};
use crate::params::{Params, encode};
use crate::state::Web;
use crate::visitor::Visitor;

/// Bytes read from disk at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A file never runs anything: no script, no form, an origin of its own.
const CSP: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox";

/// `GET /download/attachments/{page}/{name}?version=&download=true` and `/download/thumbnails/...`.
pub(crate) async fn attachment(
    State(web): State<Web>,
    visitor: Visitor,
    Path((page, name)): Path<(i64, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let (id, version) = (ContentId::new(page), params.number("version"));
    let found = match web
        .wiki()
        .attachments()
        .find(&visitor.actor, id, &name, version)
        .await
    {
        Ok(found) => found,
        Err(wiki::Error::NotFound(message)) => {
            return elsewhere(&web, &visitor, page, &name, version, message).await;
        }
        Err(error) => return Err(error.into()),
    };
    let wanted = Wanted {
        as_file: params.get("download") == Some("true") || !found.inline,
        fixed: version.is_some(),
    };
    send(&web, &found, &headers, wanted).await
}

/// Old ids of pages lead on; names in old links may carry `+` for a blank.
async fn elsewhere(
    web: &Web,
    visitor: &Visitor,
    page: i64,
    name: &str,
    version: Option<i64>,
    message: String,
) -> Answer {
    let moved = match web.wiki().resolve(&visitor.actor, &Address::Id(page)).await {
        Ok(Destination::Page { id, .. }) => id,
        _ => return Err(Failure::new(StatusCode::NOT_FOUND, message)),
    };
    let plain = name.replace('+', " ");
    if moved.get() == page && plain == name {
        return Err(Failure::new(StatusCode::NOT_FOUND, message));
    }
    Ok(redirect(&attachment_url(moved, &plain, version)))
}

#[derive(Clone, Copy)]
struct Wanted {
    as_file: bool,
    fixed: bool,
}

async fn send(web: &Web, found: &Download, headers: &HeaderMap, wanted: Wanted) -> Answer {
    let etag = format!("\"{}\"", found.hash);
    let size = u64::try_from(found.attachment.size).unwrap_or(0);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known.is_some_and(|list| {
        list.split(',')
            .any(|tag| tag.trim() == etag || tag.trim() == "*")
    }) {
        return dressed(
            Response::builder().status(StatusCode::NOT_MODIFIED),
            found,
            &etag,
            wanted,
            Body::empty(),
        );
    }
    match range(headers, size, &etag) {
        Range::Whole => {
            let reader = web.wiki().attachments().open(found).await?;
            let builder = Response::builder().header(header::CONTENT_LENGTH, size);
            dressed(builder, found, &etag, wanted, body(reader, size))
        }
        Range::Part(first, last) => {
            let mut reader = web.wiki().attachments().open(found).await?;
            reader
                .seek(SeekFrom::Start(first))
                .map_err(wiki::Error::internal)?;
            let builder = Response::builder()
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_LENGTH, last - first + 1)
                .header(
                    header::CONTENT_RANGE,
                    format!("bytes {first}-{last}/{size}"),
                );
            dressed(
                builder,
                found,
                &etag,
                wanted,
                body(reader, last - first + 1),
            )
        }
        Range::Impossible => {
            let builder = Response::builder()
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{size}"));
            dressed(builder, found, &etag, wanted, Body::empty())
        }
    }
}

fn dressed(
    builder: http::response::Builder,
    found: &Download,
    etag: &str,
    wanted: Wanted,
    body: Body,
) -> Answer {
    let file = &found.attachment;
    let modified = Timestamp::from_millisecond(file.created_at_ms)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC);
    let how = if wanted.as_file {
        "attachment"
    } else {
        "inline"
    };
    let kind = if found.inline {
        file.media_type.as_str()
    } else {
        "application/octet-stream"
    };
    let kind =
        HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let caching = if wanted.fixed {
        "private, max-age=86400"
    } else {
        "private, no-cache"
    };
    builder
        .header(header::CONTENT_TYPE, kind)
        .header(header::CONTENT_DISPOSITION, disposition(how, &file.name))
        .header(header::ETAG, etag)
        .header(
            header::LAST_MODIFIED,
            modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        )
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, caching)
        .header(header::CONTENT_SECURITY_POLICY, CSP)
        .body(body)
        .map_err(|error| wiki::Error::internal(error).into())
}

/// `attachment; filename="..."; filename*=UTF-8''...`: the plain form for old programs, the encoded one for all names.
pub(crate) fn disposition(how: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/' | '%') || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "{how}; filename=\"{plain}\"; filename*=UTF-8''{}",
        encode(name)
    )
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(u64, u64),
    Impossible,
}

/// One range of bytes; several at once, or a stale `If-Range`, give the whole file.
fn range(headers: &HeaderMap, size: u64, etag: &str) -> Range {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Range::Whole;
    }
    let Some((from, to)) = text(header::RANGE)
        .and_then(|range| range.strip_prefix("bytes="))
        .filter(|range| !range.contains(','))
        .and_then(|range| range.split_once('-'))
    else {
        return Range::Whole;
    };
    let (from, to) = (from.trim(), to.trim());
    let (first, last) = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) if to.is_empty() => (first, size.saturating_sub(1)),
        (Err(_), Ok(length)) if from.is_empty() && length > 0 => {
            (size.saturating_sub(length), size.saturating_sub(1))
        }
        _ => return Range::Whole,
    };
    if first >= size {
        Range::Impossible
    } else {
        Range::Part(first, last)
    }
}

/// Streams `left` bytes; each piece is read on a thread that may wait. A file that fails its hash ends in an error, so
/// that the client sees a broken download instead of wrong bytes.
fn body(reader: impl std::io::Read + Send + 'static, left: u64) -> Body {
    let pieces = stream::unfold(Some((reader, left, false)), |state| async {
        let (mut reader, left, at_end) = state?;
        if at_end {
            return None;
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![
                0;
                CHUNK_BYTES
                    .min(usize::try_from(left).unwrap_or(CHUNK_BYTES))
                    .max(1)
            ];
            let got = reader.read(&mut piece)?;
            piece.truncate(got);
            std::io::Result::Ok((reader, piece))
        });
        match read
            .await
            .map_err(std::io::Error::other)
            .and_then(|done| done)
        {
            Ok((_, piece)) if piece.is_empty() => None,
            Ok((reader, piece)) => {
                let left = left.saturating_sub(piece.len() as u64);
                Some((
                    Ok(bytes::Bytes::from(piece)),
                    Some((reader, left, left == 0)),
                ))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &'static str, expect: Range) {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(given));
        assert_eq!(range(&headers, 100, "\"e\""), expect, "{given}");
    }

    #[test]
    fn ranges_are_understood_as_browsers_send_them() {
        check("bytes=0-49", Range::Part(0, 49));
        check("bytes=50-", Range::Part(50, 99));
        check("bytes=-10", Range::Part(90, 99));
        check("bytes=-1000", Range::Part(0, 99));
        check("bytes=90-1000", Range::Part(90, 99));
        check("bytes=100-", Range::Impossible);
        check("bytes=0-1,5-6", Range::Whole);
        check("bytes=9-2", Range::Whole);
        check("lines=1-2", Range::Whole);
    }

    #[test]
    fn hostile_file_names_stay_inside_their_quotes() {
        let header = disposition("attachment", "a\"; filename=\"b.html\r\nX: y.pdf");
        assert!(
            !header.contains('\n')
                && header.matches("filename=").count()
                    == 1 + header.matches("_; filename=").count(),
            "{header}"
        );
        assert!(HeaderValue::from_str(&header).is_ok());
        assert!(
            disposition("inline", "Übersicht.png").ends_with("filename*=UTF-8''%C3%9Cbersicht.png")
        );
    }
}
