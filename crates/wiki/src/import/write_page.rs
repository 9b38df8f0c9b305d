//! Writes pages and blog posts: new ones whole, with all versions; known ones only where nobody has changed them here.

use storage::{Tx, WriteTx, params};

use super::batch::{ContentIn, VersionIn, cut_title};
use super::people::People;
use super::record::{CONTENT, Record, Source, State};
use super::small::{NOBODY, USERS};
use super::update_page;
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
        Some(record) => update_page::update(tx, target, page, record, hash),
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

pub(crate) fn parent_of(tx: &Tx, target: Target<'_>, page: &ContentIn) -> Result<Option<i64>> {
    match page.parent {
        Some(parent) => target.source.content(tx, parent),
        None => Ok(None),
    }
}

/// The title that the page gets: at most 255 characters, and no other current page of the space has it.
pub(crate) fn free_title(
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
pub(crate) fn note_titles(
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
pub(crate) fn add_restrictions(
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
    if !page.restrictions.is_empty() {
        crate::live::rights_changed(tx)?;
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
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) parent: Option<i64>,
    pub(crate) position: Option<i64>,
    /// Somebody has written here what is not published yet.
    pub(crate) has_draft: bool,
}

/// The content as it is here; none if it was removed for good.
pub(crate) fn local(tx: &Tx, id: i64) -> Result<Option<Local>> {
    let sql = "SELECT c.version, c.title, c.status, c.parent_id, c.position,
        (SELECT COUNT(*) FROM live_document l WHERE l.document_id = c.id AND l.head_seq > l.published_seq) AS drafts
        FROM content c WHERE c.id = $1";
    let Some(row) = tx.query_opt(sql, params![id])? else {
        return Ok(None);
    };
    Ok(Some(Local {
        version: row.i64("version")?,
        title: row.text("title")?,
        status: row.text("status")?,
        parent: row.opt_i64("parent_id")?,
        position: row.opt_i64("position")?,
        has_draft: row.i64("drafts")? > 0,
    }))
}
