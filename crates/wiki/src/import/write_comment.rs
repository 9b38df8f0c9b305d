//! Writes comments, with their answers, their former versions and, for inline comments, the place they are at.

use storage::{WriteTx, params};

use super::batch::ContentIn;
use super::record::{CONTENT, Record, State};
use super::write_page::{Outcome, Target, add_properties, claim, insert_version, local, redirect};
use crate::error::Result;
use crate::ids::ContentId;
use crate::jobs;

/// Writes a comment.
pub(crate) fn write(tx: &WriteTx, target: Target<'_>, comment: &ContentIn) -> Result<Outcome> {
    let hash = comment.hash()?;
    match target.source.find(tx, CONTENT, &comment.id.to_string())? {
        Some(record) if record.state.hash == hash => Ok(Outcome {
            versions_kept: comment.former.len() as u64 + 1,
            ..Outcome::default()
        }),
        Some(record) => update(tx, target, comment, record, hash),
        None => create(tx, target, comment, hash),
    }
}

fn create(tx: &WriteTx, target: Target<'_>, comment: &ContentIn, hash: String) -> Result<Outcome> {
    let mut outcome = Outcome {
        created: true,
        ..Outcome::default()
    };
    let Some(page) = comment
        .page
        .map(|page| target.source.content(tx, page))
        .transpose()?
        .flatten()
    else {
        outcome.remark("the page it is on was not imported", "left out");
        return Ok(Outcome {
            created: false,
            left_out: true,
            ..outcome
        });
    };
    let content = claim(tx, comment.id, &mut outcome)?;
    let parent = comment
        .parent
        .map(|parent| target.source.content(tx, parent))
        .transpose()?
        .flatten();
    tx.execute(
        "INSERT INTO content (id, kind, space_id, page_id, parent_id, title, lower_title, status, version,
            created_by, created_at_ms, updated_by, updated_at_ms)
         VALUES ($1, 'comment', $2, $3, $4, '', '', $5, $6, $7, $8, $9, $10)",
        params![
            content,
            target.space,
            page,
            parent,
            comment.status,
            comment.current.number,
            target.people.account(comment.creator.as_deref()),
            comment.created_ms,
            target.people.account(comment.current.author.as_deref()),
            comment.current.at_ms
        ],
    )?;
    redirect(tx, comment.id, content)?;
    for version in comment.former.iter().chain([&comment.current]) {
        insert_version(tx, target, content, version, comment.id)?;
        outcome.versions += 1;
    }
    add_properties(tx, content, comment)?;
    remember(tx, target, comment, content, hash)?;
    Ok(outcome)
}

fn update(
    tx: &WriteTx,
    target: Target<'_>,
    comment: &ContentIn,
    record: Record,
    hash: String,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let content = ContentId::new(record.local_id);
    let Some(here) = local(tx, record.local_id)? else {
        outcome.remark("it was deleted here", "left deleted");
        return Ok(outcome);
    };
    if here.version != record.state.version || here.status != record.state.status {
        outcome.remark(
            "the export has changed, and the comment was edited here",
            "left as it is here",
        );
        return Ok(outcome);
    }
    for version in comment.former.iter().chain([&comment.current]) {
        if version.number > record.state.version {
            insert_version(tx, target, content, version, comment.id)?;
            outcome.versions += 1;
        }
    }
    let author = target.people.account(comment.current.author.as_deref());
    let sql = "UPDATE content SET status = $2, version = $3, updated_by = $4, updated_at_ms = $5 WHERE id = $1";
    let number = comment.current.number.max(record.state.version);
    tx.execute(
        sql,
        params![
            content,
            comment.status,
            number,
            author,
            comment.current.at_ms
        ],
    )?;
    add_properties(tx, content, comment)?;
    remember(tx, target, comment, content, hash)?;
    outcome.updated = true;
    Ok(outcome)
}

fn remember(
    tx: &WriteTx,
    target: Target<'_>,
    comment: &ContentIn,
    content: ContentId,
    hash: String,
) -> Result<()> {
    let state = State {
        hash,
        version: comment.current.number,
        ..State::of(comment)
    };
    target.source.put(
        tx,
        CONTENT,
        &comment.id.to_string(),
        &Record {
            local_id: content.get(),
            state,
        },
    )?;
    jobs::enqueue_index(tx, content)
}
