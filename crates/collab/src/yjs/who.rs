//! Who is there, as awareness entries: of native people made by us, of Yjs clients their own.

use super::awareness::{Entry, encode_awareness};
use super::state::state_of_person;
use crate::limits::AWARENESS_GONE_MAX;
use crate::protocol::PresenceKind;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Ids of entries for native people: above all that clients choose, and others after each start.
const NATIVE_IDS: u64 = 1 << 52;

/// The entry of one connection.
struct Shown {
    entry: Entry,
    changed: u64,
    /// Of native people only.
    identity: Option<String>,
}

/// The entries of all who are there, by version, so that everybody can be told only what is new.
#[derive(Default)]
pub(crate) struct Awareness {
    version: u64,
    native_ids: u64,
    shown: BTreeMap<u64, Shown>,
    gone: VecDeque<(u64, Entry)>,
    /// The last message made: since, up to, bytes.
    made: Option<(u64, u64, Bytes)>,
}

impl Awareness {
    pub(crate) fn new(seed: u64) -> Awareness {
        Awareness {
            native_ids: NATIVE_IDS | (seed & 0xf_ffff) << 32,
            ..Awareness::default()
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// [YJS-8] Whether a connection may write an entry: its own, or one that nobody else has there. The same user may go on with one
    /// that an older connection has left behind.
    pub(crate) fn may_write(
        &mut self,
        connection: u64,
        client: u64,
        same_user: impl Fn(u64) -> bool,
    ) -> bool {
        if let Some(own) = self.shown.get(&connection) {
            return own.entry.client == client;
        }
        if client >= NATIVE_IDS {
            return false;
        }
        let holder = self
            .shown
            .iter()
            .find(|(_, shown)| shown.entry.client == client)
            .map(|(id, _)| *id);
        match holder {
            None => true,
            Some(holder) if same_user(holder) => {
                self.shown.remove(&holder);
                true
            }
            Some(_) => false,
        }
    }

    /// Takes over the entry of a Yjs client: whether it says something new. A renewal only keeps the clock.
    pub(crate) fn write(&mut self, connection: u64, entry: Entry) -> bool {
        match self.shown.get_mut(&connection) {
            Some(shown) if entry.clock < shown.entry.clock => false,
            Some(shown) if entry.state == shown.entry.state => {
                shown.entry.clock = entry.clock;
                false
            }
            _ => {
                self.version += 1;
                let changed = self.version;
                let identity = None;
                let shown = Shown {
                    entry,
                    changed,
                    identity,
                };
                self.shown.insert(connection, shown);
                true
            }
        }
    }

    /// Something has become of somebody; Yjs clients speak for themselves while they are there.
    pub(crate) fn person(&mut self, connection: u64, kind: PresenceKind, is_yjs: bool) {
        match kind {
            PresenceKind::Gone => self.leave(connection),
            _ if is_yjs => {}
            PresenceKind::Joined { identity, blob } => {
                self.version += 1;
                let entry = Entry {
                    client: self.native_ids | connection,
                    clock: 1,
                    state: Some(state_of_person(&identity, &blob)),
                };
                let (changed, identity) = (self.version, Some(identity));
                let shown = Shown {
                    entry,
                    changed,
                    identity,
                };
                self.shown.insert(connection, shown);
            }
            PresenceKind::Changed { blob } => {
                if let Some(shown) = self.shown.get_mut(&connection)
                    && let Some(identity) = &shown.identity
                {
                    self.version += 1;
                    shown.changed = self.version;
                    shown.entry.clock += 1;
                    shown.entry.state = Some(state_of_person(identity, &blob));
                }
            }
        }
    }

    fn leave(&mut self, connection: u64) {
        let Some(mut shown) = self.shown.remove(&connection) else {
            return;
        };
        self.version += 1;
        shown.entry.state = None;
        if shown.identity.is_some() {
            shown.entry.clock += 1;
        }
        self.gone.push_back((self.version, shown.entry));
        if self.gone.len() > AWARENESS_GONE_MAX {
            self.gone.pop_front();
        }
    }

    /// Native people do not renew; we do it for them.
    pub(crate) fn renew(&mut self) {
        for shown in self.shown.values_mut() {
            if shown.identity.is_some() {
                shown.entry.clock += 1;
            }
        }
        self.made = None;
    }

    /// Everybody, as entries.
    pub(crate) fn all(&self) -> Bytes {
        let entries: Vec<Entry> = self.shown.values().map(|one| one.entry.clone()).collect();
        encode_awareness(&entries)
    }

    /// What is new since a version; the same bytes for all who ask from the same version.
    pub(crate) fn news(&mut self, since: u64) -> Option<Bytes> {
        if since >= self.version {
            return None;
        }
        if let Some((from, to, made)) = &self.made
            && (*from, *to) == (since, self.version)
        {
            return Some(made.clone());
        }
        let gone = self
            .gone
            .iter()
            .filter(|(version, _)| since > 0 && *version > since)
            .map(|(_, entry)| entry.clone());
        let shown = self
            .shown
            .values()
            .filter(|shown| shown.changed > since)
            .map(|shown| shown.entry.clone());
        // Departures first: somebody may have come back under the same id.
        let entries: Vec<Entry> = gone.chain(shown).collect();
        if entries.is_empty() {
            return None;
        }
        let made = encode_awareness(&entries);
        self.made = Some((since, self.version, made.clone()));
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::super::awareness::decode_awareness;
    use super::*;

    fn entry(client: u64, clock: u64, state: &str) -> Entry {
        let state = Some(state.to_owned());
        Entry {
            client,
            clock,
            state,
        }
    }

    fn clients(bytes: Option<Bytes>) -> Vec<(u64, bool)> {
        let entries = bytes.map(|bytes| decode_awareness(&bytes).unwrap());
        let shown = |entry: &Entry| (entry.client & 0xffff_ffff, entry.state.is_some());
        entries.unwrap_or_default().iter().map(shown).collect()
    }

    /// [YJS-8] Nobody writes or withdraws another's entry; an entry goes with its connection.
    #[test]
    fn entries_are_bound() {
        let mut awareness = Awareness::new(7);
        let (nobody, everybody) = (|_| false, |_| true);
        assert!(awareness.may_write(1, 70, nobody));
        assert!(awareness.write(1, entry(70, 3, "{}")));
        assert!(!awareness.may_write(1, 71, nobody));
        assert!(!awareness.may_write(2, 70, nobody));
        assert!(!awareness.may_write(2, NATIVE_IDS | 5, nobody));
        let seen = awareness.version();
        assert!(!awareness.write(1, entry(70, 4, "{}")), "a renewal");
        assert!(!awareness.write(1, entry(70, 2, r#"{"a":1}"#)), "older");
        assert_eq!(awareness.news(seen), None);
        // The same person's next connection goes on with the entry, and the end of the old one takes nothing away.
        assert!(awareness.may_write(3, 70, everybody));
        assert!(awareness.write(3, entry(70, 5, r#"{"a":2}"#)));
        awareness.person(1, PresenceKind::Gone, false);
        assert_eq!(clients(awareness.news(seen)), [(70, true)]);
        awareness.person(3, PresenceKind::Gone, false);
        assert_eq!(clients(awareness.news(seen)), [(70, false)]);
        assert_eq!(clients(awareness.news(0)), []);
    }

    /// [YJS-7] [YJS-18] Native people have entries of their own, which are renewed for them.
    #[test]
    fn native_people() {
        let mut awareness = Awareness::new(7);
        let identity = r#"{"user":"ann","name":"Ann","hue":1}"#.to_owned();
        let blob = Bytes::new();
        awareness.person(4, PresenceKind::Joined { identity, blob }, false);
        let first = decode_awareness(&awareness.news(0).unwrap()).unwrap();
        assert!(first[0].client >= NATIVE_IDS && first[0].state.is_some());
        awareness.renew();
        let renewed = decode_awareness(&awareness.all()).unwrap();
        assert_eq!((renewed[0].client, renewed[0].clock), (first[0].client, 2));
        awareness.person(4, PresenceKind::Gone, false);
        let gone = decode_awareness(&awareness.news(1).unwrap()).unwrap();
        assert_eq!((gone[0].clock, &gone[0].state), (3, &None));
    }
}
