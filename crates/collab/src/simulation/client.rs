//! A client as the specification wants it, over links that the simulation delays and cuts.

use super::store::{insert, new_doc, remove};
use crate::protocol::{
    ClientFrame, Lease, PROTOCOL_VERSION, Position, Refusal, Rights, ServerFrame, SnapshotParts,
};
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};
use yrs::updates::decoder::Decode;
use yrs::{Doc, Transact, Update};

/// A local edit that is not acknowledged.
struct Unsaved {
    update: Bytes,
    text: Option<char>,
    batch_id: Option<u64>,
    times_sent: usize,
}

/// What became of a join.
#[derive(PartialEq)]
enum Stage {
    Offline,
    Greeting,
    /// Welcomed; catches up to this sequence number before it sends.
    CatchingUp(u64),
    Live,
}

/// One person's browser.
pub(super) struct Client {
    stage: Stage,
    pub(super) doc: Option<Doc>,
    at: Option<Position>,
    parts: SnapshotParts,
    leases: Vec<Lease>,
    unsaved: VecDeque<Unsaved>,
    next_batch: u64,
    in_flight: HashSet<u64>,
    refused: Option<Refusal>,
    /// What it must show as saved, and in which epoch that was.
    pub(super) saved: HashMap<char, u64>,
    /// What it may do, as the last frame said.
    writable: bool,
    /// What it is allowed to, as the wiki has it.
    pub(super) granted: Rights,
    /// Its link carries nothing for now.
    pub(super) stuck: bool,
    pub(super) to_server: VecDeque<Bytes>,
    pub(super) from_server: VecDeque<Bytes>,
}

impl Client {
    pub(super) fn new() -> Client {
        Client {
            stage: Stage::Offline,
            doc: None,
            at: None,
            parts: SnapshotParts::default(),
            leases: Vec::new(),
            unsaved: VecDeque::new(),
            next_batch: 1,
            in_flight: HashSet::new(),
            refused: None,
            saved: HashMap::new(),
            writable: false,
            granted: Rights::Write,
            stuck: false,
            to_server: VecDeque::new(),
            from_server: VecDeque::new(),
        }
    }

    pub(super) fn offline(&self) -> bool {
        self.stage == Stage::Offline
    }

    pub(super) fn joined(&self) -> bool {
        matches!(self.stage, Stage::CatchingUp(_) | Stage::Live)
    }

    /// The client id it writes with.
    pub(super) fn client_id(&self) -> Option<u64> {
        self.leases.first().map(|lease| lease.client_id)
    }

    pub(super) fn at(&self) -> Option<Position> {
        self.at
    }

    pub(super) fn quiet(&self) -> bool {
        self.stage == Stage::Live && self.unsaved.is_empty()
    }

    /// What it says first.
    pub(super) fn hello(&mut self) -> (Option<Position>, Vec<Lease>) {
        self.stage = Stage::Greeting;
        (self.at, self.leases.clone())
    }

    /// The link is gone, with everything on it.
    pub(super) fn cut(&mut self) {
        self.stage = Stage::Offline;
        self.to_server.clear();
        self.from_server.clear();
        self.in_flight.clear();
        self.refused = None;
        self.parts = SnapshotParts::default();
        for unsaved in &mut self.unsaved {
            unsaved.batch_id = None;
        }
    }

    pub(super) fn type_char(&mut self, at: usize, new: char) {
        let Some(doc) = self.doc.as_ref().filter(|_| self.writable) else {
            return;
        };
        let len = super::store::text(doc).chars().count();
        let update = insert(doc, at % (len + 1), &new.to_string());
        self.unsaved.push_back(Unsaved {
            update,
            text: Some(new),
            batch_id: None,
            times_sent: 0,
        });
    }

    /// Deletes some character, and says which.
    pub(super) fn delete(&mut self, at: usize) -> Option<char> {
        let doc = self.doc.as_ref().filter(|_| self.writable)?;
        let len = super::store::text(doc).chars().count();
        let (gone, update) = remove(doc, at % len.max(1))?;
        self.unsaved.push_back(Unsaved {
            update,
            text: None,
            batch_id: None,
            times_sent: 0,
        });
        Some(gone)
    }

    /// [CLIENT-3] [CLIENT-6] Sends up to so many edits that are not under way, in order.
    pub(super) fn send(&mut self, most: usize) {
        if self.stage != Stage::Live || self.refused.is_some() || !self.writable {
            return;
        }
        let batch_id = self.next_batch;
        let mut updates = Vec::new();
        for unsaved in self
            .unsaved
            .iter_mut()
            .filter(|u| u.batch_id.is_none())
            .take(most)
        {
            unsaved.batch_id = Some(batch_id);
            unsaved.times_sent += 1;
            updates.push(unsaved.update.clone());
        }
        if !updates.is_empty() {
            self.next_batch += 1;
            self.in_flight.insert(batch_id);
            self.to_server
                .push_back(ClientFrame::Push { batch_id, updates }.encode());
        }
    }

    /// The updates of a batch under way, so that the simulation can look for them in the log.
    pub(super) fn batch(&self, batch_id: u64) -> Vec<Bytes> {
        let of_batch = |u: &&Unsaved| u.batch_id == Some(batch_id);
        self.unsaved
            .iter()
            .filter(of_batch)
            .map(|u| u.update.clone())
            .collect()
    }

    /// Those of them that no earlier batch had.
    pub(super) fn sent_once(&self, batch_id: u64) -> Vec<Bytes> {
        // Two people may delete the same in the same words; what they type is their own.
        let once =
            |u: &&Unsaved| u.batch_id == Some(batch_id) && u.times_sent == 1 && u.text.is_some();
        let updates = self.unsaved.iter().filter(once);
        updates.map(|u| u.update.clone()).collect()
    }

    /// Takes a frame; true if it has to reconnect.
    pub(super) fn receive(&mut self, frame: ServerFrame) -> bool {
        match frame {
            ServerFrame::Welcome {
                epoch,
                head_seq,
                lease,
                snapshot_follows,
                rights,
                ..
            } => {
                self.writable = rights == Rights::Write;
                self.welcomed(epoch, &lease, snapshot_follows);
                self.stage = Stage::CatchingUp(head_seq);
            }
            ServerFrame::Snapshot {
                position,
                total_bytes,
                offset,
                part,
            } => {
                let whole = self.parts.take(position, total_bytes, offset, &part);
                if let Some(state) = whole.expect("[WIRE-12] parts in order") {
                    self.apply(&[state]);
                    self.at = Some(position);
                }
            }
            ServerFrame::Batch {
                epoch,
                first_seq,
                updates,
            } => {
                let at = self.at.expect("[ROOM-1] a snapshot comes first");
                assert_eq!(
                    (epoch, first_seq),
                    (at.epoch, at.seq + 1),
                    "[ROOM-6] a hole"
                );
                let seq = at.seq + updates.len() as u64;
                self.apply(
                    &updates
                        .into_iter()
                        .map(|(_, update)| update)
                        .collect::<Vec<_>>(),
                );
                self.at = Some(Position { epoch, seq });
            }
            ServerFrame::Ack { batch_id, position } => {
                self.acknowledged(batch_id, position.epoch);
            }
            ServerFrame::Access { rights, .. } => self.writable = rights == Rights::Write,
            ServerFrame::Nack {
                batch_id, reason, ..
            } => {
                self.in_flight.remove(&batch_id);
                self.refused.get_or_insert(reason);
            }
            ServerFrame::Reset { .. } => self.begin_again(),
            _ => {}
        }
        if let (Stage::CatchingUp(head), Some(at)) = (&self.stage, self.at)
            && at.seq >= *head
        {
            self.stage = Stage::Live;
        }
        self.heed_refusal()
    }

    /// Says HELLO again, on the same link.
    fn begin_again(&mut self) {
        self.cut();
        self.stage = Stage::Greeting;
        let hello = ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            document: "page-1".to_owned(),
            resume: None,
            leases: Vec::new(),
        };
        self.to_server.push_back(hello.encode());
    }

    fn welcomed(&mut self, epoch: u64, lease: &Lease, snapshot_follows: bool) {
        let same = self.at.is_some_and(|at| at.epoch == epoch);
        if !same {
            self.start_afresh(lease);
        }
        let beginning = snapshot_follows || same;
        assert!(beginning, "[ROOM-1] a tail needs a beginning");
    }

    /// [CLIENT-7] What was not acknowledged in the old epoch is put aside.
    fn start_afresh(&mut self, lease: &Lease) {
        self.doc = Some(new_doc(lease.client_id));
        self.leases = vec![lease.clone()];
        self.unsaved.clear();
        self.at = None;
    }

    fn apply(&self, updates: &[Bytes]) {
        let mut tx = self.doc.as_ref().unwrap().transact_mut();
        for update in updates {
            tx.apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
    }

    fn acknowledged(&mut self, batch_id: u64, epoch: u64) {
        assert!(self.in_flight.remove(&batch_id), "an answer to nothing");
        let (done, rest): (VecDeque<_>, VecDeque<_>) = self
            .unsaved
            .drain(..)
            .partition(|u| u.batch_id == Some(batch_id));
        self.unsaved = rest;
        let texts = done.into_iter().filter_map(|u| u.text);
        self.saved.extend(texts.map(|c| (c, epoch)));
    }

    fn heed_refusal(&mut self) -> bool {
        if !self.in_flight.is_empty() {
            return false;
        }
        if self.joined() && !self.writable && !self.unsaved.is_empty() {
            return self.put_aside();
        }
        let Some(reason) = self.refused else {
            return false;
        };
        self.refused = None;
        for unsaved in &mut self.unsaved {
            unsaved.batch_id = None;
        }
        match reason {
            Refusal::Rate | Refusal::Unavailable | Refusal::WrongEpoch => false,
            Refusal::Gap => true,
            Refusal::ReadOnly => self.put_aside(),
            other => panic!("an honest client was refused: {other:?}"),
        }
    }

    /// [CLIENT-6] [CLIENT-9] What it may not write is put aside; it begins with the others' document.
    fn put_aside(&mut self) -> bool {
        self.doc = None;
        self.at = None;
        self.leases.clear();
        self.unsaved.clear();
        true
    }
}
