//! Placeholder for the crate `web` of the map in ARCHITECTURE.md.
