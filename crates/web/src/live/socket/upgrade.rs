//! From a request to a WebSocket: the handshake over HTTP/1.1 (RFC 6455) and over HTTP/2 (RFC 8441).

use std::future::Future;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::ext::Protocol;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};

use super::wire::Wire;
use crate::failure::{Answer, Failure};

/// What every server appends to a client's key, to show that it knows what it does.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A WebSocket on what was an HTTP connection, or a stream of one.
pub(super) type Socket = Wire<TokioIo<Upgraded>>;

/// A request that asks for a WebSocket.
pub(crate) struct Upgrade {
    upgrade: OnUpgrade,
    /// The answer to the key; HTTP/2 has none.
    accept: Option<HeaderValue>,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let none = || {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "this address is for WebSockets; use a client that asks for one",
            )
        };
        let accept = match parts.version {
            Version::HTTP_2 => {
                let protocol = parts.extensions.get::<Protocol>();
                let asked = protocol.is_some_and(|asked| asked.as_str() == "websocket");
                if parts.method != Method::CONNECT || !asked {
                    return Err(none());
                }
                None
            }
            _ => {
                let asked = parts.method == Method::GET
                    && says(&parts.headers, header::CONNECTION, "upgrade")
                    && says(&parts.headers, header::UPGRADE, "websocket");
                let key = parts.headers.get(header::SEC_WEBSOCKET_KEY);
                let Some(key) = key.filter(|_| asked) else {
                    return Err(none());
                };
                Some(accept(key)?)
            }
        };
        if !says(&parts.headers, header::SEC_WEBSOCKET_VERSION, "13") {
            return Err(none());
        }
        let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or_else(none)?;
        Ok(Self { upgrade, accept })
    }
}

impl Upgrade {
    /// Answers the request, and runs the connection when that has gone out.
    pub(super) fn run<F>(self, connection: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let upgrade = self.upgrade;
        tokio::spawn(async move {
            match upgrade.await {
                Ok(upgraded) => connection(Wire::new(TokioIo::new(upgraded))).await,
                Err(error) => {
                    tracing::debug!(%error, "a client asked for a WebSocket and was gone")
                }
            }
        });
        let mut answer = Response::new(Body::empty());
        if let Some(accept) = self.accept {
            *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = answer.headers_mut();
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        answer
    }
}

/// Whether a header has this word in its list.
fn says(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name);
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(word))
}

fn accept(key: &HeaderValue) -> Answer<HeaderValue> {
    let hash = Sha1::new()
        .chain_update(key.as_bytes())
        .chain_update(KEY_SUFFIX)
        .finalize();
    HeaderValue::from_str(&STANDARD.encode(hash)).map_err(|_| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "the key of the handshake is no key",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455, section 1.3.
    #[test]
    fn the_answer_to_a_key() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        let answer = accept(&key).map_err(|_| "refused").unwrap();
        assert_eq!(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
