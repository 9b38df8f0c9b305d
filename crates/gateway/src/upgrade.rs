//! Connections that become WebSockets: how a client asks for it, and the bytes afterwards.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_KEY, UPGRADE};
use http::request::Parts;
use http::{Extensions, Method, Version};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::pin::pin;
use tokio::io::{AsyncWriteExt as _, copy, split};
use tokio::time::timeout;

use crate::limits;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// How a client asks for a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// With `Upgrade` (RFC 6455).
    Upgrade,
    /// With CONNECT on one stream of HTTP/2 (RFC 8441).
    Connect,
}

impl Ask {
    pub(crate) fn of(parts: &Parts) -> Option<Ask> {
        if parts.version == Version::HTTP_2 {
            let protocol = parts.extensions.get::<Protocol>()?;
            let fits = parts.method == Method::CONNECT && protocol.as_str() == "websocket";
            return fits.then_some(Ask::Connect);
        }
        let says = |name, word: &str| {
            let values = parts.headers.get_all(name).iter();
            values.filter_map(|value| value.to_str().ok()).any(|list| {
                list.split(',')
                    .any(|item| item.trim().eq_ignore_ascii_case(word))
            })
        };
        (says(CONNECTION, "upgrade") && says(UPGRADE, "websocket")).then_some(Ask::Upgrade)
    }

    /// Asks the target for the same with HTTP/1.1. After the headers of the client's connection were removed.
    pub(crate) fn put(self, parts: &mut Parts) {
        let headers = &mut parts.headers;
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, WEBSOCKET);
        if self == Ask::Connect {
            parts.method = Method::GET;
            headers.insert(SEC_WEBSOCKET_KEY, key());
        }
    }
}

/// The key is no secret: it shows that the target has understood. Without randomness any key will do.
fn key() -> HeaderValue {
    let mut bytes = [7; 16];
    let _ = getrandom::fill(&mut bytes);
    HeaderValue::from_str(&STANDARD.encode(bytes)).unwrap_or(WEBSOCKET)
}

/// Copies bytes both ways until one side ends. What came along with the request lives as long.
pub(crate) async fn join(client: OnUpgrade, target: OnUpgrade, _along: Extensions) {
    let (client, target) = match tokio::try_join!(client, target) {
        Ok((client, target)) => (TokioIo::new(client), TokioIo::new(target)),
        Err(error) => {
            tracing::debug!(%error, "a connection did not become a WebSocket");
            return;
        }
    };
    let (mut client_read, mut client_write) = split(client);
    let (mut target_read, mut target_write) = split(target);
    let mut up = pin!(async {
        let copied = copy(&mut client_read, &mut target_write).await;
        let _ = target_write.shutdown().await;
        copied
    });
    let mut down = pin!(async {
        let copied = copy(&mut target_read, &mut client_write).await;
        let _ = client_write.shutdown().await;
        copied
    });
    // How a side ends, in order or not, is told to the other by the end of its own connection.
    tokio::select! {
        _ = &mut up => drop(timeout(limits::LAST_WORDS, down).await),
        _ = &mut down => drop(timeout(limits::LAST_WORDS, up).await),
    }
}
