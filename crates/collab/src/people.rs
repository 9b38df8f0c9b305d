//! Presence: who is there and what they last said of themselves, by version, so that everybody can be told only what is new.

use crate::limits::{DEPARTED_MAX, PRESENCE_FRAMES_MAX};
use crate::protocol::{PresenceKind, ServerFrame};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

struct Person {
    identity: String,
    blob: Bytes,
    joined: u64,
    changed: u64,
}

/// Somebody who has left: told to those who knew of them.
struct Departed {
    connection: u64,
    joined: u64,
    left: u64,
}

/// Everybody in a room.
#[derive(Default)]
pub(crate) struct People {
    version: u64,
    present: BTreeMap<u64, Person>,
    departed: VecDeque<Departed>,
    /// The last frames made, all up to the present version: since when, bytes.
    made: Vec<(u64, Bytes)>,
    made_version: u64,
}

impl People {
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.present.len() + self.departed.len()
    }

    pub(crate) fn join(&mut self, connection: u64, identity: String) {
        if self.present.contains_key(&connection) {
            return; // says HELLO again
        }
        self.version += 1;
        let joined = self.version;
        let person = Person {
            identity,
            blob: Bytes::new(),
            joined,
            changed: joined,
        };
        self.present.insert(connection, person);
    }

    pub(crate) fn change(&mut self, connection: u64, blob: Bytes) {
        if let Some(person) = self.present.get_mut(&connection)
            && person.blob != blob
        {
            self.version += 1;
            // The bytes are part of a frame; a copy does not hold all of it.
            person.blob = Bytes::copy_from_slice(&blob);
            person.changed = self.version;
        }
    }

    pub(crate) fn leave(&mut self, connection: u64) {
        if let Some(person) = self.present.remove(&connection) {
            self.version += 1;
            self.departed.push_back(Departed {
                connection,
                joined: person.joined,
                left: self.version,
            });
            if self.departed.len() > DEPARTED_MAX {
                self.departed.pop_front();
            }
        }
    }

    /// Forgets departures that everybody has been told of.
    pub(crate) fn forget(&mut self, told_all: u64) {
        while self
            .departed
            .front()
            .is_some_and(|gone| gone.left <= told_all)
        {
            self.departed.pop_front();
        }
    }

    /// One frame with all that is new since a version; the same bytes for all who ask from the same version.
    pub(crate) fn news(&mut self, since: u64) -> Option<Bytes> {
        if since >= self.version {
            return None;
        }
        if self.made_version != self.version {
            self.made_version = self.version;
            self.made.clear();
        }
        if let Some((_, frame)) = self.made.iter().find(|(from, _)| *from == since) {
            return Some(frame.clone());
        }
        let changes = self.changes(since);
        if changes.is_empty() {
            return None;
        }
        let frame = ServerFrame::Presence { changes }.encode();
        if self.made.len() < PRESENCE_FRAMES_MAX {
            self.made.push((since, frame.clone()));
        }
        Some(frame)
    }

    /// What has become of everybody since a version.
    pub(crate) fn changes(&self, since: u64) -> Vec<(u64, PresenceKind)> {
        let gone = self
            .departed
            .iter()
            .filter(|gone| gone.left > since && gone.joined <= since);
        let mut changes: Vec<_> = gone
            .map(|gone| (gone.connection, PresenceKind::Gone))
            .collect();
        for (connection, person) in &self.present {
            let blob = person.blob.clone();
            if person.joined > since {
                let identity = person.identity.clone();
                changes.push((*connection, PresenceKind::Joined { identity, blob }));
            } else if person.changed > since {
                changes.push((*connection, PresenceKind::Changed { blob }));
            }
        }
        changes
    }
}
