//! Placeholder for the crate `server` of the map in ARCHITECTURE.md.
