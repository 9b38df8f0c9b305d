//! Clients that speak the y-protocols over real sockets, with raw messages.

#[path = "live/site.rs"]
#[allow(dead_code, reason = "shared with the tests of the native protocol")]
mod site;

use bytes::Bytes;
use collab::{YMessage, addressed};
use futures_util::{SinkExt, StreamExt};
use site::{Person, Place, Site, new_doc};
use std::time::Duration;
use storage::test_databases;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, Update};

const PATIENCE: Duration = Duration::from_secs(20);

struct Raw(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Raw {
    async fn open(site: &Site, path: &str) -> Raw {
        let url = format!("ws://{}/synchrony/v1/{path}", site.address);
        Raw(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    async fn send(&mut self, bytes: Bytes) {
        self.0.send(Message::Binary(bytes)).await.unwrap();
    }

    /// The next message, or the code of the end.
    async fn next(&mut self) -> Result<Bytes, u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("in time")
            {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |f| f.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// Waits for a message.
    async fn until(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Bytes {
        loop {
            let message = self.next().await.expect("no end");
            if wanted(&message) {
                return message;
            }
        }
    }
}

fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Place) -> F) {
    let database = test_databases().remove(0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { test(Place::new(database).await).await });
    runtime.shutdown_background();
}

fn retitled(doc: &Doc, at: u32, text: &str) -> Bytes {
    let title = doc.get_or_insert_text("title");
    let mut tx = doc.transact_mut();
    let before = tx.state_vector();
    title.insert(&mut tx, at, text);
    tx.encode_diff_v1(&before).into()
}

fn hear(doc: &Doc, update: &[u8]) {
    let update = Update::decode_v1(update).unwrap();
    doc.transact_mut().apply_update(update).unwrap();
}

/// [YJS-13] [YJS-14] [YJS-20] A y-websocket client and a native one edit the same page.
#[test]
fn y_websocket() {
    on_sqlite(|place| async move {
        let site = place.serve().await;
        let mut ann = Person::join(&place, &site, &place.ann, None).await;
        let path = format!("y/{}?token={}", place.document(), place.bob);
        let mut bob = Raw::open(&site, &path).await;
        let doc = new_doc(7);
        let nothing = YMessage::Step1(Bytes::from_static(&[0])).encode();
        bob.send(nothing).await;
        let answer = bob.until(|message| message.starts_with(&[0, 1])).await;
        let Ok(YMessage::Step2(whole)) = YMessage::decode(&answer) else {
            panic!("step 2");
        };
        hear(&doc, &whole);
        bob.until(|message| message.starts_with(&[0, 0])).await;
        let update = retitled(&doc, 0, "Our ");
        bob.send(YMessage::Update(update).encode()).await;
        // The update comes back to all once it is stored.
        bob.until(|message| message.starts_with(&[0, 2])).await;
        ann.until(1).await;
        assert!(ann.content().starts_with("Our Plan|"), "{}", ann.content());
        let update = ann.retitle("All ");
        ann.save(vec![update]).await;
        let told = bob.until(|message| message.starts_with(&[0, 2])).await;
        let Ok(YMessage::Update(update)) = YMessage::decode(&told) else {
            panic!("an update");
        };
        hear(&doc, &update);
        let wrong = format!("y/{}?token=nonsense", place.document());
        assert_eq!(Raw::open(&site, &wrong).await.next().await, Err(4401));
        let nowhere = format!("y/page-99999?token={}", place.bob);
        assert_eq!(Raw::open(&site, &nowhere).await.next().await, Err(4404));
        bob.send(Bytes::from_static(&[77])).await;
        loop {
            match bob.next().await {
                Ok(_) => {}
                Err(code) => break assert_eq!(code, 4400, "[YJS-3]"),
            }
        }
    });
}

fn token(address: &str, token: &str) -> Bytes {
    let mut body = vec![2, 0, u8::try_from(token.len()).unwrap()];
    body.extend_from_slice(token.as_bytes());
    addressed(address, &body)
        .as_ref()
        .to_vec()
        .into_iter()
        .enumerate()
        // `addressed` writes the refusal of servers for 2, 0; a client's token has the same first bytes.
        .map(|(i, byte)| if i == address.len() + 2 { 0 } else { byte })
        .collect::<Vec<u8>>()
        .into()
}

/// [YJS-22] [YJS-24] Two documents on one socket, each with its own token; a refusal leaves the other alone.
#[test]
fn hocuspocus() {
    on_sqlite(|place| async move {
        let site = place.serve().await;
        let mut socket = Raw::open(&site, "hocuspocus").await;
        let name = place.document();
        let session = format!("{name}\0other");
        let step1 = YMessage::Step1(Bytes::from_static(&[0])).encode();
        // What comes before the token waits.
        socket.send(addressed(&name, &step1)).await;
        socket.send(token(&session, "nonsense")).await;
        let denied = addressed(&session, &[2, 0]);
        let refused = socket.next().await.unwrap();
        assert!(refused.starts_with(&denied), "{refused:?}");
        socket.send(token(&name, &place.bob)).await;
        let scope = addressed(&name, b"\x02\x02\x0aread-write");
        assert_eq!(socket.next().await, Ok(scope));
        let step2 = addressed(&name, &[0, 1]);
        socket.until(|frame| frame.starts_with(&step2)).await;
        let doc = new_doc(7);
        let update = retitled(&doc, 0, "x");
        let frame = addressed(&name, &YMessage::Update(update).encode());
        socket.send(frame).await;
        let stored = addressed(&name, &[8, 1]);
        socket.until(|frame| *frame == stored[..]).await;
        socket.send(Bytes::from_static(&[9])).await;
        socket.until(|frame| *frame == [10]).await;
        let everything = doc
            .transact()
            .encode_state_as_update_v1(&StateVector::default());
        let again = addressed(&name, &YMessage::Step2(everything.into()).encode());
        socket.send(again).await;
        socket.until(|frame| *frame == stored[..]).await;
    });
}

/// [YJS-23] What waits for a token is bounded.
#[test]
fn impatience() {
    on_sqlite(|place| async move {
        let site = place.serve().await;
        let mut socket = Raw::open(&site, "hocuspocus").await;
        let query = addressed(&place.document(), &[3]);
        for _ in 0..1_001 {
            socket.send(query.clone()).await;
        }
        assert_eq!(socket.next().await, Err(4401));
    });
}
