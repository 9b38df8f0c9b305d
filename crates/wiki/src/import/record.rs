//! What an import remembers of each object, so that the same export again changes nothing, and a newer one does not run over
//! what people did here in the meantime.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::{Tx, WriteTx, params};

use super::batch::ContentIn;
use crate::error::{Error, Result};

/// Which export the objects are from: their ids mean something only together with it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) now_ms: i64,
    /// Nothing is written, so content that is not here yet counts as if it were.
    pub(crate) is_dry: bool,
}

/// Kinds of records.
pub(crate) const SPACE: &str = "space";
pub(crate) const CONTENT: &str = "content";
pub(crate) const PERSON: &str = "person";
const FORMER_KEY: &str = "space key";

/// The space that had a key in the place it was imported from, if it has another one here.
pub(crate) fn former_space(tx: &Tx, lower_key: &str) -> Result<Option<i64>> {
    let record = Source::of_people(0).find(tx, FORMER_KEY, lower_key)?;
    Ok(record.map(|record| record.local_id))
}

/// Remembers the key that a space had, for old addresses and for links that name it. The first space keeps it.
pub(crate) fn note_former_space(
    tx: &WriteTx,
    lower_key: &str,
    space: i64,
    now_ms: i64,
) -> Result<()> {
    if former_space(tx, lower_key)?.is_some() {
        return Ok(());
    }
    let record = Record {
        local_id: space,
        state: State::default(),
    };
    Source::of_people(now_ms).put(tx, FORMER_KEY, lower_key, &record)
}

/// What became of an object.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) local_id: i64,
    pub(crate) state: State,
}

/// What an object was when it was imported last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// Over everything the export says of it.
    pub(crate) hash: String,
    /// Number of the version that was current.
    pub(crate) version: i64,
    /// Local id of the content above.
    pub(crate) parent: Option<i64>,
    /// Title as it was written here.
    pub(crate) title: String,
    /// Status as it was written here.
    pub(crate) status: String,
    /// Order among siblings as it was written here.
    pub(crate) position: Option<i64>,
    /// Labels of the export.
    pub(crate) labels: Vec<String>,
    /// Restrictions of the export.
    pub(crate) restrictions: Vec<(String, String)>,
}

impl State {
    /// What the export says, apart from what depends on this wiki.
    pub(crate) fn of(content: &ContentIn) -> State {
        State {
            status: content.status.to_owned(),
            position: content.position,
            labels: content
                .labels
                .iter()
                .map(|label| label.name.clone())
                .collect(),
            restrictions: content.restrictions.clone(),
            ..State::default()
        }
    }
}

impl Source {
    /// The source of people, who are the same in all exports of a site.
    pub(crate) fn of_people(now_ms: i64) -> Source {
        Source {
            name: "confluence".into(),
            now_ms,
            is_dry: false,
        }
    }

    /// The source of the content of one space, imported under a key of its own or not.
    pub(crate) fn of_space(key: &str, id: &str, renamed: Option<&str>, now_ms: i64) -> Source {
        let mut name = format!("confluence/{key}/{id}");
        if let Some(renamed) = renamed {
            name = format!("{name} as {}", renamed.to_lowercase());
        }
        Source {
            name: name.into(),
            now_ms,
            is_dry: false,
        }
    }

    /// The record of an object, if it was imported before.
    pub(crate) fn find(&self, tx: &Tx, kind: &str, id: &str) -> Result<Option<Record>> {
        let sql = "SELECT local_id, state FROM import_record WHERE source = $1 AND object_kind = $2 AND source_id = $3";
        let Some(row) = tx.query_opt(sql, params![&*self.name, kind, id])? else {
            return Ok(None);
        };
        let state = serde_json::from_str(row.text_ref("state")?).unwrap_or_default();
        Ok(Some(Record {
            local_id: row.i64("local_id")?,
            state,
        }))
    }

    /// The local id of content of this source.
    pub(crate) fn content(&self, tx: &Tx, id: i64) -> Result<Option<i64>> {
        let found = self.find(tx, CONTENT, &id.to_string())?;
        let pretended = self.is_dry.then_some(id);
        Ok(found.map(|record| record.local_id).or(pretended))
    }

    /// Remembers an object.
    pub(crate) fn put(&self, tx: &WriteTx, kind: &str, id: &str, record: &Record) -> Result<()> {
        let state = serde_json::to_string(&record.state).map_err(Error::internal)?;
        let sql = "INSERT INTO import_record (source, object_kind, source_id, local_id, state, imported_at_ms)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source, object_kind, source_id)
            DO UPDATE SET local_id = excluded.local_id, state = excluded.state, imported_at_ms = excluded.imported_at_ms";
        tx.execute(
            sql,
            params![&*self.name, kind, id, record.local_id, state, self.now_ms],
        )?;
        Ok(())
    }
}
