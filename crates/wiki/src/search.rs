//! Search over titles and bodies. The index is under the data directory and can always be built again.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::head;
use crate::ids::ContentId;
use crate::jobs;
use crate::labels;
use crate::limits::{HITS_DEFAULT, HITS_MAX, HITS_OFFSET_MAX, INDEXED_BYTES_MAX, REBUILD_BATCH};
use crate::lookup;
use crate::names;
use crate::pages::ContentKind;
use crate::permissions;
use crate::publish;
use crate::readable::readable;
use crate::search_index::{IndexHits, IndexQuery, Item, wanted_words};
use crate::wiki::Wiki;
use crate::words;
use document::PlainText;
use serde::Serialize;
use storage::{Row, Tx, params};

/// What somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Words; the last one may be unfinished.
    pub text: String,
    /// Only in this space.
    pub space_key: Option<String>,
    /// Only this kind.
    pub kind: Option<ContentKind>,
    /// Only with this label.
    pub label: Option<String>,
    /// How many hits to skip.
    pub offset: usize,
    /// How many hits to return; 0 means the default.
    pub limit: usize,
}

/// A piece of an excerpt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fragment {
    /// Plain text.
    pub text: String,
    /// Whether it matches.
    pub matched: bool,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchHit {
    /// Its id.
    pub id: ContentId,
    /// What it is.
    pub kind: ContentKind,
    /// Its title (a comment's: its page's).
    pub title: String,
    /// Its space's key.
    pub space_key: String,
    /// Its space's name.
    pub space_name: String,
    /// Its address.
    pub url: String,
    /// The place that matches.
    pub excerpt: Vec<Fragment>,
    /// When it changed last.
    pub updated_at_ms: i64,
}

/// A page of hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchResult {
    /// How many there are in all.
    pub total: usize,
    /// Best first.
    pub hits: Vec<SearchHit>,
}

impl Wiki {
    /// Finds what this actor may read. The rights are part of the query, and every hit is looked up again before it is
    /// shown, so that an index that lags behind shows nothing it must not.
    pub async fn search(&self, actor: &Actor, query: SearchQuery) -> Result<SearchResult> {
        let (asking, asked) = (actor.clone(), query.clone());
        let Some(index_query) = self
            .read(move |tx| index_query(tx, &asking, &asked))
            .await?
        else {
            return Ok(SearchResult {
                total: 0,
                hits: Vec::new(),
            });
        };
        let wiki = self.clone();
        let hits = tokio::task::spawn_blocking(move || wiki.search_index().find(&index_query))
            .await
            .map_err(Error::internal)??;
        let (actor, wanted) = (actor.clone(), wanted_words(&query.text));
        self.read(move |tx| result_of(tx, &actor, &wanted, &hits))
            .await
    }

    /// Sees to it that there is an index; a new one is filled by a job.
    pub(crate) async fn prepare_search(&self) -> Result<()> {
        let wiki = self.clone();
        let there = tokio::task::spawn_blocking(move || wiki.search_index().prepare())
            .await
            .map_err(Error::internal)??;
        if there {
            return Ok(());
        }
        self.write(
            |tx| match tx.query_opt("SELECT id FROM content LIMIT 1", params![])? {
                Some(_) => jobs::enqueue_rebuild(tx),
                None => Ok(()),
            },
        )
        .await
    }

    /// Brings the index up to date with these pieces of content.
    pub(crate) async fn index_contents(&self, ids: Vec<i64>) -> Result<()> {
        let wanted = ids.clone();
        let items = self
            .read(move |tx| {
                let loaded = wanted.iter().map(|id| item(tx, *id));
                Ok(loaded
                    .collect::<Result<Vec<_>>>()?
                    .into_iter()
                    .flatten()
                    .collect::<Vec<Item>>())
            })
            .await?;
        let wiki = self.clone();
        tokio::task::spawn_blocking(move || wiki.search_index().update(&ids, &items))
            .await
            .map_err(Error::internal)?
    }

    /// Makes the whole index anew.
    pub(crate) async fn rebuild_index(&self) -> Result<()> {
        let wiki = self.clone();
        let rebuilding = tokio::task::spawn_blocking(move || {
            let mut after = 0;
            wiki.search_index().rebuild(|| {
                let (last, items) = wiki.database().read_blocking(move |tx| batch(tx, after))?;
                after = last;
                Ok(items)
            })
        });
        rebuilding.await.map_err(Error::internal)?
    }
}

/// Where this actor may look; none when that is nowhere.
fn index_query(tx: &Tx, actor: &Actor, query: &SearchQuery) -> Result<Option<IndexQuery>> {
    let mut spaces = permissions::readable_spaces(tx, actor)?;
    if let Some(key) = &query.space_key {
        let only = lookup::space_by_key(tx, key)?.map(|space| space.get());
        spaces.retain(|space| Some(*space) == only);
    }
    let limit = if query.limit == 0 {
        HITS_DEFAULT
    } else {
        query.limit.min(HITS_MAX)
    };
    if spaces.is_empty() || query.offset > HITS_OFFSET_MAX {
        return Ok(None);
    }
    Ok(Some(IndexQuery {
        text: query.text.clone(),
        spaces,
        denied: permissions::denied_pages(tx, actor)?.into_iter().collect(),
        kind: query.kind.map(ContentKind::column),
        label: query.label.as_deref().map(names::fold),
        offset: query.offset,
        limit,
    }))
}

fn result_of(tx: &Tx, actor: &Actor, wanted: &[String], found: &IndexHits) -> Result<SearchResult> {
    let mut hits = Vec::with_capacity(found.found.len());
    for (id, body) in &found.found {
        match hit(tx, actor, *id, words::excerpt(body, wanted)) {
            Ok(hit) => hits.extend(hit),
            // Changed since it was indexed; the job that says so is on its way.
            Err(Error::NotFound(_) | Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(SearchResult {
        total: found.total,
        hits,
    })
}

fn hit(tx: &Tx, actor: &Actor, id: i64, excerpt: Vec<Fragment>) -> Result<Option<SearchHit>> {
    let sql = "SELECT kind, title, updated_at_ms, COALESCE(page_id, id) AS page FROM content WHERE id = $1 AND status = 'current'";
    let Some(row) = tx.query_opt(sql, params![id])? else {
        return Ok(None);
    };
    let page = head::read(tx, actor, ContentId::new(row.i64("page")?))?;
    let kind = ContentKind::of_column(row.text_ref("kind")?);
    let (title, url) = match kind {
        ContentKind::Comment => (page.title.clone(), format!("{}#comment-{id}", page.url())),
        ContentKind::Attachment => {
            let title = row.text("title")?;
            let url = crate::addresses::attachment_url(page.id, &title, None);
            (title, url)
        }
        ContentKind::Page | ContentKind::BlogPost => (page.title.clone(), page.url()),
    };
    Ok(Some(SearchHit {
        id: ContentId::new(id),
        kind,
        title,
        space_key: page.space.key,
        space_name: page.space.name,
        url,
        excerpt,
        updated_at_ms: row.i64("updated_at_ms")?,
    }))
}

/// The next pieces of content after an id, and the last id looked at. Empty only at the end.
fn batch(tx: &Tx, after: i64) -> Result<(i64, Vec<Item>)> {
    let mut last = after;
    loop {
        let sql = "SELECT id FROM content WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = tx.query(sql, params![last, REBUILD_BATCH])?;
        let mut items = Vec::new();
        for row in &rows {
            last = row.i64("id")?;
            items.extend(item(tx, last)?);
        }
        if rows.is_empty() || !items.is_empty() {
            return Ok((last, items));
        }
    }
}

/// A piece of content as the index has it; none when it is not to be found.
fn item(tx: &Tx, id: i64) -> Result<Option<Item>> {
    let sql = "SELECT c.kind, c.space_id, c.title, c.version, p.id AS page FROM content c
        JOIN content p ON p.id = COALESCE(c.page_id, c.id)
        WHERE c.id = $1 AND c.status = 'current' AND p.status = 'current'";
    let Some(row) = tx.query_opt(sql, params![id])? else {
        return Ok(None);
    };
    let kind = ContentKind::of_column(row.text_ref("kind")?);
    let above = tx.query(head::SELECT_UP, params![row.i64("page")?])?;
    Ok(Some(Item {
        id,
        kind: kind.column(),
        space: row.i64("space_id")?,
        above: above
            .iter()
            .map(|row| Ok(row.i64("id")?))
            .collect::<Result<_>>()?,
        title: row.text("title")?,
        body: plain_text(tx, id, kind, &row)?,
        labels: labels::of_page(tx, ContentId::new(id))?,
    }))
}

/// The body, unless it is missing or damaged: one such page must not keep all others from being found.
fn stored_body(tx: &Tx, id: i64, version: i64) -> Result<Option<String>> {
    let sql = "SELECT body FROM content_version WHERE content_id = $1 AND number = $2";
    match tx.query_opt(sql, params![id, version])? {
        Some(row) => Ok(publish::decompress(row.bytes_ref("body")?).ok()),
        None => Ok(None),
    }
}

fn plain_text(tx: &Tx, id: i64, kind: ContentKind, row: &Row) -> Result<String> {
    let version = row.i64("version")?;
    if kind == ContentKind::Attachment || version == 0 {
        return Ok(String::new());
    }
    let Some(body) = stored_body(tx, id, version)? else {
        tracing::error!(
            id,
            version,
            "a stored body cannot be read; only its title can be found"
        );
        return Ok(String::new());
    };
    let mut text = PlainText::write(&readable(&body));
    if text.len() > INDEXED_BYTES_MAX {
        let end = (0..=INDEXED_BYTES_MAX)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
    }
    Ok(text)
}
