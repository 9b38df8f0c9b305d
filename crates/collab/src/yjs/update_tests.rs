use super::*;
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, Transact, Update};

/// A document and the updates that made it.
struct Author {
    doc: Doc,
}

impl Author {
    fn new(client: u64) -> Author {
        Author {
            doc: Doc::with_options(Options {
                offset_kind: OffsetKind::Utf16,
                ..Options::with_client_id(ClientID::new(client))
            }),
        }
    }

    fn edit(&self, change: impl FnOnce(&yrs::TextRef, &mut yrs::TransactionMut<'_>)) -> Bytes {
        let text = self.doc.get_or_insert_text("title");
        let mut tx = self.doc.transact_mut();
        let before = tx.state_vector();
        change(&text, &mut tx);
        tx.encode_diff_v1(&before).into()
    }

    fn hear(&self, update: &Bytes) {
        let update = Update::decode_v1(update).unwrap();
        self.doc.transact_mut().apply_update(update).unwrap();
    }
}

fn text_of(updates: &[Bytes]) -> (String, StateVector) {
    let reader = Author::new(99);
    let text = reader.doc.get_or_insert_text("title");
    for update in updates {
        reader.hear(update);
    }
    let tx = reader.doc.transact();
    (text.get_string(&tx), tx.state_vector())
}

/// Two people who type and delete in turns.
fn session() -> Vec<Bytes> {
    let (ann, bob) = (Author::new(7), Author::new(4_000_000_000));
    let mut log = Vec::new();
    for round in 0..12_u32 {
        for (me, other) in [(&ann, &bob), (&bob, &ann)] {
            let update = me.edit(|text, tx| {
                let at = (round * 7) % (text.len(tx) + 1);
                text.insert(tx, at, "añb");
                if round % 3 == 2 {
                    text.remove_range(tx, at / 2, 2);
                }
            });
            other.hear(&update);
            log.push(update);
        }
    }
    log
}

/// [YJS-9] Joined updates make the same document as one by one, and take fewer messages.
#[test]
fn joining() {
    let log = session();
    let merged = merge_updates(&log, None).unwrap();
    assert!(merged.rest.is_empty());
    assert_eq!(text_of(std::slice::from_ref(&merged.update)), text_of(&log));
    let (first, second) = log.split_at(9);
    let parts = [first, second].map(|part| merge_updates(part, None).unwrap().update);
    assert_eq!(text_of(&parts), text_of(&log));
    // What is joined is an update that may be joined again.
    let again = merge_updates(&parts, None).unwrap();
    assert_eq!(text_of(&[again.update]), text_of(&log));
    assert_eq!(merge_updates(&[], None).unwrap().update, &[0_u8, 0][..]);
}

/// [YJS-9] Repetitions are left out; an overlap inside a struct is kept apart, with what follows it.
#[test]
fn overlaps() {
    let author = Author::new(7);
    let ab = author.edit(|text, tx| text.insert(tx, 0, "ab"));
    let whole = |doc: &Doc| -> Bytes {
        let tx = doc.transact();
        tx.encode_state_as_update_v1(&StateVector::default()).into()
    };
    let _ = author.edit(|text, tx| text.insert(tx, 2, "cd"));
    let abcd = whole(&author.doc);
    let e = author.edit(|text, tx| text.insert(tx, 4, "e"));
    let repeated = merge_updates(&[ab.clone(), ab.clone()], None).unwrap();
    assert_eq!(repeated.update, ab);
    let merged = merge_updates(&[ab.clone(), abcd.clone(), e.clone()], None).unwrap();
    assert_eq!(
        (merged.update.clone(), merged.rest.clone()),
        (ab, vec![abcd, e])
    );
    let mut all = merged.rest;
    all.push(merged.update);
    assert_eq!(text_of(&all).0, "abcde");
}

/// [YJS-10] Who has something is given the rest only, and always every deletion.
#[test]
fn differences() {
    let log = session();
    for known in [0, 1, 5, 11, 23, 24] {
        let reader = Author::new(99);
        let text = reader.doc.get_or_insert_text("title");
        log[..known].iter().for_each(|update| reader.hear(update));
        let vector = {
            use yrs::updates::encoder::Encode;
            reader.doc.transact().state_vector().encode_v1()
        };
        let clocks = decode_state_vector(&vector).unwrap();
        assert_eq!(
            decode_state_vector(&encode_state_vector(&clocks)),
            Ok(clocks)
        );
        let lacks = difference(&log, &vector).unwrap();
        let everything = difference(&log, &[0]).unwrap();
        assert!(known == 0 || lacks.len() < everything.len());
        reader.hear(&lacks);
        assert_eq!(text.get_string(&reader.doc.transact()), text_of(&log).0);
    }
    assert!(decode_state_vector(b"\x05\x01").is_err());
}

/// [YJS-11] A delete set that brings nothing new is known as such.
#[test]
fn deletions() {
    let range = |client, start, end| Clocks { client, start, end };
    let mut deletes = Deletes::default();
    deletes.add(&[range(1, 5, 7), range(1, 10, 12), range(2, 0, 1)]);
    assert!(deletes.cover(&[range(1, 5, 7), range(2, 0, 1)]));
    assert!(!deletes.cover(&[range(1, 6, 8)]));
    assert!(!deletes.cover(&[range(1, 7, 8)]));
    assert!(!deletes.cover(&[range(3, 0, 1)]));
    deletes.add(&[range(1, 7, 10)]);
    assert!(deletes.cover(&[range(1, 5, 12)]));
    let log = session();
    let known = Deletes::of(&log).unwrap();
    let everything = merge_updates(&log, None).unwrap().update;
    assert!(known.cover(&pieces(&everything, &mut |_| {}).unwrap()));
}
