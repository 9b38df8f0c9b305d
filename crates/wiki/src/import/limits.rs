//! Every bound of the importer, by name. An export is foreign data: whatever it holds, one of these ends it.

/// Entries of one archive or directory; more are refused before anything is written.
pub(crate) const ENTRIES_MAX: usize = 2_000_000;
/// Folders below each other in a directory or archive name.
pub(crate) const FOLDER_DEPTH_MAX: usize = 32;
/// Bytes of one entry name.
pub(crate) const NAME_BYTES_MAX: usize = 1_024;
/// Unpacked bytes of `entities.xml`.
pub(crate) const ENTITIES_BYTES_MAX: u64 = 64 << 30;
/// Unpacked bytes of one attachment file.
pub(crate) const ATTACHMENT_BYTES_MAX: u64 = 8 << 30;
/// Unpacked bytes of everything read out of one archive.
pub(crate) const TOTAL_BYTES_MAX: u64 = 1 << 40;
/// Unpacked bytes per packed byte; real exports stay below 60, a bomb is near 1,000.
pub(crate) const RATIO_MAX: u64 = 250;
/// Unpacked bytes that every entry may have whatever its ratio is.
pub(crate) const RATIO_FREE_BYTES: u64 = 16 << 20;
/// Bytes of the export descriptor.
pub(crate) const DESCRIPTOR_BYTES_MAX: u64 = 1 << 20;
/// Bytes of one object of `entities.xml`; a larger one ends the reading as damage.
pub(crate) const OBJECT_BYTES_MAX: u64 = 128 << 20;
/// Elements below each other inside one object; Confluence itself uses five.
pub(crate) const ELEMENT_DEPTH_MAX: usize = 16;
/// Fields of one object and members of one collection; more are dropped.
pub(crate) const FIELDS_MAX: usize = 512;
/// Members of one collection that are kept; collections are only a fallback for back references.
pub(crate) const MEMBERS_MAX: usize = 100_000;
/// Characters of a title, as Confluence allows; longer ones are cut and reported.
pub(crate) const TITLE_CHARS_MAX: usize = 255;
/// Problems kept in a report; more are only counted.
pub(crate) const PROBLEMS_MAX: usize = 10_000;
/// Different macro names kept in a report.
pub(crate) const MACROS_MAX: usize = 2_000;
/// Objects written to the temporary table in one transaction.
pub(crate) const TABLE_BATCH: usize = 500;
/// Bytes written to the temporary table in one transaction.
pub(crate) const TABLE_BATCH_BYTES: usize = 8 << 20;
/// Contents written to the wiki in one transaction.
pub(crate) const WRITE_BATCH: usize = 50;
/// Body bytes written to the wiki in one transaction.
pub(crate) const WRITE_BATCH_BYTES: usize = 4 << 20;
