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
