//! Differential tests of the scan against yrs.

use super::*;
use proptest::prelude::*;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Any, Array, Doc, GetString, Map, ReadTxn, StateVector, Text, Transact, Update, WriteTxn,
    XmlElementPrelim, XmlFragment, XmlTextPrelim,
};

const ROOTS: &[&str] = &["default", "title"];

/// One edit in a random session.
#[derive(Debug, Clone)]
enum Edit {
    Title(u32, String),
    Cut(u32),
    Paragraph(u32, String),
    Attribute(String),
    Values(Vec<i64>),
    Bold(u32),
    Remove(u32),
}

fn edits() -> impl Strategy<Value = Vec<(bool, Edit)>> {
    let edit = prop_oneof![
        (any::<u32>(), "[aé🌊 ]{1,5}").prop_map(|(at, text)| Edit::Title(at, text)),
        any::<u32>().prop_map(Edit::Cut),
        (any::<u32>(), "[a-z🌊]{1,8}").prop_map(|(at, text)| Edit::Paragraph(at, text)),
        "[a-z]{1,4}".prop_map(Edit::Attribute),
        prop::collection::vec(any::<i64>(), 1..4).prop_map(Edit::Values),
        any::<u32>().prop_map(Edit::Bold),
        any::<u32>().prop_map(Edit::Remove),
    ];
    prop::collection::vec((any::<bool>(), edit), 1..40)
}

fn new_doc(client: u64) -> Doc {
    let options = yrs::Options {
        client_id: yrs::block::ClientID::new(client),
        offset_kind: yrs::OffsetKind::Utf16,
        ..Default::default()
    };
    Doc::with_options(options)
}

fn apply(doc: &Doc, edit: &Edit) -> Vec<u8> {
    let mut tx = doc.transact_mut();
    let before = tx.state_vector();
    match edit {
        Edit::Title(at, text) => {
            let title = tx.get_or_insert_text("title");
            let boundaries: Vec<u32> = boundaries(&title.get_string(&tx));
            title.insert(&mut tx, boundaries[*at as usize % boundaries.len()], text);
        }
        Edit::Cut(at) => {
            let title = tx.get_or_insert_text("title");
            let boundaries = boundaries(&title.get_string(&tx));
            let from = *at as usize % boundaries.len();
            if let Some(to) = boundaries.get(from + 1) {
                title.remove_range(&mut tx, boundaries[from], to - boundaries[from]);
            }
        }
        Edit::Paragraph(at, text) => {
            let body = tx.get_or_insert_xml_fragment("default");
            let at = at % (body.len(&tx) + 1);
            let paragraph = body.insert(&mut tx, at, XmlElementPrelim::empty("paragraph"));
            paragraph.insert(&mut tx, 0, XmlTextPrelim::new(text.as_str()));
        }
        Edit::Attribute(value) => {
            let map = tx.get_or_insert_map("title");
            map.insert(&mut tx, "k", Any::from(value.as_str()));
        }
        Edit::Values(values) => {
            let list = tx.get_or_insert_array("default");
            list.push_back(&mut tx, Any::from(values.clone()));
        }
        Edit::Bold(at) => {
            let title = tx.get_or_insert_text("title");
            let boundaries = boundaries(&title.get_string(&tx));
            let to = boundaries[*at as usize % boundaries.len()];
            if to > 0 {
                title.format(&mut tx, 0, to, [("strong".into(), Any::Bool(true))].into());
            }
        }
        Edit::Remove(at) => {
            let body = tx.get_or_insert_xml_fragment("default");
            let len = body.len(&tx);
            if len > 0 {
                body.remove_range(&mut tx, at % len, 1);
            }
        }
    }
    tx.encode_diff_v1(&before)
}

/// Places in UTF-16 units where no surrogate pair is split.
fn boundaries(text: &str) -> Vec<u32> {
    let mut at = 0;
    let mut all = vec![0];
    for c in text.chars() {
        at += c.len_utf16() as u32;
        all.push(at);
    }
    all
}

/// The updates of two people who synchronise now and then, and the state of both at the end.
fn session(edits: &[(bool, Edit)]) -> Vec<Vec<u8>> {
    let docs = [new_doc(7), new_doc(4_000_000_000)];
    let mut updates = Vec::new();
    for (i, (who, edit)) in edits.iter().enumerate() {
        updates.push(apply(&docs[usize::from(*who)], edit));
        if i % 5 == 4 {
            for (from, to) in [(0, 1), (1, 0)] {
                let state = docs[to].transact().state_vector();
                let diff = docs[from].transact().encode_diff_v1(&state);
                docs[to]
                    .transact_mut()
                    .apply_update(Update::decode_v1(&diff).unwrap())
                    .unwrap();
                updates.push(diff);
            }
        }
    }
    updates.push(
        docs[0]
            .transact()
            .encode_state_as_update_v1(&StateVector::default()),
    );
    updates.push(yrs::merge_updates_v1(&updates).unwrap());
    updates
}

/// The ranges that yrs finds, in the form of a scan's: sorted, neighbours joined.
fn ranges(set: &yrs::IdSet) -> Vec<Clocks> {
    let mut all = Vec::new();
    for (client, ranges) in set.iter() {
        for range in ranges.iter() {
            all.push(Clocks {
                client: client.get(),
                start: range.start.into(),
                end: range.end.into(),
            });
        }
    }
    joined(all)
}

fn joined(mut all: Vec<Clocks>) -> Vec<Clocks> {
    all.retain(|r| r.end > r.start);
    all.sort_by_key(|r| (r.client, r.start));
    all.dedup_by(|next, last| {
        let joins = next.client == last.client && next.start <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
    all
}

fn same_as_yrs(bytes: &[u8], found: Scan) {
    let update = Update::decode_v1(bytes).unwrap();
    assert_eq!(joined(found.deletes), ranges(update.delete_set()));
    assert_eq!(joined(found.brings), ranges(&update.insertions(true)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// [SCAN-3] Ranges of real updates are those that yrs finds.
    #[test]
    fn real_updates(edits in edits()) {
        for update in session(&edits) {
            same_as_yrs(&update, scan(&update, &Bounds::update(ROOTS)).unwrap());
            prop_assert_eq!(scan(&update, &Bounds::update(&["other"])).is_ok(), !has_root(&update));
        }
    }

    /// [SCAN-1] [SCAN-3] What is accepted of damaged updates, yrs decodes to the same ranges; nothing panics.
    #[test]
    fn damaged_updates(edits in edits(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<Option<prop::sample::Index>>()) {
        for mut update in session(&edits) {
            for (at, value) in &damage {
                let at = at.index(update.len());
                update[at] = *value;
            }
            if let Some(cut) = cut {
                update.truncate(cut.index(update.len()));
            }
            if let Ok(found) = scan(&update, &Bounds::update(ROOTS)) {
                same_as_yrs(&update, found);
            }
        }
    }

    /// [SCAN-1] Noise is never accepted wrongly and never panics.
    #[test]
    fn noise(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(found) = scan(&bytes, &Bounds::update(&[])) {
            same_as_yrs(&bytes, found);
        }
    }
}

fn has_root(update: &[u8]) -> bool {
    [&b"default"[..], b"title"]
        .iter()
        .any(|root| update.windows(root.len()).any(|w| w == *root))
}

#[track_caller]
fn check(bytes: &[u8], expect: Result<(), Malformed>) {
    assert_eq!(scan(bytes, &Bounds::update(ROOTS)).map(|_| ()), expect);
}

/// An update of one struct with these bytes, by client 1 at clock 0.
fn one(body: &[u8]) -> Vec<u8> {
    [&[1, 1, 1, 0][..], body, &[0]].concat()
}

/// [SCAN-4] Decodable, and refused all the same.
#[test]
fn refused_though_decodable() {
    check(&one(b"\x04\x01\x05title\x01a"), Ok(()));
    check(
        &[&one(b"\x04\x01\x05title\x01a")[..], &[0]].concat(),
        Err(Malformed::Trailing),
    );
    check(&one(b"\x04\x01\x05title\x00"), Err(Malformed::BadValue)); // an empty struct
    check(&one(b"\x14\x01\x05title\x01a"), Err(Malformed::BadValue)); // unknown info bit
    check(
        &one(b"\x02\x01\x05title\x01\x01a"),
        Err(Malformed::BadValue),
    ); // legacy JSON
    check(
        &one(b"\x09\x01\x05title\x01a\x76\x00"),
        Err(Malformed::BadValue),
    ); // sub-document
    check(
        &one(b"\x07\x01\x05title\x07\x00\x01\x00"),
        Err(Malformed::BadValue),
    ); // weak link
    check(
        &[1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0],
        Err(Malformed::BadNumber),
    ); // clock
    check(
        &[2, 1, 1, 0, 0, 1, 1, 1, 5, 0, 1, 0],
        Err(Malformed::BadValue),
    ); // client 1 twice
    check(&[0, 2, 1, 1, 0, 1, 1, 1, 5, 1], Err(Malformed::BadValue)); // deletes of client 1 twice
}

/// [SCAN-5] Only the roots of a wiki page.
#[test]
fn roots() {
    check(&one(b"\x04\x01\x05title\x01a"), Ok(()));
    check(&one(b"\x04\x01\x05other\x01a"), Err(Malformed::BadValue));
}

/// [SCAN-2] Counts beyond the caps or the bytes are refused before anything is reserved.
#[test]
fn caps() {
    check(&[0xff, 0xff, 0xff, 0x7f], Err(Malformed::TooLarge));
    check(&[1, 0xff, 0xff, 0x03, 1, 0], Err(Malformed::Truncated));
    check(&[0, 1, 1, 0xff, 0xff, 0x03], Err(Malformed::Truncated));
    check(&vec![0; UPDATE_BYTES_MAX + 1], Err(Malformed::TooLarge));
    let name = "n".repeat(SCAN_NAME_BYTES_MAX + 1);
    let body = [
        &b"\x07\x01\x05title\x03"[..],
        &[0x81, 0x08],
        name.as_bytes(),
    ]
    .concat();
    check(&one(&body), Err(Malformed::TooLarge));
}

/// [SCAN-2] A value nested so deep that recursion would end the process is refused.
#[test]
fn deep_value() {
    let mut body = b"\x08\x01\x05title\x01".to_vec();
    body.extend([117u8, 1].repeat(50_000));
    body.push(126);
    check(&one(&body), Err(Malformed::TooLarge));
}

/// [SCAN-3] An empty update brings nothing, and encodes as yrs does.
#[test]
fn empty_update() {
    assert_eq!(Update::default().encode_v1(), [0, 0]);
    check(&[0, 0], Ok(()));
    check(&[], Err(Malformed::Truncated));
}
