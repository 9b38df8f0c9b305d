//! Editing together where no WebSocket passes: event stream with POST, and long poll.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{Request, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use collab::{ClientFrame, PROTOCOL_VERSION, PresenceKind, ServerFrame, SnapshotParts};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;
use wiki::ContentId;
use yrs::updates::decoder::Decode as _;
use yrs::{Doc, GetString as _, ReadTxn as _, Text as _, Transact as _};

use super::{Browser, Site};
use crate::live::{varint_parts, varint_read, varint_write_bytes};

const PATIENCE: Duration = Duration::from_secs(20);

/// A client of either transport.
struct Client<'a> {
    site: &'a Site,
    browser: Browser,
    id: String,
    sent: u64,
    received: u64,
    waiting: VecDeque<Bytes>,
}

/// What the server said last.
#[derive(Debug, PartialEq)]
enum Said {
    Frame(ServerFrame),
    Close(u64, String),
}

impl<'a> Client<'a> {
    fn new(site: &'a Site, browser: &Browser, id: u8) -> Self {
        Self {
            site,
            browser: browser.clone(),
            id: hex::encode([id; 16]),
            sent: 0,
            received: 0,
            waiting: VecDeque::new(),
        }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("/synchrony/v1/live/{path}"))
            .header(header::HOST, "wiki.example")
            .header(header::ORIGIN, "http://wiki.example")
            .header(header::ACCEPT_ENCODING, "gzip, br")
            .header(header::COOKIE, &self.browser.cookie)
    }

    async fn ask(&self, path: &str, frames: &[ClientFrame]) -> Response<Body> {
        let mut body = Vec::new();
        for frame in frames {
            varint_write_bytes(&mut body, &frame.encode());
        }
        let request = self.request("POST", path).body(Body::from(body)).unwrap();
        self.site.app.clone().oneshot(request).await.unwrap()
    }

    /// Posts frames with the number of the first: status and answer.
    async fn post(&self, first: u64, frames: &[ClientFrame]) -> (u16, String) {
        let (id, received) = (&self.id, self.received);
        let path = format!("send/{id}?first={first}&received={received}");
        let response = self.ask(&path, frames).await;
        let status = response.status().as_u16();
        (status, String::from_utf8(whole(response).await).unwrap())
    }

    /// Posts the next frames, which are taken.
    async fn send(&mut self, frames: &[ClientFrame]) {
        let (status, answer) = self.post(self.sent + 1, frames).await;
        self.sent += frames.len() as u64;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer, format!("{{\"received\":{}}}", self.sent));
    }

    /// One long poll, with frames.
    async fn poll(&mut self, wait: u64, frames: &[ClientFrame]) -> Result<(), (u64, String)> {
        let first = self.sent + 1;
        let (id, received) = (&self.id, self.received);
        let path = format!("poll/{id}?first={first}&received={received}&wait={wait}");
        let response = self.ask(&path, frames).await;
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["content-type"],
            "application/octet-stream"
        );
        self.sent += frames.len() as u64;
        let body = whole(response).await;
        let mut rest = &body[1..];
        let number = varint_read(&mut rest).unwrap();
        if body[0] == 1 {
            let reason = varint_parts(&Bytes::copy_from_slice(rest), 9_999).unwrap();
            return Err((number, String::from_utf8(reason[0].to_vec()).unwrap()));
        }
        assert_eq!(number, self.received + 1, "frames come in order");
        let frames = varint_parts(&Bytes::copy_from_slice(rest), 9_999).unwrap();
        self.received += frames.len() as u64;
        self.waiting.extend(frames);
        Ok(())
    }

    /// The next frame by long poll.
    async fn polled(&mut self) -> Said {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Said::Frame(ServerFrame::decode(&frame).unwrap());
            }
            if let Err((code, reason)) = self.poll(5, &[]).await {
                return Said::Close(code, reason);
            }
        }
    }

    async fn stream(&self) -> Result<Stream, u16> {
        let path = format!("stream/{}?received={}", self.id, self.received);
        let request = self.request("GET", &path).body(Body::empty()).unwrap();
        let response = self.site.app.clone().oneshot(request).await.unwrap();
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        let headers = response.headers().clone();
        let body = response.into_body().into_data_stream();
        let mut stream = Stream {
            headers,
            body,
            text: String::new(),
        };
        let pad = stream.event().await.expect("the pad");
        assert!(pad.len() >= 2_000 && pad.starts_with(':'), "[TRANS-8]");
        Ok(stream)
    }

    fn hello(page: ContentId) -> ClientFrame {
        ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            document: format!("page-{page}"),
            resume: None,
            leases: Vec::new(),
        }
    }
}

async fn whole(response: Response<Body>) -> Vec<u8> {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    body.await.unwrap().to_vec()
}

struct Stream {
    headers: axum::http::HeaderMap,
    body: BodyDataStream,
    text: String,
}

impl Stream {
    /// The next event, as text; `None`: the stream has ended.
    async fn event(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(event);
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await;
            let piece = piece.expect("in time")?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next frame, whose number must be the one after `client.received`.
    async fn next(&mut self, client: &mut Client<'_>) -> Said {
        loop {
            let event = self.event().await.expect("not the end");
            if let Some(data) = event.strip_prefix("event: close\ndata: ") {
                let data: serde_json::Value = serde_json::from_str(data).unwrap();
                let reason = data["reason"].as_str().unwrap().to_owned();
                return Said::Close(data["code"].as_u64().unwrap(), reason);
            }
            let Some(rest) = event.strip_prefix("id: ") else {
                continue;
            };
            let (number, data) = rest.split_once("\ndata: ").unwrap();
            client.received += 1;
            assert_eq!(number, client.received.to_string(), "[TRANS-8]");
            let frame = Bytes::from(STANDARD.decode(data).unwrap());
            return Said::Frame(ServerFrame::decode(&frame).unwrap());
        }
    }
}

/// A document as it grows out of frames.
#[derive(Default)]
struct Page {
    doc: Option<Doc>,
    client_id: u64,
    parts: SnapshotParts,
}

impl Page {
    fn take(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Welcome { lease, .. } => {
                let options = yrs::Options {
                    client_id: yrs::block::ClientID::new(lease.client_id),
                    ..Default::default()
                };
                self.client_id = lease.client_id;
                self.doc = Some(Doc::with_options(options));
            }
            ServerFrame::Snapshot {
                position,
                total_bytes,
                offset,
                part,
            } => {
                let whole = self.parts.take(*position, *total_bytes, *offset, part);
                if let Some(state) = whole.expect("parts in order") {
                    self.apply(&state);
                }
            }
            ServerFrame::Batch { updates, .. } => {
                updates.iter().for_each(|(_, update)| self.apply(update));
            }
            _ => {}
        }
    }

    fn apply(&self, update: &[u8]) {
        let update = yrs::Update::decode_v1(update).unwrap();
        let doc = self.doc.as_ref().expect("after the welcome");
        doc.transact_mut().apply_update(update).unwrap();
    }

    /// Types at the beginning of the title.
    fn retitle(&self, text: &str) -> Bytes {
        let doc = self.doc.as_ref().unwrap();
        let title = doc.get_or_insert_text("title");
        let mut tx = doc.transact_mut();
        let before = tx.state_vector();
        title.insert(&mut tx, 0, text);
        tx.encode_diff_v1(&before).into()
    }

    fn title(&self) -> String {
        let Some(doc) = &self.doc else {
            return String::new();
        };
        let title = doc.get_or_insert_text("title");
        let tx = doc.transact();
        title.get_string(&tx)
    }
}

/// [TRANS-7] [TRANS-8] [WIRE-10] The same frames both ways: an echo before HELLO, the page, edits of one at the other.
#[tokio::test]
async fn two_people_edit_by_event_stream_and_by_long_poll() {
    let site = Site::new().await;
    let page = site.page("DOC", "Plan", "<p>text</p>").await;
    let ann = site.log_in("ann").await;
    let (mut one, mut other) = (Client::new(&site, &ann, 1), Client::new(&site, &ann, 2));
    let mut stream = one.stream().await.unwrap();
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-cache, no-transform");
    assert_eq!(stream.headers["x-accel-buffering"], "no");
    assert!(!stream.headers.contains_key("content-encoding"));
    let (nonce, rtt_ms) = (77, 40);
    one.send(&[ClientFrame::Ping { nonce, rtt_ms }]).await;
    let echo = stream.next(&mut one).await;
    assert_eq!(echo, Said::Frame(ServerFrame::Pong { nonce }));
    one.send(&[Client::hello(page)]).await;
    other.poll(0, &[Client::hello(page)]).await.unwrap();

    let (mut here, mut there) = (Page::default(), Page::default());
    while here.title() != "Plan" {
        if let Said::Frame(frame) = stream.next(&mut one).await {
            here.take(&frame);
        }
    }
    while there.title() != "Plan" {
        if let Said::Frame(frame) = other.polled().await {
            there.take(&frame);
        }
    }
    let updates = vec![here.retitle("A ")];
    one.send(&[ClientFrame::Push {
        batch_id: 1,
        updates,
    }])
    .await;
    while there.title() != "A Plan" {
        if let Said::Frame(frame) = other.polled().await {
            there.take(&frame);
        }
    }
    let updates = vec![there.retitle("B ")];
    let push = ClientFrame::Push {
        batch_id: 1,
        updates,
    };
    other.poll(0, &[push]).await.unwrap();
    while here.title() != "B A Plan" {
        if let Said::Frame(frame) = stream.next(&mut one).await {
            here.take(&frame);
        }
    }
    let metrics = site.get("/metrics").await.text();
    for transport in ["event-stream", "long-poll"] {
        let line = format!("connections{{transport=\"{transport}\",path=\"direct\"}} 1");
        assert!(metrics.contains(&line), "[TRANS-10] {metrics}");
    }
}

/// [TRANS-7] Frames sent twice count once; a hole is refused and says what came.
#[tokio::test]
async fn frames_that_come_twice_are_skipped_and_a_hole_is_refused() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    let mut one = Client::new(&site, &ann, 1);
    assert_eq!(one.post(1, &[]).await.0, 404);
    let mut stream = one.stream().await.unwrap();
    let ping = |nonce| ClientFrame::Ping { nonce, rtt_ms: 0 };
    one.send(&[ping(1), ping(2)]).await;
    let (status, answer) = one.post(1, &[ping(1), ping(2), ping(3)]).await;
    assert_eq!((status, answer.as_str()), (200, "{\"received\":3}"));
    let (status, answer) = one.post(5, &[ping(5)]).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer.contains("\"received\":3"), "{answer}");
    for nonce in 1..=3 {
        let echo = stream.next(&mut one).await;
        assert_eq!(echo, Said::Frame(ServerFrame::Pong { nonce }));
    }
    let flood: Vec<_> = (4..304).map(ping).collect();
    // The end may come while the rest is handed over.
    assert!(matches!(one.post(4, &flood).await.0, 200 | 410));
    loop {
        match stream.next(&mut one).await {
            Said::Close(code, _) => break assert_eq!(code, 4400),
            Said::Frame(echo) => assert!(matches!(echo, ServerFrame::Pong { .. })),
        }
    }
}

/// [TRANS-8] A new stream begins with what was not received; the old one ends.
#[tokio::test]
async fn what_a_broken_stream_lost_comes_with_the_next_one() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    let mut one = Client::new(&site, &ann, 1);
    let mut first = one.stream().await.unwrap();
    let ping = |nonce| ClientFrame::Ping { nonce, rtt_ms: 0 };
    one.send(&[ping(1), ping(2), ping(3)]).await;
    assert_eq!(
        first.next(&mut one).await,
        Said::Frame(ServerFrame::Pong { nonce: 1 })
    );
    let mut second = one.stream().await.unwrap();
    while first.event().await.is_some() {}
    for nonce in 2..=3 {
        let echo = second.next(&mut one).await;
        assert_eq!(echo, Said::Frame(ServerFrame::Pong { nonce }));
    }
    drop(second);
    one.poll(0, &[]).await.unwrap();
    assert!(one.waiting.is_empty(), "a confirmed frame is gone");
    one.received = 1;
    assert_eq!(one.stream().await.err(), Some(409));
    one.received = 99;
    assert_eq!(one.stream().await.err(), Some(409));
}

/// [TRANS-9] A session is its owner's, there are not too many, and it ends when nobody listens.
#[tokio::test]
async fn a_session_has_one_owner_and_an_end() {
    let site = Site::new().await;
    let page = site.page("DOC", "Plan", "<p>text</p>").await;
    let (ann, bo) = (site.log_in("ann").await, site.log_in("bo").await);
    let mut watching = Client::new(&site, &bo, 9);
    let mut stream = watching.stream().await.unwrap();
    watching.send(&[Client::hello(page)]).await;
    let mut until = async |wanted: fn(&PresenceKind) -> bool, count: usize| {
        let mut seen = 0;
        while seen < count {
            let Said::Frame(frame) = stream.next(&mut watching).await else {
                panic!("the watcher stays");
            };
            if let ServerFrame::Presence { changes } = frame {
                seen += changes.iter().filter(|change| wanted(&change.1)).count();
            }
        }
    };
    let joined = |kind: &PresenceKind| matches!(kind, PresenceKind::Joined { .. });
    until(joined, 1).await;
    for (ids, leave) in [(1..4, true), (4..6, false)] {
        for id in ids.clone() {
            let mut one = Client::new(&site, &ann, id);
            one.poll(0, &[Client::hello(page)]).await.unwrap();
            let stranger = Client::new(&site, &bo, id);
            assert_eq!(stranger.post(2, &[]).await.0, 403);
            until(joined, 1).await;
        }
        for id in ids.clone().filter(|_| leave) {
            let one = Client::new(&site, &ann, id);
            let path = format!("send/{}?first=2&received=0&end=1", one.id);
            assert_eq!(one.ask(&path, &[]).await.status(), 200);
        }
        until(|kind| *kind == PresenceKind::Gone, ids.count()).await;
    }
    for id in 11..=13 {
        Client::new(&site, &ann, id).poll(0, &[]).await.unwrap();
    }
    let one_more = Client::new(&site, &ann, 14);
    let path = format!("poll/{}?first=1&received=0", one_more.id);
    let answer = one_more.ask(&path, &[]).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "5");
}

/// [TRANS-8] The end comes with its code over both, again to who comes back, and when the server stops too.
#[tokio::test]
async fn the_end_is_told_with_its_code() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    let nowhere = Client::hello(ContentId::new(999_999));
    let mut one = Client::new(&site, &ann, 1);
    let mut stream = one.stream().await.unwrap();
    one.send(std::slice::from_ref(&nowhere)).await;
    for _ in 0..2 {
        let end = stream.next(&mut one).await;
        assert!(matches!(end, Said::Close(4404, _)), "{end:?}");
        assert_eq!(stream.event().await, None);
        stream = one.stream().await.unwrap();
    }
    let mut other = Client::new(&site, &ann, 2);
    let mut refused = other.poll(5, &[nowhere]).await;
    if refused.is_ok() {
        refused = other.poll(5, &[]).await;
    }
    assert_eq!(refused.unwrap_err().0, 4404);
    let (status, answer) = other
        .post(
            2,
            &[ClientFrame::Ping {
                nonce: 1,
                rtt_ms: 0,
            }],
        )
        .await;
    assert!(
        status == 410 && answer.contains("4404"),
        "{status} {answer}"
    );

    let page = site.page("DOC", "Plan", "<p>text</p>").await;
    let (mut early, mut late) = (Client::new(&site, &ann, 3), Client::new(&site, &ann, 4));
    let bo = site.log_in("bo").await;
    early.browser = bo.clone();
    late.browser = bo;
    let mut waiting = early.stream().await.unwrap();
    let mut joined = late.stream().await.unwrap();
    late.send(&[Client::hello(page)]).await;
    let welcome = joined.next(&mut late).await;
    assert!(matches!(welcome, Said::Frame(ServerFrame::Welcome { .. })));
    site.web.drain().await;
    for (stream, client) in [(&mut waiting, &mut early), (&mut joined, &mut late)] {
        let end = loop {
            if let Said::Close(code, _) = stream.next(client).await {
                break code;
            }
        };
        assert_eq!(end, 1012);
    }
}

/// [TRANS-9] The room gives no more than its window until the client has confirmed what it has.
#[tokio::test]
async fn a_client_that_confirms_nothing_is_given_no_more_than_the_window() {
    let site = Site::new().await;
    let text = "A paragraph of a long page. ".repeat(40);
    let body = format!("<p>{text}</p>").repeat(900);
    let page = site.page("DOC", "Long", &body).await;
    let ann = site.log_in("ann").await;
    let mut one = Client::new(&site, &ann, 1);
    one.poll(0, &[Client::hello(page)]).await.unwrap();
    let mut given = 0;
    let mut page = Page::default();
    while given < 256 << 10 {
        one.poll(5, &[]).await.unwrap();
        let received = one.received;
        for frame in std::mem::take(&mut one.waiting) {
            given += frame.len();
            page.take(&ServerFrame::decode(&frame).unwrap());
        }
        // What is not confirmed is not confirmed by asking again.
        one.received = 0;
        assert!(given <= (256 + 65) << 10, "{given}");
        if given < 256 << 10 {
            given = 0;
            page = Page::default();
        } else {
            one.received = received;
        }
    }
    while page.title() != "Long" {
        match one.polled().await {
            Said::Frame(frame) => page.take(&frame),
            end => panic!("{end:?}"),
        }
    }
}
