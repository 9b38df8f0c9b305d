//! What an administrator decides about editing together, and what follows from it.

use std::net::{IpAddr, Ipv4Addr};

/// Which part of the program a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in one process.
    All,
    /// Pages and jobs; live connections are passed on to the process that has the role `sync`.
    Wiki,
    /// Live connections only.
    Sync,
}

impl Role {
    /// The name that settings use.
    pub fn name(self) -> &'static str {
        match self {
            Role::All => "all",
            Role::Wiki => "wiki",
            Role::Sync => "sync",
        }
    }
}

/// Whether browsers reach the sync engine through the wiki's own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncProxy {
    /// Where the direct path fails.
    Auto,
    /// Always, and only so.
    On,
    /// Never: the path is 404 and no browser tries it.
    Off,
}

impl SyncProxy {
    /// The name that settings use.
    pub fn name(self) -> &'static str {
        match self {
            SyncProxy::Auto => "auto",
            SyncProxy::On => "on",
            SyncProxy::Off => "off",
        }
    }
}

/// A way in which frames travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Server-sent events down, POST up.
    EventStream,
    /// Long poll.
    LongPoll,
}

impl Transport {
    /// All, the best first.
    pub const ALL: [Transport; 3] = [
        Transport::WebSocket,
        Transport::EventStream,
        Transport::LongPoll,
    ];

    /// The name that settings, browsers and metrics use.
    pub fn name(self) -> &'static str {
        match self {
            Transport::WebSocket => "websocket",
            Transport::EventStream => "event-stream",
            Transport::LongPoll => "long-poll",
        }
    }
}

/// Everything about editing together that an administrator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncSettings {
    /// Which part of the program this process is.
    pub role: Role,
    /// Where the role `sync` listens.
    pub port: u16,
    /// The address of this machine on which the role `sync` listens.
    pub bind: IpAddr,
    /// Where the addresses of the sync engine begin: `/synchrony`.
    pub context_path: String,
    /// What browsers use for the direct path; `None`: `{public_url}{context_path}/v1`.
    pub service_url: Option<String>,
    /// Where the wiki reaches the sync engine, with the context path: `http://127.0.0.1:8091/synchrony`.
    pub internal_url: String,
    /// Whether browsers reach it through the wiki.
    pub proxy: SyncProxy,
    /// The ways that browsers may use, the best first.
    pub transports: Vec<Transport>,
    /// How often a connection without traffic is heard of, at most 25.
    pub heartbeat_seconds: u64,
    /// People who may write at once on one page; more watch live and may ask to write. 0: no limit.
    pub writers_max: usize,
    /// Namespaces in which other applications may have documents.
    pub open_namespaces: Vec<String>,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            role: Role::All,
            port: 8091,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            context_path: "/synchrony".to_owned(),
            service_url: None,
            internal_url: "http://127.0.0.1:8091/synchrony".to_owned(),
            proxy: SyncProxy::Auto,
            transports: Transport::ALL.to_vec(),
            heartbeat_seconds: 20,
            writers_max: 0,
            open_namespaces: Vec::new(),
        }
    }
}

impl SyncSettings {
    /// The direct path of browsers, ending in `/v1`.
    pub fn service_url(&self, public_url: &str) -> String {
        let own = || format!("{public_url}{}/v1", self.context_path);
        self.service_url.clone().unwrap_or_else(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_use_the_public_address_unless_another_is_set() {
        let mut settings = SyncSettings::default();
        let url = settings.service_url("https://wiki.example.org");
        assert_eq!(url, "https://wiki.example.org/synchrony/v1");
        settings.service_url = Some("https://sync.example.org/s/v1".to_owned());
        let url = settings.service_url("https://wiki.example.org");
        assert_eq!(url, "https://sync.example.org/s/v1");
    }
}
