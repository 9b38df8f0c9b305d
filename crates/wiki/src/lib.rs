//! Placeholder for the crate `wiki` of the map in ARCHITECTURE.md.
