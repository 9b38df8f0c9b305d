//! Edits of a client that was offline while its epoch ended: checked like those of a connection, against the state that epoch had.

use crate::authors::Claimant;
use crate::clocks::{ClockMap, Layers};
use crate::lease::LeaseKey;
use crate::protocol::{Lease, Refusal};
use crate::room::Dialect;
use crate::scan::{Bounds, scan, texts};
use bytes::Bytes;

/// What a client kept, and what proves that it may have written it.
#[derive(Debug, Clone, Copy)]
pub struct OfflineEdits<'a> {
    /// The document.
    pub document: &'a str,
    /// The account, as the engine knows it.
    pub user: &'a str,
    /// The client id all of it was written with.
    pub lease: &'a Lease,
    /// The updates, in order.
    pub updates: &'a [Bytes],
}

impl OfflineEdits<'_> {
    /// Whether these fit onto the last state of their epoch, by the rules of a PUSH. [EPOCH-4]
    pub fn check(
        &self,
        key: &LeaseKey,
        roots: &'static [&'static str],
        state: &[u8],
    ) -> Result<(), Refusal> {
        if !key.holds(self.document, self.user, self.lease) {
            return Err(Refusal::NotLeased);
        }
        let mut committed = ClockMap::default();
        let stored = scan(state, &Bounds::snapshot()).map_err(|_| Refusal::Malformed)?;
        committed.absorb(&stored);
        let mut layers = Layers {
            committed: &committed,
            running: None,
            waiting: &ClockMap::default(),
            batch: ClockMap::default(),
        };
        let mut claimant = Claimant {
            dialect: Dialect::Native,
            user: self.user,
            leased: &[self.lease.client_id],
            authors: [None; 3],
            leased_elsewhere: &|_| false,
            first: Vec::new(),
        };
        let bounds = Bounds::update(roots);
        for update in self.updates {
            let scan = scan(update, &bounds).map_err(|_| Refusal::Malformed)?;
            layers.judge(&scan, &mut claimant)?;
        }
        Ok(())
    }
}

/// The words in updates that cannot be put in their place any more: better than nothing. What is malformed has none.
pub fn written_text(updates: &[Bytes]) -> String {
    let bounds = Bounds::snapshot();
    let text: String = updates
        .iter()
        .filter_map(|update| texts(update, &bounds).ok())
        .collect();
    text.trim().to_owned()
}

/// Bytes of the state vector of a document: how many clients have written in it.
pub fn client_bytes(state: &[u8]) -> usize {
    let varint = |number: u64| (64 - number.leading_zeros() as usize).div_ceil(7).max(1);
    let Ok(found) = scan(state, &Bounds::snapshot()) else {
        return 0;
    };
    let mut last = None;
    let mut bytes = 0;
    for run in &found.brings {
        // Runs of one client follow each other.
        if last != Some(run.client) {
            bytes += varint(run.client);
        }
        last = Some(run.client);
        bytes += varint(run.end);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::updates::decoder::Decode;
    use yrs::{Doc, GetString, ReadTxn, StateVector, Text, Transact, Update, WriteTxn};

    fn typed(state: Option<&[u8]>, client: u64, text: &str) -> Bytes {
        let doc = Doc::with_client_id(client);
        let mut tx = doc.transact_mut();
        if let Some(state) = state {
            tx.apply_update(Update::decode_v1(state).unwrap()).unwrap();
        }
        let before = tx.state_vector();
        let title = tx.get_or_insert_text("title");
        let end = title.get_string(&tx).len() as u32;
        title.insert(&mut tx, end, text);
        tx.encode_diff_v1(&before).into()
    }

    /// [EPOCH-4] What was kept offline needs the lease of its author, and fits onto the state of its epoch.
    #[test]
    fn edits_are_checked() {
        let key = LeaseKey::new([7; 32]);
        let lease = key.lease("page-1", "5", 99).unwrap();
        let state = typed(None, 1, "one");
        let fine = [typed(Some(&state), 99, " two")];
        let check = |user: &str, state: &[u8], updates: &[Bytes]| {
            let (document, lease) = ("page-1", &lease);
            let edits = OfflineEdits {
                document,
                user,
                lease,
                updates,
            };
            edits.check(&key, &["title"], state)
        };
        assert_eq!(check("5", &state, &fine), Ok(()));
        assert_eq!(check("6", &state, &fine), Err(Refusal::NotLeased));
        assert_eq!(check("5", &[0, 0], &fine), Err(Refusal::Gap));
        let others = [typed(Some(&state), 98, "x")];
        assert_eq!(check("5", &state, &others), Err(Refusal::NotLeased));
        assert_eq!(
            check("5", &state, &[vec![9].into()]),
            Err(Refusal::Malformed)
        );
        assert_eq!(written_text(&fine), "two");
    }

    /// [EPOCH-1] The size of the state vector is that which a Yjs library would write, but for the count.
    #[test]
    fn state_vectors() {
        let doc = Doc::with_client_id(5);
        for client in 0..300 {
            let update = typed(None, (client << 24) | 77, "x");
            doc.transact_mut()
                .apply_update(Update::decode_v1(&update).unwrap())
                .unwrap();
        }
        let tx = doc.transact();
        let state = tx.encode_state_as_update_v1(&StateVector::default());
        use yrs::updates::encoder::Encode;
        assert_eq!(
            client_bytes(&state) + 2,
            tx.state_vector().encode_v1().len()
        );
    }
}
