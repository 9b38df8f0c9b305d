//! How rooms and connections end.

use super::*;

/// [ROOM-12] A room without people folds and goes; a deleted document ends connections.
#[test]
fn endings() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.happens(Event::Leave { connection: 1 });
    stage.wait(IDLE_MS - 1);
    assert!(!stage.evicted);
    stage.prompt = false;
    stage.wait(1);
    assert!(matches!(
        stage.todo[..],
        [Effect::Fold {
            at: Position { seq: 1, .. },
            ..
        }]
    ));
    assert!(!stage.evicted);
    stage.prompt = true;
    stage.answer_all();
    assert!(stage.evicted);

    let mut stage = Stage::new();
    stage.join(1);
    stage.take(1);
    stage.happens(Event::Head(None));
    assert!(
        matches!(&stage.take(1)[..], [ServerFrame::Event { json }] if json.contains("deleted"))
    );
    assert_eq!(stage.closed[&1], CloseCode::NotFound);
    assert!(stage.evicted);
}

/// [ROOM-13] Shutdown waits for the commit, then ends everybody with 1012.
#[test]
fn shutdown() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.push(1, 2, &[insert(&doc, 0, "b")]);
    stage.happens(Event::Shutdown);
    assert!(!stage.evicted && stage.closed.is_empty());
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(
        count(&stage.take(1), |f| matches!(f, ServerFrame::Ack { .. })),
        2
    );
    assert_eq!(stage.closed[&1], CloseCode::Restart);
    assert!(stage.evicted);
    assert_eq!(stage.store.head().seq, 2);
}

/// [ROOM-12] A room that only waits is woken a few times in its life, not again and again.
#[test]
fn wakes_are_few() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.prompt = false;
    stage.happens(Event::Leave { connection: 1 });
    let mut ticks = 0;
    while !stage.evicted {
        let wake = stage.wakes.drain(..).next_back();
        let at_ms = wake.expect("somebody wakes it");
        assert!(at_ms > stage.now_ms);
        stage.now_ms = at_ms;
        stage.happens(Event::Tick);
        ticks += 1;
        if stage.now_ms > 2 * STALL_MS {
            stage.answer_all();
        }
    }
    assert!(ticks < 10, "{ticks}");
}
