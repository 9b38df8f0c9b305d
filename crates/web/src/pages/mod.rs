//! Pages for people, one file for each subject.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod attachments;
pub(crate) mod authors;
pub(crate) mod blog;
pub(crate) mod change;
pub(crate) mod collaborative_editing;
pub(crate) mod comments;
pub(crate) mod content;
pub(crate) mod draft_history;
pub(crate) mod home;
pub(crate) mod import;
pub(crate) mod people;
pub(crate) mod search;
pub(crate) mod setup;
pub(crate) mod space_settings;
pub(crate) mod spaces;
pub(crate) mod versions;
