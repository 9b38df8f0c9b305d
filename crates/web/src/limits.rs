//! Every limit of this crate, with what happens when it is reached.

use std::time::Duration;

/// Largest body of a form or JSON request; more is answered with 413.
pub(crate) const FORM_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest attachment of one upload; more is answered with 413.
pub(crate) const ATTACHMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Largest export uploaded for an import; more is answered with 413.
pub(crate) const IMPORT_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// A request that is not an upload, a download or a live connection is given up with 503 after this time.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Rendered pages kept in memory, counted in bytes of all their encodings; the least used go first.
pub(crate) const PAGE_CACHE_BYTES_MAX: u64 = 48 * 1024 * 1024;
/// A rendered page is kept at most this long, whatever its stamps say.
pub(crate) const PAGE_CACHE_AGE_MAX: Duration = Duration::from_secs(3600);
/// Children of one branch of the page tree sent at once; the rest is behind a link.
pub(crate) const TREE_CHILDREN_MAX: usize = 500;
/// Results on one page of search, history, or any other list.
pub(crate) const LIST_ROWS: usize = 25;
/// Results that a program may ask for at once.
pub(crate) const API_ROWS_MAX: usize = 100;
/// A session cookie lives this long in the browser.
pub(crate) const SESSION_COOKIE_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Bodies smaller than this are not compressed.
pub(crate) const COMPRESS_BYTES_MIN: usize = 860;
