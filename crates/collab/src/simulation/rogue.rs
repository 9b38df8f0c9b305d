//! A client that keeps no rule: foreign client ids, gaps, other content under known clocks, noise, floods, a second HELLO.

use super::store::Store;
use super::{Owner, World};
use crate::limits::{BATCHES_IN_FLIGHT_MAX, PROOF_BYTES};
use crate::protocol::{ClientFrame, Lease, PROTOCOL_VERSION, Refusal, Rights, ServerFrame};
use crate::room::{Event, Join};
use crate::scan::{Bounds, scan};
use crate::varint::{put_bytes, put_number};
use bytes::Bytes;
use std::collections::HashMap;

/// What may become of a batch.
enum Verdict {
    /// Taken or not: if it is, these updates are in the log, and the clock is this.
    Any(Vec<Bytes>, u64),
    /// Taken or not; if it is, it changes nothing.
    Known,
    /// Refused.
    Never,
}

#[derive(Default)]
pub(super) struct Rogue {
    /// The client id it was given; `None`: it is not in.
    client_id: Option<u64>,
    /// Reads nothing of what it is sent.
    lazy: bool,
    reads_only: bool,
    /// Does not know where it is.
    lost: bool,
    next_batch: u64,
    /// The next clock, if all that it sent is taken.
    clock: u64,
    acknowledged: u64,
    batches: HashMap<u64, Verdict>,
    untaken: usize,
}

impl Rogue {
    pub(super) fn hear(&mut self, frame: ServerFrame, bytes: usize, store: &Store) {
        self.untaken += bytes;
        match frame {
            ServerFrame::Welcome { lease, .. } => self.client_id = Some(lease.client_id),
            ServerFrame::Ack { batch_id, position } => match self.batches.remove(&batch_id) {
                Some(Verdict::Any(updates, clock)) => {
                    self.acknowledged = self.acknowledged.max(clock);
                    self.settle();
                    // An answer may wait for a lazy reader until that epoch is over.
                    let past = position.epoch != store.epoch;
                    let there = past || updates.iter().all(|update| store.has(update));
                    assert!(there, "batch {batch_id} acknowledged and not in the log");
                }
                Some(Verdict::Known) => {}
                Some(Verdict::Never) => panic!("a batch that breaks a rule was taken"),
                None => panic!("an answer to nothing"),
            },
            ServerFrame::Nack {
                batch_id, reason, ..
            } => {
                let verdict = self
                    .batches
                    .remove(&batch_id)
                    .expect("an answer to nothing");
                self.settle();
                if let Verdict::Any(updates, _) = verdict {
                    // The log may have taken it silently: it does not know its own clock any more.
                    self.lost |= reason == Refusal::Unavailable;
                    let there = updates.iter().any(|update| store.has(update));
                    let refused = reason != Refusal::Unavailable;
                    assert!(!(refused && there), "refused, and in the log");
                }
            }
            ServerFrame::Reset { .. } => self.lost = true,
            _ => {}
        }
    }

    /// The clocks of what was refused are free again.
    fn settle(&mut self) {
        let under_way = |verdict: &Verdict| matches!(verdict, Verdict::Any(..));
        if !self.batches.values().any(under_way) {
            self.clock = self.acknowledged;
        }
    }

    fn push(&mut self, updates: Vec<Bytes>, verdict: Verdict) -> ClientFrame {
        self.next_batch += 1;
        let batch_id = self.next_batch;
        let verdict = match verdict {
            Verdict::Any(..) if self.reads_only => Verdict::Never,
            other => other,
        };
        self.batches.insert(batch_id, verdict);
        ClientFrame::Push { batch_id, updates }
    }
}

/// An update that puts a text in front of the title.
fn typed(client: u64, clock: u64, text: &str) -> Bytes {
    rooted(client, clock, "title", text)
}

fn rooted(client: u64, clock: u64, root: &str, text: &str) -> Bytes {
    let mut out = vec![1, 1];
    put_number(&mut out, client);
    put_number(&mut out, clock);
    out.extend([4, 1]);
    put_bytes(&mut out, root.as_bytes());
    put_bytes(&mut out, text.as_bytes());
    out.push(0);
    out.into()
}

impl World {
    pub(super) fn rogue_acts(&mut self) {
        if self.rogues.is_empty() {
            return;
        }
        let i = self.chance.below(self.rogues.len());
        let Some((connection, process)) = self.wire_of(Owner::Rogue(i)) else {
            return self.rogue_joins(i);
        };
        if !self.rogues[i].lazy {
            let bytes = std::mem::take(&mut self.rogues[i].untaken);
            self.happens(process, Event::Taken { connection, bytes });
        }
        if self.wire_of(Owner::Rogue(i)).is_none() {
            return;
        }
        if self.rogues[i].lost && self.chance.one_in(3) {
            return self.drop_link(Owner::Rogue(i));
        }
        let many = match self.chance.below(20) {
            0 => BATCHES_IN_FLIGHT_MAX + 10,
            _ => 1,
        };
        for _ in 0..many {
            let Some(client_id) = self.rogues[i].client_id else {
                return;
            };
            let frame = self.attack(i, client_id);
            // Frames are checked by the shell before the room sees them.
            match ClientFrame::decode(&frame.encode()) {
                Ok(frame) => self.happens(process, Event::Frame { connection, frame }),
                Err(_) => self.drop_link(Owner::Rogue(i)),
            }
        }
    }

    fn rogue_joins(&mut self, i: usize) {
        let reads_only = self.chance.one_in(4);
        self.rogues[i] = Rogue {
            lazy: self.chance.one_in(3),
            reads_only,
            ..Rogue::default()
        };
        let rights = if reads_only {
            Rights::Read
        } else {
            Rights::Write
        };
        // A false proof for somebody's id.
        let victim = self.victim();
        let lease = Lease {
            client_id: victim,
            proof: [9; PROOF_BYTES],
        };
        let join = Join {
            leases: vec![lease],
            ..Join::default()
        };
        self.wire(Owner::Rogue(i), format!("r{i}"), rights, join);
    }

    /// The client id of somebody else.
    fn victim(&mut self) -> u64 {
        let i = self.chance.below(self.clients.len());
        self.clients[i].client_id().unwrap_or(900_000_000_001)
    }

    fn never(&mut self) -> char {
        let c = self.new_char();
        self.forbidden.insert(c);
        c
    }

    fn attack(&mut self, i: usize, own: u64) -> ClientFrame {
        let Rogue {
            clock,
            acknowledged,
            ..
        } = self.rogues[i];
        match self.chance.below(13) {
            0..3 if !self.rogues[i].lost => self.good(i, own),
            3 => {
                let (victim, c) = (self.victim(), self.never());
                let at = self.chance.below(30) as u64;
                let update = typed(victim, at, &c.to_string());
                self.rogues[i].push(vec![update], Verdict::Never)
            }
            4 => {
                let c = self.never();
                let update = typed(own, clock + 100_000, &c.to_string());
                self.rogues[i].push(vec![update], Verdict::Never)
            }
            5 if acknowledged > 1 && !self.rogues[i].lost => self.overlap(i, own),
            6 => {
                // A good beginning does not save a bad batch.
                let c = self.never();
                let good = typed(own, clock, &c.to_string());
                let noise = Bytes::from_static(b"\x01\x01\x01");
                self.rogues[i].push(vec![good, noise], Verdict::Never)
            }
            7 => {
                let c = self.never();
                let mut noise = typed(own, clock, &c.to_string()).to_vec();
                let at = self.chance.below(noise.len());
                noise[at] ^= 1 << self.chance.below(8);
                noise.truncate(1 + self.chance.below(noise.len()));
                let noise = Bytes::from(noise);
                let refused = scan(&noise, &Bounds::update(&["title"])).is_err();
                if !refused {
                    return ClientFrame::Presence { blob: noise };
                }
                self.rogues[i].push(vec![noise], Verdict::Never)
            }
            8 => {
                let far = [&[0, 1][..], &[1, 0xc0, 0x84, 0x3d, 5]].concat();
                self.rogues[i].push(vec![far.into()], Verdict::Never)
            }
            9 => {
                let c = self.never();
                let update = rooted(own, clock, "elsewhere", &c.to_string());
                self.rogues[i].push(vec![update], Verdict::Never)
            }
            10 if self.chance.one_in(8) => ClientFrame::Hello {
                version: PROTOCOL_VERSION,
                document: "page-1".to_owned(),
                resume: None,
                leases: Vec::new(),
            },
            11 => ClientFrame::Presence {
                blob: vec![7; self.chance.below(1_200)].into(),
            },
            _ => ClientFrame::Ping {
                nonce: 1,
                rtt_ms: 0,
            },
        }
    }

    /// An edit that keeps the rules.
    fn good(&mut self, i: usize, own: u64) -> ClientFrame {
        let c = self.new_char();
        if self.rogues[i].reads_only {
            self.forbidden.insert(c);
        }
        let rogue = &mut self.rogues[i];
        let update = typed(own, rogue.clock, &c.to_string());
        rogue.clock += c.len_utf16() as u64;
        let clock = rogue.clock;
        rogue.push(vec![update.clone()], Verdict::Any(vec![update], clock))
    }

    /// Other content under clocks that are taken, alone or in front of something new.
    fn overlap(&mut self, i: usize, own: u64) -> ClientFrame {
        let Rogue {
            clock,
            acknowledged,
            ..
        } = self.rogues[i];
        let other = char::from_u32(0x8000 + self.next_char).unwrap();
        self.next_char += 1;
        self.hidden.insert(other);
        if clock != acknowledged || !self.rogues[i].batches.is_empty() {
            let update = typed(own, acknowledged - 1, &other.to_string());
            return self.rogues[i].push(vec![update], Verdict::Known);
        }
        let new = char::from_u32(0x8000 + self.next_char).unwrap();
        self.next_char += 1;
        let update = typed(own, acknowledged - 1, &format!("{other}{new}"));
        let clock = acknowledged + 1;
        self.rogues[i].clock = clock;
        self.rogues[i].push(vec![update.clone()], Verdict::Any(vec![update], clock))
    }
}
