//! Placeholder for the crate `collab` of the map in ARCHITECTURE.md.
