//! Every limit of this crate, with what happens when it is reached.

use std::time::Duration;

/// Largest body of a form or JSON request; more is answered with 413.
pub(crate) const FORM_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest attachment of one upload; more is answered with 413.
pub(crate) const ATTACHMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Largest export uploaded for an import; more is answered with 413.
pub(crate) const IMPORT_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// A request that is not an upload, a download or a live connection is given up with 503 after this time.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Rendered pages kept in memory, counted in bytes of all their encodings; the least used go first.
pub(crate) const PAGE_CACHE_BYTES_MAX: u64 = 48 * 1024 * 1024;
/// A rendered page is kept at most this long, whatever its stamps say.
pub(crate) const PAGE_CACHE_AGE_MAX: Duration = Duration::from_secs(3600);
/// Children of one branch of the page tree sent at once; the rest is behind a link.
pub(crate) const TREE_CHILDREN_MAX: usize = 500;
/// Results on one page of search, history, or any other list.
pub(crate) const LIST_ROWS: usize = 25;
/// Results that a program may ask for at once.
pub(crate) const API_ROWS_MAX: usize = 100;
/// A session cookie lives this long in the browser.
pub(crate) const SESSION_COOKIE_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Bodies smaller than this are not compressed.
pub(crate) const COMPRESS_BYTES_MIN: usize = 860;

/// Connections open at once; a further one is answered with 503 and closed.
pub(crate) const CONNECTIONS_MAX: usize = 100_000;
/// A connection that has not brought the head of a first request by then is closed.
pub(crate) const HTTP_FIRST_REQUEST: Duration = Duration::from_secs(15);
/// A connection that brings no further head of a request for so long after an answer is closed; longer than proxies keep theirs.
pub(crate) const HTTP_IDLE: Duration = Duration::from_secs(75);
/// Bytes of the head of a request; more is answered with 431.
pub(crate) const HTTP_HEAD_BYTES_MAX: usize = 64 << 10;
/// Requests that one HTTP/2 connection may have at once; more wait at the client.
pub(crate) const HTTP2_STREAMS_MAX: u32 = 250;
/// How often the peer of an HTTP/2 connection must show that it is there.
pub(crate) const HTTP2_PING: Duration = Duration::from_secs(30);
/// How long it may take to answer; then the connection is closed.
pub(crate) const HTTP2_PONG: Duration = Duration::from_secs(20);
/// Pause before the next connection is taken when the system has none to give (no file descriptors).
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pause between two lines in the log about that.
pub(crate) const COMPLAINTS: Duration = Duration::from_secs(10);
/// How long a refused connection has to take its refusal.
pub(crate) const REFUSAL: Duration = Duration::from_secs(2);

/// Largest frame of a live connection; a larger one ends it.
pub(crate) const LIVE_FRAME_BYTES_MAX: usize = (4 << 20) + (64 << 10);
/// Memory of a Yjs client's connection for reading; larger frames get theirs for as long as they need it.
pub(crate) const LIVE_READ_BUFFER_BYTES: usize = 4 << 10;
/// Bytes gathered before a Yjs client's connection writes to its socket.
pub(crate) const LIVE_WRITE_BUFFER_BYTES: usize = 4 << 10;
/// Bytes read from a live connection at once; of larger frames, as much as there is.
pub(crate) const LIVE_READ_BYTES: usize = 4 << 10;
/// Pieces written to a live connection with one system call.
pub(crate) const LIVE_WRITE_SLICES: usize = 32;
/// Bytes written at once where pieces cannot be.
pub(crate) const LIVE_WRITE_BYTES: usize = 16 << 10;
/// Answers to pings that may wait to be written.
pub(crate) const LIVE_PONGS_MAX: usize = 16;
/// A live connection that has not said HELLO by then is ended.
pub(crate) const LIVE_HELLO: Duration = Duration::from_secs(10);
/// A live connection from which nothing came for so long is ended.
pub(crate) const LIVE_SILENCE: Duration = Duration::from_secs(60);
/// A live connection that takes nothing for so long is ended.
pub(crate) const LIVE_STALL: Duration = Duration::from_secs(45);
/// How long the end of a live connection may take.
pub(crate) const LIVE_CLOSE: Duration = Duration::from_secs(3);
/// The shortest time after which a connection that was ended for now comes back; 2 ms more for each that is here.
pub(crate) const LIVE_RETRY: Duration = Duration::from_millis(500);
/// The longest such time.
pub(crate) const LIVE_RETRY_MAX: Duration = Duration::from_secs(30);

/// A session over plain HTTP ends when no request has carried its frames down for so long.
pub(crate) const LIVE_SESSION_LIFE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 40 });
/// Sessions at once in this process; a further one is refused with 503.
pub(crate) const LIVE_SESSIONS_MAX: usize = 20_000;
/// Sessions at once of one account; a further one is refused with 429.
pub(crate) const LIVE_SESSIONS_PER_USER: usize = if cfg!(test) { 3 } else { 128 };
/// Sessions at once from one network address without an account; a further one is refused with 429.
pub(crate) const LIVE_SESSIONS_PER_ADDRESS: usize = 1_024;
/// Frames of a session that wait for its task; its requests wait beyond it.
pub(crate) const LIVE_SESSION_INBOX: usize = 16;
/// Bytes of frames in one request; more is answered with 413.
pub(crate) const LIVE_BODY_BYTES_MAX: usize = 8 << 20;
/// Frames in one request; more end the session.
pub(crate) const LIVE_BODY_FRAMES_MAX: usize = 4_096;
/// Echoes before HELLO that the client has not confirmed; one more ends the session.
pub(crate) const LIVE_ECHOES_MAX: usize = 256;
/// How long the body of such a request may take; then it is answered with 408.
pub(crate) const LIVE_BODY: Duration = Duration::from_secs(30);
/// The longest time for which a long poll waits for frames.
pub(crate) const LIVE_POLL_WAIT_MAX: Duration = Duration::from_secs(25);
/// Something goes down an event stream at least this often.
pub(crate) const LIVE_STREAM_HEARTBEAT: Duration = Duration::from_secs(15);
/// Bytes at the beginning of an event stream that carry nothing.
pub(crate) const LIVE_PAD_BYTES: usize = 2 << 10;

/// Messages that a Yjs client may send per second, on average; beyond it its socket is read more slowly.
pub(crate) const YJS_MESSAGES_PER_SECOND: f64 = 500.0;
/// Messages that it may send at once after a pause.
pub(crate) const YJS_MESSAGES_BURST: f64 = 2_000.0;
/// The same in bytes.
pub(crate) const YJS_BYTES_PER_SECOND: f64 = 2_097_152.0;
/// Bytes at once after a pause.
pub(crate) const YJS_BYTES_BURST: f64 = 33_554_432.0;
/// Documents on one Hocuspocus socket; one more ends it.
pub(crate) const HOCUSPOCUS_DOCUMENTS_MAX: usize = 100;
/// Messages of a Hocuspocus socket that wait for tokens; more end it.
pub(crate) const HOCUSPOCUS_WAITING_MAX: usize = 1_000;
/// The same in bytes.
pub(crate) const HOCUSPOCUS_WAITING_BYTES_MAX: usize = 5 << 20;
/// Frames between the rooms and one Hocuspocus socket.
pub(crate) const HOCUSPOCUS_FRAMES_MAX: usize = 32;

/// The other process's heartbeat must come within this time, else it counts as down.
pub(crate) const SYNC_HEARTBEAT: Duration = Duration::from_secs(1);
/// Whether it is down is asked anew after this.
pub(crate) const SYNC_ASKED_AGAIN: Duration = Duration::from_secs(2);
/// How long the other process may take to say how it is.
pub(crate) const SYNC_STATE: Duration = Duration::from_secs(3);
/// Bytes of that answer; a longer one counts as none.
pub(crate) const SYNC_STATE_BYTES_MAX: usize = 16 << 20;
/// How long the token is good with which the wiki asks, in seconds.
pub(crate) const SYNC_TOKEN_S: u64 = 60;
/// Bytes of the reason with which a live connection ends; the rest is left out.
pub(crate) const LIVE_REASON_BYTES_MAX: usize = 123;
/// How long the token that a page gets for its live connection is good.
pub(crate) const LIVE_TOKEN_VALID: Duration = Duration::from_secs(3600);
/// Logs of which an administrator is told besides those of open pages: the largest.
pub(crate) const LARGEST_LOGS: usize = 50;

/// Tests of the path to a browser that run at once; a further one is refused with 429.
pub(crate) const PROBES_MAX: usize = 32;
/// The longest time that such a test takes.
pub(crate) const PROBE_TIME_MAX: Duration = Duration::from_secs(60);
/// Events of one test stream.
pub(crate) const PROBE_EVENTS_MAX: u64 = 100;
/// The longest pause between them.
pub(crate) const PROBE_PAUSE_MAX: Duration = Duration::from_secs(10);
/// Bytes of padding in each of them.
pub(crate) const PROBE_PADDING_MAX: usize = 64 << 10;
/// Bytes of one message to a test socket.
pub(crate) const PROBE_MESSAGE_BYTES_MAX: usize = 64 << 10;
