//! Imports of whole exports, on SQLite and, where there is one, on PostgreSQL.

mod support;

mod broken;
mod corpus;
mod newer;
mod opsa;
mod runs;
