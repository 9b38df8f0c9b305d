//! One editor: it speaks the native protocol, y-websocket's or Hocuspocus'.

use crate::socket::{Incoming, Socket};
use crate::tally::Tally;
use crate::typing;
use bytes::Bytes;
use collab::{ClientFrame, PROTOCOL_VERSION, ServerFrame};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{Error, Result};
use std::rc::Rc;

/// Whose protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `docs/spec/collab.md`.
    Native,
    /// y-websocket; the echo of an edit is its acknowledgement.
    YWebsocket,
    /// Hocuspocus; SyncStatus is the acknowledgement.
    Hocuspocus,
}

/// Where and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    /// Address, with `{document}` in it or with the name of a y-websocket document behind it.
    pub(crate) url: String,
    /// Bearer token, or none.
    pub(crate) token: String,
    /// The protocol.
    pub(crate) dialect: Dialect,
}

/// An editor on one document.
pub(crate) struct Client {
    socket: Socket,
    dialect: Dialect,
    document: String,
    tally: Rc<Tally>,
    connection_id: u64,
    /// The id of its edits.
    pub(crate) client_id: u64,
    clock: u64,
    waiting: VecDeque<(u64, u32)>,
    synced: bool,
    /// Up to where the log went when this one came, and up to where it is here.
    head_seq: u64,
    applied_seq: u64,
    /// Bytes of state received by the join.
    pub(crate) state_bytes: usize,
    /// Updates received, if they are to be kept.
    pub(crate) kept: Option<Vec<Bytes>>,
    part: Vec<u8>,
    /// The highest clock that was acknowledged.
    pub(crate) acknowledged: u64,
}

const SYNC: u8 = 0;
const AWARENESS: u8 = 1;
const AUTH: u8 = 2;
const STEP_1: u8 = 0;
const STEP_2: u8 = 1;
const UPDATE: u8 = 2;
const SYNC_STATUS: u8 = 8;

impl Client {
    /// Connects and waits until the document is there.
    pub(crate) async fn join(target: &Target, document: &str, tally: &Rc<Tally>) -> Result<Client> {
        let url = match target.dialect {
            Dialect::YWebsocket if !target.url.contains("{document}") => {
                format!("{}/{document}", target.url)
            }
            _ => target.url.replace("{document}", document),
        };
        let mut client = Client {
            socket: Socket::open(&url, &target.token).await?,
            dialect: target.dialect,
            document: document.to_owned(),
            tally: tally.clone(),
            connection_id: 0,
            client_id: (RandomState::new().hash_one(document) & 0xffff_ffff) | 0x8000_0000,
            clock: 0,
            waiting: VecDeque::new(),
            synced: false,
            head_seq: u64::MAX,
            applied_seq: 0,
            state_bytes: 0,
            kept: None,
            part: Vec::new(),
            acknowledged: 0,
        };
        client.greet(&target.token);
        Ok(client)
    }

    fn greet(&mut self, token: &str) {
        match self.dialect {
            Dialect::Native => {
                let hello = ClientFrame::Hello {
                    version: PROTOCOL_VERSION,
                    document: self.document.clone(),
                    resume: None,
                    leases: Vec::new(),
                };
                self.socket.put(&[&hello.encode()]);
            }
            Dialect::YWebsocket => self.socket.put(&[&[SYNC, STEP_1, 1, 0]]),
            Dialect::Hocuspocus => {
                let mut auth = vec![AUTH, 0];
                typing::put_bytes(
                    &mut auth,
                    if token.is_empty() {
                        b"none"
                    } else {
                        token.as_bytes()
                    },
                );
                typing::put_bytes(&mut auth, b"4.7.0");
                self.put(&auth);
            }
        }
    }

    /// Waits until the document is there.
    pub(crate) async fn synced(&mut self) -> Result<()> {
        self.socket.flush().await?;
        while !self.synced {
            self.more().await?;
            self.socket.flush().await?;
        }
        Ok(())
    }

    /// Puts a message of the dialect behind what is to go.
    fn put(&mut self, body: &[u8]) {
        if self.dialect == Dialect::Hocuspocus {
            let mut name = Vec::with_capacity(self.document.len() + 2);
            typing::put_bytes(&mut name, self.document.as_bytes());
            self.socket.put(&[&name, body]);
        } else {
            self.socket.put(&[body]);
        }
    }

    /// Which document.
    pub(crate) fn document(&self) -> &str {
        &self.document
    }

    /// How many edits are not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.waiting.len()
    }

    /// Types a character; `flush` sends it.
    pub(crate) fn push(&mut self) {
        self.push_behind(|clock| clock - 1);
    }

    /// Types a character behind another one of its own.
    pub(crate) fn push_behind(&mut self, behind: impl Fn(u64) -> u64) {
        let mut update = Vec::with_capacity(40);
        if self.clock == 0 {
            update = typing::paragraph(self.client_id);
            self.clock = typing::FIRST;
        } else {
            typing::character(&mut update, self.client_id, self.clock, behind(self.clock));
        }
        self.clock += 1;
        let now = self.tally.now_us();
        self.tally.sent(self.client_id, self.clock, now);
        self.waiting.push_back((self.clock, now));
        self.put_update(&update);
    }

    /// Sends an update of any content, which counts as so many clocks of this client.
    pub(crate) fn put_update(&mut self, update: &[u8]) {
        let mut body = Vec::with_capacity(update.len() + 20);
        if self.dialect == Dialect::Native {
            body.push(0x02);
            typing::put_number(&mut body, self.clock);
            body.push(1);
        } else {
            body.extend([SYNC, UPDATE]);
        }
        typing::put_bytes(&mut body, update);
        self.put(&body);
    }

    /// Sends an update that brings everything up to `clock`.
    pub(crate) fn push_made(&mut self, update: &[u8], clock: u64) {
        self.clock = clock;
        self.waiting.push_back((clock, self.tally.now_us()));
        self.put_update(update);
    }

    /// Says where the cursor is.
    pub(crate) fn present(&mut self, turn: u64) {
        let mut blob = [b'c'; 24];
        blob[..8].copy_from_slice(&turn.to_be_bytes());
        let mut body = Vec::with_capacity(120);
        if self.dialect == Dialect::Native {
            body.push(0x03);
            typing::put_bytes(&mut body, &blob);
        } else {
            let mut states = vec![1];
            typing::put_number(&mut states, self.client_id);
            typing::put_number(&mut states, turn + 1);
            let json = format!(r#"{{"cursor":{{"anchor":{turn},"head":{turn}}}}}"#);
            typing::put_bytes(&mut states, json.as_bytes());
            body.push(AWARENESS);
            typing::put_bytes(&mut body, &states);
        }
        self.put(&body);
    }

    /// Sends what was put.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        self.socket.flush().await
    }

    /// Waits for news and takes all that is there.
    pub(crate) async fn more(&mut self) -> Result<()> {
        self.socket.more().await?;
        let now = self.tally.now_us();
        while let Some(incoming) = self.socket.next()? {
            match incoming {
                Incoming::Binary(message) => self
                    .hear(&message, now)
                    .ok_or_else(|| Error::other("an answer that is none"))?,
                Incoming::Close(code) => return Err(Error::other(format!("closed with {code}"))),
            }
        }
        Ok(())
    }

    fn hear(&mut self, message: &Bytes, now: u32) -> Option<()> {
        match self.dialect {
            Dialect::Native => self.hear_native(message, now),
            Dialect::YWebsocket => self.hear_yjs(message, now),
            Dialect::Hocuspocus => {
                let mut rest = &message[..];
                typing::block(&mut rest)?;
                let rest = message.slice_ref(rest);
                self.hear_yjs(&rest, now)
            }
        }
    }

    fn hear_native(&mut self, message: &Bytes, now: u32) -> Option<()> {
        let (kind, mut r) = message.split_first().map(|(kind, rest)| (*kind, rest))?;
        match kind {
            0x81 => {
                if let Ok(ServerFrame::Welcome {
                    connection_id,
                    lease,
                    head_seq,
                    ..
                }) = ServerFrame::decode(message)
                {
                    self.connection_id = connection_id;
                    self.client_id = lease.client_id;
                    self.head_seq = head_seq;
                }
            }
            0x82 => self.snapshot(r)?,
            0x83 => self.batch(message, r, now)?,
            0x84 => {
                let batch = typing::number(&mut r)?;
                self.acknowledge(batch, now);
            }
            0x85 => {
                typing::number(&mut r)?;
                self.tally.refuse(typing::number(&mut r)?);
            }
            0x86 => self.tally.told(typing::number(&mut r)?),
            _ => {}
        }
        Some(())
    }

    fn batch(&mut self, message: &Bytes, mut r: &[u8], now: u32) -> Option<()> {
        typing::number(&mut r)?;
        let (first_seq, count) = (typing::number(&mut r)?, typing::number(&mut r)?);
        for _ in 0..count {
            let author = typing::number(&mut r)?;
            let update = typing::block(&mut r)?;
            self.tally
                .delivered(u64::from(author != self.connection_id));
            if self.tally.times() && author != self.connection_id {
                typing::sections(update, &mut |client, _, end| {
                    self.tally.seen(client, end, now)
                });
            }
            if !self.synced {
                self.state_bytes += update.len();
            }
            if let Some(kept) = &mut self.kept {
                kept.push(message.slice_ref(update));
            }
        }
        self.applied_seq = first_seq + count - 1;
        self.synced |= self.applied_seq >= self.head_seq;
        Some(())
    }

    fn snapshot(&mut self, mut r: &[u8]) -> Option<()> {
        typing::number(&mut r)?;
        let seq = typing::number(&mut r)?;
        let (total, offset) = (typing::number(&mut r)?, typing::number(&mut r)?);
        let part = typing::block(&mut r)?;
        self.state_bytes += part.len();
        if let Some(kept) = &mut self.kept {
            self.part.extend_from_slice(part);
            if offset + part.len() as u64 >= total {
                kept.push(std::mem::take(&mut self.part).into());
            }
        }
        if offset + part.len() as u64 >= total {
            self.applied_seq = seq;
            self.synced |= seq >= self.head_seq;
        }
        Some(())
    }

    fn hear_yjs(&mut self, message: &Bytes, now: u32) -> Option<()> {
        let mut r = &message[..];
        match typing::number(&mut r)? as u8 {
            SYNC | 4 => {
                let step = typing::number(&mut r)? as u8;
                let update = typing::block(&mut r)?;
                match step {
                    STEP_2 => {
                        self.state_bytes += update.len();
                        if let Some(kept) = &mut self.kept {
                            kept.push(message.slice_ref(update));
                        }
                        self.synced = true;
                    }
                    UPDATE => self.update(update, now)?,
                    _ => {}
                }
            }
            AUTH if self.dialect == Dialect::Hocuspocus => self.put(&[SYNC, STEP_1, 1, 0]),
            AWARENESS => self.tally.told(1),
            SYNC_STATUS => match typing::number(&mut r)? {
                1 => {
                    if let Some((clock, _)) = self.waiting.front() {
                        self.acknowledge(*clock, now);
                    }
                }
                _ => self.tally.refuse(0),
            },
            _ => {}
        }
        Some(())
    }

    fn update(&mut self, update: &[u8], now: u32) -> Option<()> {
        let (own, tally) = (self.client_id, self.tally.clone());
        let mut echoed = 0;
        let ours = typing::sections(update, &mut |client, start, end| {
            if client == own {
                echoed = end;
                return;
            }
            // The first edit of a client has three clocks.
            tally.delivered(if start == 0 {
                end - typing::FIRST
            } else {
                end - start
            });
            if tally.times() {
                for clock in start.max(typing::FIRST)..end {
                    tally.seen(client, clock + 1, now);
                }
            }
        });
        if self.dialect == Dialect::YWebsocket && echoed > 0 {
            self.acknowledge(echoed, now);
        }
        ours.then_some(())
    }

    fn acknowledge(&mut self, clock: u64, now: u32) {
        while let Some((waiting, sent)) = self.waiting.front()
            && *waiting <= clock
        {
            self.tally.acknowledged(now.saturating_sub(*sent));
            self.acknowledged = *waiting;
            self.waiting.pop_front();
        }
    }
}
