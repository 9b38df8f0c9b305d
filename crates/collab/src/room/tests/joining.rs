//! Joining, catching up, new epochs.

use super::*;

/// [ROOM-1] WELCOME first; only the tail for those who have the rest.
#[test]
fn joining() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    assert!(matches!(
        stage.sent[&1][0],
        ServerFrame::Welcome {
            snapshot_follows: true,
            ..
        }
    ));
    assert!(matches!(stage.sent[&1][1], ServerFrame::Snapshot { .. }));
    for (i, text) in ["a", "b", "c"].into_iter().enumerate() {
        stage.push(1, i as u64, &[insert(&doc, 0, text)]);
    }
    stage.join_as(
        2,
        "u",
        Rights::Read,
        Some(Position { epoch: 1, seq: 2 }),
        Vec::new(),
    );
    let frames = stage.take(2);
    assert!(matches!(
        frames[0],
        ServerFrame::Welcome {
            snapshot_follows: false,
            head_seq: 3,
            ..
        }
    ));
    assert!(
        matches!(&frames[1], ServerFrame::Batch { first_seq: 3, updates, .. } if updates.len() == 1)
    );
    for other in [Position { epoch: 9, seq: 2 }, Position { epoch: 1, seq: 4 }] {
        stage.join_as(3, "u", Rights::Read, Some(other), Vec::new());
        assert!(
            matches!(stage.take(3)[1], ServerFrame::Snapshot { .. }),
            "{other:?}"
        );
    }
}

/// [ROOM-7] A slow reader gets a window and no more, catches up in few frames, and is ended when it takes nothing at all.
#[test]
fn slow_readers() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.join(2);
    stage.take(2);
    stage.stuck.push(2);
    for i in 0..60 {
        stage.push(1, i, &[insert(&doc, 0, "0123456789")]);
    }
    let before: usize = stage.raw[&2].iter().map(Bytes::len).sum();
    assert!(before < 2 * (WINDOW_BYTES + CATCH_UP_BYTES), "{before}");
    stage.stuck.clear();
    stage.happens(Event::Taken {
        connection: 2,
        bytes: 100_000,
    });
    let frames = stage.take(2);
    let last = frames.iter().rev().find_map(|f| match f {
        ServerFrame::Batch {
            first_seq, updates, ..
        } => Some(first_seq + updates.len() as u64 - 1),
        _ => None,
    });
    assert_eq!(last, Some(60));
    stage.stuck.push(2);
    stage.push(1, 100, &[insert(&doc, 0, "x")]);
    stage.wait(STALL_MS - 1);
    assert!(!stage.closed.contains_key(&2));
    stage.wait(1);
    assert_eq!(stage.closed[&2], CloseCode::TryAgain);
    assert!(!stage.closed.contains_key(&1));
}

/// [ROOM-10] A new epoch: RESET, everything refused until HELLO, then a snapshot of the new one. [LOG-1] Numbers go on.
#[test]
fn new_epoch() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.take(1);
    stage.store.discard();
    stage.push(1, 2, &[insert(&doc, 0, "b")]);
    let frames = stage.take(1);
    assert!(
        matches!(
            frames[0],
            ServerFrame::Reset {
                epoch: 2,
                reason: ResetReason::Discarded
            }
        ),
        "{frames:?}"
    );
    assert!(matches!(
        frames[1],
        ServerFrame::Nack {
            reason: Refusal::WrongEpoch,
            ..
        }
    ));
    stage.push(
        1,
        3,
        &[insert(
            &new_doc(
                stage.room.connections[&1]
                    .leased
                    .first()
                    .copied()
                    .unwrap_or(5),
            ),
            0,
            "c",
        )],
    );
    assert_eq!(stage.answered(1), Err(Refusal::WrongEpoch));
    stage.happens(Event::Frame {
        connection: 1,
        frame: hello(),
    });
    assert!(matches!(
        stage.sent[&1][0],
        ServerFrame::Welcome {
            epoch: 2,
            connection_id: 1,
            head_seq: 2,
            ..
        }
    ));
    assert!(matches!(stage.sent[&1][1], ServerFrame::Snapshot { .. }));
    let fresh = new_doc(stage.lease(1).client_id);
    stage.push(1, 4, &[insert(&fresh, 0, "d")]);
    assert_eq!(stage.answered(1), Ok(3));
}

/// [WIRE-5] A HELLO that answers no RESET is an error.
#[test]
fn second_hello() {
    let mut stage = Stage::new();
    stage.join(1);
    let frame = hello();
    stage.happens(Event::Frame {
        connection: 1,
        frame,
    });
    assert_eq!(stage.closed[&1], CloseCode::Protocol);
}

/// [WIRE-7] PING is answered whatever the state of the document.
#[test]
fn ping_while_loading() {
    let mut stage = Stage::new();
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    (stage.room, _) = Room::new(0, settings);
    stage.join_as(1, "u", Rights::Read, None, Vec::new());
    stage.happens(Event::Frame {
        connection: 1,
        frame: ClientFrame::Ping {
            nonce: 5,
            rtt_ms: 0,
        },
    });
    assert_eq!(stage.take(1), [ServerFrame::Pong { nonce: 5 }]);
}

/// [ROOM-20] A join is under way until it was given everything, until it goes, or until it takes long by itself.
#[test]
fn arrivals() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    assert_eq!(stage.arrived, [1]);
    for i in 0..30 {
        stage.push(1, i, &[insert(&doc, 0, "0123456789")]);
    }
    stage.stuck = vec![2, 3, 4];
    for connection in 2..=4 {
        stage.join(connection);
    }
    assert_eq!(stage.arrived, [1]);
    stage.happens(Event::Leave { connection: 3 });
    assert_eq!(stage.arrived, [1, 3]);
    stage.stuck.retain(|id| *id != 2);
    stage.happens(Event::Taken {
        connection: 2,
        bytes: 1 << 20,
    });
    assert_eq!(stage.arrived, [1, 3, 2]);
    stage.wait(JOIN_SLOW_MS);
    assert_eq!(stage.arrived, [1, 3, 2, 4]);
}
