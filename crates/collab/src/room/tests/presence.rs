//! Who is there.

use super::*;

/// [PRES-1] [PRES-2] [PRES-4] Newcomers are told of all, others once of each newcomer and each who goes; the last value wins.
#[test]
fn presence_of_few() {
    let mut stage = Stage::new();
    stage.join(1);
    let blob = |text: &'static str| ClientFrame::Presence {
        blob: Bytes::from_static(text.as_bytes()),
    };
    stage.happens(Event::Frame {
        connection: 1,
        frame: blob("caret"),
    });
    stage.take(1);
    stage.join(2);
    let identity = "{\"user\":\"u2\",\"name\":\"Person 2\"}".to_owned();
    let joined = (
        2,
        PresenceKind::Joined {
            identity,
            blob: Bytes::new(),
        },
    );
    assert_eq!(presence(&stage.take(1)), [joined]);
    let seen = presence(&stage.take(2));
    assert_eq!(seen.len(), 2);
    assert!(matches!(&seen[0], (1, PresenceKind::Joined { blob, .. }) if &blob[..] == b"caret"));
    stage.happens(Event::Frame {
        connection: 2,
        frame: blob("x"),
    });
    let changed = PresenceKind::Changed {
        blob: Bytes::from_static(b"x"),
    };
    assert_eq!(presence(&stage.take(1)), [(2, changed)]);
    stage.happens(Event::Leave { connection: 2 });
    assert_eq!(presence(&stage.take(1)), [(2, PresenceKind::Gone)]);
}

/// [PRES-3] Among many, one frame per tick, each change once, the same bytes for all.
#[test]
fn presence_of_many() {
    let mut stage = Stage::new();
    for connection in 1..=10 {
        stage.join(connection);
    }
    stage.wait(PRESENCE_TICK_MS);
    stage.sent.clear();
    stage.raw.clear();
    for round in 0..5u8 {
        for connection in 1..=10 {
            let frame = ClientFrame::Presence {
                blob: vec![round].into(),
            };
            stage.happens(Event::Frame { connection, frame });
        }
    }
    assert!(stage.sent.is_empty());
    stage.wait(PRESENCE_TICK_MS);
    for connection in 1..=10 {
        assert_eq!(stage.raw[&connection].len(), 1);
        assert_eq!(presence(&stage.sent[&connection]).len(), 10);
        assert_eq!(
            stage.raw[&connection][0].as_ptr(),
            stage.raw[&1][0].as_ptr()
        );
    }
}

/// [PRES-6] Who changes faster than allowed is not refused: the newest counts when it is time.
#[test]
fn too_fast() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.take(1);
    stage.take(2);
    for n in 0..200u8 {
        let frame = ClientFrame::Presence {
            blob: vec![n].into(),
        };
        stage.happens(Event::Frame {
            connection: 1,
            frame,
        });
    }
    let blob = |n: u8| PresenceKind::Changed {
        blob: vec![n].into(),
    };
    assert_eq!(presence(&stage.take(2)), [(1, blob(0))]);
    assert!(presence(&stage.take(1)).len() <= 1);
    let wake = stage.wakes.last().copied().unwrap();
    assert!(wake <= stage.now_ms + PRESENCE_EVERY_MS);
    stage.wait(PRESENCE_EVERY_MS);
    assert_eq!(presence(&stage.take(2)), [(1, blob(199))]);
    stage.wait(PRESENCE_EVERY_MS);
    assert!(stage.take(2).is_empty());
}

/// [PRES-3] [PRES-5] [PRES-7] Five hundred people, half of them readers, each with ten changes a second: one frame per tick, made once
/// for all, with a few bytes for each who changed and no identity again.
#[test]
fn five_hundred() {
    const PEOPLE: u64 = 500;
    const BLOB: usize = 60;
    let mut stage = Stage::new();
    for connection in 1..=PEOPLE {
        let rights = if connection % 2 == 0 {
            Rights::Read
        } else {
            Rights::Write
        };
        stage.join_as(connection, "u", rights, None, Vec::new());
    }
    stage.wait(PRESENCE_SLOW_TICK_MS);
    stage.wait(PRESENCE_SLOW_TICK_MS);
    for round in 0..10u8 {
        stage.sent.clear();
        stage.raw.clear();
        for connection in 1..=PEOPLE {
            let blob = vec![round; BLOB].into();
            let frame = ClientFrame::Presence { blob };
            stage.happens(Event::Frame { connection, frame });
        }
        stage.wait(PRESENCE_SLOW_TICK_MS);
        if round == 0 {
            continue; // the first change after a pause goes out at once
        }
        for connection in 1..=PEOPLE {
            let [frame] = &stage.raw[&connection][..] else {
                panic!("one frame per tick");
            };
            assert_eq!(frame.as_ptr(), stage.raw[&1][0].as_ptr());
            assert!(
                frame.len() <= 8 + PEOPLE as usize * (BLOB + 5),
                "{}",
                frame.len()
            );
        }
        let changes = presence(&stage.sent[&1]);
        assert_eq!(changes.len(), PEOPLE as usize);
        let changed =
            |(_, kind): &(u64, PresenceKind)| matches!(kind, PresenceKind::Changed { .. });
        assert!(changes.iter().all(changed));
    }
}

/// [PRES-2] Who was told of a new epoch is told of those who leave before its HELLO.
#[test]
fn departures_around_a_reset() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.take(1);
    stage.store.discard();
    let head = Some(stage.store.head());
    stage.happens(Event::Head(head));
    stage.happens(Event::Leave { connection: 2 });
    stage.wait(PRESENCE_TICK_MS);
    stage.take(1);
    stage.happens(Event::Frame {
        connection: 1,
        frame: hello(),
    });
    stage.wait(PRESENCE_TICK_MS);
    assert_eq!(presence(&stage.take(1)), [(2, PresenceKind::Gone)]);
}
