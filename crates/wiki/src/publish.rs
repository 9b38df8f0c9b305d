//! What publishing does to the tables. Every version of every page, blog post and comment is stored here: by an editor's
//! publish, a restore, an import, a program.

use crate::error::{Error, Result};
use crate::ids::{ContentId, SpaceId, UserId};
use crate::jobs;
use crate::limits::BODY_BYTES_MAX;
use crate::live;
use crate::names;
use crate::pages::ContentKind;
use crate::spaces::bump_stamp;
use document::StorageFormat;
use storage::{Row, Tx, WriteTx, params};

/// How hard bodies are compressed: level 3 halves the time of 6 for a tenth more bytes.
const COMPRESSION_LEVEL: i32 = 3;

/// A version to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewVersion<'a> {
    pub(crate) content: ContentId,
    pub(crate) title: &'a str,
    /// Storage format, well-formed.
    pub(crate) body: &'a str,
    pub(crate) author: Option<UserId>,
    /// Who else wrote in it.
    pub(crate) contributors: &'a [UserId],
    pub(crate) message: &'a str,
    pub(crate) minor: bool,
    pub(crate) now_ms: i64,
}

impl<'a> NewVersion<'a> {
    /// A version by nobody in particular, without message.
    pub(crate) fn new(content: ContentId, title: &'a str, body: &'a str, now_ms: i64) -> Self {
        NewVersion {
            content,
            title,
            body,
            author: None,
            contributors: &[],
            message: "",
            minor: false,
            now_ms,
        }
    }
}

/// Publishes: stores the body as the next version, makes the content current under that title, notes the title it had,
/// changes the space's stamp and has the index updated, all in the caller's transaction. Returns the version's number.
/// `Conflict` when another page of the space has the title or the draft has other changes in the same blocks, `Invalid` when the body
/// is not well-formed.
pub(crate) fn insert_version(tx: &WriteTx, version: &NewVersion<'_>) -> Result<i64> {
    let before = Before::read(tx, version.content)?.version;
    let number = insert_version_only(tx, version)?;
    let written = live::Written {
        page: version.content,
        title: version.title,
        body: version.body,
        author: version.author,
        version: number,
        before,
        now_ms: version.now_ms,
    };
    live::follow(tx, &written)?;
    Ok(number)
}

/// The same for a version that the live document holds already: a publish of the draft.
pub(crate) fn insert_version_only(tx: &WriteTx, version: &NewVersion<'_>) -> Result<i64> {
    let title = names::title(version.title)?;
    check_body(version.body)?;
    let before = Before::read(tx, version.content)?;
    if before.kind == ContentKind::Page {
        check_title_free(tx, before.space, version.content, &title)?;
    }
    let number = before.version + 1;
    let row = VersionRow {
        number,
        title: &title,
        author: version.author,
        contributors: version.contributors,
        historical_id: None,
    };
    store_version(tx, version, &row)?;
    if before.version > 0 && before.lower_title != names::fold(&title) {
        note_former_title(
            tx,
            version.content,
            before.space,
            &before.lower_title,
            version.now_ms,
        )?;
    }
    tx.execute(
        "UPDATE content SET title = $2, lower_title = $3, version = $4, status = 'current', updated_by = $5, updated_at_ms = $6 WHERE id = $1",
        params![version.content, &title, names::fold(&title), number, version.author, version.now_ms],
    )?;
    bump_stamp(tx, before.space)?;
    jobs::enqueue_index(tx, version.content)?;
    Ok(number)
}

/// Number and identity of a version row; imports choose them, publishing counts.
pub(crate) struct VersionRow<'a> {
    pub(crate) number: i64,
    pub(crate) title: &'a str,
    pub(crate) author: Option<UserId>,
    pub(crate) contributors: &'a [UserId],
    /// The content id that an import gave this version.
    pub(crate) historical_id: Option<i64>,
}

/// Stores a version and nothing else: imports fill in the history this way.
pub(crate) fn store_version(
    tx: &WriteTx,
    version: &NewVersion<'_>,
    row: &VersionRow<'_>,
) -> Result<()> {
    let contributors: Vec<i64> = row.contributors.iter().map(|user| user.get()).collect();
    let contributors = serde_json::to_string(&contributors).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO content_version (content_id, number, title, body, author, message, minor, created_at_ms, contributors, historical_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            version.content,
            row.number,
            row.title,
            compress(version.body)?,
            row.author,
            names::message(version.message),
            version.minor,
            version.now_ms,
            contributors,
            row.historical_id
        ],
    )?;
    Ok(())
}

/// Body and title of a version; `NotFound` when there is no such version.
pub(crate) fn read_body(tx: &Tx, content: ContentId, number: i64) -> Result<String> {
    let sql = "SELECT body FROM content_version WHERE content_id = $1 AND number = $2";
    match tx.query_opt(sql, params![content, number])? {
        Some(row) => decompress(row.bytes_ref("body")?),
        None => Err(Error::NotFound(format!(
            "page `{content}` has no version {number}; its history lists them"
        ))),
    }
}

/// Refuses a title that another current page of the space has.
pub(crate) fn check_title_free(
    tx: &Tx,
    space: SpaceId,
    content: ContentId,
    title: &str,
) -> Result<()> {
    let sql = "SELECT id FROM content
        WHERE space_id = $1 AND lower_title = $2 AND kind = 'page' AND status = 'current' AND id <> $3";
    match tx.query_opt(sql, params![space, names::fold(title), content])? {
        Some(row) => Err(Error::Conflict(format!(
            "page `{}` of this space has the title `{title}`; choose another title",
            row.i64("id")?
        ))),
        None => Ok(()),
    }
}

/// Remembers a title, so that old addresses lead on.
pub(crate) fn note_former_title(
    tx: &WriteTx,
    content: ContentId,
    space: SpaceId,
    lower_title: &str,
    now_ms: i64,
) -> Result<()> {
    let sql = "INSERT INTO title_history (content_id, space_id, lower_title, until_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (content_id, space_id, lower_title) DO UPDATE SET until_ms = excluded.until_ms";
    tx.execute(sql, params![content, space, lower_title, now_ms])?;
    Ok(())
}

/// A body as it is stored.
pub(crate) fn compress(body: &str) -> Result<Vec<u8>> {
    zstd::bulk::compress(body.as_bytes(), COMPRESSION_LEVEL).map_err(Error::internal)
}

/// What `compress` was given.
pub(crate) fn decompress(bytes: &[u8]) -> Result<String> {
    let plain = zstd::stream::decode_all(bytes)
        .map_err(|error| Error::internal(format!("a stored body is damaged: {error}")))?;
    String::from_utf8(plain)
        .map_err(|error| Error::internal(format!("a stored body is not text: {error}")))
}

/// Refuses a body that is too long or not well-formed.
pub(crate) fn check_body(body: &str) -> Result<()> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "the body is longer than {BODY_BYTES_MAX} bytes; divide the page"
        )));
    }
    match StorageFormat::parse(body) {
        Ok(_) => Ok(()),
        Err(malformed) => Err(Error::Invalid(format!(
            "the body is not well-formed: {malformed}; correct it"
        ))),
    }
}

struct Before {
    kind: ContentKind,
    space: SpaceId,
    lower_title: String,
    version: i64,
}

impl Before {
    fn read(tx: &Tx, content: ContentId) -> Result<Before> {
        let sql = "SELECT kind, space_id, lower_title, version, status FROM content WHERE id = $1";
        let row = tx
            .query_opt(sql, params![content])?
            .ok_or_else(|| crate::head::missing(content))?;
        if matches!(row.text_ref("status")?, "trashed" | "archived") {
            let status = row.text("status")?;
            return Err(Error::Conflict(format!(
                "page `{content}` is {status}; restore it first"
            )));
        }
        Before::of(&row)
    }

    fn of(row: &Row) -> Result<Before> {
        Ok(Before {
            kind: ContentKind::of_column(row.text_ref("kind")?),
            space: SpaceId::new(row.i64("space_id")?),
            lower_title: row.text("lower_title")?,
            version: row.i64("version")?,
        })
    }
}
