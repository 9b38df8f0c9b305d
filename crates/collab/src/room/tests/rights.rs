//! Who may write, and what becomes of the edits of those who may not any more.

use super::*;
use crate::protocol::{Cause, Request};

/// [ROOM-8] [ROOM-9] [PRES-5] Readers cannot push, but be present; a change of rights is told and counts from then on.
#[test]
fn rights() {
    let mut stage = Stage::new();
    stage.join_as(1, "u1", Rights::Read, None, Vec::new());
    let doc = new_doc(stage.lease(1).client_id);
    let update = insert(&doc, 0, "a");
    stage.push(1, 1, std::slice::from_ref(&update));
    assert_eq!(stage.answered(1), Err(Refusal::ReadOnly));
    stage.join(2);
    stage.take(2);
    stage.happens(Event::Frame {
        connection: 1,
        frame: ClientFrame::Presence {
            blob: Bytes::from_static(b"x"),
        },
    });
    assert_eq!(presence(&stage.take(2)).len(), 1);
    let access = |connection, rights| Event::Access {
        connection,
        rights,
        reason: "r".to_owned(),
    };
    stage.happens(access(1, Rights::Write));
    assert!(matches!(
        stage.take(1)[..],
        [
            ..,
            ServerFrame::Access {
                rights: Rights::Write,
                ..
            }
        ]
    ));
    stage.push(1, 2, &[update]);
    assert_eq!(stage.answered(1), Ok(1));
    stage.happens(access(1, Rights::None));
    assert!(matches!(
        stage.take(1)[..],
        [
            ..,
            ServerFrame::Access {
                rights: Rights::None,
                ..
            }
        ]
    ));
    assert_eq!(stage.closed[&1], CloseCode::Forbidden);
}

impl Stage {
    fn ask(&mut self, connection: u64, what: Request) {
        let frame = ClientFrame::Ask { what };
        self.happens(Event::Frame { connection, frame });
    }

    fn policy(&mut self, mode: Mode, writers_max: usize) {
        self.happens(Event::Policy(Policy { mode, writers_max }));
    }

    fn revoke(&mut self, connection: u64, rights: Rights) {
        let reason = "by somebody".to_owned();
        self.happens(Event::Access {
            connection,
            rights,
            reason,
        });
    }

    /// The rights it was last told, by WELCOME or ACCESS.
    #[track_caller]
    fn told(&self, connection: u64) -> (Rights, Cause) {
        let told = |frame: &ServerFrame| match frame {
            ServerFrame::Welcome { rights, cause, .. }
            | ServerFrame::Access { rights, cause, .. } => Some((*rights, *cause)),
            _ => None,
        };
        let frames = self.sent[&connection].iter().rev();
        frames.into_iter().find_map(told).expect("told")
    }

    fn events(&self, connection: u64) -> Vec<&str> {
        let frames = self.sent.get(&connection).into_iter().flatten();
        frames
            .filter_map(|frame| match frame {
                ServerFrame::Event { json } => Some(json.as_str()),
                _ => None,
            })
            .collect()
    }
}

const WRITES: (Rights, Cause) = (Rights::Write, Cause::Permission);

/// [ROOM-15] [ROOM-16] The right is one thing, what mode and places leave of it another; who keeps a place is who edited last.
#[test]
fn modes() {
    let mut stage = Stage::new();
    let docs: Vec<_> = (1..=3).map(|connection| stage.join(connection)).collect();
    stage.join_as(4, "reader", Rights::Read, None, Vec::new());
    stage.now_ms += 10;
    stage.push(2, 1, &[insert(&docs[1], 0, "a")]);
    stage.policy(Mode::ReadOnly, 0);
    let paused = (Rights::Read, Cause::ReadOnlyMode);
    assert_eq!([1, 2, 3].map(|id| stage.told(id)), [paused; 3]);
    assert_eq!(stage.told(4), (Rights::Read, Cause::Permission));
    assert_eq!(stage.events(4), [r#"{"event":"mode","mode":"read-only"}"#]);
    stage.take(2);
    stage.push(2, 2, &[insert(&docs[1], 0, "b")]);
    assert_eq!(stage.answered(2), Err(Refusal::ReadOnly));
    stage.policy(Mode::On, 0);
    assert_eq!([1, 2, 3].map(|id| stage.told(id)), [WRITES; 3]);
    stage.now_ms += 10;
    stage.push(3, 1, &[insert(&docs[2], 0, "c")]);
    stage.policy(Mode::Off, 0);
    let locked = (Rights::Read, Cause::Locked);
    assert_eq!([1, 2, 3].map(|id| stage.told(id)), [locked, locked, WRITES]);
    stage.join(5);
    assert_eq!(stage.told(5), locked);
    stage.policy(Mode::On, 2);
    let full = (Rights::Read, Cause::Full);
    assert_eq!(
        [1, 2, 3, 5].map(|id| stage.told(id)),
        [WRITES, full, WRITES, full]
    );
    // Whose permission comes only now finds no place either.
    stage.revoke(4, Rights::Write);
    assert_eq!(stage.told(4), full);
    stage.policy(Mode::On, 0);
    assert_eq!([2, 4, 5].map(|id| stage.told(id)), [WRITES; 3]);
}

/// [ROOM-17] A place goes to the first who asked; holders are told who asks; letting go and leaving make a place.
#[test]
fn asking() {
    let mut stage = Stage::new();
    stage.policy(Mode::Off, 0);
    for connection in 1..=4 {
        stage.join(connection);
    }
    assert_eq!(stage.told(1), WRITES);
    stage.take(1);
    stage.ask(3, Request::Write);
    stage.ask(2, Request::Write);
    stage.ask(3, Request::Write);
    let asked = |id| format!(r#"{{"event":"asked","connection":{id},"name":"Person {id}"}}"#);
    assert_eq!(stage.events(1), [asked(3), asked(2)]);
    assert_eq!(stage.told(3), (Rights::Read, Cause::Locked));
    stage.ask(1, Request::LetGo);
    assert_eq!(stage.told(3), WRITES);
    assert_eq!(stage.told(1), (Rights::Read, Cause::Locked));
    // A wish that is taken back, and one of somebody who goes.
    stage.ask(4, Request::Write);
    stage.ask(2, Request::LetGo);
    stage.happens(Event::Leave { connection: 4 });
    stage.happens(Event::Leave { connection: 3 });
    assert_eq!(stage.told(2).0, Rights::Read);
    stage.ask(2, Request::Write);
    assert_eq!(stage.told(2), WRITES);
    // A wish again and again is no way to disturb the writer.
    stage.take(2);
    for _ in 0..10 {
        stage.ask(1, Request::Write);
        stage.ask(1, Request::LetGo);
    }
    assert_eq!(stage.events(2).len(), 1);
    // Without the permission there is nothing to ask for.
    stage.join_as(6, "reader", Rights::Read, None, Vec::new());
    stage.ask(6, Request::Write);
    stage.happens(Event::Leave { connection: 2 });
    assert_eq!(stage.told(6), (Rights::Read, Cause::Permission));
}

/// [ROOM-18] A holder that makes no edit makes way after two minutes in which somebody asks, and not before.
#[test]
fn handing_over() {
    let mut stage = Stage::new();
    stage.policy(Mode::On, 1);
    let doc = stage.join(1);
    stage.join(2);
    stage.wait(10 * HAND_OVER_MS);
    assert_eq!(stage.told(1), WRITES);
    stage.ask(2, Request::Write);
    stage.wait(HAND_OVER_MS - 1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.wait(HAND_OVER_MS - 1);
    assert_eq!(stage.told(2), (Rights::Read, Cause::Full));
    assert!(
        stage
            .wakes
            .last()
            .is_some_and(|at_ms| *at_ms <= stage.now_ms + 1)
    );
    stage.wait(1);
    assert_eq!(stage.told(2), WRITES);
    assert_eq!(stage.told(1), (Rights::Read, Cause::Full));
}

/// [ROOM-19] [ROOM-9] Who may not write any more: what is at the log is acknowledged, what waits is refused, then ACCESS tells; what
/// others wrote stays.
#[test]
fn downgrade() {
    for rights in [Rights::Read, Rights::None] {
        let mut stage = Stage::new();
        let docs: Vec<_> = (1..=2).map(|connection| stage.join(connection)).collect();
        stage.prompt = false;
        stage.push(1, 1, &[insert(&docs[0], 0, "a")]);
        stage.push(1, 2, &[insert(&docs[0], 1, "b")]);
        stage.push(2, 1, &[insert(&docs[1], 0, "c")]);
        stage.take(1);
        stage.revoke(1, rights);
        let frames = stage.take(1);
        assert!(
            matches!(
                frames[..],
                [ServerFrame::Nack {
                    batch_id: 2,
                    reason: Refusal::ReadOnly,
                    ..
                }]
            ),
            "{frames:?}"
        );
        stage.prompt = true;
        stage.answer_all();
        let frames = stage.take(1);
        let order: Vec<_> = frames
            .iter()
            .filter(|frame| matches!(frame, ServerFrame::Ack { .. } | ServerFrame::Access { .. }))
            .collect();
        assert!(
            matches!(order[..], [ServerFrame::Ack { batch_id: 1, .. }, ServerFrame::Access { rights: told, .. }] if *told == rights),
            "{frames:?}"
        );
        let end = (rights == Rights::None).then_some(CloseCode::Forbidden);
        assert_eq!(stage.closed.get(&1).copied(), end);
        // Nothing of the document reaches somebody who may not read it.
        assert_eq!(rights == Rights::None, count(&frames, is_batch) == 0);
        assert_eq!(stage.answered(2), Ok(2));
        let text = crate::simulation::store::text(&stage.store.document());
        assert!(text.contains('c') && !text.contains('b'), "{text}");
    }
}

/// [ROOM-19] Also what waits for a load is refused at once.
#[test]
fn downgrade_while_loading() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.store.write_aside(77, "x");
    stage.answer_all();
    assert!(matches!(stage.todo[..], [Effect::Load { .. }]));
    stage.take(1);
    stage.revoke(1, Rights::Read);
    let frames = stage.take(1);
    assert!(
        matches!(
            frames[..],
            [ServerFrame::Nack { .. }, ServerFrame::Access { .. }]
        ),
        "{frames:?}"
    );
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(stage.store.head().seq, 1);
}

/// [ROOM-16] Who comes back before the end of the old connection was noticed writes on, whoever asks meanwhile.
#[test]
fn coming_back() {
    let mut stage = Stage::new();
    stage.policy(Mode::Off, 0);
    let doc = stage.join(1);
    stage.join(2);
    stage.ask(2, Request::Write);
    let lease = stage.lease(1);
    stage.join_as(3, "u1", Rights::Write, None, vec![lease.clone()]);
    assert_eq!(stage.told(3), WRITES);
    assert_eq!(stage.told(1), (Rights::Read, Cause::Locked));
    assert_eq!(stage.told(2), (Rights::Read, Cause::Locked));
    stage.take(3);
    stage.push(3, 1, &[insert(&doc, 0, "a")]);
    assert_eq!(stage.answered(3), Ok(1));
    // Another page of the same person is no return, and nobody returns with the lease of somebody else.
    stage.join_as(4, "u1", Rights::Write, None, Vec::new());
    stage.join_as(5, "mallory", Rights::Write, None, vec![lease]);
    assert_eq!([4, 5].map(|id| stage.told(id).0), [Rights::Read; 2]);
    stage.happens(Event::Leave { connection: 3 });
    assert_eq!(stage.told(2), WRITES);
}
