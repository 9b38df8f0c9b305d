//! Imports of whole exports.
