//! The settings of editing together: what each takes, and what they must be like together.

use std::net::IpAddr;

use storage::DatabaseUrl;
use web::{Role, SyncProxy, SyncSettings, Transport};

use super::mistake::Mistake;
use super::settings::{Kind, Layered, Setting};

/// Their keys. All but the role begin with `sync.`.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "role",
        takes: "all (one process), wiki or sync (two processes over one PostgreSQL)",
        kind: Kind::Text,
    },
    Setting {
        key: "sync.port",
        takes: "a port, such as `8091`",
        kind: Kind::Number,
    },
    Setting {
        key: "sync.bind",
        takes: "an address of this machine without a port, such as `127.0.0.1` or `::`",
        kind: Kind::Text,
    },
    Setting {
        key: "sync.context_path",
        takes: "a path that begins with `/` and does not end with it, such as `/synchrony`",
        kind: Kind::Text,
    },
    Setting {
        key: "sync.service_url",
        takes: "the address that browsers use, ending with `/v1`, such as `https://wiki.example.org/synchrony/v1`",
        kind: Kind::Text,
    },
    Setting {
        key: "sync.internal_url",
        takes: "http:// with host, port and context path, without `/v1`, such as `http://127.0.0.1:8091/synchrony`",
        kind: Kind::Text,
    },
    Setting {
        key: "sync.proxy",
        takes: "auto (where the direct path fails), on (always) or off (never)",
        kind: Kind::Text,
    },
    Setting {
        key: "sync.transports",
        takes: "a list of websocket, event-stream and long-poll, the best first",
        kind: Kind::List,
    },
    Setting {
        key: "sync.heartbeat_seconds",
        takes: "a whole number from 1 to 25: proxies cut what is silent for 30 seconds",
        kind: Kind::Number,
    },
    Setting {
        key: "sync.writers_max",
        takes: "a whole number; 0 is no limit",
        kind: Kind::Number,
    },
    Setting {
        key: "sync.open_namespaces",
        takes: "a list of names of lower-case letters, digits and hyphens, each at most 64 long",
        kind: Kind::List,
    },
];

/// The longest silence that common proxies bear is 30 seconds.
const HEARTBEAT_MAX: u64 = 25;

/// The longest name of a namespace.
const NAMESPACE_CHARS_MAX: usize = 64;

/// Reads the settings out of the layers.
pub(super) fn read(layered: &mut Layered, database: &DatabaseUrl) -> SyncSettings {
    let usual = SyncSettings::default();
    let mut sync = SyncSettings {
        role: layered.read("role", role).unwrap_or(usual.role),
        port: layered.read("sync.port", number).unwrap_or(usual.port),
        bind: layered.read("sync.bind", bind).unwrap_or(usual.bind),
        context_path: layered
            .read("sync.context_path", context_path)
            .unwrap_or(usual.context_path),
        service_url: layered.read("sync.service_url", service_url),
        internal_url: String::new(),
        proxy: layered.read("sync.proxy", proxy).unwrap_or(usual.proxy),
        transports: layered
            .read("sync.transports", transports)
            .unwrap_or(usual.transports),
        heartbeat_seconds: layered
            .read("sync.heartbeat_seconds", heartbeat)
            .unwrap_or(usual.heartbeat_seconds),
        writers_max: layered
            .read("sync.writers_max", number)
            .unwrap_or(usual.writers_max),
        open_namespaces: layered
            .read("sync.open_namespaces", namespaces)
            .unwrap_or_default(),
    };
    sync.internal_url = layered
        .read("sync.internal_url", internal_url)
        .unwrap_or_else(|| beside(&sync));
    if sync.role != Role::All && matches!(database, DatabaseUrl::Sqlite(_)) {
        layered.add_mistake("role", |key, origin| Mistake::Together {
            key,
            origin,
            reason: "two processes need PostgreSQL; set `database` to `postgres://USER:PASSWORD@HOST:PORT/NAME`, or leave `role` out",
        });
    }
    sync
}

/// A setting as people write it.
pub(super) fn shown(sync: &SyncSettings, public_url: &str, key: &str) -> String {
    match key {
        "role" => match sync.role {
            Role::All => "all".to_owned(),
            Role::Wiki => "wiki".to_owned(),
            Role::Sync => "sync".to_owned(),
        },
        "sync.port" => sync.port.to_string(),
        "sync.bind" => sync.bind.to_string(),
        "sync.context_path" => sync.context_path.clone(),
        "sync.service_url" => sync.service_url(public_url),
        "sync.internal_url" => sync.internal_url.clone(),
        "sync.proxy" => match sync.proxy {
            SyncProxy::Auto => "auto".to_owned(),
            SyncProxy::On => "on".to_owned(),
            SyncProxy::Off => "off".to_owned(),
        },
        "sync.transports" => sync
            .transports
            .iter()
            .map(|it| it.name())
            .collect::<Vec<_>>()
            .join(", "),
        "sync.heartbeat_seconds" => sync.heartbeat_seconds.to_string(),
        "sync.writers_max" => sync.writers_max.to_string(),
        _ => sync.open_namespaces.join(", "),
    }
}

/// Where the sync engine is when it runs on this machine with these settings.
fn beside(sync: &SyncSettings) -> String {
    let host = match sync.bind {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!("http://{host}:{}{}", sync.port, sync.context_path)
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "all" => Ok(Role::All),
        "wiki" => Ok(Role::Wiki),
        "sync" => Ok(Role::Sync),
        _ => Err(String::new()),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| String::new())
}

fn bind(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        _ => text.parse().map_err(|_| String::new()),
    }
}

fn is_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~');
    text.strip_prefix('/').is_some_and(|rest| {
        rest.split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && part.chars().all(plain))
    })
}

fn context_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("it must begin with `/`".to_owned());
    }
    if text == "/synchrony-proxy" {
        return Err("that is the address of the internal proxy".to_owned());
    }
    if is_path(text) {
        Ok(text.to_owned())
    } else {
        Err(String::new())
    }
}

/// Scheme left out; whether what follows is a host with an optional port and the rest a path.
fn is_host_and_path(text: &str) -> bool {
    let (host, path) = text.find('/').map_or((text, ""), |at| text.split_at(at));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !host.is_empty() && host.chars().all(plain) && (path.is_empty() || is_path(path))
}

fn service_url(text: &str) -> Result<String, String> {
    let address = text.trim_end_matches('/');
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .ok_or_else(String::new)?;
    if !rest.ends_with("/v1") {
        return Err("`/v1` is missing at the end".to_owned());
    }
    if is_host_and_path(rest) {
        Ok(address.to_owned())
    } else {
        Err(String::new())
    }
}

fn internal_url(text: &str) -> Result<String, String> {
    let address = text.trim_end_matches('/');
    let rest = address.strip_prefix("http://").ok_or_else(String::new)?;
    if rest.ends_with("/v1") {
        return Err("`/v1` is one too many".to_owned());
    }
    if is_host_and_path(rest) {
        Ok(address.to_owned())
    } else {
        Err(String::new())
    }
}

fn proxy(text: &str) -> Result<SyncProxy, String> {
    match text {
        "auto" => Ok(SyncProxy::Auto),
        "on" => Ok(SyncProxy::On),
        "off" => Ok(SyncProxy::Off),
        _ => Err(String::new()),
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn transports(text: &str) -> Result<Vec<Transport>, String> {
    let mut found = Vec::new();
    for item in items(text) {
        let named = Transport::ALL.into_iter().find(|it| it.name() == item);
        let transport = named.ok_or_else(|| format!("`{item}` is no transport"))?;
        if !found.contains(&transport) {
            found.push(transport);
        }
    }
    if found.is_empty() {
        return Err("nobody could edit".to_owned());
    }
    Ok(found)
}

fn heartbeat(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(seconds) if (1..=HEARTBEAT_MAX).contains(&seconds) => Ok(seconds),
        _ => Err(String::new()),
    }
}

fn namespaces(text: &str) -> Result<Vec<String>, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    items(text)
        .map(|item| {
            if item.len() <= NAMESPACE_CHARS_MAX && item.chars().all(plain) {
                Ok(item.to_owned())
            } else {
                Err(format!("`{item}` is no namespace"))
            }
        })
        .collect()
}
