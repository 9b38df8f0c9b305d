//! Every limit of the crate, by name, with what happens when it is reached.

/// Levels of nesting in a tree. Deeper source is kept as a preserved node; a deeper live document is read as far as this, with a note.
pub(crate) const DEPTH_MAX: usize = 200;

/// Levels that the HTML face walks, those inside preserved sources included. What is deeper is shown as text.
pub(crate) const WALK_DEPTH_MAX: usize = 240;

/// Macros inside preserved macros that are read and rendered. What is deeper is shown as text.
pub(crate) const MACRO_DEPTH_MAX: usize = 12;

/// How often the bytes of a preserved node may be read again while it is rendered, since macros in it may hold macros. What is beyond is
/// shown as text.
pub(crate) const REREAD_FACTOR: usize = 3;

/// Bytes that may be read again for any preserved node, however small.
pub(crate) const REREAD_BYTES_MIN: usize = 64 << 10;

/// Entries of all tables of contents of a page together; further headings are not listed.
pub(crate) const CONTENTS_ENTRIES_MAX: usize = 20_000;

/// Length of a heading filter of the macro `toc`; a longer one filters nothing.
pub(crate) const PATTERN_BYTES_MAX: usize = 500;

/// Marks around one piece of text. Further nesting is kept as a preserved node.
pub(crate) const MARKS_MAX: usize = 24;

/// Bytes that all copies of all marks of a document may take, whatever its size. Marks beyond that are kept as preserved nodes, in a live
/// document not read.
pub(crate) const MARK_BYTES_MIN: usize = 16 << 20;

/// The same, for each byte of the source.
pub(crate) const MARK_BYTES_PER_BYTE: usize = 8;

/// How often the reader of the storage format tries again with one more node preserved, before it preserves whole blocks.
pub(crate) const RETRIES_MAX: usize = 12;

/// Levels of arrays and objects in one value of an update. A deeper update is refused; our own values have two.
pub(crate) const ANY_DEPTH_MAX: usize = 32;

/// Stack of the thread on which live documents are read and changed.
pub(crate) const LIVE_STACK_BYTES: usize = 64 << 20;

/// Old times new blocks of one changed stretch that are all compared with each other; longer stretches one by one.
pub(crate) const ALIGNED_BLOCKS_MAX: usize = 10_000;
