//! The front door: TLS, rules, upstreams, limits.
//!
//! **What is here.** [`Tunnel`] carries requests to a program behind this one, whatever they are: short ones, event streams that never
//! end, long polls, and connections that become WebSockets.
//!
//! **What is not here.** No word of the wiki: it could front any server, and the crate `server` alone tells it which targets exist.
//! It reads no configuration file and no environment either; it is given finished, checked values.
//!
//! **What will be here.** It takes a request, normalises its URL once, finds the one rule that matches it, and hands it to a target (the
//! wiki, the sync engine, another server, a folder, a redirect, a fixed answer). Today `watersmeet serve` listens by itself on one
//! address, without rules and without TLS.
//!
//! **Invariants.**
//! - Bytes go on as they come: nothing is gathered, compressed or changed on the way.
//! - What a client says about itself in headers that only we may write is taken away.
//!
//! **Where to start.** `tunnel.rs`.

mod limits;

mod ending;
mod headers;
mod tunnel;
mod upgrade;

pub use tunnel::{Tunnel, TunnelBody, TunnelError, TunnelSettings};
