//! Editing together over real sockets, on every database.

#[path = "live/site.rs"]
mod site;

use collab::{ClientFrame, PROTOCOL_VERSION, Refusal, ResetReason, Rights, ServerFrame};
use site::{Person, Place, new_doc};
use std::future::Future;
use storage::test_databases;
use tokio_tungstenite::tungstenite::Message;
use wiki::{Actor, Right, Subject};

/// Runs a test on each database, on a runtime of its own.
fn on_each<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    for database in test_databases() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let name = database.name;
        runtime.block_on(async {
            eprintln!("on {name}");
            test(Place::new(database).await).await;
        });
        runtime.shutdown_background();
    }
}

/// [LOG-2] [ROOM-6] [PRES-2] Two people see each other's edits; a publish makes a version with title, body and contributors.
#[test]
fn two_people() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let mut bob = Person::join(&place, &site, &place.bob, None).await;
        assert_eq!(ann.content(), "Plan|<paragraph>Hello</paragraph>");
        let joined = |frame: &ServerFrame| match frame {
            ServerFrame::Presence { changes } => Some(changes.clone()),
            _ => None,
        };
        assert!(!ann.wait(joined).await.is_empty());
        let update = ann.write("from Ann");
        let first = ann.save(vec![update]).await;
        bob.until(first).await;
        let update = bob.write("from Bob");
        let second = bob.save(vec![update]).await;
        let update = bob.retitle("New ");
        let third = bob.save(vec![update]).await;
        assert_eq!((first, second, third), (1, 2, 3));
        ann.until(third).await;
        bob.until(third).await;
        assert_eq!(ann.content(), bob.content());
        let unpublished = || async {
            site.wiki
                .pages()
                .head(&place.ann_actor, place.page)
                .await
                .unwrap()
                .unpublished
        };
        assert!(unpublished().await);

        let path = format!("/api/pages/{}/publish", place.page);
        let (status, answer) = site
            .post(
                &place.ann,
                &path,
                r#"{"message":"both","minor_edit":false}"#,
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        assert!(
            answer.contains("\"version\":2") && answer.contains("New"),
            "{answer}"
        );
        let event = |frame: &ServerFrame| match frame {
            ServerFrame::Event { json } => Some(json.clone()),
            _ => None,
        };
        assert!(bob.wait(event).await.contains("published"));
        check_version(&site.wiki, &place).await;
        assert!(!unpublished().await);
        // Nothing new: no new version.
        assert!(
            site.post(&place.bob, &path, "{}")
                .await
                .1
                .contains("\"version\":2")
        );
    });
}

async fn check_version(wiki: &wiki::Wiki, place: &Place) {
    let version = wiki
        .versions()
        .body(&place.ann_actor, place.page, None)
        .await
        .unwrap();
    assert_eq!(
        version.storage,
        "<p>Hello</p><p>from Ann</p><p>from Bob</p>"
    );
    assert_eq!(
        (
            version.summary.title.as_str(),
            version.summary.message.as_str()
        ),
        ("New Plan", "both")
    );
    let names: Vec<_> = version
        .summary
        .contributors
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(names, ["bob"]);
}

/// [LOG-8] Many first visitors at once get one and the same seed.
#[test]
fn seeded_once() {
    on_each(|place| async move {
        let place = std::sync::Arc::new(place);
        let site = std::sync::Arc::new(place.serve().await);
        let other = std::sync::Arc::new(place.serve().await);
        let joins: Vec<_> = [&site, &other, &site, &other]
            .map(|site| {
                let (place, site) = (place.clone(), site.clone());
                tokio::spawn(async move {
                    Person::join(&place, &site, &place.ann, None)
                        .await
                        .everything()
                })
            })
            .into();
        let mut states = Vec::new();
        for join in joins {
            states.push(join.await.unwrap());
        }
        assert!(states.iter().all(|state| *state == states[0]));
    });
}

/// [ROOM-1] [ROOM-2] [ROOM-13] After a restart people go on where they were, with only the tail, under their old client id.
#[test]
fn restart() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let update = ann.write("one");
        let seq = ann.save(vec![update]).await;
        ann.until(seq).await;
        let draining = site.web.drain();
        let ended = async {
            loop {
                if let Err(code) = ann.take().await {
                    break code;
                }
            }
        };
        let ((), code) = tokio::join!(draining, ended);
        assert_eq!(code, 1012);
        let unsent = ann.write("two");

        let site = place.serve().await;
        let mut bob = Person::join(&place, &site, &place.bob, None).await;
        let update = bob.write("from Bob");
        bob.save(vec![update]).await;
        let mut ann = Person::join(&place, &site, &place.ann, Some(ann)).await;
        let seq = ann.save(vec![unsent]).await;
        assert_eq!(seq, 3);
        bob.until(seq).await;
        ann.until(seq).await;
        assert_eq!(ann.content(), bob.content());
    });
}

/// [LOG-10] [ROOM-4] A server that is killed keeps what it acknowledged; what is sent again is not doubled.
#[test]
fn killed() {
    for database in test_databases() {
        let runtime = || {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap()
        };
        let server = runtime();
        let client = runtime();
        let place = client.block_on(Place::new(database));
        let site = server.block_on(place.serve());
        let (ann, updates) = client.block_on(async {
            let mut ann = Person::join(&place, &site, &place.ann, None).await;
            let mut updates = Vec::new();
            for i in 0..30 {
                updates.push(ann.write(&format!("edit {i}")));
            }
            for update in &updates[..10] {
                ann.save(vec![update.clone()]).await;
            }
            for update in &updates[10..] {
                ann.push(vec![update.clone()]).await;
            }
            (ann, updates)
        });
        server.shutdown_background();
        drop(site);
        client.block_on(async {
            let site = place.serve().await;
            let bob = Person::join(&place, &site, &place.bob, None).await;
            for i in 0..10 {
                assert_eq!(
                    bob.content().matches(&format!("edit {i}<")).count(),
                    1,
                    "edit {i} was saved"
                );
            }
            let before = ann.at;
            let mut ann = Person::join(&place, &site, &place.ann, Some(ann)).await;
            assert!(before.is_some());
            let seq = ann.save(updates).await;
            ann.until(seq).await;
            let content = ann.content();
            let mut late = Person::join(&place, &site, &place.bob, None).await;
            late.until(seq).await;
            assert_eq!(late.content(), content);
            for i in 0..30 {
                assert_eq!(content.matches(&format!("edit {i}<")).count(), 1);
            }
        });
        client.shutdown_background();
    }
}

/// [TRANS-10] What is told of connections and logs is so on every database.
#[test]
fn the_state_of_logs() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let update = ann.write("from Ann");
        let seq = ann.save(vec![update]).await;
        let valid = std::time::Duration::from_secs(60);
        let token = site.wiki.trust().issue_service(valid).await.unwrap().token;
        let (status, answer) = site.ask("GET", &token, "/synchrony/v1/state", "").await;
        assert_eq!(status, 200, "{answer}");
        let state: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let log = &state["logs"][0];
        assert_eq!(log["document"], place.document());
        assert_eq!(log["title"], "Plan");
        assert_eq!(
            (&log["head_seq"], &log["tail_rows"]),
            (&seq.into(), &1.into())
        );
        assert!(log["tail_bytes"].as_i64() > Some(8), "{log}");
        assert!(log["snapshot_bytes"].as_i64() > Some(8), "{log}");
        assert_eq!(state["connections"][0]["user"], "ann");
        assert_eq!(state["mode"], "on");
    });
}

/// [WIRE-1] [WIRE-3] [WIRE-5] [WIRE-8] [WIRE-9] Who is let in, and how the others are told.
#[test]
fn the_door() {
    on_each(|place| async move {
        let site = place.serve().await;
        assert_eq!(site.socket(Some("wrong"), None).await.err(), Some(401));
        let here = format!("http://{}", site.address);
        let hello = |document: String| ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            document,
            resume: None,
            leases: Vec::new(),
        };
        for (token, document, code) in [
            (None, place.document(), 4401),
            (Some(&place.ann), "page-999999".to_owned(), 4404),
            (Some(&place.ann), "other/thing".to_owned(), 4404),
            (Some(&place.ann), format!("page-0{}", place.page), 4404),
        ] {
            let mut socket = site
                .socket(token.map(String::as_str), Some(&here))
                .await
                .unwrap();
            socket.send(&hello(document.clone())).await;
            assert_eq!(socket.next().await, Err(code), "{document}");
        }
    });
}

/// [TRANS-4] [WIRE-10] A page of another site needs a token; it may come as a frame, once and before HELLO.
#[test]
fn a_page_of_another_site() {
    on_each(|place| async move {
        let site = place.serve().await;
        let elsewhere = Some("https://app.example");
        let hello = ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            document: place.document(),
            resume: None,
            leases: Vec::new(),
        };
        let auth = |token: &str| ClientFrame::Auth {
            token: token.into(),
        };
        let welcome = |answer| matches!(answer, Ok(ServerFrame::Welcome { .. }));
        let mut socket = site.socket(Some(&place.ann), elsewhere).await.unwrap();
        socket.send(&hello).await;
        assert!(welcome(socket.next().await));
        let mut socket = site.socket(None, elsewhere).await.unwrap();
        let (nonce, rtt_ms) = (7, 12);
        socket.send(&ClientFrame::Ping { nonce, rtt_ms }).await;
        assert_eq!(socket.next().await, Ok(ServerFrame::Pong { nonce }));
        socket.send(&auth(&place.ann)).await;
        socket.send(&hello).await;
        assert!(welcome(socket.next().await));
        for (frames, code) in [
            (vec![hello.clone()], 4401),
            (vec![auth("wrong")], 4401),
            (vec![auth(&place.ann), auth(&place.ann)], 4400),
        ] {
            let mut socket = site.socket(None, elsewhere).await.unwrap();
            for frame in &frames {
                socket.send(frame).await;
            }
            assert_eq!(socket.next().await, Err(code), "{frames:?}");
        }
    });
}

/// [WIRE-1] [WIRE-3] [WIRE-5] What is no frame, or out of turn, ends the connection.
#[test]
fn wrong_frames() {
    on_each(|place| async move {
        let site = place.serve().await;
        let wrong = [
            Message::Text("hello".into()),
            Message::Binary(vec![0x7f].into()),
            Message::Binary(ClientFrame::Presence { blob: "x".into() }.encode()),
            Message::Binary(
                ClientFrame::Hello {
                    version: 1,
                    document: place.document(),
                    resume: None,
                    leases: Vec::new(),
                }
                .encode(),
            ),
        ];
        for message in wrong {
            let mut socket = site.socket(Some(&place.ann), None).await.unwrap();
            socket.send_raw(message.clone()).await;
            assert_eq!(socket.next().await, Err(4400), "{message:?}");
        }
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        ann.socket.send_raw(Message::Text("hello".into())).await;
        let code = loop {
            if let Err(code) = ann.take().await {
                break code;
            }
        };
        assert_eq!(code, 4400);
    });
}

/// [WIRE-8] The heartbeat is for everybody.
#[test]
fn heartbeat() {
    on_each(|place| async move {
        let site = place.serve().await;
        let (status, body) = {
            use tower::ServiceExt;
            let request = axum::http::Request::get("/synchrony/heartbeat")
                .body(axum::body::Body::empty())
                .unwrap();
            let response = web::router(site.web.clone())
                .oneshot(request)
                .await
                .unwrap();
            (
                response.status().as_u16(),
                axum::body::to_bytes(response.into_body(), 100)
                    .await
                    .unwrap(),
            )
        };
        assert_eq!((status, &body[..]), (200, &b"OK"[..]));
    });
}

/// [WIRE-7] [WIRE-6] PING is answered, and the end has a code that says what to do.
#[test]
fn ping() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        ann.socket
            .send(&ClientFrame::Ping {
                nonce: 77,
                rtt_ms: 3,
            })
            .await;
        let pong = |frame: &ServerFrame| match frame {
            ServerFrame::Pong { nonce } => Some(*nonce),
            _ => None,
        };
        assert_eq!(ann.wait(pong).await, 77);
    });
}

/// [ROOM-10] Discard takes everybody back to what is published; nobody's old edits get into the new epoch.
#[test]
fn discard() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let mut bob = Person::join(&place, &site, &place.bob, None).await;
        let update = ann.write("to be dropped");
        let seq = ann.save(vec![update]).await;
        bob.until(seq).await;
        let path = format!("/api/pages/{}/discard", place.page);
        assert_eq!(site.post(&place.ann, &path, "{}").await.0, 200);
        let reset = |frame: &ServerFrame| match frame {
            ServerFrame::Reset { epoch, reason } => Some((*epoch, *reason)),
            _ => None,
        };
        assert_eq!(bob.wait(reset).await, (2, ResetReason::Discarded));
        let update = bob.write("too late");
        bob.push(vec![update]).await;
        let nack = |frame: &ServerFrame| match frame {
            ServerFrame::Nack { reason, .. } => Some(*reason),
            _ => None,
        };
        assert_eq!(bob.wait(nack).await, Refusal::WrongEpoch);
        let hello = ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            document: place.document(),
            resume: None,
            leases: Vec::new(),
        };
        bob.socket.send(&hello).await;
        bob.doc = new_doc(1);
        bob.at = None;
        let snapshot =
            |frame: &ServerFrame| matches!(frame, ServerFrame::Snapshot { .. }).then_some(());
        bob.wait(snapshot).await;
        assert_eq!(bob.content(), "Plan|<paragraph>Hello</paragraph>");
        let head = site
            .wiki
            .pages()
            .head(&place.ann_actor, place.page)
            .await
            .unwrap();
        assert!(!head.unpublished);
    });
}

/// [LOG-4] A version that another process restores is in open editors soon, as one more update.
#[test]
fn restored_by_another_process() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let update = ann.write("second version");
        ann.save(vec![update]).await;
        let path = format!("/api/pages/{}/publish", place.page);
        assert_eq!(site.post(&place.ann, &path, "{}").await.0, 200);
        let update = ann.write("draft");
        let seq = ann.save(vec![update]).await;
        ann.until(seq).await;
        let other = place.wiki().await;
        other
            .versions()
            .restore(&Actor::System, place.page, 1)
            .await
            .unwrap();
        ann.until(seq + 1).await;
        // [WRITE-5] What is not published yet stays, and stays unpublished.
        let kept = "Plan|<paragraph>Hello</paragraph><paragraph>draft</paragraph>";
        assert_eq!(ann.content(), kept);
        let pages = site.wiki.pages();
        let head = pages.head(&place.ann_actor, place.page).await.unwrap();
        assert_eq!((head.version, head.unpublished), (3, true));
        let update = ann.write("and on");
        ann.save(vec![update]).await;
        assert!(
            site.post(&place.ann, &path, "{}")
                .await
                .1
                .contains("\"version\":4")
        );
    });
}

/// [EPOCH-4] What was typed offline across a rewriting is handed in over HTTP and merged; what clashes comes back as text.
#[test]
fn offline_edits() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let kept = ann.write("typed offline");
        let drafts = site.wiki.drafts();
        drafts.compact(&Actor::System, place.page).await.unwrap();
        let path = format!("/api/pages/{}/offline-edits", place.page);
        let hand_in = |epoch: u64, proof: &[u8], update: &[u8]| {
            use base64::Engine;
            let update = base64::engine::general_purpose::STANDARD.encode(update);
            let (client_id, proof) = (ann.lease.client_id, hex::encode(proof));
            format!(
                r#"{{"epoch":{epoch},"client_id":{client_id},"proof":"{proof}","updates":["{update}"]}}"#
            )
        };
        let proof = ann.lease.proof;
        let body = hand_in(1, &proof, &kept);
        let merged = (200, r#"{"merged":true,"seq":2}"#.to_owned());
        assert_eq!(site.post(&place.ann, &path, &body).await, merged);
        assert_eq!(site.post(&place.bob, &path, &body).await.0, 422);
        let not_hex = body.replace(&hex::encode(proof), "x");
        assert_eq!(site.post(&place.ann, &path, &not_hex).await.0, 422);
        let (status, told) = site
            .post(&place.ann, &path, &hand_in(0, &proof, &kept))
            .await;
        assert_eq!(status, 409, "{told}");
        assert!(told.contains("typed offline"), "{told}");
        let (document, _) = drafts.read(&place.ann_actor, place.page).await.unwrap();
        let body = document::StorageFormat::write(&document);
        assert_eq!(body, "<p>Hello</p><p>typed offline</p>");
        ann.wait(|frame| matches!(frame, ServerFrame::Reset { .. }).then_some(()))
            .await;
    });
}

/// [ROOM-9] Rights that are taken away reach open editors.
#[test]
fn rights_taken_away() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut bob = Person::join(&place, &site, &place.bob, None).await;
        let other = place.wiki().await;
        let permit = async |right| {
            let spaces = other.spaces();
            spaces
                .permit(&Actor::System, "DOC", Subject::Users, right)
                .await
        };
        permit(Some(Right::View)).await.unwrap();
        let access = |frame: &ServerFrame| match frame {
            ServerFrame::Access { rights, .. } => Some(*rights),
            _ => None,
        };
        assert_eq!(bob.wait(access).await, Rights::Read);
        permit(None).await.unwrap();
        assert_eq!(bob.wait(access).await, Rights::None);
        assert_eq!(bob.take().await, Err(4403));
    });
}

/// [LOG-7] Damaged bytes are found, named, and never served.
#[test]
fn damaged_log() {
    on_each(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let update = ann.write("one");
        ann.save(vec![update]).await;
        site.web.drain().await;
        let broken = "UPDATE live_update SET checksum = checksum + 1 WHERE seq = 1";
        let run = move |tx: &storage::WriteTx| tx.execute(broken, &[]);
        site.wiki.database().write(run).await.unwrap();
        let site = place.serve().await;
        let mut socket = site.socket(Some(&place.ann), None).await.unwrap();
        let hello = ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            document: place.document(),
            resume: None,
            leases: Vec::new(),
        };
        socket.send(&hello).await;
        assert_eq!(socket.next().await, Err(1013));
        let path = format!("/api/pages/{}/publish", place.page);
        assert_eq!(site.post(&place.ann, &path, "{}").await.0, 500);
    });
}
