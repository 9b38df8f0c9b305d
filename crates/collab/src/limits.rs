//! Every bound of the engine, by name. What happens at each is said in `docs/spec/collab.md`.
//! Some are small in unit tests, so that the simulation reaches them.

/// Largest number on the wire: what a JavaScript number holds exactly.
pub(crate) const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Bytes of one update.
pub(crate) const UPDATE_BYTES_MAX: usize = 4 << 20;
/// Bytes of one frame from a client: an update and what surrounds it.
pub(crate) const FRAME_BYTES_MAX: usize = UPDATE_BYTES_MAX + (64 << 10);
/// Bytes of a document's name.
pub(crate) const DOCUMENT_NAME_BYTES_MAX: usize = 200;
/// Leases that one HELLO may name.
pub(crate) const HELLO_LEASES_MAX: usize = 64;
/// Bytes of a lease's proof.
pub(crate) const PROOF_BYTES: usize = 16;
/// Client ids below this one are for writes by the server itself; leases are above.
pub(crate) const SERVER_CLIENT_IDS: u64 = 1 << 31;
/// Updates in one PUSH.
pub(crate) const PUSH_UPDATES_MAX: usize = 1_024;
/// Bytes of a token in AUTH.
pub(crate) const TOKEN_BYTES_MAX: usize = 4 << 10;
/// Bytes of a snapshot that one frame may carry.
pub(crate) const SNAPSHOT_PART_BYTES_MAX: usize = 64 << 10;
/// Bytes of a snapshot that this engine puts into one frame.
pub(crate) const SNAPSHOT_PART_BYTES: usize = if cfg!(test) {
    128
} else {
    SNAPSHOT_PART_BYTES_MAX
};
/// Bytes of one presence blob.
pub(crate) const PRESENCE_BYTES_MAX: usize = 1_024;

/// Client sections in one update, and client sections in its delete set.
pub(crate) const SCAN_CLIENTS_MAX: u64 = 1_024;
/// Client sections in a snapshot that the server made itself.
pub(crate) const SNAPSHOT_CLIENTS_MAX: u64 = 1_000_000;
/// Structs in one update.
pub(crate) const SCAN_STRUCTS_MAX: u64 = 200_000;
/// Structs in a snapshot.
pub(crate) const SNAPSHOT_STRUCTS_MAX: u64 = 20_000_000;
/// Delete ranges in one update.
pub(crate) const SCAN_DELETES_MAX: u64 = 200_000;
/// Depth of one JSON-like value.
pub(crate) const SCAN_DEPTH_MAX: usize = 32;
/// Bytes of one JSON-like value.
pub(crate) const SCAN_VALUE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a root name, an element name or an attribute name.
pub(crate) const SCAN_NAME_BYTES_MAX: usize = 1_024;
/// Highest clock: libraries disagree beyond 31 bits.
pub(crate) const SCAN_CLOCK_MAX: u64 = (1 << 31) - 1;

/// Bytes of snapshot and tail of one document.
pub(crate) const DOCUMENT_BYTES_MAX: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };
/// Unanswered batches of one connection.
pub(crate) const BATCHES_IN_FLIGHT_MAX: usize = 64;
/// Batches that one connection may send per second, on average.
pub(crate) const BATCHES_PER_SECOND: u64 = 2_000;
/// Batches that it may send at once after a pause.
pub(crate) const BATCHES_BURST: u64 = 10_000;
/// Bytes that one connection may push per second, on average.
pub(crate) const PUSH_BYTES_PER_SECOND: u64 = 2 << 20;
/// Bytes that it may push at once after a pause.
pub(crate) const PUSH_BYTES_BURST: u64 = 32 << 20;
/// Bytes of batches that wait in a room while its append runs; beyond it, NACK 7.
pub(crate) const WAITING_BYTES_MAX: usize = 32 << 20;

/// Bytes given to a connection that it has not written yet, before the room waits for it.
pub(crate) const WINDOW_BYTES: usize = if cfg!(test) { 600 } else { 256 << 10 };
/// Bytes of one BATCH frame made for a connection that lags.
pub(crate) const CATCH_UP_BYTES: usize = if cfg!(test) { 200 } else { 128 << 10 };
/// Bytes of one block of packed updates.
pub(crate) const TAIL_BLOCK_BYTES: usize = if cfg!(test) { 2 << 10 } else { 16 << 10 };
/// Bytes of encoded frames that a room keeps to share them with those who lag; the newest is kept whatever its size.
pub(crate) const RING_BYTES_MAX: usize = 512 << 10;
/// Encoded frames that a room keeps to share them.
pub(crate) const RING_FRAMES_MAX: usize = if cfg!(test) { 4 } else { 64 };
/// Answers kept for a connection that lags; beyond it, the connection is ended with 1013.
pub(crate) const ANSWERS_MAX: usize = 256;
/// A connection that takes nothing for so long is ended with 1013.
pub(crate) const STALL_MS: u64 = 30_000;
/// Joins that are under way at a time in an engine: not given their whole document yet.
pub(crate) const JOINS_UNDER_WAY_MAX: usize = if cfg!(test) { 8 } else { 256 };
/// Bytes of snapshots for joins under way; a larger one goes alone.
pub(crate) const SNAPSHOT_BYTES_UNDER_WAY_MAX: usize = 256 << 20;
/// Joins that wait for their turn; beyond it, 1013 with a time to come back.
pub(crate) const JOINS_QUEUED_MAX: usize = if cfg!(test) { 40 } else { 4_096 };
/// How long a join waits for its turn before it is asked to come back.
pub(crate) const JOIN_WAIT_MS: u64 = 8_000;
/// A join that takes longer is slow by itself, and makes place for others.
pub(crate) const JOIN_SLOW_MS: u64 = 5_000;
/// How many joins a second are counted on when people are asked to come back.
pub(crate) const JOINS_PER_SECOND: u64 = 500;
/// Shortest time to come back after, before jitter.
pub(crate) const RETRY_AFTER_MS: u64 = 1_000;
/// Longest such time.
pub(crate) const RETRY_AFTER_MAX_MS: u64 = 60_000;
/// Connections of one room that may wait for its first load.
pub(crate) const JOINS_WAITING_MAX: usize = 20_000;

/// Up to so many people, edits and presence go out at once.
pub(crate) const FEW_PEOPLE: usize = if cfg!(test) { 4 } else { 12 };
/// Longest pause between two broadcasts, among very many people.
pub(crate) const TICK_MS: u64 = 30;
/// Among fewer, the pause is a millisecond for so many of them.
pub(crate) const PEOPLE_PER_TICK_MS: u64 = 6;
/// Pause between two presence frames among many people.
pub(crate) const PRESENCE_TICK_MS: u64 = 50;
/// One connection changes its presence at most so often; of what comes faster the newest counts.
pub(crate) const PRESENCE_EVERY_MS: u64 = 20;
/// Departures kept for those who were not told of them yet.
pub(crate) const DEPARTED_MAX: usize = 10_000;
/// More than so many are very many.
pub(crate) const MANY_PEOPLE: usize = 150;
/// Pause between two presence frames among very many people.
pub(crate) const PRESENCE_SLOW_TICK_MS: u64 = 100;

/// Presence frames of one tick that a room keeps to share them: readers lag differently.
pub(crate) const PRESENCE_FRAMES_MAX: usize = 16;

/// While somebody asks to write, a writer without an edit for so long makes way.
pub(crate) const HAND_OVER_MS: u64 = 120_000;
/// Writers are told of the same person's wish at most so often.
pub(crate) const ASK_AGAIN_MS: u64 = 10_000;

/// A room without connections is folded and dropped after so long.
pub(crate) const IDLE_MS: u64 = 5_000;
/// Pause before a room asks a failed log again.
pub(crate) const RELOAD_PAUSE_MS: u64 = 250;
/// Longest such pause.
pub(crate) const RELOAD_PAUSE_MAX_MS: u64 = 5_000;
/// Smallest tail that is folded while people edit; also a quarter of the snapshot.
pub(crate) const FOLD_TAIL_BYTES: usize = 256 << 10;
/// So many rows in the tail are folded in any case.
pub(crate) const FOLD_TAIL_ROWS: usize = if cfg!(test) { 40 } else { 5_000 };
/// Pause before a room folds again, so that a rush of edits is folded a few times only.
pub(crate) const FOLD_PAUSE_MS: u64 = if cfg!(test) { 0 } else { 5_000 };
/// Pause before a failed fold is tried again.
pub(crate) const FOLD_RETRY_MS: u64 = 60_000;

/// Stack of a hydration thread: yrs decodes nested values by recursion.
pub(crate) const HYDRATE_STACK_BYTES: usize = 64 << 20;
/// Hydrations that run at the same time.
pub(crate) const HYDRATIONS_MAX: usize = 2;

/// Encoded bytes of a document times this is what its hydration is taken to need: a CRDT instance and its outcome.
pub(crate) const HYDRATE_CHARGE: usize = 14;
/// The least that a hydration is taken to need.
pub(crate) const HYDRATE_CHARGE_BYTES_MIN: usize = 1 << 20;
/// Bytes that hydrations under way may be taken to need together; others wait. The largest document runs alone.
pub(crate) const HYDRATE_CHARGE_BYTES_MAX: usize = 768 << 20;
/// A hydration that takes longer is an error for who waits for it; its outcome is thrown away.
pub(crate) const HYDRATE_MS: u64 = if cfg!(test) { 3_000 } else { 60_000 };

/// Events that a room takes before it does what follows from them.
pub(crate) const ROOM_EVENTS_MAX: usize = 256;
/// Messages that may wait for one room; senders wait beyond it.
pub(crate) const ROOM_INBOX: usize = 1_024;
/// Rows in one group commit.
pub(crate) const COMMIT_ROWS_MAX: usize = 4_096;
/// Bytes in one group commit.
pub(crate) const COMMIT_BYTES_MAX: usize = 16 << 20;
/// Group commits begin no more often than this.
pub(crate) const COMMIT_EVERY_MS: u64 = 3;
/// How often the heads of open documents are compared with the log, for changes by other processes.
pub(crate) const WATCH_MS: u64 = 1_000;
/// How long a shutdown waits for the rooms to commit what they hold.
pub(crate) const DRAIN_MS: u64 = 10_000;

/// Bytes of a token in a message of a Yjs client.
pub(crate) const YJS_TOKEN_BYTES_MAX: usize = 4 << 10;
/// Bytes of an address in a Hocuspocus frame: a document's name and a session.
pub(crate) const YJS_ADDRESS_BYTES_MAX: usize = DOCUMENT_NAME_BYTES_MAX + 65;
/// Bytes of a message that Hocuspocus clients send to each other.
pub(crate) const STATELESS_BYTES_MAX: usize = 64 << 10;
/// Bytes of one awareness message.
pub(crate) const AWARENESS_BYTES_MAX: usize = 256 << 10;
/// Entries in one awareness message.
pub(crate) const AWARENESS_ENTRIES_MAX: u64 = 4_096;
/// Bytes of one client's awareness state; a larger one is not taken over.
pub(crate) const AWARENESS_STATE_BYTES_MAX: usize = 8 << 10;
/// Departures that are kept to be told of.
pub(crate) const AWARENESS_GONE_MAX: usize = 1_024;
/// How often entries of those who are there are renewed: clients of the y-protocols drop them after 30 seconds.
pub(crate) const AWARENESS_RENEW_MS: u64 = 20_000;
/// Bytes of one place in a presence blob.
pub(crate) const CURSOR_BYTES_MAX: usize = 512;
/// Messages of a Yjs client, and their bytes, that wait for the document to be loaded.
pub(crate) const YJS_HELD_MESSAGES_MAX: usize = 1_000;
/// The same in bytes.
pub(crate) const YJS_HELD_BYTES_MAX: usize = 8 << 20;
/// How often a Yjs client is asked again for what is missing before it is sent away.
pub(crate) const YJS_RESYNCS_MAX: u32 = 8;
