//! Work on real CRDT instances: the cold path. On threads of its own with a large stack, few at a time; after any error, and after a
//! panic, the instance is gone.

use crate::clocks::ClockMap;
use crate::limits::{HYDRATE_STACK_BYTES, HYDRATIONS_MAX};
use crate::log::LogError;
use crate::scan::{Bounds, scan};
use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, ReadTxn, StateVector, Transact, Update};

/// Process-wide, because it bounds memory, which is too.
static SLOTS: Semaphore = Semaphore::const_new(HYDRATIONS_MAX);

/// Runs work on a CRDT away from the threads that serve sockets; a panic there is an error here.
pub async fn hydrate<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let slot = SLOTS.acquire().await;
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("hydrate".to_owned())
        .stack_size(HYDRATE_STACK_BYTES)
        .spawn(move || {
            let _ = sender.send(work());
        })
        .map_err(|why| LogError::Unavailable(format!("no thread for hydration: {why}")))?;
    let done = receiver.await;
    drop(slot);
    done.unwrap_or_else(|_| Err(LogError::Corrupt("hydration ended in a panic".to_owned())))
}

/// Makes one update of several, in order, as a document that has them all would give it.
pub fn merge(updates: &[Bytes]) -> Result<Bytes, LogError> {
    // As browsers count: in bytes, the halves of a character that an edit cut in two are longer than the whole, and yrs miscounts.
    let doc = Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        ..Options::default()
    });
    let mut tx = doc.transact_mut();
    for update in updates {
        let update = Update::decode_v1(update).map_err(|why| damaged(&why))?;
        tx.apply_update(update).map_err(|why| damaged(&why))?;
    }
    Ok(tx.encode_state_as_update_v1(&StateVector::default()).into())
}

/// Folds a snapshot and what follows it into a new snapshot, refused unless its clocks are these. [LOG-9]
pub(crate) fn fold(updates: &[Bytes], clocks: &ClockMap) -> Result<Bytes, LogError> {
    let folded = merge(updates)?;
    let found = scan(&folded, &Bounds::snapshot()).map_err(|why| damaged(&why))?;
    let mut folded_clocks = ClockMap::default();
    folded_clocks.absorb(&found);
    // A part that could not be put in its place is behind a hole.
    let whole = found.brings.iter().all(|run| run.start == 0);
    if whole && folded_clocks == *clocks {
        Ok(folded)
    } else {
        Err(LogError::Corrupt(
            "the folded document and its log do not agree".to_owned(),
        ))
    }
}

fn damaged(why: &dyn std::fmt::Display) -> LogError {
    LogError::Corrupt(format!("hydration failed: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::{GetString, Text, WriteTxn};

    fn typed(texts: &[&str]) -> (Vec<Bytes>, ClockMap) {
        let doc = Doc::new();
        let mut updates = Vec::new();
        let mut clocks = ClockMap::default();
        for text in texts {
            let mut tx = doc.transact_mut();
            let before = tx.state_vector();
            let title = tx.get_or_insert_text("title");
            title.insert(&mut tx, 0, text);
            let update = tx.encode_diff_v1(&before);
            clocks.absorb(&scan(&update, &Bounds::snapshot()).unwrap());
            updates.push(update.into());
        }
        (updates, clocks)
    }

    /// [LOG-9] A fold has the same content in fewer bytes; if something is missing it is refused.
    #[test]
    fn folding() {
        let (updates, clocks) = typed(&["c", "b", "a"]);
        let folded = fold(&updates, &clocks).unwrap();
        let doc = Doc::new();
        doc.transact_mut()
            .apply_update(Update::decode_v1(&folded).unwrap())
            .unwrap();
        let title = doc.get_or_insert_text("title");
        assert_eq!(title.get_string(&doc.transact()), "abc");
        let hole = [updates[0].clone(), updates[2].clone()];
        assert!(matches!(fold(&hole, &clocks), Err(LogError::Corrupt(_))));
        let noise = [Bytes::from_static(b"\x01\x01\x01")];
        assert!(matches!(fold(&noise, &clocks), Err(LogError::Corrupt(_))));
    }

    /// [LOG-9] A panic in hydration is an error, and the next hydration works.
    #[tokio::test]
    async fn panics_are_errors() {
        for _ in 0..HYDRATIONS_MAX + 1 {
            let failed: Result<(), LogError> = hydrate(|| panic!("by intent")).await;
            assert!(matches!(failed, Err(LogError::Corrupt(_))));
        }
        assert_eq!(hydrate(|| Ok(7)).await, Ok(7));
    }
}
