//! Writes attachments. The bytes of all versions are in the blob store before a row names them.

use storage::{Tx, WriteTx, params};

use super::batch::{ContentIn, VersionIn, cut_title};
use super::record::{CONTENT, Record, State};
use super::write_page::{Outcome, Target, add_labels, add_properties, claim, local, redirect};
use crate::error::Result;
use crate::ids::ContentId;
use crate::{jobs, names};

/// A version whose bytes are stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredVersion {
    pub(crate) version: VersionIn,
    pub(crate) blob: String,
    pub(crate) bytes: i64,
    pub(crate) media_type: String,
}

/// An attachment whose bytes are stored; versions oldest first, at least one.
#[derive(Clone, Debug)]
pub(crate) struct StoredAttachment {
    pub(crate) attachment: ContentIn,
    pub(crate) versions: Vec<StoredVersion>,
    pub(crate) hash: String,
}

/// Whether the attachment is here already exactly as in the export, so that no byte of it has to be read.
pub(crate) fn is_known(
    tx: &Tx,
    source: &super::record::Source,
    id: i64,
    hash: &str,
) -> Result<bool> {
    Ok(source
        .find(tx, CONTENT, &id.to_string())?
        .is_some_and(|record| record.state.hash == hash))
}

/// Writes an attachment.
pub(crate) fn write(
    tx: &WriteTx,
    target: Target<'_>,
    stored: &StoredAttachment,
) -> Result<Outcome> {
    let attachment = &stored.attachment;
    match target
        .source
        .find(tx, CONTENT, &attachment.id.to_string())?
    {
        Some(record) if record.state.hash == stored.hash => Ok(Outcome {
            versions_kept: stored.versions.len() as u64,
            ..Outcome::default()
        }),
        Some(record) => update(tx, target, stored, record),
        None => create(tx, target, stored),
    }
}

fn create(tx: &WriteTx, target: Target<'_>, stored: &StoredAttachment) -> Result<Outcome> {
    let mut outcome = Outcome {
        created: true,
        ..Outcome::default()
    };
    let attachment = &stored.attachment;
    let page = attachment
        .page
        .map(|page| target.source.content(tx, page))
        .transpose()?
        .flatten();
    let (Some(page), Some(last)) = (page, stored.versions.last()) else {
        outcome.remark("the page it is on was not imported", "left out");
        return Ok(Outcome {
            created: false,
            left_out: true,
            ..outcome
        });
    };
    let content = claim(tx, attachment.id, &mut outcome)?;
    let name = free_name(tx, page, attachment, &mut outcome)?;
    tx.execute(
        "INSERT INTO content (id, kind, space_id, page_id, title, lower_title, status, version,
            created_by, created_at_ms, updated_by, updated_at_ms)
         VALUES ($1, 'attachment', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            content,
            target.space,
            page,
            &name,
            names::fold(&name),
            attachment.status,
            last.version.number,
            target.people.account(attachment.creator.as_deref()),
            attachment.created_ms,
            target.people.account(last.version.author.as_deref()),
            last.version.at_ms
        ],
    )?;
    redirect(tx, attachment.id, content)?;
    for version in &stored.versions {
        outcome.versions += insert_version(tx, target, content, version, attachment.id)?;
    }
    add_labels(tx, target, content, attachment, &mut outcome)?;
    add_properties(tx, content, &without_own_properties(attachment))?;
    remember(tx, target, stored, content, name)?;
    Ok(outcome)
}

/// Type, size and the like have columns.
fn without_own_properties(attachment: &ContentIn) -> ContentIn {
    let own = ["MEDIA_TYPE", "FILESIZE", "FILESTORE_ID"];
    let is_foreign = |(name, _): &&(String, String)| !own.contains(&name.as_str());
    let properties = attachment
        .properties
        .iter()
        .filter(is_foreign)
        .cloned()
        .collect();
    ContentIn {
        properties,
        ..attachment.clone()
    }
}

/// The name of the file; two files of one page cannot have the same.
fn free_name(tx: &Tx, page: i64, attachment: &ContentIn, outcome: &mut Outcome) -> Result<String> {
    let (mut name, is_cut) = cut_title(&attachment.current.title.replace(['/', '\\'], "_"));
    if is_cut {
        outcome.remark("its name is longer than 255 characters", "the name was cut");
    }
    if name.is_empty() || name == "." || name == ".." {
        name = format!("attachment-{}", attachment.id);
        outcome.remark("it has no name", format!("it is called `{name}`"));
    }
    if attachment.status != "current" {
        return Ok(name);
    }
    let sql = "SELECT id FROM content WHERE page_id = $1 AND kind = 'attachment' AND status = 'current' AND lower_title = $2";
    if tx
        .query_opt(sql, params![page, names::fold(&name)])?
        .is_none()
    {
        return Ok(name);
    }
    let (stem, extension) = name
        .rsplit_once('.')
        .map_or((name.as_str(), String::new()), |(stem, end)| {
            (stem, format!(".{end}"))
        });
    let other = format!("{stem} ({}){extension}", attachment.id);
    outcome.remark(
        format!("the page has another file `{name}`"),
        format!("it is called `{other}`"),
    );
    Ok(other)
}

fn insert_version(
    tx: &WriteTx,
    target: Target<'_>,
    content: ContentId,
    stored: &StoredVersion,
    own: i64,
) -> Result<u64> {
    let version = &stored.version;
    let sql = "INSERT INTO attachment_version (attachment_id, number, blob, size, media_type, author, message, created_at_ms, historical_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    Ok(tx.execute(
        sql,
        params![
            content,
            version.number,
            &stored.blob,
            stored.bytes,
            &stored.media_type,
            target.people.account(version.author.as_deref()),
            names::message(&version.message),
            version.at_ms,
            (version.id != own).then_some(version.id)
        ],
    )?)
}

fn update(
    tx: &WriteTx,
    target: Target<'_>,
    stored: &StoredAttachment,
    record: Record,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let content = ContentId::new(record.local_id);
    let Some(here) = local(tx, record.local_id)? else {
        outcome.remark("it was deleted here", "left deleted");
        return Ok(outcome);
    };
    let state = &record.state;
    if here.version != state.version || here.status != state.status || here.title != state.title {
        outcome.remark(
            "the export has changed, and the file was changed here",
            "left as it is here",
        );
        return Ok(outcome);
    }
    for version in &stored.versions {
        outcome.versions += insert_version(tx, target, content, version, stored.attachment.id)?;
    }
    outcome.versions_kept = stored.versions.len() as u64 - outcome.versions;
    if let Some(last) = stored
        .versions
        .last()
        .filter(|last| last.version.number >= state.version)
    {
        let author = target.people.account(last.version.author.as_deref());
        let sql = "UPDATE content SET status = $2, version = $3, updated_by = $4, updated_at_ms = $5 WHERE id = $1";
        tx.execute(
            sql,
            params![
                content,
                stored.attachment.status,
                last.version.number,
                author,
                last.version.at_ms
            ],
        )?;
    }
    remember(tx, target, stored, content, state.title.clone())?;
    outcome.updated = true;
    Ok(outcome)
}

fn remember(
    tx: &WriteTx,
    target: Target<'_>,
    stored: &StoredAttachment,
    content: ContentId,
    title: String,
) -> Result<()> {
    let version = stored.versions.last().map_or(0, |last| last.version.number);
    let state = State {
        hash: stored.hash.clone(),
        version,
        title,
        ..State::of(&stored.attachment)
    };
    target.source.put(
        tx,
        CONTENT,
        &stored.attachment.id.to_string(),
        &Record {
            local_id: content.get(),
            state,
        },
    )?;
    jobs::enqueue_index(tx, content)
}
