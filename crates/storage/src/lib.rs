//! Placeholder for the crate `storage` of the map in ARCHITECTURE.md.
