//! Placeholder for the crate `testkit` of the map in ARCHITECTURE.md.
