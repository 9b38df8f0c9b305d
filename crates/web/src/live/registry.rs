//! Every live connection of this process: who, where, by which way, how well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use wiki::Actor;

use super::entry::Way;
use crate::state::Web;

/// How the frames of a connection travel. [TRANS-10]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Carrier {
    WebSocket,
    WebSocket2,
    EventStream,
    LongPoll,
    YWebSocket,
    Hocuspocus,
}

impl Carrier {
    const ALL: [Carrier; 6] = [
        Carrier::WebSocket,
        Carrier::WebSocket2,
        Carrier::EventStream,
        Carrier::LongPoll,
        Carrier::YWebSocket,
        Carrier::Hocuspocus,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Carrier::WebSocket => "websocket",
            Carrier::WebSocket2 => "websocket-h2",
            Carrier::EventStream => "event-stream",
            Carrier::LongPoll => "long-poll",
            Carrier::YWebSocket => "y-websocket",
            Carrier::Hocuspocus => "hocuspocus",
        }
    }

    /// The transport over this version of HTTP.
    pub(crate) fn of_websocket(version: axum::http::Version) -> Carrier {
        if version >= axum::http::Version::HTTP_2 {
            Carrier::WebSocket2
        } else {
            Carrier::WebSocket
        }
    }
}

/// All live connections of a process.
#[derive(Default)]
pub(crate) struct Registry {
    next: AtomicU64,
    /// A lock around a map, held only to add, remove or copy.
    connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

/// One connection, as it is seen from outside.
pub(crate) struct Connection {
    pub(crate) way: Way,
    pub(crate) since_ms: i64,
    carrier: AtomicU8,
    pub(crate) rtt_ms: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    /// The last update that it was sent.
    pub(crate) sent_seq: AtomicU64,
    /// Unknown until HELLO.
    pub(crate) place: OnceLock<Place>,
}

/// Where a connection is, and who.
pub(crate) struct Place {
    pub(crate) document: String,
    /// Empty: not logged in.
    pub(crate) user: String,
    pub(crate) name: String,
    /// Its number in the room.
    pub(crate) connection: u64,
}

impl Connection {
    pub(crate) fn carrier(&self) -> Carrier {
        let number = usize::from(self.carrier.load(Relaxed));
        Carrier::ALL
            .get(number)
            .copied()
            .unwrap_or(Carrier::WebSocket)
    }
}

/// A connection's line in the registry; dropping it removes the line.
pub(crate) struct Listed {
    web: Web,
    id: u64,
    connection: Arc<Connection>,
}

impl Registry {
    pub(crate) fn list(&self, web: &Web, carrier: Carrier, way: Way) -> Listed {
        let id = self.next.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection {
            way,
            since_ms: web.wiki().now_ms(),
            carrier: AtomicU8::new(carrier as u8),
            rtt_ms: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            sent_seq: AtomicU64::new(0),
            place: OnceLock::new(),
        });
        self.connections().insert(id, connection.clone());
        Listed {
            web: web.clone(),
            id,
            connection,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.connections().len()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.connections().values().cloned().collect()
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections by transport and path in the Prometheus text format. [TRANS-10]
    pub(crate) fn metrics(&self) -> String {
        let mut counts: BTreeMap<(Carrier, &str), u64> = Carrier::ALL
            .map(|carrier| ((carrier, Way::Direct.name()), 0))
            .into();
        for connection in self.all() {
            let key = (connection.carrier(), connection.way.name());
            *counts.entry(key).or_default() += 1;
        }
        let mut out = String::from("# TYPE watersmeet_live_transport_connections gauge\n");
        for ((carrier, path), count) in counts {
            let _ = writeln!(
                out,
                "watersmeet_live_transport_connections{{transport=\"{}\",path=\"{path}\"}} {count}",
                carrier.name()
            );
        }
        for (direction, bytes) in [("in", &self.bytes_in), ("out", &self.bytes_out)] {
            let name = format!("watersmeet_live_bytes_{direction}_total");
            let _ = writeln!(out, "# TYPE {name} counter\n{name} {}", bytes.load(Relaxed));
        }
        out
    }
}

impl Listed {
    /// It is in a room now, and has the log up to there.
    pub(crate) fn entered(&self, document: &str, actor: &Actor, connection: u64, has: u64) {
        self.connection.sent_seq.store(has, Relaxed);
        let person = actor.person();
        let text = |of: fn(&wiki::Person) -> &str| person.map_or("", of).to_owned();
        let place = Place {
            document: document.to_owned(),
            user: text(|person| &person.name),
            name: text(|person| &person.full_name),
            connection,
        };
        // A connection serves one document; the first word counts.
        let _ = self.connection.place.set(place);
    }

    /// The transport has changed under the same connection.
    pub(crate) fn carried_by(&self, carrier: Carrier) {
        self.connection.carrier.store(carrier as u8, Relaxed);
    }

    /// What the client measured; 0 says nothing.
    pub(crate) fn round_trip(&self, rtt_ms: u64) {
        if rtt_ms > 0 {
            self.connection.rtt_ms.store(rtt_ms, Relaxed);
        }
    }

    /// So many bytes of frames came.
    pub(crate) fn heard(&self, bytes: usize) {
        self.connection.bytes_in.fetch_add(bytes as u64, Relaxed);
        let all = &self.web.registry().bytes_in;
        all.fetch_add(bytes as u64, Relaxed);
    }

    /// A frame goes to the client.
    pub(crate) fn said(&self, frame: &[u8]) {
        let bytes = frame.len() as u64;
        self.connection.bytes_out.fetch_add(bytes, Relaxed);
        self.web.registry().bytes_out.fetch_add(bytes, Relaxed);
        if let Some(seq) = super::varint::last_seq(frame) {
            self.connection.sent_seq.fetch_max(seq, Relaxed);
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.web.registry().connections().remove(&self.id);
    }
}
