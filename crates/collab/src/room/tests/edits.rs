//! What a batch may hold and what becomes of it.

use super::*;

/// [ROOM-2] Only leased ids; a lease of before counts if its proof holds for this user and document.
#[test]
fn leases() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let old = stage.lease(1);
    stage.join(2);
    let update = insert(&doc, 0, "a");
    stage.push(2, 1, std::slice::from_ref(&update));
    assert_eq!(stage.answered(2), Err(Refusal::NotLeased));
    stage.join_as(3, "u1", Rights::Write, None, vec![old.clone()]);
    stage.push(3, 1, &[update]);
    assert_eq!(stage.answered(3), Ok(1));
    stage.join_as(4, "mallory", Rights::Write, None, vec![old]);
    stage.push(4, 1, &[insert(&doc, 0, "b")]);
    assert_eq!(stage.answered(4), Err(Refusal::NotLeased));
}

/// [ROOM-2] The first user of a client id is written with the rows and alone may go on with it, in either dialect.
#[test]
fn authors() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.push(1, 2, &[insert(&doc, 0, "b")]);
    let author = Author {
        client_id: stage.lease(1).client_id,
        user: "u1".to_owned(),
    };
    let Some(Effect::Append { new_authors, .. }) = stage.todo.last() else {
        panic!("an append");
    };
    assert_eq!(new_authors[..], [author]);
    stage.prompt = true;
    stage.answer_all();
    stage.take(1);
    let more = insert(&doc, 0, "c");
    for (connection, user, outcome) in [(2, "mallory", Err(Refusal::NotLeased)), (3, "u1", Ok(()))]
    {
        let join = Join {
            dialect: Dialect::Yjs,
            ..Join::default()
        };
        stage.join_how(connection, user, Rights::Write, join);
        stage.push(connection, 1, std::slice::from_ref(&more));
        let refused = stage.closed.get(&connection) == Some(&CloseCode::Protocol);
        let answers = stage.raw.remove(&connection).unwrap_or_default();
        let stored = answers.contains(&Bytes::from_static(&[8, 1]));
        assert_eq!(
            (refused, stored),
            (outcome.is_err(), outcome.is_ok()),
            "{user}"
        );
    }
    // Nobody takes an id that somebody else was given and has not used.
    let join = Join {
        dialect: Dialect::Yjs,
        ..Join::default()
    };
    let given = stage.join(4);
    stage.join_how(5, "u4", Rights::Write, join);
    stage.push(5, 1, &[insert(&given, 0, "d")]);
    assert_eq!(stage.closed.get(&5), Some(&CloseCode::Protocol));
}

/// [ROOM-3] Gaps in clocks, unknown references and unknown deletions are refused.
#[test]
fn gaps() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let other = stage.join(2);
    let (first, second) = (insert(&doc, 0, "a"), insert(&doc, 1, "b"));
    stage.push(1, 1, std::slice::from_ref(&second));
    assert_eq!(stage.answered(1), Err(Refusal::Gap));
    // Refers to what the server does not know.
    use yrs::Transact;
    use yrs::updates::decoder::Decode;
    other
        .transact_mut()
        .apply_update(yrs::Update::decode_v1(&first).unwrap())
        .unwrap();
    stage.push(2, 1, &[insert(&other, 1, "x")]);
    assert_eq!(stage.answered(2), Err(Refusal::Gap));
    let (_, deletion) = remove(&doc, 0).unwrap();
    stage.push(1, 2, std::slice::from_ref(&deletion));
    assert_eq!(stage.answered(1), Err(Refusal::Gap));
    stage.push(1, 3, &[first, second, deletion]);
    assert_eq!(stage.answered(1), Ok(3));
}

/// [ROOM-4] What is known is acknowledged without a new row, also while its first commit runs.
#[test]
fn resending() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let update = insert(&doc, 0, "a");
    stage.prompt = false;
    stage.push(1, 1, std::slice::from_ref(&update));
    stage.push(1, 2, std::slice::from_ref(&update));
    assert_eq!(
        count(&stage.sent[&1], |f| matches!(f, ServerFrame::Ack { .. })),
        0
    );
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(
        count(&stage.take(1), |f| matches!(f, ServerFrame::Ack { .. })),
        2
    );
    stage.push(1, 3, &[update]);
    assert_eq!(stage.answered(1), Ok(1));
    assert_eq!(stage.store.head().seq, 1);
}

/// [ROOM-5] One bad update refuses the whole batch.
#[test]
fn whole_batches() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let good = insert(&doc, 0, "a");
    stage.push(1, 1, &[good.clone(), Bytes::from_static(b"\x01\x01\x01")]);
    assert_eq!(stage.answered(1), Err(Refusal::Malformed));
    assert_eq!(stage.store.head().seq, 0);
    stage.push(1, 2, &[good]);
    assert_eq!(stage.answered(1), Ok(1));
}

/// [ROOM-6] Everybody gets the same bytes, encoded once.
#[test]
fn encoded_once() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.join(2);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    let frame = |id: u64| {
        stage.raw[&id]
            .iter()
            .rev()
            .find(|f| f[0] == 0x83)
            .unwrap()
            .clone()
    };
    assert_eq!(frame(1), frame(2));
    assert_eq!(frame(1).as_ptr(), frame(2).as_ptr());
}

/// [ROOM-11] Too many unanswered batches, and too many bytes.
#[test]
fn budgets() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    for i in 0..BATCHES_IN_FLIGHT_MAX as u64 {
        stage.push(1, i, &[insert(&doc, 0, "a")]);
    }
    stage.take(1);
    stage.push(1, 1_000, &[insert(&doc, 0, "a")]);
    assert_eq!(stage.answered(1), Err(Refusal::Rate));
    stage.prompt = true;
    stage.answer_all();
    let huge = Bytes::from(vec![0; PUSH_BYTES_BURST as usize - (1 << 20)]);
    stage.push(1, 1_001, &[huge]);
    stage.take(1);
    stage.push(1, 1_002, &[Bytes::from(vec![0; 1 << 20])]);
    assert_eq!(stage.answered(1), Err(Refusal::Rate));
    stage.wait(10_000);
    stage.push(
        1,
        1_003,
        &[insert(
            &new_doc(stage.room.connections[&1].leased[0]),
            0,
            "b",
        )],
    );
    assert_ne!(stage.answered(1), Err(Refusal::Rate));
}

/// [ROOM-14] A document has a size limit.
#[test]
fn document_size() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let text = "x".repeat(100 << 10);
    let mut refused = None;
    for i in 0..40 {
        stage.now_ms += 10_000;
        stage.stuck.clear();
        stage.push(1, i, &[insert(&doc, 0, &text)]);
        if let Err(reason) = stage.answered(1) {
            refused = Some((i, reason));
            break;
        }
    }
    assert_eq!(refused, Some((10, Refusal::TooLarge)));
}
