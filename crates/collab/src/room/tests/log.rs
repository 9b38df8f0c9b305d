//! The log behind the room: commits, failures, other writers, folding.

use super::*;

/// [LOG-2] Nothing is acknowledged or shown before the commit.
#[test]
fn acknowledged_after_commit() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.join(2);
    stage.prompt = false;
    stage.push(1, 7, &[insert(&doc, 0, "a")]);
    assert_eq!(
        count(&stage.sent[&1], |f| matches!(f, ServerFrame::Ack { .. })
            || is_batch(f)),
        0
    );
    assert_eq!(count(&stage.sent[&2], is_batch), 0);
    stage.answer_all();
    assert_eq!(count(&stage.sent[&2], is_batch), 1);
    assert_eq!(stage.answered(1), Ok(1));
}

/// [LOG-3] After a failure everything under way is refused and the log is read before anything is accepted.
#[test]
fn failing_log() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    let (first, second) = (insert(&doc, 0, "a"), insert(&doc, 1, "b"));
    stage.push(1, 1, std::slice::from_ref(&first));
    stage.push(1, 2, std::slice::from_ref(&second));
    // The commit happened, its answer was lost.
    let Some(Effect::Append {
        base,
        rows,
        new_authors,
    }) = stage.todo.pop()
    else {
        panic!()
    };
    stage.store.append(base, &rows, new_authors);
    stage.happens(Event::Appended(Err(LogError::Unavailable("x".to_owned()))));
    assert_eq!(
        count(&stage.sent[&1], |f| matches!(
            f,
            ServerFrame::Nack {
                reason: Refusal::Unavailable,
                ..
            }
        )),
        2
    );
    assert_eq!(count(&stage.sent[&1], is_batch), 0);
    assert!(matches!(stage.todo[..], [Effect::Load { .. }]));
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(count(&stage.sent[&1], is_batch), 1);
    stage.take(1);
    stage.push(1, 3, &[first, second]);
    assert_eq!(stage.answered(1), Ok(2));
}

/// [LOG-4] What another process wrote is shown, and what waited is appended behind it.
#[test]
fn another_process_writes() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.store.write_aside(77, "x");
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    assert_eq!(stage.answered(1), Ok(2));
    stage.store.write_aside(78, "y");
    stage.happens(Event::Head(Some(stage.store.head())));
    assert_eq!(count(&stage.take(1), is_batch), 1);
    // An answer that is older than our own append changes nothing.
    stage.happens(Event::Head(Some(Position { epoch: 1, seq: 1 })));
    assert_eq!(stage.room.head(), Some(stage.store.head()));
}

/// [LOG-6] A failed load sends those who wait away and is tried again; it is never an empty page.
#[test]
fn failed_load() {
    let mut stage = Stage::new();
    stage.store.write_aside(77, "x");
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    (stage.room, _) = Room::new(0, settings);
    stage.join_as(1, "u", Rights::Read, None, Vec::new());
    stage.join_as(2, "v", Rights::Read, None, Vec::new());
    stage.happens(Event::Loaded(Err(LogError::Unavailable("x".to_owned()))));
    assert_eq!(
        stage.closed,
        BTreeMap::from([(1, CloseCode::TryAgain), (2, CloseCode::TryAgain)])
    );
    assert!(stage.sent.is_empty());
    stage.join_as(3, "u", Rights::Read, None, Vec::new());
    assert_eq!(stage.closed[&3], CloseCode::TryAgain);
    stage.wait(RELOAD_PAUSE_MS);
    stage.join_as(4, "u", Rights::Read, None, Vec::new());
    assert!(matches!(stage.sent[&4][1], ServerFrame::Snapshot { .. }));
}

/// [LOG-6] People who come at once share one load.
#[test]
fn one_load() {
    let mut stage = Stage::new();
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    let (room, first) = Room::new(0, settings);
    (stage.room, stage.prompt) = (room, false);
    for connection in 1..50 {
        stage.join_as(connection, "u", Rights::Read, None, Vec::new());
    }
    assert!(stage.todo.is_empty());
    stage.prompt = true;
    stage.perform(first);
    assert_eq!(stage.sent.len(), 49);
}

/// [LOG-6] A failed load without anybody there is not tried again and again.
#[test]
fn failed_load_of_nobody() {
    let mut stage = Stage::new();
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    (stage.room, _) = Room::new(0, settings);
    stage.prompt = false;
    stage.happens(Event::Loaded(Err(LogError::Unavailable("x".to_owned()))));
    let mut ticks = 0;
    while !stage.evicted {
        stage.now_ms = stage.wakes.drain(..).next_back().expect("a wake");
        stage.happens(Event::Tick);
        ticks += 1;
    }
    assert!(stage.todo.is_empty() && ticks < 5, "{ticks}");
}

/// [LOG-9] A long tail is folded while people edit; everybody goes on, and newcomers get the snapshot.
#[test]
fn folding_while_editing() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    for i in 0..=FOLD_TAIL_ROWS as u64 {
        stage.push(1, i, &[insert(&doc, 0, "a")]);
    }
    stage.take(1);
    stage.join(2);
    let folded = FOLD_TAIL_ROWS as u64 + 1;
    assert!(
        matches!(stage.sent[&2][1], ServerFrame::Snapshot { position: Position { seq, .. }, .. } if seq == folded)
    );
    stage.push(1, 1_000, &[insert(&doc, 0, "b")]);
    assert_eq!(stage.answered(1), Ok(folded + 1));
}
