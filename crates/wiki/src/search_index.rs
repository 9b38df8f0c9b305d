//! The index itself: its fields, finding in it, writing to it. A writer exists only while something is written, because
//! it holds memory.

use crate::error::{Error, Result};
use crate::limits::{INDEX_WAIT_MAX, INDEX_WAIT_STEP, INDEX_WRITER_BYTES, QUERY_WORDS_MAX};
use crate::words;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query, TermQuery,
    TermSetQuery,
};
use tantivy::schema::{
    Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
    Value,
};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};

const TOKENIZER: &str = "words";
/// A word in a title counts this much more than one in a body.
const TITLE_BOOST: f32 = 4.0;
const LABEL_BOOST: f32 = 2.0;

/// One piece of content as the index has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) kind: &'static str,
    pub(crate) space: i64,
    /// The page itself and all above it: reading restrictions hold downwards.
    pub(crate) above: Vec<i64>,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) labels: Vec<String>,
}

/// What to find, and where the actor may look.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexQuery {
    pub(crate) text: String,
    pub(crate) spaces: Vec<i64>,
    /// Pages out of bounds, with all below.
    pub(crate) denied: Vec<i64>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) label: Option<String>,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

/// Ids found, best first, with the text to take excerpts from.
pub(crate) struct IndexHits {
    pub(crate) total: usize,
    pub(crate) found: Vec<(i64, String)>,
}

/// The index under its folder, opened when it is first needed.
pub(crate) struct SearchIndex {
    dir: PathBuf,
    // A lock around the handle, not around searches: clones of the handle are cheap.
    open: Mutex<Option<Open>>,
}

#[derive(Clone)]
struct Open {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    /// When the index changed last as far as the reader knows: another process may write it.
    seen: Option<SystemTime>,
}

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    kind: Field,
    space: Field,
    above: Field,
    title: Field,
    body: Field,
    label: Field,
}

impl SearchIndex {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            open: Mutex::new(None),
        }
    }

    /// Whether there is an index that this program can read; makes an empty one where there is none.
    pub(crate) fn prepare(&self) -> Result<bool> {
        if self.dir.join("meta.json").exists() && self.handle().is_ok() {
            return Ok(true);
        }
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
        tracing::info!(folder = %self.dir.display(), "the search index is missing or of another form; it is made anew");
        if self.dir.exists() {
            std::fs::remove_dir_all(&self.dir).map_err(unavailable)?;
        }
        std::fs::create_dir_all(&self.dir).map_err(unavailable)?;
        self.handle()?;
        Ok(false)
    }

    /// Finds. Blocks.
    pub(crate) fn find(&self, query: &IndexQuery) -> Result<IndexHits> {
        let open = self.handle()?;
        let searcher = open.reader.searcher();
        let top = TopDocs::with_limit(query.limit.max(1))
            .and_offset(query.offset)
            .order_by_score();
        let (best, total) = searcher
            .search(&open.fields.query(query), &(top, Count))
            .map_err(unavailable)?;
        let found = best
            .into_iter()
            .map(|(_, address)| {
                let document: TantivyDocument = searcher.doc(address).map_err(unavailable)?;
                let id = document
                    .get_first(open.fields.id)
                    .and_then(|value| value.as_i64())
                    .unwrap_or_default();
                let body = document
                    .get_first(open.fields.body)
                    .and_then(|value| value.as_str())
                    .unwrap_or_default();
                Ok((id, body.to_owned()))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(IndexHits { total, found })
    }

    /// How many pieces of content the index has. Blocks.
    pub(crate) fn count(&self) -> Result<u64> {
        Ok(self.handle()?.reader.searcher().num_docs())
    }

    /// Brings the index up to date: `gone` and the ids of `items` are taken out, `items` put in. Blocks.
    pub(crate) fn update(&self, gone: &[i64], items: &[Item]) -> Result<()> {
        self.write(|writer, fields| {
            for id in gone.iter().copied().chain(items.iter().map(|item| item.id)) {
                writer.delete_term(Term::from_field_i64(fields.id, id));
            }
            for item in items {
                writer
                    .add_document(fields.document(item))
                    .map_err(unavailable)?;
            }
            Ok(())
        })
    }

    /// Makes the index anew from batches, in one commit: readers see the old one until then. Blocks.
    pub(crate) fn rebuild(&self, mut next: impl FnMut() -> Result<Vec<Item>>) -> Result<()> {
        self.write(|writer, fields| {
            writer.delete_all_documents().map_err(unavailable)?;
            loop {
                let items = next()?;
                if items.is_empty() {
                    return Ok(());
                }
                for item in &items {
                    writer
                        .add_document(fields.document(item))
                        .map_err(unavailable)?;
                }
            }
        })
    }

    fn write(&self, work: impl FnOnce(&IndexWriter, Fields) -> Result<()>) -> Result<()> {
        let open = self.handle()?;
        let mut writer = writer_of(&open)?;
        work(&writer, open.fields)?;
        writer.commit().map_err(unavailable)?;
        writer.wait_merging_threads().map_err(unavailable)?;
        open.reader.reload().map_err(unavailable)
    }

    fn handle(&self) -> Result<Open> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = std::fs::metadata(self.dir.join("meta.json"))
            .and_then(|metadata| metadata.modified())
            .ok();
        match slot.as_mut() {
            Some(open) => {
                if open.seen != changed {
                    open.reader.reload().map_err(unavailable)?;
                    open.seen = changed;
                }
                Ok(open.clone())
            }
            None => {
                let mut open = Open::at(&self.dir)?;
                open.seen = changed;
                Ok(slot.insert(open).clone())
            }
        }
    }
}

/// The writer, once nobody else has it: the server and an import on the command line feed one index in turns.
fn writer_of(open: &Open) -> Result<IndexWriter> {
    let mut waited = Duration::ZERO;
    loop {
        match open.index.writer_with_num_threads(1, INDEX_WRITER_BYTES) {
            Err(TantivyError::LockFailure(..)) if waited < INDEX_WAIT_MAX => {
                // A lock of another process can only be asked for again.
                std::thread::sleep(INDEX_WAIT_STEP);
                waited += INDEX_WAIT_STEP;
            }
            other => return other.map_err(unavailable),
        }
    }
}

impl Open {
    fn at(dir: &std::path::Path) -> Result<Open> {
        let (schema, fields) = schema();
        let directory = tantivy::directory::MmapDirectory::open(dir).map_err(unavailable)?;
        let index = Index::open_or_create(directory, schema).map_err(unavailable)?;
        index.tokenizers().register(TOKENIZER, words::analyzer());
        let builder = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = builder.try_into().map_err(unavailable)?;
        Ok(Open {
            index,
            reader,
            fields,
            seen: None,
        })
    }
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqs);
    let words = TextOptions::default().set_indexing_options(indexing);
    let fields = Fields {
        id: builder.add_i64_field("id", INDEXED | STORED),
        kind: builder.add_text_field("kind", STRING),
        space: builder.add_i64_field("space", INDEXED),
        above: builder.add_i64_field("above", INDEXED),
        title: builder.add_text_field("title", words.clone()),
        body: builder.add_text_field("body", words | STORED),
        label: builder.add_text_field("label", STRING),
    };
    (builder.build(), fields)
}

impl Fields {
    fn document(&self, item: &Item) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_i64(self.id, item.id);
        document.add_text(self.kind, item.kind);
        document.add_i64(self.space, item.space);
        for id in &item.above {
            document.add_i64(self.above, *id);
        }
        document.add_text(self.title, &item.title);
        document.add_text(self.body, &item.body);
        for label in &item.labels {
            document.add_text(self.label, label);
        }
        document
    }

    fn query(&self, query: &IndexQuery) -> BooleanQuery {
        let ids = |field: Field, ids: &[i64]| -> Box<dyn Query> {
            Box::new(TermSetQuery::new(
                ids.iter()
                    .map(|id| Term::from_field_i64(field, *id))
                    .collect::<Vec<_>>(),
            ))
        };
        let filter = |query: Box<dyn Query>| {
            (
                Occur::Must,
                Box::new(ConstScoreQuery::new(query, 0.0)) as Box<dyn Query>,
            )
        };
        let mut clauses = vec![filter(ids(self.space, &query.spaces))];
        if !query.denied.is_empty() {
            clauses.push((Occur::MustNot, ids(self.above, &query.denied)));
        }
        if let Some(kind) = query.kind {
            clauses.push(filter(self.exactly(self.kind, kind)));
        }
        if let Some(label) = &query.label {
            clauses.push(filter(self.exactly(self.label, label)));
        }
        let wanted = wanted_words(&query.text);
        for (number, word) in wanted.iter().enumerate() {
            clauses.push((Occur::Must, self.word(word, number + 1 == wanted.len())));
        }
        if wanted.is_empty() && query.label.is_none() && query.kind.is_none() {
            clauses.push((Occur::MustNot, Box::new(AllQuery)));
        }
        BooleanQuery::new(clauses)
    }

    /// A word in title, labels or body; the last word of a query may be unfinished.
    fn word(&self, word: &str, unfinished: bool) -> Box<dyn Query> {
        let mut places: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (field, boost) in [
            (self.title, TITLE_BOOST),
            (self.label, LABEL_BOOST),
            (self.body, 1.0),
        ] {
            let term = Term::from_field_text(field, word);
            let exact = TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
            places.push((
                Occur::Should,
                Box::new(BoostQuery::new(Box::new(exact), boost)),
            ));
            if unfinished {
                let beginning = FuzzyTermQuery::new_prefix(term, 0, true);
                places.push((
                    Occur::Should,
                    Box::new(ConstScoreQuery::new(Box::new(beginning), boost / 2.0)),
                ));
            }
        }
        Box::new(BooleanQuery::new(places))
    }

    fn exactly(&self, field: Field, text: &str) -> Box<dyn Query> {
        Box::new(TermQuery::new(
            Term::from_field_text(field, text),
            IndexRecordOption::Basic,
        ))
    }
}

/// The words of a query that count.
pub(crate) fn wanted_words(text: &str) -> Vec<String> {
    words::words(text)
        .into_iter()
        .map(|(_, word)| word)
        .take(QUERY_WORDS_MAX)
        .collect()
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable {
        message: "the search index does not answer now; try again in a moment".into(),
        detail: error.to_string(),
    }
}
