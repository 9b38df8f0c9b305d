//! A WebSocket client that costs little: the load must not be what is measured.
//!
//! It masks with a key of zeros, which the protocol allows to read and which leaves the bytes as they are.

use bytes::{Buf, Bytes, BytesMut};
use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection: bytes that have come and bytes that are to go.
pub(crate) struct Socket {
    stream: TcpStream,
    read: BytesMut,
    write: Vec<u8>,
}

/// What a frame of the peer was.
pub(crate) enum Incoming {
    /// A message.
    Binary(Bytes),
    /// The end, with its code.
    Close(u16),
}

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// Read at least so much at once.
const READ_BYTES: usize = 16 << 10;

impl Socket {
    /// Connects to `ws://host:port/path` with a Bearer token, if there is one.
    pub(crate) async fn open(url: &str, token: &str) -> Result<Socket> {
        let wrong = || Error::new(ErrorKind::InvalidInput, format!("`{url}` is no address"));
        let rest = url.strip_prefix("ws://").ok_or_else(wrong)?;
        let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let mut socket = Socket {
            stream,
            read: BytesMut::new(),
            write: Vec::new(),
        };
        let authorization = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{authorization}\r\n"
        );
        socket.stream.write_all(request.as_bytes()).await?;
        socket.head().await?;
        Ok(socket)
    }

    async fn head(&mut self) -> Result<()> {
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.read.split_to(end + 4);
                if head.starts_with(b"HTTP/1.1 101") {
                    return Ok(());
                }
                let line = String::from_utf8_lossy(&head)
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                return Err(Error::other(format!("no upgrade: {line}")));
            }
            self.more().await?;
        }
    }

    /// Waits for bytes and takes what is there.
    pub(crate) async fn more(&mut self) -> Result<()> {
        self.read.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The next message, if all of it is there.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>> {
        loop {
            let Some((kind, payload)) = self.frame()? else {
                return Ok(None);
            };
            match kind {
                BINARY => return Ok(Some(Incoming::Binary(payload))),
                CLOSE => {
                    let code = payload
                        .get(..2)
                        .map_or(1005, |two| u16::from_be_bytes([two[0], two[1]]));
                    return Ok(Some(Incoming::Close(code)));
                }
                PING => self.put_frame(PONG, &[&payload]),
                _ => {}
            }
        }
    }

    fn frame(&mut self) -> Result<Option<(u8, Bytes)>> {
        let read = &self.read;
        if read.len() < 2 {
            return Ok(None);
        }
        if read[0] & 0x80 == 0 || read[1] & 0x80 != 0 {
            return Err(Error::other("a frame in parts, or masked"));
        }
        let kind = read[0] & 0x0f;
        let (head, len) = match read[1] {
            126 if read.len() >= 4 => (4, usize::from(u16::from_be_bytes([read[2], read[3]]))),
            127 if read.len() >= 10 => {
                let mut eight = [0; 8];
                eight.copy_from_slice(&read[2..10]);
                (10, u64::from_be_bytes(eight) as usize)
            }
            126 | 127 => return Ok(None),
            len => (2, usize::from(len)),
        };
        if read.len() < head + len {
            self.read.reserve(head + len - self.read.len());
            return Ok(None);
        }
        self.read.advance(head);
        Ok(Some((kind, self.read.split_to(len).freeze())))
    }

    /// Puts a message of several pieces behind what is to go.
    pub(crate) fn put(&mut self, pieces: &[&[u8]]) {
        self.put_frame(BINARY, pieces);
    }

    fn put_frame(&mut self, kind: u8, pieces: &[&[u8]]) {
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.write.push(0x80 | kind);
        match len {
            0..126 => self.write.push(0x80 | len as u8),
            126..0x1_0000 => {
                self.write.push(0x80 | 126);
                self.write.extend((len as u16).to_be_bytes());
            }
            _ => {
                self.write.push(0x80 | 127);
                self.write.extend((len as u64).to_be_bytes());
            }
        }
        self.write.extend([0; 4]);
        for piece in pieces {
            self.write.extend_from_slice(piece);
        }
    }

    /// Sends what was put.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if !self.write.is_empty() {
            self.stream.write_all(&self.write).await?;
            self.write.clear();
        }
        Ok(())
    }
}
