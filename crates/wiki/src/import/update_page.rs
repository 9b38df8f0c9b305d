//! What a newer export changes in a page that was imported before, where nobody has changed it here.

use storage::{Tx, WriteTx, params};

use super::batch::{ContentIn, VersionIn};
use super::record::{CONTENT, Record, State};
use super::write_page::{
    Local, Outcome, Target, add_labels, add_properties, add_restrictions, free_title,
    insert_version, local, note_titles, parent_of,
};
use crate::error::Result;
use crate::ids::{ContentId, UserId};
use crate::limits::TREE_DEPTH_MAX;
use crate::{jobs, live, names, publish};

/// Updates a page or blog post. What people did here stays, and the report says so.
pub(crate) fn update(
    tx: &WriteTx,
    target: Target<'_>,
    page: &ContentIn,
    record: Record,
    hash: String,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let content = ContentId::new(record.local_id);
    let Some(here) = local(tx, record.local_id)? else {
        outcome.remark("it was deleted here", "left deleted");
        return Ok(outcome);
    };
    let state = &record.state;
    let all = page.former.iter().chain([&page.current]);
    let fresh: Vec<&VersionIn> = all
        .filter(|version| version.number > state.version)
        .collect();
    outcome.versions_kept = (page.former.len() + 1 - fresh.len()) as u64;
    if let Some(what) = conflict(page, &here, state, fresh.len()) {
        outcome.remark(what, "left as it is here; compare by hand");
        return Ok(outcome);
    }
    let parent = place(tx, target, page, content, &here, state, &mut outcome)?;
    if parent != here.parent || page.status != here.status {
        live::head_moved(tx, content)?;
        live::rights_changed(tx)?;
    }
    for version in &fresh {
        insert_version(tx, target, content, version, page.id)?;
        outcome.versions += 1;
    }
    let mut news = news(page, state);
    if here.position != state.position {
        news.position = here.position;
    }
    let new = State {
        hash,
        version: page.current.number.max(state.version),
        parent,
        position: news.position,
        ..State::of(page)
    };
    apply(
        tx,
        target,
        &news,
        (content, here.version),
        new,
        &mut outcome,
    )?;
    outcome.updated = true;
    Ok(outcome)
}

/// Why the page cannot be updated.
fn conflict(page: &ContentIn, here: &Local, state: &State, fresh: usize) -> Option<String> {
    let is_edited =
        here.version != state.version || here.title != state.title || here.status != state.status;
    match (is_edited, fresh) {
        (true, 0) => Some("the export has changed, and the page was edited here".to_owned()),
        (true, _) => Some(format!(
            "the export has {fresh} newer versions, and the page was edited here"
        )),
        (false, 1..) if here.has_draft => Some(format!(
            "the export has {fresh} newer versions, and the page has unpublished changes here"
        )),
        (false, 1..) if page.current.malformed.is_some() => Some(format!(
            "the export has {fresh} newer versions, and the last one is not well-formed"
        )),
        _ => None,
    }
}

/// What of labels and restrictions the export did not have before: what was taken away here is not brought back.
fn news(page: &ContentIn, state: &State) -> ContentIn {
    let labels = page.labels.iter();
    let labels = labels.filter(|label| !state.labels.contains(&label.name));
    let restrictions = match page.restrictions == state.restrictions {
        true => Vec::new(),
        false => page.restrictions.clone(),
    };
    ContentIn {
        labels: labels.cloned().collect(),
        restrictions,
        ..page.clone()
    }
}

/// The page above: that of the export, unless the page was moved here or would come to lie below itself.
fn place(
    tx: &Tx,
    target: Target<'_>,
    page: &ContentIn,
    content: ContentId,
    here: &Local,
    state: &State,
    outcome: &mut Outcome,
) -> Result<Option<i64>> {
    let wanted = parent_of(tx, target, page)?;
    if wanted == state.parent || wanted == here.parent {
        return Ok(here.parent);
    }
    if here.parent != state.parent || is_above(tx, content, wanted)? {
        let what = "it was moved in the export, and it or the pages above it were moved here";
        outcome.remark(what, "left where it is here");
        return Ok(here.parent);
    }
    Ok(wanted)
}

fn is_above(tx: &Tx, content: ContentId, below: Option<i64>) -> Result<bool> {
    let mut at = below;
    for _ in 0..TREE_DEPTH_MAX {
        match at {
            None => return Ok(false),
            Some(id) if id == content.get() => return Ok(true),
            Some(id) => {
                let row =
                    tx.query_opt("SELECT parent_id FROM content WHERE id = $1", params![id])?;
                at = row.map(|row| row.opt_i64(0)).transpose()?.flatten();
            }
        }
    }
    Ok(true)
}

fn apply(
    tx: &WriteTx,
    target: Target<'_>,
    page: &ContentIn,
    (content, here_version): (ContentId, i64),
    new: State,
    outcome: &mut Outcome,
) -> Result<()> {
    let title = free_title(tx, target.space, content, page, outcome)?;
    tx.execute(
        "UPDATE content SET title = $2, lower_title = $3, parent_id = $4, position = $5, status = $6, version = $7,
            updated_by = $8, updated_at_ms = $9 WHERE id = $1",
        params![
            content,
            &title,
            names::fold(&title),
            new.parent,
            page.position,
            page.status,
            new.version,
            target.people.account(page.current.author.as_deref()),
            page.current.at_ms
        ],
    )?;
    note_titles(tx, target.space, content, page, &title)?;
    add_labels(tx, target, content, page, outcome)?;
    add_restrictions(tx, target, content, page, outcome)?;
    add_properties(tx, content, page)?;
    if outcome.versions > 0 {
        // Whoever has the page open for editing gets the new version as one more change.
        let body = publish::decompress(&page.current.packed)?;
        let author = target.people.account(page.current.author.as_deref());
        let written = live::Written {
            page: content,
            title: &title,
            body: &body,
            author: author.map(UserId::new),
            version: new.version,
            before: here_version,
            now_ms: target.source.now_ms,
        };
        live::follow(tx, &written)?;
    }
    let state = State { title, ..new };
    target.source.put(
        tx,
        CONTENT,
        &page.id.to_string(),
        &Record {
            local_id: content.get(),
            state,
        },
    )?;
    jobs::enqueue_index(tx, content)
}
