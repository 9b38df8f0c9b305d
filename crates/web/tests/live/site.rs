//! A whole site on a port of this machine, and people with real WebSockets and real documents.

use bytes::Bytes;
use collab::{ClientFrame, Lease, PROTOCOL_VERSION, Position, ServerFrame, SnapshotParts};
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use storage::{Database, DatabaseUrl, DirectoryBlobs, TestDatabase};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use wiki::{
    Actor, Clock, ContentId, ContentKind, NewAccount, NewPage, NewSpace, Parts, Randomness, Right,
    Subject, Wiki,
};
use yrs::updates::decoder::Decode;
use yrs::{
    Doc, GetString, ReadTxn, StateVector, Text, Transact, Update, WriteTxn, XmlElementPrelim,
    XmlFragment, XmlTextPrelim,
};

/// How long a test waits for what must come; it never waits for time to pass.
const PATIENCE: Duration = Duration::from_secs(20);

struct Now;

impl Clock for Now {
    fn now_ms(&self) -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        i64::try_from(now.unwrap().as_millis()).unwrap()
    }
}

struct Dice;

impl Randomness for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// What outlives a server: the data and who may come.
pub(crate) struct Place {
    url: DatabaseUrl,
    folder: tempfile::TempDir,
    pub(crate) page: ContentId,
    pub(crate) ann: String,
    pub(crate) bob: String,
    pub(crate) ann_actor: Actor,
    _database: TestDatabase,
}

/// A running server.
pub(crate) struct Site {
    pub(crate) web: web::Web,
    pub(crate) wiki: Wiki,
    pub(crate) address: std::net::SocketAddr,
}

async fn open(url: &DatabaseUrl, folder: &std::path::Path) -> Wiki {
    let database = Database::open(url, wiki::MIGRATIONS).await.unwrap();
    let blobs = Arc::new(DirectoryBlobs::open(&folder.join("blobs")).unwrap());
    let parts = Parts {
        database,
        blobs,
        search_dir: folder.join("search"),
        clock: Arc::new(Now),
        random: Arc::new(Dice),
    };
    Wiki::open(parts).await.unwrap()
}

impl Place {
    /// A space with one published page; Ann and Bob may edit.
    pub(crate) async fn new(database: TestDatabase) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let wiki = open(&database.url, folder.path()).await;
        let mut tokens = Vec::new();
        for name in ["ann", "bob"] {
            let account = NewAccount {
                name: name.into(),
                full_name: format!("{name} Lee"),
                email: None,
                admin: false,
                password: None,
            };
            wiki.accounts().add(&Actor::System, account).await.unwrap();
            tokens.push(
                wiki.tokens()
                    .create(&Actor::System, name, "test")
                    .await
                    .unwrap(),
            );
        }
        let ann_actor = wiki
            .tokens()
            .authenticate(&tokens[0])
            .await
            .unwrap()
            .unwrap();
        let space = NewSpace {
            key: "DOC".into(),
            name: "Documents".into(),
            description: String::new(),
        };
        wiki.spaces().create(&ann_actor, space).await.unwrap();
        wiki.spaces()
            .permit(&ann_actor, "DOC", Subject::Users, Some(Right::Edit))
            .await
            .unwrap();
        let page = NewPage {
            space_key: "DOC".into(),
            parent: None,
            title: "Plan".into(),
            kind: ContentKind::Page,
        };
        let page = wiki
            .pages()
            .create_published(&ann_actor, page, "<p>Hello</p>")
            .await
            .unwrap()
            .id;
        let (bob, ann) = (tokens.pop().unwrap(), tokens.pop().unwrap());
        Place {
            url: database.url.clone(),
            folder,
            page,
            ann,
            bob,
            ann_actor,
            _database: database,
        }
    }

    /// Another process on the same data.
    pub(crate) async fn wiki(&self) -> Wiki {
        open(&self.url, self.folder.path()).await
    }

    pub(crate) async fn serve(&self) -> Site {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wiki = self.wiki().await;
        let settings = web::Settings {
            public_url: format!("http://{address}"),
            upload_dir: self.folder.path().join("uploads"),
            sync: web::SyncSettings::default(),
        };
        let web = web::Web::new(wiki.clone(), settings);
        let router = web::router(web.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Site { web, wiki, address }
    }

    pub(crate) fn document(&self) -> String {
        format!("page-{}", self.page)
    }
}

impl Site {
    /// A socket; the status of the refusal otherwise.
    pub(crate) async fn socket(
        &self,
        token: Option<&str>,
        origin: Option<&str>,
    ) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/synchrony/v1/live", self.address)
            .into_client_request()
            .unwrap();
        if let Some(token) = token {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// A POST of JSON by a person, without a network.
    pub(crate) async fn post(&self, token: &str, path: &str, json: &str) -> (u16, String) {
        self.ask("POST", token, path, json).await
    }

    /// A request with a token, without a network.
    pub(crate) async fn ask(
        &self,
        method: &str,
        token: &str,
        path: &str,
        json: &str,
    ) -> (u16, String) {
        use tower::ServiceExt;
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(json.to_owned()))
            .unwrap();
        let response = web::router(self.web.clone())
            .oneshot(request)
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, frame: &ClientFrame) {
        self.0.send(Message::Binary(frame.encode())).await.unwrap();
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next frame, or the code of the end.
    pub(crate) async fn next(&mut self) -> Result<ServerFrame, u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("in time")
            {
                Some(Ok(Message::Binary(bytes))) => return Ok(ServerFrame::decode(&bytes).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |f| f.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }
}

/// Somebody who edits.
pub(crate) struct Person {
    pub(crate) socket: Socket,
    pub(crate) doc: Doc,
    pub(crate) lease: Lease,
    pub(crate) at: Option<Position>,
    parts: SnapshotParts,
    next_batch: u64,
}

pub(crate) fn new_doc(client: u64) -> Doc {
    Doc::with_options(yrs::Options {
        client_id: yrs::block::ClientID::new(client),
        offset_kind: yrs::OffsetKind::Utf16,
        ..Default::default()
    })
}

impl Person {
    /// Joins afresh, or goes on with the document and lease of before.
    pub(crate) async fn join(
        place: &Place,
        site: &Site,
        token: &str,
        before: Option<Person>,
    ) -> Person {
        let mut socket = site.socket(Some(token), None).await.unwrap();
        let resume = before.as_ref().and_then(|person| person.at);
        let leases = before.iter().map(|person| person.lease.clone()).collect();
        let document = place.document();
        socket
            .send(&ClientFrame::Hello {
                version: PROTOCOL_VERSION,
                document,
                resume,
                leases,
            })
            .await;
        let welcome = socket.next().await.expect("a welcome");
        let ServerFrame::Welcome {
            lease,
            snapshot_follows,
            head_seq,
            epoch,
            ..
        } = welcome
        else {
            panic!("{welcome:?}");
        };
        assert_eq!(snapshot_follows, before.is_none(), "[ROOM-1]");
        let (doc, lease, at) = match before {
            Some(person) => (person.doc, person.lease, person.at),
            None => (new_doc(lease.client_id), lease, None),
        };
        let mut person = Person {
            socket,
            doc,
            lease,
            at,
            parts: SnapshotParts::default(),
            next_batch: 1,
        };
        while person
            .at
            .is_none_or(|at| (at.epoch, at.seq) < (epoch, head_seq))
        {
            person.take().await.expect("the document");
        }
        person
    }

    /// Takes one frame into the document.
    pub(crate) async fn take(&mut self) -> Result<ServerFrame, u16> {
        let frame = self.socket.next().await?;
        match &frame {
            ServerFrame::Snapshot {
                position,
                total_bytes,
                offset,
                part,
            } => {
                let whole = self.parts.take(*position, *total_bytes, *offset, part);
                if let Some(state) = whole.expect("parts in order") {
                    self.apply(&state);
                    self.at = Some(*position);
                }
            }
            ServerFrame::Batch {
                epoch,
                first_seq,
                updates,
            } => {
                assert_eq!(
                    self.at,
                    Some(Position {
                        epoch: *epoch,
                        seq: first_seq - 1
                    }),
                    "[ROOM-6]"
                );
                for (_, update) in updates {
                    self.apply(update);
                }
                self.at = Some(Position {
                    epoch: *epoch,
                    seq: first_seq + updates.len() as u64 - 1,
                });
            }
            _ => {}
        }
        Ok(frame)
    }

    pub(crate) async fn wait<T>(&mut self, wanted: impl Fn(&ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = self.take().await.expect("not the end");
            if let Some(found) = wanted(&frame) {
                return found;
            }
        }
    }

    fn apply(&self, update: &[u8]) {
        self.doc
            .transact_mut()
            .apply_update(Update::decode_v1(update).unwrap())
            .unwrap();
    }

    /// A paragraph at the end of the body.
    pub(crate) fn write(&self, text: &str) -> Bytes {
        let mut tx = self.doc.transact_mut();
        let before = tx.state_vector();
        let body = tx.get_or_insert_xml_fragment("default");
        let end = body.len(&tx);
        let paragraph = body.insert(&mut tx, end, XmlElementPrelim::empty("paragraph"));
        paragraph.insert(&mut tx, 0, XmlTextPrelim::new(text));
        tx.encode_diff_v1(&before).into()
    }

    /// Text at the beginning of the title.
    pub(crate) fn retitle(&self, text: &str) -> Bytes {
        let mut tx = self.doc.transact_mut();
        let before = tx.state_vector();
        let title = tx.get_or_insert_text("title");
        title.insert(&mut tx, 0, text);
        tx.encode_diff_v1(&before).into()
    }

    pub(crate) async fn push(&mut self, updates: Vec<Bytes>) {
        let batch_id = self.next_batch;
        self.next_batch += 1;
        self.socket
            .send(&ClientFrame::Push { batch_id, updates })
            .await;
    }

    /// Pushes and waits until it is on disk: the sequence number.
    pub(crate) async fn save(&mut self, updates: Vec<Bytes>) -> u64 {
        self.push(updates).await;
        let answer = |frame: &ServerFrame| match frame {
            ServerFrame::Ack { position, .. } => Some(position.seq),
            ServerFrame::Nack { reason, .. } => panic!("{reason:?}"),
            _ => None,
        };
        self.wait(answer).await
    }

    /// Waits until everything up to there is applied.
    pub(crate) async fn until(&mut self, seq: u64) {
        while self.at.is_none_or(|at| at.seq < seq) {
            self.take().await.expect("not the end");
        }
    }

    pub(crate) fn everything(&self) -> Bytes {
        self.doc
            .transact()
            .encode_state_as_update_v1(&StateVector::default())
            .into()
    }

    /// Title and body, as text.
    pub(crate) fn content(&self) -> String {
        let (title, body) = (
            self.doc.get_or_insert_text("title"),
            self.doc.get_or_insert_xml_fragment("default"),
        );
        let tx = self.doc.transact();
        format!("{}|{}", title.get_string(&tx), body.get_string(&tx))
    }
}
