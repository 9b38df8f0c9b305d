//! What a room costs: by counting what it holds, not by asking the system.

use super::*;

impl Room {
    /// Bytes of the document that the room holds, whoever is there.
    fn document_memory(&self) -> usize {
        let history = self.history.as_ref().map_or(0, |history| history.memory());
        history + self.clocks.memory() + self.authors.held_bytes()
    }
}

/// [ROOM-21] An open page takes at most 1.2 times its encoded size, also after it was sent to many and while people type.
#[test]
fn open_page() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let paragraph = "Lorem ipsum dolor sit amet. ".repeat(40);
    let mut batch = 0;
    let mut push = |stage: &mut Stage, text: &str| {
        batch += 1;
        stage.now_ms += 100;
        stage.push(1, batch, &[insert(&doc, 0, text)]);
        stage.sent.clear();
        stage.raw.clear();
    };
    for _ in 0..200 {
        push(&mut stage, &paragraph);
    }
    // They get the first parts of the snapshot, for which all of it is made.
    stage.stuck = (2..=50).collect();
    for connection in 2..=50 {
        stage.join_as(connection, "u", Rights::Read, None, Vec::new());
    }
    let check = |stage: &Stage, when: &str| {
        let (held, encoded) = (stage.room.document_memory(), stage.room.bytes());
        assert!(encoded > 200_000, "{encoded}");
        assert!(held * 10 <= encoded * 12, "{held} for {encoded} {when}");
    };
    check(&stage, "after all have come");
    for _ in 0..FOLD_TAIL_ROWS / 2 {
        push(&mut stage, "a");
    }
    check(&stage, "while somebody types");
}

/// [ROOM-21] Who only reads and sits there takes well under a kilobyte in the room, also after a busy time.
#[test]
fn idle_connections() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    for connection in 2..=20 {
        stage.join(connection);
    }
    stage.stuck = (2..=20).collect();
    for batch in 0..60 {
        stage.push(1, batch, &[insert(&doc, 0, "0123456789")]);
        stage.happens(Event::Notify {
            json: "{}".to_owned(),
        });
    }
    stage.stuck.clear();
    for connection in 2..=20 {
        for _ in 0..3 {
            stage.happens(Event::Taken {
                connection,
                bytes: 1 << 20,
            });
        }
    }
    stage.wait(TICK_MS);
    for connection in 2..=20 {
        let held = stage.room.connections[&connection].memory();
        assert!(held < 1_024, "{held}");
    }
}
