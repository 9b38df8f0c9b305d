//! Somebody who edits in a test, with a real room and a real document, without a network.

use crate::live::follow::State;
use crate::live::{LiveDocuments, LiveLink};
use crate::{Actor, ContentId};
use bytes::Bytes;
use collab::{
    ClientFrame, CloseCode, Dialect, Join, Lease, Outbox, Outgoing, Position, ResetReason, Rights,
    ServerFrame, SnapshotParts,
};
use document::{Live, StorageFormat};
use std::time::Duration;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Editor {
    link: LiveLink,
    outbox: Outbox,
    pub(super) lease: Lease,
    pub(super) at: Position,
    /// One update with everything that came.
    pub(super) state: Bytes,
    parts: SnapshotParts,
    batch: u64,
}

/// What came.
#[derive(Debug)]
pub(super) enum Came {
    Frame(ServerFrame),
    End(CloseCode),
}

impl Editor {
    /// Joins the present epoch. A room that has not heard of it yet is waited for.
    pub(super) async fn join(live: &LiveDocuments, actor: &Actor, page: ContentId) -> Editor {
        let read =
            move |tx: &storage::Tx| Ok(State::read(tx, page)?.map(|state| state.head().epoch));
        let present = live.inner.wiki.read(read).await.unwrap();
        loop {
            let mut editor = Editor::join_room(live, actor, page).await;
            if present.is_none_or(|epoch| editor.at.epoch >= epoch) {
                return editor;
            }
            editor.reset().await;
        }
    }

    async fn join_room(live: &LiveDocuments, actor: &Actor, page: ContentId) -> Editor {
        let how = Join {
            dialect: Dialect::Native,
            resume: None,
            leases: Vec::new(),
        };
        let joined = live.join(actor, &format!("page-{page}"), how).await;
        let (link, outbox) = joined.map_err(|why| why.to_string()).unwrap();
        let nobody = Lease {
            client_id: 0,
            proof: [0; 16],
        };
        let mut editor = Editor {
            link,
            outbox,
            lease: nobody,
            at: Position { epoch: 0, seq: 0 },
            state: Bytes::from_static(&[0, 0]),
            parts: SnapshotParts::default(),
            batch: 0,
        };
        let welcome = |frame: &ServerFrame| match frame {
            ServerFrame::Welcome {
                lease,
                epoch,
                head_seq,
                ..
            } => Some((lease.clone(), *epoch, *head_seq)),
            _ => None,
        };
        let (lease, epoch, seq) = editor.wait(welcome).await;
        editor.lease = lease;
        editor.until(Position { epoch, seq }).await;
        editor
    }

    pub(super) async fn next(&mut self) -> Came {
        let next = tokio::time::timeout(PATIENCE, self.outbox.next()).await;
        match next.expect("in time").expect("a frame or the end") {
            Outgoing::Close { code, .. } => Came::End(code),
            Outgoing::Frame(bytes) => {
                self.link.taken(bytes.len()).await;
                let frame = ServerFrame::decode(&bytes).unwrap();
                self.take(&frame);
                Came::Frame(frame)
            }
        }
    }

    fn take(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Snapshot {
                position,
                total_bytes,
                offset,
                part,
            } => {
                let whole = self.parts.take(*position, *total_bytes, *offset, part);
                if let Some(state) = whole.expect("parts in order") {
                    (self.state, self.at) = (state.to_vec().into(), *position);
                }
            }
            ServerFrame::Batch {
                epoch,
                first_seq,
                updates,
            } => {
                let mut all = vec![self.state.clone()];
                all.extend(updates.iter().map(|(_, update)| update.clone()));
                self.state = collab::merge(&all).unwrap();
                let seq = first_seq + updates.len() as u64 - 1;
                self.at = Position { epoch: *epoch, seq };
            }
            _ => {}
        }
    }

    pub(super) async fn wait<T>(&mut self, wanted: impl Fn(&ServerFrame) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Came::Frame(frame) => {
                    if let Some(found) = wanted(&frame) {
                        return found;
                    }
                }
                Came::End(code) => panic!("the end: {code:?}"),
            }
        }
    }

    pub(super) async fn until(&mut self, at: Position) {
        while (self.at.epoch, self.at.seq) < (at.epoch, at.seq) {
            self.wait(|_| Some(())).await;
        }
    }

    /// The rights that the next ACCESS tells.
    pub(super) async fn access(&mut self) -> Rights {
        let access = |frame: &ServerFrame| match frame {
            ServerFrame::Access { rights, .. } => Some(*rights),
            _ => None,
        };
        self.wait(access).await
    }

    /// The next RESET: the new epoch, and why.
    pub(super) async fn reset(&mut self) -> (u64, ResetReason) {
        let reset = |frame: &ServerFrame| match frame {
            ServerFrame::Reset { epoch, reason } => Some((*epoch, *reason)),
            _ => None,
        };
        self.wait(reset).await
    }

    /// The next EVENT of this name.
    pub(super) async fn event(&mut self, name: &str) -> serde_json::Value {
        let event = |frame: &ServerFrame| match frame {
            ServerFrame::Event { json } => {
                let event: serde_json::Value = serde_json::from_str(json).unwrap();
                (event["event"] == name).then_some(event)
            }
            _ => None,
        };
        self.wait(event).await
    }

    /// How the connection ends.
    pub(super) async fn end(&mut self) -> CloseCode {
        loop {
            if let Came::End(code) = self.next().await {
                return code;
            }
        }
    }

    /// The update that makes the document read as this. It is in this editor's document afterwards.
    pub(super) fn edit(&mut self, title: &str, body: &str) -> Bytes {
        let (document, _) = StorageFormat::parse(body).unwrap();
        let update = Live::rewrite(&self.state, &document, title, self.lease.client_id);
        let update: Bytes = update.unwrap().into();
        self.state = collab::merge(&[self.state.clone(), update.clone()]).unwrap();
        update
    }

    /// Makes the document read as this, and waits until that is on disk.
    pub(super) async fn write(&mut self, title: &str, body: &str) -> u64 {
        let update = self.edit(title, body);
        self.push(update).await
    }

    pub(super) async fn push(&mut self, update: Bytes) -> u64 {
        self.batch += 1;
        let push = ClientFrame::Push {
            batch_id: self.batch,
            updates: vec![update],
        };
        self.link.frame(push).await;
        let answer = |frame: &ServerFrame| match frame {
            ServerFrame::Ack { position, .. } => Some(position.seq),
            ServerFrame::Nack { reason, .. } => panic!("{reason:?}"),
            _ => None,
        };
        self.wait(answer).await
    }

    /// Title and body, as they would be published.
    pub(super) fn reads(&self) -> (String, String) {
        let (document, title, _) = Live::read(&[&self.state]).unwrap();
        (title, StorageFormat::write(&document))
    }
}
