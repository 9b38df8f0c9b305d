//! The rules of the wiki: who may do what to which content, and what then happens.
//!
//! **What is here.** One handle, [`Wiki`], and below it one file for each noun: accounts, sessions, tokens, spaces,
//! permissions, pages, versions, comments, labels, attachments, addresses, search, settings. The SQL of a rule stands
//! beside the rule. The tables are in `migrations/`.
//!
//! **What is not here.** No HTTP type and no status code ([`Error`] says what the caller can do; `web` maps it). No name
//! of a database product (`storage` has them). No look inside a document's syntax (`document` has it) and no merging of
//! edits (`collab` has it).
//!
//! **Invariants.**
//! - Every function takes an [`Actor`] and answers only what that actor may know.
//! - Every change is one `write` transaction: rows, the stamp of the space and the jobs that follow, or nothing.
//! - Whatever readers of a space see is a function of the space's stamp, so everything rendered is cached by
//!   `(id, stamp)` and several processes may change the same wiki at once.
//! - All content shares one sequence of ids; imported ids are kept where they are free, otherwise the old one redirects.
//! - A version is stored whole, in the storage format, and never changed.
//! - Clock and randomness are parameters.
//!
//! **Where to start.** `wiki.rs` for the handle, `pages.rs` for reading a page, `versions.rs` for what publishing does to
//! the tables, `permissions.rs` for the one place that decides who may.

mod limits;

mod ids;

mod actor;
mod environment;
mod error;
mod wiki;

mod accounts;
mod attempts;
mod passwords;
mod secrets;
mod sessions;
mod tokens;
mod trust;

mod permissions;
mod spaces;

mod changes;
mod head;
mod lists;
mod pages;
mod publish;
mod readable;
mod tree;
mod versions;

mod live;
mod view;

mod attachments;
mod comments;
mod labels;
mod media_types;

mod authorship;
mod compare;
mod merge;
mod signs;

mod addresses;
mod links;
mod lookup;
mod names;
mod sequence;

mod search;
mod search_index;
mod words;

mod import;

mod check;
mod example;
mod jobs;
mod settings;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use accounts::{Account, Accounts, NewAccount};
pub use actor::{Actor, Person, Proof};
pub use addresses::{
    Address, Destination, attachment_url, blog_url, page_url, person_url, space_url, tiny_code,
    tiny_id,
};
pub use attachments::{Attachment, Attachments, Download, Upload};
pub use authorship::{Authorship, Share};
pub use check::CheckReport;
pub use comments::{Comment, Comments};
pub use compare::{Change, ComparedBlock, Comparison};
pub use environment::{Clock, Randomness};
pub use error::{Error, Result};
pub use ids::{ContentId, GroupId, SpaceId, TokenId, UserId};
pub use import::{
    ExportInfo, ImportOptions, ImportProgress, ImportReport, ImportRun, ImportUpload,
    ImportedSpace, Imports, MacroCount, ObjectCount, Problem, ResultCount, RunState, Severity,
};
pub use labels::{LabelCount, Labels};
pub use live::{
    Compacted, DraftHistory, DraftState, Drafts, LiveAuthors, LiveDocuments, LiveLink, LiveMode,
    LogSize, Mode, Moment, OfflineEdits, OfflineMerge, OpenDocument, OriginRun, Published,
    mode_of_word, open_rights,
};
pub use pages::{
    Byline, ContentKind, NewPage, PageContent, PageHead, PageLink, PageSummary, PageView, Pages,
    Place, SpaceSummary, Status, TreeNode,
};
pub use permissions::{Grant, Permission, Right, Subject};
pub use readable::readable;
pub use search::{Fragment, SearchHit, SearchQuery, SearchResult};
pub use sessions::{Credentials, LogIn, NewSession, Session, Sessions};
pub use settings::SiteSettings;
pub use spaces::{NewSpace, Space, SpaceChange, SpaceMode, Spaces};
pub use tokens::{AccessToken, Tokens};
pub use trust::{Claims, LiveToken, TokenRights, Trust};
pub use versions::{PageUpdate, VersionBody, VersionSummary, Versions};
pub use wiki::{MIGRATIONS, Parts, Wiki};
