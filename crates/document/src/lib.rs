//! Placeholder for the crate `document` of the map in ARCHITECTURE.md.
