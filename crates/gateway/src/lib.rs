//! Placeholder for the crate `gateway` of the map in ARCHITECTURE.md.
