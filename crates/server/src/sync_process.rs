//! The tunnel from the role `wiki` to the role `sync`.

use gateway::{Tunnel, TunnelSettings};
use http::{HeaderName, HeaderValue};
use web::{SyncProcess, SyncSettings};

use crate::outcome::Failure;

/// Told to the sync engine of a connection that came through the wiki.
const PATH: HeaderName = HeaderName::from_static("watersmeet-path");

/// A tunnel to the process that has the sync engine.
pub(crate) fn dig(sync: &SyncSettings, public_url: &str) -> Result<Tunnel, Failure> {
    let https = public_url.starts_with("https://");
    let settings = TunnelSettings {
        target: sync.internal_url.clone(),
        mark: (PATH, HeaderValue::from_static("internal proxy")),
        scheme: HeaderValue::from_static(if https { "https" } else { "http" }),
    };
    Tunnel::new(settings).map_err(Failure::wrong_usage)
}

/// The way through the tunnel, for the web part.
pub(crate) fn through(tunnel: Tunnel) -> SyncProcess {
    SyncProcess::new(move |request| {
        let tunnel = tunnel.clone();
        async move { Ok(tunnel.carry(request).await?) }
    })
}
