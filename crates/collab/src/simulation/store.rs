//! A log in memory that fails on order, for tests of the room.

use crate::authors::Authors;
use crate::log::{Author, Loaded, NewRow, Outcome};
use crate::protocol::{Position, ResetReason};
use bytes::Bytes;
use std::collections::HashSet;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, StateVector, Transact, Update};

/// What survives a restart.
pub(crate) struct Store {
    pub(crate) epoch: u64,
    /// There is no space: nothing can be written.
    pub(crate) full: bool,
    /// The page has been deleted.
    pub(crate) gone: bool,
    snapshot_seq: u64,
    snapshot: Bytes,
    rows: Vec<Bytes>,
    authors: Authors,
    /// Every update that was ever committed in this epoch.
    ever: HashSet<Bytes>,
}

impl Store {
    pub(crate) fn new() -> Store {
        let snapshot = Bytes::from_static(&[0, 0]);
        Store {
            epoch: 1,
            full: false,
            gone: false,
            snapshot_seq: 0,
            snapshot,
            rows: Vec::new(),
            authors: Authors::default(),
            ever: HashSet::new(),
        }
    }

    pub(crate) fn head(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.snapshot_seq + self.rows.len() as u64,
        }
    }

    pub(crate) fn load(&self, since: Option<Position>) -> Loaded {
        match since {
            Some(at) if at.epoch == self.epoch && at.seq >= self.snapshot_seq => Loaded::Since {
                tail: self.rows[(at.seq - self.snapshot_seq) as usize..].to_vec(),
                authors: self.authors.list(),
            },
            _ => Loaded::Whole {
                at: Position {
                    epoch: self.epoch,
                    seq: self.snapshot_seq,
                },
                snapshot: self.snapshot.clone(),
                tail: self.rows.clone(),
                reason: ResetReason::Discarded,
                authors: self.authors.list(),
                past: Vec::new(),
            },
        }
    }

    pub(crate) fn append(
        &mut self,
        base: Position,
        rows: &[NewRow],
        new_authors: Vec<Author>,
    ) -> Outcome {
        if base != self.head() {
            return Outcome::Moved;
        }
        for author in &new_authors {
            assert_eq!(self.authors.user_of(author.client_id), None, "[ROOM-2]");
        }
        self.authors.absorb(new_authors);
        for row in rows {
            self.ever.insert(row.update.clone());
            self.rows.push(row.update.clone());
        }
        Outcome::Committed
    }

    pub(crate) fn fold(&mut self, at: Position, snapshot: &Bytes) {
        if at.epoch == self.epoch && at.seq > self.snapshot_seq {
            self.rows.drain(..(at.seq - self.snapshot_seq) as usize);
            self.snapshot_seq = at.seq;
            self.snapshot = snapshot.clone();
        }
    }

    /// A new epoch with empty content.
    pub(crate) fn discard(&mut self) {
        let seq = self.head().seq + 1;
        *self = Store {
            epoch: self.epoch + 1,
            snapshot_seq: seq,
            ..Store::new()
        };
    }

    pub(crate) fn has(&self, update: &Bytes) -> bool {
        self.ever.contains(update)
    }

    /// Every update that was ever committed in this epoch.
    pub(crate) fn ever(&self) -> impl Iterator<Item = &Bytes> {
        self.ever.iter()
    }

    /// The document that a load gives.
    pub(crate) fn document(&self) -> Doc {
        let doc = new_doc(1);
        let mut tx = doc.transact_mut();
        for update in std::iter::once(&self.snapshot).chain(&self.rows) {
            tx.apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
        drop(tx);
        doc
    }

    /// Another process writes: somebody new puts a text in front.
    pub(crate) fn write_aside(&mut self, client: u64, text: &str) {
        let doc = self.document();
        let writer = new_doc(client);
        let state = doc
            .transact()
            .encode_state_as_update_v1(&StateVector::default());
        writer
            .transact_mut()
            .apply_update(Update::decode_v1(&state).unwrap())
            .unwrap();
        let update = insert(&writer, 0, text);
        let row = NewRow {
            user: "rest".to_owned(),
            connection: 0,
            update,
        };
        assert_eq!(
            self.append(self.head(), &[row], Vec::new()),
            Outcome::Committed
        );
    }
}

/// A document that counts in UTF-16 units, as browsers do.
pub(crate) fn new_doc(client: u64) -> Doc {
    Doc::with_options(yrs::Options {
        client_id: yrs::block::ClientID::new(client),
        offset_kind: yrs::OffsetKind::Utf16,
        ..Default::default()
    })
}

pub(crate) fn text(doc: &Doc) -> String {
    let title = doc.get_or_insert_text("title");
    title.get_string(&doc.transact())
}

/// Inserts before the n-th character and gives the update.
pub(crate) fn insert(doc: &Doc, at: usize, new: &str) -> Bytes {
    use yrs::Text;
    let title = doc.get_or_insert_text("title");
    let mut tx = doc.transact_mut();
    let before = tx.state_vector();
    let at: usize = title
        .get_string(&tx)
        .chars()
        .take(at)
        .map(char::len_utf16)
        .sum();
    title.insert(&mut tx, at as u32, new);
    tx.encode_diff_v1(&before).into()
}

/// Removes the n-th character, if it exists, and gives it with the update.
pub(crate) fn remove(doc: &Doc, at: usize) -> Option<(char, Bytes)> {
    use yrs::Text;
    use yrs::updates::encoder::Encode;
    let title = doc.get_or_insert_text("title");
    let mut tx = doc.transact_mut();
    let content = title.get_string(&tx);
    let gone = content.chars().nth(at)?;
    let from: usize = content.chars().take(at).map(char::len_utf16).sum();
    title.remove_range(&mut tx, from as u32, gone.len_utf16() as u32);
    // Only what this transaction deleted, as a browser's update event gives it.
    let mut update = vec![0];
    update.extend(tx.delete_set().encode_v1());
    Some((gone, update.into()))
}
