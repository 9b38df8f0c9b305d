//! Everything that speaks HTTP: pages for people, JSON for the islands, old addresses, files.
//!
//! **What is here.** [`router`] is the one readable list of addresses. A handler takes a request apart, asks the wiki one
//! question, and answers. Pages are HTML first (`pages/`, with pieces in `parts/` and the frame in `layout.rs`) and complete without
//! JavaScript; the islands in `frontend/` come on top.
//!
//! **What is not here.** No SQL and no rule of the wiki: who may do what is decided behind [`wiki::Wiki`]. No reading of
//! configuration: [`Settings`] come from the server.
//!
//! **Invariants.**
//! - Text becomes HTML only through `maud`, which escapes it; the only ready-made HTML is what the wiki sanitised.
//! - A change needs the session's CSRF token, or a `Bearer`/`Basic` credential that no browser sends by itself (`visitor.rs`).
//! - Every answer carries the security headers of `headers.rs`; there is no inline script.
//! - A redirect leads to this site only (`addresses::local`).
//! - What is cached is keyed by everything it depends on (`cache.rs`), so that no one sees another's page or an old one.
//!
//! **Where to start.** `serve.rs` for connections, `router.rs`, then `pages/content.rs` for reading a page; `failure.rs` for how errors look.

mod limits;

mod router;
mod serve;
mod state;
mod sync_process;
mod sync_settings;

mod assets;
mod cache;
mod compress;
mod failure;
mod headers;
mod metrics;
mod params;
mod visitor;

mod addresses;
mod api;
mod download;
mod live;
mod operations;
mod upload;

mod layout;
mod pages;
mod parts;

#[cfg(test)]
mod tests;

pub use router::router;
pub use serve::serve;
pub use state::{Settings, Web};
pub use sync_process::SyncProcess;
pub use sync_settings::{Role, SyncProxy, SyncSettings, Transport};
