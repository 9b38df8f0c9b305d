//! Content coding: which one the client takes, and bytes in all three forms.

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;

use crate::limits;

/// How a body goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
    Brotli,
}

/// The best coding that the client accepts.
pub(crate) fn accepted(headers: &HeaderMap) -> Coding {
    let Some(list) = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
    else {
        return Coding::Plain;
    };
    let takes = |name: &str| {
        list.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            parts.next() == Some(name)
                && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    if takes("br") {
        Coding::Brotli
    } else if takes("gzip") {
        Coding::Gzip
    } else {
        Coding::Plain
    }
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(
        Vec::with_capacity(plain.len() / 3),
        flate2::Compression::new(6),
    );
    let written = out.write_all(plain);
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    out.finish().unwrap_or_default()
}

pub(crate) fn brotli(plain: &[u8], quality: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() / 4);
    let mut writer = brotli::CompressorWriter::new(&mut out, 16 * 1024, quality, 20);
    let written = writer.write_all(plain).and_then(|()| writer.flush());
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    drop(writer);
    out
}

/// Compresses answers made for one request (pages with the visitor's name, JSON). Answers that already
/// carry a coding, and files, pass untouched.
pub(crate) async fn on_the_fly(request: Request, next: Next) -> Response {
    let coding = accepted(request.headers());
    let response = next.run(request).await;
    if coding == Coding::Plain || !compressible(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(plain) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    parts
        .headers
        .append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if plain.len() < limits::COMPRESS_BYTES_MIN {
        return Response::from_parts(parts, Body::from(plain));
    }
    let (bytes, name) = match coding {
        Coding::Brotli => (brotli(&plain, 4), "br"),
        _ => (gzip(&plain), "gzip"),
    };
    parts
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Bytes::from(bytes)))
}

fn compressible(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let text = ["text/html", "application/json", "text/plain"]
        .iter()
        .any(|known| kind.starts_with(known));
    text && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_DISPOSITION)
        && !headers.contains_key(header::ACCEPT_RANGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &'static str, expect: Coding) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(list));
        assert_eq!(accepted(&headers), expect, "{list}");
    }

    #[test]
    fn the_best_coding_that_the_client_takes_is_chosen() {
        check("gzip, deflate, br, zstd", Coding::Brotli);
        check("gzip;q=1.0, br;q=0", Coding::Gzip);
        check("identity", Coding::Plain);
        check("*", Coding::Plain);
    }

    #[test]
    fn both_codings_give_the_bytes_back() {
        let plain = "A page of the wiki. ".repeat(4000).into_bytes();
        let mut unpacked = Vec::new();
        let read = std::io::Read::read_to_end(
            &mut flate2::read::GzDecoder::new(&gzip(&plain)[..]),
            &mut unpacked,
        );
        assert!(read.is_ok());
        assert_eq!(unpacked, plain);
        let mut unpacked = Vec::new();
        let read = std::io::Read::read_to_end(
            &mut brotli::Decompressor::new(&brotli(&plain, 5)[..], 4096),
            &mut unpacked,
        );
        assert!(read.is_ok());
        assert_eq!(unpacked, plain);
    }
}
