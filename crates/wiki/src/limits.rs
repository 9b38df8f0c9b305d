//! Every bound of this crate, with what happens when it is reached.

use std::time::Duration;

/// Longest title, in characters; longer ones are refused.
pub(crate) const TITLE_CHARS_MAX: usize = 255;
/// Longest space key, in characters; longer ones are refused.
pub(crate) const SPACE_KEY_CHARS_MAX: usize = 255;
/// Longest account name, full name and e-mail address, in characters; longer ones are refused.
pub(crate) const NAME_CHARS_MAX: usize = 255;
/// Longest label, in characters; longer ones are refused.
pub(crate) const LABEL_CHARS_MAX: usize = 255;
/// Labels on one page; one more is refused.
pub(crate) const LABELS_PER_PAGE_MAX: i64 = 100;
/// Longest message of a version, in characters; longer ones are cut.
pub(crate) const MESSAGE_CHARS_MAX: usize = 1_000;
/// Longest body, in bytes of storage format; longer ones are refused.
pub(crate) const BODY_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Longest comment, in bytes; longer ones are refused.
pub(crate) const COMMENT_BYTES_MAX: usize = 100_000;
/// Comments shown on one page, oldest first; the rest is left out.
pub(crate) const COMMENTS_SHOWN_MAX: i64 = 2_000;
/// Deepest page tree; a walk upwards stops there, which also ends walks through damaged (circular) trees.
pub(crate) const TREE_DEPTH_MAX: i64 = 200;
/// Children of one page that are listed; the rest is left out.
pub(crate) const CHILDREN_MAX: i64 = 10_000;
/// Children listed below a page when it is read; the tree has all.
pub(crate) const CHILDREN_SHOWN_MAX: i64 = 500;
/// Longest list of pages that one call returns.
pub(crate) const LIST_MAX: usize = 500;

/// Highest id of content: the largest integer that JavaScript holds exactly. Imported ids above get a new one.
pub(crate) const CONTENT_ID_MAX: i64 = (1 << 53) - 1;

/// Shortest password, in characters.
pub(crate) const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password, in bytes: hashing must not be a way to keep the server busy.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1_024;
/// Memory of one password hash, in KiB.
pub(crate) const PASSWORD_HASH_KIB: u32 = 19 * 1024;
/// Passes of one password hash.
pub(crate) const PASSWORD_HASH_PASSES: u32 = 2;
/// Password hashes computed at the same time; others wait.
pub(crate) const PASSWORD_HASHES_AT_ONCE: usize = 2;
/// How long a password that was right is remembered (as a hash, in memory) for programs that send it with each request.
pub(crate) const PASSWORD_REMEMBERED_S: u64 = 300;
/// How many of them.
pub(crate) const PASSWORDS_REMEMBERED_MAX: u64 = 1_000;

/// Failed logins of one account before each further one has to wait.
pub(crate) const ATTEMPTS_PER_ACCOUNT: i64 = 5;
/// Failed logins from one address before each further one has to wait.
pub(crate) const ATTEMPTS_PER_ADDRESS: i64 = 20;
/// The first wait; it doubles with each further failure.
pub(crate) const ATTEMPT_WAIT_MIN_MS: i64 = 5_000;
/// The longest wait.
pub(crate) const ATTEMPT_WAIT_MAX_MS: i64 = 15 * 60_000;
/// Failures are forgotten when none followed for this long.
pub(crate) const ATTEMPTS_FORGOTTEN_MS: i64 = 60 * 60_000;

/// How long a session lasts.
pub(crate) const SESSION_MS: i64 = 30 * 24 * 3_600_000;
/// Personal access tokens of one account; one more is refused.
pub(crate) const TOKENS_PER_ACCOUNT_MAX: i64 = 50;
/// The last use of a token is written down this often.
pub(crate) const TOKEN_USE_NOTED_MS: i64 = 60_000;

/// Rendered pages kept in memory, in bytes; the ones used least go first.
pub(crate) const RENDERED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Rendered pages are made again after this, because they name things outside their space (people, other spaces).
pub(crate) const RENDERED_AGE_MAX_S: u64 = 300;
/// Settings are read again after this.
pub(crate) const SETTINGS_AGE_MAX_MS: i64 = 5_000;

/// Length of an excerpt, in bytes.
pub(crate) const EXCERPT_CHARS: usize = 220;
/// Hits returned when the caller does not say how many.
pub(crate) const HITS_DEFAULT: usize = 20;
/// Hits returned at most.
pub(crate) const HITS_MAX: usize = 50;
/// How far one can page through hits; further ones are empty.
pub(crate) const HITS_OFFSET_MAX: usize = 1_000;
/// Words of a query that count; the rest is ignored.
pub(crate) const QUERY_WORDS_MAX: usize = 20;
/// How long a writer of the index waits for another one, in this process or another; then the job is tried again later.
pub(crate) const INDEX_WAIT_MAX: Duration = Duration::from_secs(60);
/// Pause between two attempts.
pub(crate) const INDEX_WAIT_STEP: Duration = Duration::from_millis(20);
/// Memory of the index writer while it writes, in bytes (the smallest the library takes is 15 MB).
pub(crate) const INDEX_WRITER_BYTES: usize = 20_000_000;
/// Text of one page that is indexed, in bytes; the rest cannot be found.
pub(crate) const INDEXED_BYTES_MAX: usize = 1_000_000;
/// Content read in one transaction while the index is rebuilt.
pub(crate) const REBUILD_BATCH: i64 = 200;

/// Pieces of one paragraph that are compared word by word; longer ones are shown as deleted and inserted whole.
pub(crate) const COMPARED_WORDS_MAX: usize = 4_000;

/// Longest name of a live document, in bytes; longer ones are refused.
pub(crate) const DOCUMENT_NAME_BYTES_MAX: usize = 200;
/// Longest token between the roles of the program, in bytes; longer ones are refused.
pub(crate) const LIVE_TOKEN_BYTES_MAX: usize = 4_096;
/// How long such a token can be good; more is refused.
pub(crate) const LIVE_TOKEN_MS_MAX: i64 = 24 * 3_600_000;
/// How far the clocks of two machines may be apart.
pub(crate) const LIVE_TOKEN_SKEW_MS: i64 = 60_000;
/// The keys of tokens are read again after this.
pub(crate) const TRUST_KEYS_AGE_MAX_MS: i64 = 5_000;
/// A token of an unknown key makes them be read again, but not more often than this.
pub(crate) const TRUST_KEYS_AGE_MIN_MS: i64 = 1_000;

/// Rights that change within this time are looked at once.
pub(crate) const RIGHTS_GATHERED: Duration = Duration::from_millis(20);
/// Overlapping blocks that a refused write names.
pub(crate) const OVERLAPS_TOLD_MAX: usize = 5;
/// Characters of each of their texts that it quotes.
pub(crate) const OVERLAP_CHARS_MAX: usize = 80;
/// A live document smaller than this, encoded, is never rewritten for its size.
pub(crate) const REWRITE_BYTES_MIN: usize = 64 * 1024;
/// How many times larger than its text a live document may be, encoded, before it is rewritten.
pub(crate) const REWRITE_TEXT_FACTOR: usize = 20;
/// How many times smaller the rewritten one must be; otherwise it stays as it is.
pub(crate) const REWRITE_GAIN: usize = 2;
/// Bytes of a state vector beyond which a live document is rewritten: too many client ids have written in it.
pub(crate) const REWRITE_CLIENTS_BYTES: usize = 4 * 1024;
/// How often live documents that nobody has open are looked at for rewriting.
pub(crate) const REWRITE_SWEEP: Duration = Duration::from_secs(60);
/// How many of them at a time.
pub(crate) const REWRITE_BATCH: i64 = 20;
/// How long the last state of an epoch is kept for clients that were offline; what comes later is given back as text.
pub(crate) const EPOCH_KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// Epochs of one document that are kept at most; the oldest go first.
pub(crate) const EPOCHS_KEPT_MAX: i64 = 16;
/// Updates that a client may hand in at once after it was offline; more are refused.
pub(crate) const OFFLINE_UPDATES_MAX: usize = 20_000;
/// Rows of an unpublished draft's log that are kept for its history; a fold beyond that begins the history anew.
pub(crate) const DRAFT_ROWS_KEPT_MAX: i64 = 200_000;
/// Moments that the history of a draft shows.
pub(crate) const MOMENTS_MAX: usize = 2_000;
/// A pause in one person's writing that begins another moment, in milliseconds.
pub(crate) const MOMENT_PAUSE_MS: i64 = 2_000;
