//! The front door: TLS, rules, upstreams, limits.
//!
//! It will stand between the network and everything that answers: it takes a request, normalises its URL once, finds the one rule that
//! matches it, and hands it to a target (the wiki, the sync engine, another server, a folder, a redirect, a fixed answer).
//!
//! What it must not contain: any word of the wiki. It could front any server, and the crate `server` alone tells it which targets exist.
//! It reads no configuration file and no environment either; it is given a finished, checked table.
//!
//! Today `watersmeet serve` listens by itself on one address, without rules and without TLS, so this crate holds nothing yet. It has its
//! place in the map so that nothing that belongs here settles in `web` meanwhile: no routing by host, no certificate, no upstream there.
