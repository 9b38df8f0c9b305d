//! Clients that speak the y-protocols.

use super::*;
use crate::yjs::{Entry, YMessage, decode_awareness, encode_awareness};
use serde_json::{Value, json};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, ReadTxn, Transact, Update};

/// What Yjs clients were sent since the last look.
fn heard(stage: &mut Stage, connection: u64) -> Vec<Bytes> {
    stage.raw.remove(&connection).unwrap_or_default()
}

fn says(stage: &mut Stage, connection: u64, message: YMessage) {
    stage.happens(Event::YMessage {
        connection,
        message,
    });
}

fn joins(stage: &mut Stage, connection: u64, user: &str, rights: Rights) {
    let join = Join {
        dialect: Dialect::Yjs,
        ..Join::default()
    };
    stage.join_how(connection, user, rights, join);
}

fn step1(doc: &Doc) -> YMessage {
    YMessage::Step1(doc.transact().state_vector().encode_v1().into())
}

/// Takes over what was heard: how often a message was one of sync's kinds, and the last step 1.
fn applies(doc: &Doc, messages: &[Bytes]) -> (usize, usize, Option<Bytes>) {
    let (mut second, mut updates, mut first) = (0, 0, None);
    for message in messages {
        let update = match YMessage::decode(message) {
            Ok(YMessage::Step1(vector)) => {
                first = Some(vector);
                continue;
            }
            Ok(YMessage::Step2(update)) => {
                second += 1;
                update
            }
            Ok(YMessage::Update(update)) => {
                updates += 1;
                update
            }
            _ => continue,
        };
        let update = Update::decode_v1(&update).unwrap();
        doc.transact_mut().apply_update(update).unwrap();
    }
    (second, updates, first)
}

fn text(doc: &Doc) -> String {
    let text = doc.get_or_insert_text("title");
    text.get_string(&doc.transact())
}

fn stored(message: &Bytes) -> bool {
    **message == [8, 1]
}

/// [YJS-12] [YJS-13] [YJS-14] Both kinds of clients end with the same document; a message is one for all edits of a tick, and an edit
/// is acknowledged once it is stored.
#[test]
fn together() {
    let mut stage = Stage::new();
    let native = stage.join(1);
    stage.push(1, 1, &[insert(&native, 0, "a"), insert(&native, 1, "b")]);
    stage.take(1);
    let doc = new_doc(70);
    joins(&mut stage, 2, "u2", Rights::Write);
    assert_eq!(heard(&mut stage, 2)[0], authorized_scope("read-write"));
    says(&mut stage, 2, step1(&doc));
    let (second, updates, first) = applies(&doc, &heard(&mut stage, 2));
    assert_eq!((second, updates, text(&doc).as_str()), (1, 0, "ab"));
    let known = crate::yjs::decode_state_vector(&first.unwrap()).unwrap();
    assert_eq!(known.get(native.client_id().get()), 2);
    // The answer to our step 1 brings nothing: no row, but an acknowledgement.
    let everything = doc
        .transact()
        .encode_state_as_update_v1(&yrs::StateVector::default());
    says(&mut stage, 2, YMessage::Step2(everything.into()));
    assert!(heard(&mut stage, 2).iter().any(stored));
    assert_eq!(stage.room.head().unwrap().seq, 2);
    stage.prompt = false;
    says(&mut stage, 2, YMessage::Update(insert(&doc, 2, "c")));
    says(&mut stage, 2, YMessage::Update(insert(&doc, 3, "d")));
    assert!(!heard(&mut stage, 2).iter().any(stored), "[LOG-2]");
    stage.prompt = true;
    stage.answer_all();
    let told = heard(&mut stage, 2);
    assert_eq!(told.iter().filter(|message| stored(message)).count(), 2);
    assert_eq!(stage.room.head().unwrap().seq, 4);
    assert!(stage.take(1).iter().any(is_batch));
    let late = new_doc(71);
    joins(&mut stage, 3, "u3", Rights::Read);
    says(&mut stage, 3, step1(&late));
    applies(&late, &heard(&mut stage, 3));
    stage.push(1, 2, &[insert(&native, 0, "x"), insert(&native, 0, "y")]);
    let (_, updates, _) = applies(&late, &heard(&mut stage, 3));
    assert_eq!((updates, text(&late).as_str()), (1, "yxabcd"), "[YJS-9]");
}

fn authorized_scope(scope: &str) -> Bytes {
    crate::yjs::authorized(scope == "read-write")
}

/// [YJS-14] [YJS-17] A reader's edit is refused and changes nothing; what it repeats is fine.
#[test]
fn readers() {
    let mut stage = Stage::new();
    let native = stage.join(1);
    let first = insert(&native, 0, "a");
    stage.push(1, 1, std::slice::from_ref(&first));
    joins(&mut stage, 2, "u2", Rights::Read);
    assert_eq!(heard(&mut stage, 2)[0], authorized_scope("readonly"));
    says(&mut stage, 2, YMessage::Step2(first));
    assert_eq!(heard(&mut stage, 2), [Bytes::from_static(&[8, 1])]);
    let doc = new_doc(70);
    says(&mut stage, 2, YMessage::Update(insert(&doc, 0, "b")));
    assert_eq!(heard(&mut stage, 2), [Bytes::from_static(&[8, 0])]);
    assert_eq!(stage.room.head().unwrap().seq, 1);
    assert!(!stage.closed.contains_key(&2));
    stage.happens(Event::Access {
        connection: 2,
        rights: Rights::Write,
        reason: String::new(),
    });
    assert_eq!(heard(&mut stage, 2), [authorized_scope("read-write")]);
}

/// [YJS-17] A gap is asked for again, a few times; what can never be stored ends the connection.
#[test]
fn refusals() {
    let mut stage = Stage::new();
    joins(&mut stage, 2, "u2", Rights::Write);
    heard(&mut stage, 2);
    let doc = new_doc(70);
    let (first, second) = (insert(&doc, 0, "a"), insert(&doc, 1, "b"));
    says(&mut stage, 2, YMessage::Update(second.clone()));
    let (_, _, asked) = applies(&new_doc(71), &heard(&mut stage, 2));
    assert_eq!(asked.as_deref(), Some(&[0_u8][..]));
    says(&mut stage, 2, YMessage::Step2(first));
    says(&mut stage, 2, YMessage::Update(second));
    assert_eq!(stage.room.head().unwrap().seq, 2);
    let nowhere = Bytes::from_static(b"\x01\x01\x05\x00\x04\x01\x05other\x01a\x00");
    says(&mut stage, 2, YMessage::Update(nowhere));
    assert_eq!(stage.closed.get(&2), Some(&CloseCode::Protocol), "[SCAN-5]");
    joins(&mut stage, 3, "u3", Rights::Write);
    for _ in 0..=YJS_RESYNCS_MAX {
        assert!(!stage.closed.contains_key(&3));
        let gap = Bytes::from_static(b"\x01\x01\x63\x05\x84\x63\x04\x01a\x00");
        says(&mut stage, 3, YMessage::Update(gap));
    }
    assert_eq!(stage.closed.get(&3), Some(&CloseCode::TryAgain));
}

fn entry(client: u64, clock: u64, state: Option<Value>) -> YMessage {
    let state = state.map(|state| state.to_string());
    let entry = Entry {
        client,
        clock,
        state,
    };
    YMessage::Awareness(encode_awareness(&[entry]))
}

fn entries(messages: &[Bytes]) -> Vec<Entry> {
    let of = |message: &Bytes| match YMessage::decode(message) {
        Ok(YMessage::Awareness(entries)) => decode_awareness(&entries).unwrap(),
        _ => Vec::new(),
    };
    messages.iter().flat_map(of).collect()
}

/// [YJS-6] [YJS-7] [YJS-8] Native people and Yjs clients see each other's cursors under the names that the server knows.
#[test]
fn awareness() {
    let mut stage = Stage::new();
    stage.join(1);
    let place = Bytes::from_static(b"\x0a\x01\x07default\x00\x0a\x01\x07default\x00");
    let blob = place.clone();
    let frame = ClientFrame::Presence { blob };
    stage.happens(Event::Frame {
        connection: 1,
        frame,
    });
    joins(&mut stage, 2, "u2", Rights::Read);
    let there = entries(&heard(&mut stage, 2));
    let state: Value = serde_json::from_str(there[0].state.as_deref().unwrap()).unwrap();
    assert_eq!(state["user"]["name"], "Person 1");
    assert_eq!(state["cursor"]["head"]["tname"], "default");
    stage.take(1);
    let cursor = state["cursor"].clone();
    let claimed = json!({ "user": { "name": "The Boss" }, "cursor": cursor });
    says(&mut stage, 2, entry(70, 1, Some(claimed)));
    let frames = stage.take(1);
    let changed = presence(&frames);
    assert_eq!(changed, [(2, PresenceKind::Changed { blob: place })]);
    joins(&mut stage, 3, "u3", Rights::Read);
    let seen = entries(&heard(&mut stage, 3));
    let state =
        |entry: &Entry| -> Value { serde_json::from_str(entry.state.as_deref().unwrap()).unwrap() };
    let second = seen.iter().find(|entry| entry.client == 70).unwrap();
    assert_eq!(state(second)["user"]["name"], "Person 2");
    // Nobody takes away what another says; a renewal is not passed on.
    says(&mut stage, 3, entry(70, 9, None));
    let same = state(second);
    says(&mut stage, 2, entry(70, 2, Some(same)));
    assert_eq!(entries(&heard(&mut stage, 3)), []);
    stage.wait(AWARENESS_RENEW_MS);
    let renewed = entries(&heard(&mut stage, 3));
    let clock = |client| {
        renewed
            .iter()
            .find(|one| one.client == client)
            .map(|one| one.clock)
    };
    assert_eq!(clock(70), Some(2), "[YJS-18]");
    assert_eq!(renewed.len(), 2);
    stage.happens(Event::Leave { connection: 2 });
    stage.wait(PRESENCE_SLOW_TICK_MS);
    let gone = entries(&heard(&mut stage, 3));
    assert_eq!((gone[0].client, &gone[0].state), (70, &None));
}

/// [YJS-16] What an application says to its own clients reaches the others of the document, not the author.
#[test]
fn stateless_messages() {
    let mut stage = Stage::new();
    stage.join(1);
    for connection in [2, 3] {
        joins(&mut stage, connection, "u", Rights::Write);
        heard(&mut stage, connection);
    }
    joins(&mut stage, 4, "r", Rights::Read);
    for connection in [2, 4] {
        stage.happens(Event::Stateless {
            connection,
            payload: format!("from {connection}"),
        });
    }
    let told = heard(&mut stage, 3);
    assert_eq!(told, [Bytes::from_static(b"\x05\x06from 2")]);
    assert_eq!(heard(&mut stage, 2), Vec::<Bytes>::new());
}

/// [YJS-15] Who comes with a document of a past epoch is told to load it again, and brings nothing back.
#[test]
fn begun_anew() {
    let mut stage = Stage::new();
    joins(&mut stage, 2, "u2", Rights::Write);
    stage.room.past = vec![70];
    let old = new_doc(70);
    let update = insert(&old, 0, "a");
    says(&mut stage, 2, YMessage::Step2(update));
    assert_eq!(stage.closed.get(&2), Some(&CloseCode::Conflict));
    joins(&mut stage, 3, "u2", Rights::Write);
    says(&mut stage, 3, step1(&old));
    assert_eq!(stage.closed.get(&3), Some(&CloseCode::Conflict));
    joins(&mut stage, 4, "u2", Rights::Write);
    says(&mut stage, 4, step1(&new_doc(71)));
    assert!(!stage.closed.contains_key(&4));
}

/// [YJS-9] [ROOM-7] A slow Yjs client whose place in the log is folded away gets everything, and ends with the same document.
#[test]
fn laggards() {
    let mut stage = Stage::new();
    let native = stage.join(1);
    joins(&mut stage, 2, "u2", Rights::Read);
    let doc = new_doc(70);
    says(&mut stage, 2, step1(&doc));
    applies(&doc, &heard(&mut stage, 2));
    stage.stuck.push(2);
    for batch in 1..=2 * FOLD_TAIL_ROWS as u64 {
        stage.push(1, batch, &[insert(&native, 0, "many words ")]);
        stage.take(1);
    }
    assert_ne!(text(&doc), text(&native));
    stage.stuck.clear();
    let (connection, bytes) = (2, 1 << 20);
    stage.happens(Event::Taken { connection, bytes });
    applies(&doc, &heard(&mut stage, 2));
    assert_eq!(text(&doc), text(&native));
}
