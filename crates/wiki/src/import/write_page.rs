//! Writes pages and blog posts: new ones whole, with all versions; known ones only where nobody has changed them here.

use storage::{Tx, WriteTx, params};

use super::batch::{ContentIn, VersionIn, cut_title};
use super::people::People;
use super::record::{CONTENT, Record, Source, State};
use super::small::{NOBODY, USERS};
use crate::error::Result;
use crate::ids::{ContentId, SpaceId};
use crate::{jobs, names, sequence};

/// What was done with one content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) created: bool,
    pub(crate) updated: bool,
    /// Versions written.
    pub(crate) versions: u64,
    /// Versions that were there.
    pub(crate) versions_kept: u64,
    pub(crate) labels: u64,
    pub(crate) restrictions: u64,
    /// Why something is not as in the export: what, and what was done.
    pub(crate) remarks: Vec<(String, String)>,
    /// Nothing of it could be written.
    pub(crate) left_out: bool,
}

impl Outcome {
    pub(crate) fn remark(&mut self, what: impl Into<String>, done: impl Into<String>) {
        self.remarks.push((what.into(), done.into()));
    }
}

/// Where content goes, and who is who.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) source: &'a Source,
    pub(crate) people: &'a People,
    pub(crate) space: SpaceId,
}

/// Writes a page or blog post.
pub(crate) fn write(tx: &WriteTx, target: Target<'_>, page: &ContentIn) -> Result<Outcome> {
    let hash = page.hash()?;
    let id = page.id.to_string();
    match target.source.find(tx, CONTENT, &id)? {
        Some(record) if record.state.hash == hash => {
            let versions_kept = page.former.len() as u64 + 1;
            Ok(Outcome {
                versions_kept,
                ..Outcome::default()
            })
        }
        Some(record) => update(tx, target, page, record, hash),
        None => create(tx, target, page, hash),
    }
}

fn create(tx: &WriteTx, target: Target<'_>, page: &ContentIn, hash: String) -> Result<Outcome> {
    let mut outcome = Outcome {
        created: true,
        ..Outcome::default()
    };
    let content = claim(tx, page.id, &mut outcome)?;
    let title = free_title(tx, target.space, content, page, &mut outcome)?;
    let parent = parent_of(tx, target, page)?;
    let kind = if page.class == "BlogPost" {
        "blogpost"
    } else {
        "page"
    };
    tx.execute(
        "INSERT INTO content (id, kind, space_id, parent_id, title, lower_title, position, status, version, posted_on,
            created_by, created_at_ms, updated_by, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            content,
            kind,
            target.space,
            parent,
            &title,
            names::fold(&title),
            page.position,
            page.status,
            page.current.number,
            &page.posted_on,
            target.people.account(page.creator.as_deref()),
            page.created_ms,
            target.people.account(page.current.author.as_deref()),
            page.current.at_ms
        ],
    )?;
    redirect(tx, page.id, content)?;
    for version in page.former.iter().chain([&page.current]) {
        insert_version(tx, target, content, version, page.id)?;
        outcome.versions += 1;
    }
    note_titles(tx, target.space, content, page, &title)?;
    add_labels(tx, target, content, page, &mut outcome)?;
    add_restrictions(tx, target, content, page, &mut outcome)?;
    add_properties(tx, content, page)?;
    let state = State {
        hash,
        version: page.current.number,
        parent,
        title,
        ..State::of(page)
    };
    target.source.put(
        tx,
        CONTENT,
        &page.id.to_string(),
        &Record {
            local_id: content.get(),
            state,
        },
    )?;
    jobs::enqueue_index(tx, content)?;
    Ok(outcome)
}

/// The id content gets, with a remark if it is not its own.
pub(crate) fn claim(tx: &WriteTx, id: i64, outcome: &mut Outcome) -> Result<ContentId> {
    let content = sequence::claim_content_id(tx, id)?;
    if content.get() != id {
        outcome.remark(
            format!("the id `{id}` is in use here"),
            format!("it has the id `{content}`"),
        );
    }
    Ok(content)
}

/// After the content is there: its old id leads to it, if nothing else has that id.
pub(crate) fn redirect(tx: &WriteTx, id: i64, content: ContentId) -> Result<()> {
    if content.get() == id {
        Ok(())
    } else {
        sequence::redirect(tx, id, content)
    }
}

fn parent_of(tx: &Tx, target: Target<'_>, page: &ContentIn) -> Result<Option<i64>> {
    match page.parent {
        Some(parent) => target.source.content(tx, parent),
        None => Ok(None),
    }
}

/// The title that the page gets: at most 255 characters, and no other current page of the space has it.
fn free_title(
    tx: &Tx,
    space: SpaceId,
    content: ContentId,
    page: &ContentIn,
    outcome: &mut Outcome,
) -> Result<String> {
    let (mut title, is_cut) = cut_title(&page.current.title);
    if is_cut {
        outcome.remark(
            "its title is longer than 255 characters",
            "the title was cut",
        );
    }
    if title.is_empty() {
        title = format!("Untitled {}", page.id);
        outcome.remark("it has no title", format!("it is called `{title}`"));
    }
    if page.class != "Page" || page.status != "current" {
        return Ok(title);
    }
    let base = title.clone();
    let sql = "SELECT id FROM content
        WHERE space_id = $1 AND lower_title = $2 AND kind = 'page' AND status = 'current' AND id <> $3";
    let mut count = 1;
    while tx
        .query_opt(sql, params![space, names::fold(&title), content])?
        .is_some()
    {
        count += 1;
        let suffix = format!(" ({count})");
        let room: String = base
            .chars()
            .take(super::limits::TITLE_CHARS_MAX - suffix.len())
            .collect();
        title = format!("{room}{suffix}");
    }
    if count > 1 {
        outcome.remark(
            format!("another page of the space is called `{base}`"),
            format!("it is called `{title}`"),
        );
    }
    Ok(title)
}

/// Stores one version with the number it had.
pub(crate) fn insert_version(
    tx: &WriteTx,
    target: Target<'_>,
    content: ContentId,
    version: &VersionIn,
    own: i64,
) -> Result<()> {
    let (title, _) = cut_title(&version.title);
    let historical_id = (version.id != own).then_some(version.id);
    if let Some(id) = historical_id {
        sequence::keep_clear_of(tx, id)?;
    }
    tx.execute(
        "INSERT INTO content_version (content_id, number, title, body, author, message, minor, created_at_ms, contributors, historical_id)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '[]', $8) ON CONFLICT DO NOTHING",
        params![
            content,
            version.number,
            title,
            &version.packed,
            target.people.account(version.author.as_deref()),
            names::message(&version.message),
            version.at_ms,
            historical_id
        ],
    )?;
    Ok(())
}

/// Titles of former versions lead to the page.
fn note_titles(
    tx: &WriteTx,
    space: SpaceId,
    content: ContentId,
    page: &ContentIn,
    title: &str,
) -> Result<()> {
    let mut versions = page.former.iter().peekable();
    while let Some(version) = versions.next() {
        let until_ms = versions
            .peek()
            .map_or(page.current.at_ms, |next| next.at_ms);
        note_title(tx, space, content, &version.title, title, until_ms)?;
    }
    note_title(
        tx,
        space,
        content,
        &page.current.title,
        title,
        page.current.at_ms,
    )
}

fn note_title(
    tx: &WriteTx,
    space: SpaceId,
    content: ContentId,
    former: &str,
    title: &str,
    until_ms: i64,
) -> Result<()> {
    let former = names::fold(&cut_title(former).0);
    if former.is_empty() || former == names::fold(title) {
        return Ok(());
    }
    crate::publish::note_former_title(tx, content, space, &former, until_ms)
}

/// Adds the labels that are not there.
pub(crate) fn add_labels(
    tx: &WriteTx,
    target: Target<'_>,
    content: ContentId,
    page: &ContentIn,
    outcome: &mut Outcome,
) -> Result<()> {
    for label in &page.labels {
        let known = tx.query_opt("SELECT id FROM label WHERE name = $1", params![&label.name])?;
        let id = match known {
            Some(row) => row.i64(0)?,
            None => {
                let id = sequence::next_id(tx, "label")?;
                tx.execute(
                    "INSERT INTO label (id, name) VALUES ($1, $2)",
                    params![id, &label.name],
                )?;
                id
            }
        };
        let author = target.people.account(label.author.as_deref());
        let created_ms = label.created_ms.unwrap_or(page.current.at_ms);
        let sql = "INSERT INTO content_label (content_id, label_id, created_by, created_at_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING";
        outcome.labels += tx.execute(sql, params![content, id, author, created_ms])?;
    }
    Ok(())
}

/// Adds restrictions. Those whose subject is nobody that is known shut everybody out but administrators.
fn add_restrictions(
    tx: &WriteTx,
    target: Target<'_>,
    content: ContentId,
    page: &ContentIn,
    outcome: &mut Outcome,
) -> Result<()> {
    for (operation, subject) in &page.restrictions {
        let (kind, id) = match subject.strip_prefix("group:") {
            Some(group) => (
                "group",
                target.people.groups.get(&names::fold(group)).copied(),
            ),
            None if subject == USERS => ("users", Some(0)),
            None if subject == NOBODY => ("group", None),
            None => ("user", target.people.account(Some(subject))),
        };
        let (kind, id) = match id {
            Some(id) => (kind, id),
            None => ("group", super::people::settle_group(tx, LOCKED_GROUP)?.0),
        };
        let sql = "INSERT INTO content_restriction (content_id, operation, subject_kind, subject_id) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING";
        outcome.restrictions += tx.execute(sql, params![content, operation, kind, id])?;
    }
    Ok(())
}

/// A group without members, for restrictions whose subject the export does not tell.
const LOCKED_GROUP: &str = "restricted-by-import";

/// Keeps the named facts about content, apart from what only Confluence itself reads.
pub(crate) fn add_properties(tx: &WriteTx, content: ContentId, page: &ContentIn) -> Result<()> {
    for (name, value) in &page.properties {
        let internal = ["sync-rev", "macroNames", "macro-count", "macro-create"];
        if internal.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let sql = "INSERT INTO content_property (content_id, name, value) VALUES ($1, $2, $3)
            ON CONFLICT (content_id, name) DO UPDATE SET value = excluded.value";
        tx.execute(sql, params![content, name, value])?;
    }
    Ok(())
}

/// What is here of content that was imported before.
pub(crate) struct Local {
    pub(crate) version: i64,
    title: String,
    status: String,
    parent: Option<i64>,
    position: Option<i64>,
    /// Somebody has opened the page for editing here.
    is_live: bool,
}

impl Local {
    pub(crate) fn status(&self) -> &str {
        &self.status
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }
}

/// The content as it is here; none if it was removed for good.
pub(crate) fn local(tx: &Tx, id: i64) -> Result<Option<Local>> {
    let sql = "SELECT c.version, c.title, c.status, c.parent_id, c.position,
        (SELECT COUNT(*) FROM live_document l WHERE l.page_id = c.id) AS live FROM content c WHERE c.id = $1";
    let Some(row) = tx.query_opt(sql, params![id])? else {
        return Ok(None);
    };
    Ok(Some(Local {
        version: row.i64("version")?,
        title: row.text("title")?,
        status: row.text("status")?,
        parent: row.opt_i64("parent_id")?,
        position: row.opt_i64("position")?,
        is_live: row.i64("live")? > 0,
    }))
}

fn update(
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
    let fresh: Vec<&VersionIn> = page
        .former
        .iter()
        .chain([&page.current])
        .filter(|version| version.number > state.version)
        .collect();
    outcome.versions_kept = (page.former.len() + 1 - fresh.len()) as u64;
    let is_edited =
        here.version != state.version || here.title != state.title || here.status != state.status;
    if !fresh.is_empty() && (is_edited || here.is_live) {
        let what = format!(
            "the export has {} newer versions, and the page was edited here",
            fresh.len()
        );
        outcome.remark(what, "left as it is here; compare by hand");
        return Ok(outcome);
    }
    if is_edited {
        outcome.remark(
            "the export has changed, and the page was edited here",
            "left as it is here",
        );
        return Ok(outcome);
    }
    let parent = parent_of(tx, target, page)?;
    let moved_here = here.parent != state.parent;
    if moved_here && parent != state.parent {
        outcome.remark(
            "it was moved in the export and here",
            "left where it is here",
        );
    }
    let parent = if moved_here { here.parent } else { parent };
    for version in &fresh {
        insert_version(tx, target, content, version, page.id)?;
        outcome.versions += 1;
    }
    let position = if here.position == state.position {
        page.position
    } else {
        here.position
    };
    let new = State {
        hash,
        version: page.current.number.max(state.version),
        parent,
        position,
        ..State::of(page)
    };
    let news = ContentIn {
        position,
        labels: page
            .labels
            .iter()
            .filter(|label| !state.labels.contains(&label.name))
            .cloned()
            .collect(),
        restrictions: if new.restrictions == state.restrictions {
            Vec::new()
        } else {
            page.restrictions.clone()
        },
        ..page.clone()
    };
    apply(tx, target, &news, content, new, &mut outcome)?;
    outcome.updated = true;
    Ok(outcome)
}

fn apply(
    tx: &WriteTx,
    target: Target<'_>,
    page: &ContentIn,
    content: ContentId,
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
