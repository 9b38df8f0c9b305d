//! Work on real CRDT instances: the cold path. On threads of its own with a large stack, few at a time; after any error, and after a
//! panic, the instance is gone.

use crate::clocks::ClockMap;
use crate::limits::*;
use crate::log::LogError;
use crate::scan::{Bounds, scan};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::Semaphore;
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, ReadTxn, StateVector, Transact, Update};

/// Process-wide, because they bound memory, which is too: how many run, and what they are taken to need, in KiB.
static SLOTS: Semaphore = Semaphore::const_new(HYDRATIONS_MAX);
static CHARGE: Semaphore = Semaphore::const_new(HYDRATE_CHARGE_BYTES_MAX >> 10);
static DONE: AtomicU64 = AtomicU64::new(0);

/// How many hydrations have begun since the start, and the bytes that those under way are taken to need.
pub(crate) fn load() -> (u64, u64) {
    let free = CHARGE.available_permits() << 10;
    let charged = HYDRATE_CHARGE_BYTES_MAX.saturating_sub(free);
    (DONE.load(Relaxed), charged as u64)
}

/// Runs work on the CRDT of a small document; see [`hydrate_of`].
pub async fn hydrate<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    hydrate_of(0, work).await
}

/// Runs work on a CRDT of so many encoded bytes away from the threads that serve sockets. It waits while too much memory is charged
/// for others. A panic there is an error here, and so is work that takes too long: what it makes in the end is thrown away.
pub async fn hydrate_of<T: Send + 'static>(
    encoded_bytes: usize,
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let needed = encoded_bytes.saturating_mul(HYDRATE_CHARGE);
    let needed = needed.clamp(HYDRATE_CHARGE_BYTES_MIN, HYDRATE_CHARGE_BYTES_MAX) >> 10;
    let slot = SLOTS.acquire().await;
    let charge = CHARGE.acquire_many(needed as u32).await;
    DONE.fetch_add(1, Relaxed);
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("hydrate".to_owned())
        .stack_size(HYDRATE_STACK_BYTES)
        .spawn(move || {
            let done = work();
            // Also when nobody waits any more: until here the memory was in use.
            drop((slot, charge));
            let _ = sender.send(done);
        })
        .map_err(|why| LogError::Unavailable(format!("no thread for hydration: {why}")))?;
    // By the clock of the machine: work is not done faster when a test moves the runtime's.
    let waited = tokio::task::spawn_blocking(move || {
        let done = receiver.recv_timeout(Duration::from_millis(HYDRATE_MS));
        done.map_err(|why| match why {
            RecvTimeoutError::Timeout => LogError::Unavailable("hydration takes too long".into()),
            RecvTimeoutError::Disconnected => {
                LogError::Corrupt("hydration ended in a panic".into())
            }
        })
    });
    let stopped = |_| Err(LogError::Unavailable("the runtime ends".to_owned()));
    waited.await.unwrap_or_else(stopped)?
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

    /// [LOG-11] Work that takes too long is an error for who waits; its memory stays charged until it ends.
    #[tokio::test]
    async fn long_work_is_given_up() {
        let (go_on, waits) = std::sync::mpsc::channel::<()>();
        let large = hydrate_of(HYDRATE_CHARGE_BYTES_MAX / HYDRATE_CHARGE, move || {
            let _ = waits.recv();
            Ok(())
        });
        assert!(matches!(large.await, Err(LogError::Unavailable(_))));
        assert!(load().1 >= HYDRATE_CHARGE_BYTES_MAX as u64 / 2);
        go_on.send(()).unwrap();
        assert_eq!(hydrate(|| Ok(7)).await, Ok(7));
    }
}
