//! WebSocket frames (RFC 6455) on bytes that were upgraded. An idle connection keeps no buffer, and what is written is never copied:
//! a frame for many connections stays one piece of memory.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use crate::limits;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// The largest payload of a control frame.
const CONTROL_BYTES_MAX: usize = 125;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A whole binary message.
    Message(Bytes),
    /// A ping or a pong.
    Alive,
    /// The peer ends the connection.
    Closed,
}

/// Why what came is no WebSocket frame, or none for us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Malformed,
    Text,
    TooLong,
}

/// What has happened on the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is more to read.
    Read,
    /// Everything that was put is written: so many bytes of messages.
    Written(usize),
}

/// A frame that is to be written.
struct Piece {
    head: [u8; 10],
    head_len: usize,
    payload: Bytes,
}

impl Piece {
    fn new(kind: u8, payload: Bytes) -> Self {
        let mut head = [0; 10];
        head[0] = FINAL | kind;
        let len = payload.len();
        let head_len = match len {
            0..=CONTROL_BYTES_MAX => {
                head[1] = len as u8;
                2
            }
            126..=0xffff => {
                head[1] = 126;
                head[2..4].copy_from_slice(&(len as u16).to_be_bytes());
                4
            }
            _ => {
                head[1] = 127;
                head[2..10].copy_from_slice(&(len as u64).to_be_bytes());
                10
            }
        };
        Self {
            head,
            head_len,
            payload,
        }
    }

    fn len(&self) -> usize {
        self.head_len + self.payload.len()
    }
}

/// A WebSocket, on the server's side.
pub(super) struct Wire<T> {
    io: T,
    read: BytesMut,
    /// How many bytes the frame at hand still needs, for large ones.
    missing: usize,
    /// The parts of a message so far, if it comes in parts.
    parts: Option<BytesMut>,
    write: VecDeque<Piece>,
    /// Bytes of the first piece that are written.
    begun: usize,
    /// Bytes of messages put since everything was written.
    put: usize,
    /// What comes is thrown away: the place in it is lost.
    deaf: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Wire<T> {
    pub(super) fn new(io: T) -> Self {
        Self {
            io,
            read: BytesMut::new(),
            missing: 0,
            parts: None,
            write: VecDeque::new(),
            begun: 0,
            put: 0,
            deaf: false,
        }
    }

    /// Puts a message behind what is to be written.
    pub(super) fn put(&mut self, message: Bytes) {
        self.put += message.len();
        self.write.push_back(Piece::new(BINARY, message));
    }

    /// Puts a ping behind what is to be written.
    pub(super) fn ping(&mut self) {
        self.write.push_back(Piece::new(PING, Bytes::new()));
    }

    /// Puts the end behind what is to be written.
    pub(super) fn close(&mut self, code: u16, reason: &str) {
        let mut end = reason.len().min(CONTROL_BYTES_MAX - 2);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let payload = [&code.to_be_bytes(), &reason.as_bytes()[..end]].concat();
        self.write.push_back(Piece::new(CLOSE, payload.into()));
    }

    /// Whether something is to be written.
    pub(super) fn unsent(&self) -> bool {
        !self.write.is_empty()
    }

    /// Writes what can be written, and waits until all is, or until there is something to read. Nothing is lost when it is dropped.
    pub(super) async fn turn(&mut self) -> io::Result<Turn> {
        poll_fn(|cx| {
            if self.unsent()
                && let Poll::Ready(written) = self.poll_write(cx)
            {
                return Poll::Ready(written.map(Turn::Written));
            }
            self.poll_read(cx).map_ok(|()| Turn::Read)
        })
        .await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let count = if self.missing > limits::LIVE_READ_BYTES {
            self.read.reserve(self.missing);
            ready!(pin!(self.io.read_buf(&mut self.read)).poll(cx))?
        } else {
            // On the stack, so that the connection keeps no more than what came.
            let mut space = [0; limits::LIVE_READ_BYTES];
            let mut space = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut space))?;
            if !self.deaf {
                self.read.extend_from_slice(space.filled());
            }
            space.filled().len()
        };
        self.missing = self.missing.saturating_sub(count);
        Poll::Ready(match count {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while self.unsent() {
            let io = Pin::new(&mut self.io);
            let count = if io.is_write_vectored() {
                let mut slices = [IoSlice::new(&[]); limits::LIVE_WRITE_SLICES];
                let used = gather(&self.write, self.begun, &mut slices);
                ready!(io.poll_write_vectored(cx, &slices[..used]))?
            } else {
                let mut slices = [IoSlice::new(&[]); limits::LIVE_WRITE_SLICES];
                let used = gather(&self.write, self.begun, &mut slices);
                let mut together = Vec::new();
                for slice in &slices[..used] {
                    let room = limits::LIVE_WRITE_BYTES - together.len();
                    together.extend_from_slice(&slice[..slice.len().min(room)]);
                }
                ready!(io.poll_write(cx, &together))?
            };
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.written(count);
        }
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        Poll::Ready(Ok(std::mem::take(&mut self.put)))
    }

    fn written(&mut self, count: usize) {
        self.begun += count;
        while let Some(first) = self.write.front()
            && self.begun >= first.len()
        {
            self.begun -= first.len();
            self.write.pop_front();
        }
        if self.write.is_empty() {
            // A rush must not leave its queue behind.
            self.write.shrink_to(limits::LIVE_WRITE_SLICES / 2);
        }
    }

    /// The next thing that came, if all of it is there. After an error nothing more is heard.
    pub(super) fn heard(&mut self) -> Result<Option<Heard>, Wrong> {
        let heard = self.listen();
        if heard.is_err() {
            (self.read, self.parts, self.missing) = (BytesMut::new(), None, 0);
            self.deaf = true;
        }
        heard
    }

    fn listen(&mut self) -> Result<Option<Heard>, Wrong> {
        loop {
            let Some((first, payload)) = self.frame()? else {
                if self.read.is_empty() {
                    self.read = BytesMut::new();
                }
                return Ok(None);
            };
            let last = first & FINAL != 0;
            match first & 0x0f {
                BINARY if self.parts.is_none() && last => {
                    return Ok(Some(Heard::Message(payload.freeze())));
                }
                BINARY if self.parts.is_none() => self.parts = Some(payload),
                CONTINUATION => {
                    let Some(parts) = &mut self.parts else {
                        return Err(Wrong::Malformed);
                    };
                    parts.extend_from_slice(&payload);
                    if last && let Some(whole) = self.parts.take() {
                        return Ok(Some(Heard::Message(whole.freeze())));
                    }
                }
                TEXT if self.parts.is_none() => return Err(Wrong::Text),
                CLOSE => {
                    let code = payload.freeze();
                    let code = code.slice(..code.len().min(2));
                    self.write.push_back(Piece::new(CLOSE, code));
                    return Ok(Some(Heard::Closed));
                }
                PING => {
                    // Who asks often and reads nothing gets fewer answers.
                    if self.write.len() < limits::LIVE_PONGS_MAX {
                        self.write.push_back(Piece::new(PONG, payload.freeze()));
                    }
                    return Ok(Some(Heard::Alive));
                }
                PONG => return Ok(Some(Heard::Alive)),
                _ => return Err(Wrong::Malformed),
            }
        }
    }

    /// The next frame: its first byte and its payload, unmasked.
    fn frame(&mut self) -> Result<Option<(u8, BytesMut)>, Wrong> {
        let read = &self.read[..];
        let [first, second, ..] = *read else {
            return Ok(None);
        };
        let control = first & 0x08 != 0;
        if first & 0x70 != 0 || second & MASKED == 0 || (control && first & FINAL == 0) {
            return Err(Wrong::Malformed);
        }
        let (head, len) = match second & 0x7f {
            126 => match read.get(2..4) {
                Some(two) => (
                    4,
                    two.iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
                ),
                None => return Ok(None),
            },
            127 => match read.get(2..10) {
                Some(eight) => (
                    10,
                    eight
                        .iter()
                        .fold(0, |len, byte| len << 8 | u64::from(*byte)),
                ),
                None => return Ok(None),
            },
            len => (2, u64::from(len)),
        };
        let shortest = match head {
            2 => 0,
            4 => 126,
            _ => 0x1_0000,
        };
        if len < shortest || (control && len > CONTROL_BYTES_MAX as u64) {
            return Err(Wrong::Malformed);
        }
        let before = self.parts.as_ref().map_or(0, |parts| parts.len());
        let len = usize::try_from(len).map_err(|_| Wrong::TooLong)?;
        if len > limits::LIVE_FRAME_BYTES_MAX - before.min(limits::LIVE_FRAME_BYTES_MAX) {
            return Err(Wrong::TooLong);
        }
        let whole = head + 4 + len;
        let Some(mask) = read.get(head..head + 4).filter(|_| read.len() >= whole) else {
            self.missing = whole - read.len().min(whole);
            return Ok(None);
        };
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        self.read.advance(head + 4);
        let mut payload = self.read.split_to(len);
        unmask(&mut payload, mask);
        Ok(Some((first, payload)))
    }
}

/// Lists what is to be written behind the bytes that are: how many slices that makes.
fn gather<'a>(pieces: &'a VecDeque<Piece>, begun: usize, slices: &mut [IoSlice<'a>]) -> usize {
    let mut used = 0;
    let mut skip = begun;
    for piece in pieces {
        for bytes in [&piece.head[..piece.head_len], &piece.payload[..]] {
            let rest = &bytes[skip.min(bytes.len())..];
            skip -= skip.min(bytes.len());
            if rest.is_empty() {
                continue;
            }
            let Some(slice) = slices.get_mut(used) else {
                return used;
            };
            *slice = IoSlice::new(rest);
            used += 1;
        }
    }
    used
}

/// In runs of sixteen bytes, which the compiler makes one instruction of.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut long = [0; 16];
    for (byte, key) in long.iter_mut().zip(mask.iter().cycle()) {
        *byte = *key;
    }
    let (runs, rest) = payload.as_chunks_mut::<16>();
    for run in runs {
        for (byte, key) in run.iter_mut().zip(long) {
            *byte ^= key;
        }
    }
    for (byte, key) in rest.iter_mut().zip(long) {
        *byte ^= key;
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
