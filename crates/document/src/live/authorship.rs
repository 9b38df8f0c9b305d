//! Who wrote which run of text: the client id and clock that each visible piece of a live document carries.

use yrs::types::text::YChange;
use yrs::{
    IdSet, Out, ReadTxn as _, Snapshot, StateVector, Text as _, TransactionMut, XmlFragment as _,
    XmlFragmentRef, XmlOut, XmlTextRef,
};

/// A run of text that one client wrote in one go, as far as it is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The Yjs client id of its author.
    pub client_id: u64,
    /// The clock of its first unit.
    pub clock: u64,
    /// Its length in UTF-16 units; as many clocks are its own.
    pub units: u64,
    /// The text itself.
    pub text: String,
}

/// The runs of every text of the body in the order of reading; texts that are empty are left out.
pub(super) fn of_body(txn: &mut TransactionMut<'_>, body: &XmlFragmentRef) -> Vec<Vec<Written>> {
    let texts: Vec<XmlTextRef> = body
        .successors(txn)
        .filter_map(|node| match node {
            XmlOut::Text(text) => Some(text),
            _ => None,
        })
        .collect();
    let now = txn.snapshot();
    let nothing = Snapshot::new(StateVector::default(), IdSet::default());
    let runs = texts.iter().map(|text| of_text(txn, text, &now, &nothing));
    runs.filter(|runs| !runs.is_empty()).collect()
}

/// Compared with nothing, everything is an addition, and the library names the id of each.
fn of_text(
    txn: &mut TransactionMut<'_>,
    text: &XmlTextRef,
    now: &Snapshot,
    nothing: &Snapshot,
) -> Vec<Written> {
    let mut runs: Vec<Written> = Vec::new();
    for piece in text.diff_range(txn, Some(now), Some(nothing), YChange::identity) {
        let (Out::Any(yrs::Any::String(text)), Some(change)) = (piece.insert, piece.ychange) else {
            continue;
        };
        let (client_id, clock) = (change.id.client.get(), u64::from(change.id.clock));
        let units = text.encode_utf16().count() as u64;
        match runs.last_mut() {
            Some(last) if last.client_id == client_id && last.clock + last.units == clock => {
                last.units += units;
                last.text.push_str(&text);
            }
            _ => runs.push(Written {
                client_id,
                clock,
                units,
                text: text.to_string(),
            }),
        }
    }
    runs
}
