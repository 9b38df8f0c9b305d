//! The rules of the wiki, each on SQLite and on PostgreSQL.

mod accounts;
mod addresses;
mod changing;
mod reading;
mod search;
mod storing;
