//! Every setting: its key, its default, what it takes.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use serde::Serialize;
use storage::DatabaseUrl;

use super::file::{self, Written};
use super::mistake::{Mistake, meant};
use super::{Config, LogFormat, Mistakes, sync};

/// Variables of the environment that are settings begin with this.
pub(super) const ENVIRONMENT: &str = "WATERSMEET_";

/// The file that is read when none is named.
const FILE: &str = "watersmeet.toml";

/// One setting.
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) takes: &'static str,
    pub(super) kind: Kind,
}

/// How a value may be written in the file; a string will do for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    List,
}

/// Tables of the file that hold settings.
const SECTIONS: &[&str] = &["sync"];

const SITE_SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        takes: "the path of a directory",
        kind: Kind::Text,
    },
    Setting {
        key: "database",
        takes: "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`",
        kind: Kind::Text,
    },
    Setting {
        key: "listen",
        takes: "ADDRESS:PORT, such as `127.0.0.1:8090` or `[::]:8090`",
        kind: Kind::Text,
    },
    Setting {
        key: "public_url",
        takes: "http:// or https:// with a host and nothing after it, such as `https://wiki.example.org`",
        kind: Kind::Text,
    },
    Setting {
        key: "log",
        takes: "error, warn, info, debug or trace, or a list such as `info,wiki=debug`",
        kind: Kind::Text,
    },
    Setting {
        key: "log_format",
        takes: "text or json",
        kind: Kind::Text,
    },
];

/// Every setting, in the order in which they are shown.
fn all() -> impl Iterator<Item = &'static Setting> {
    SITE_SETTINGS.iter().chain(sync::SETTINGS)
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    File { path: String, line: usize },
    Environment(String),
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::File { path, line } => write!(f, "{path}, line {line}"),
            Origin::Environment(name) | Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// One setting as people may see it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(crate) struct Effective {
    /// Its key.
    pub(crate) key: &'static str,
    /// Its value; secrets are masked.
    pub(crate) value: String,
    /// `default`, or the file, variable or flag that says so.
    pub(crate) source: String,
}

/// Layers, laid over each other from the bottom up.
#[derive(Default)]
pub(super) struct Layered {
    values: BTreeMap<&'static str, (String, Origin)>,
    mistakes: Vec<Mistake>,
}

impl Layered {
    /// Lays a value over what is there. The key must be a setting.
    pub(super) fn set(&mut self, key: &'static str, value: String, origin: Origin) {
        self.values.insert(key, (value, origin));
    }

    /// Reads the file that was named by flag or environment, or the usual one if it exists.
    pub(super) fn add_file(&mut self, named: Option<&Path>, environment: &[(String, String)]) {
        let from_environment = environment
            .iter()
            .find(|(name, _)| name == "WATERSMEET_CONFIG")
            .map(|(_, value)| PathBuf::from(value));
        let usual = Path::new(FILE);
        let path = match named.map(Path::to_owned).or(from_environment) {
            Some(path) => path,
            None if usual.exists() => usual.to_owned(),
            None => return,
        };
        let shown = path.display().to_string();
        match file::read(&path, SECTIONS) {
            Ok(entries) => {
                for entry in entries {
                    self.add_entry(&shown, entry);
                }
            }
            Err(reason) => self.mistakes.push(Mistake::File {
                path: shown,
                reason,
            }),
        }
    }

    fn add_entry(&mut self, path: &str, entry: file::Entry) {
        let origin = Origin::File {
            path: path.to_owned(),
            line: entry.line,
        };
        let Some(setting) = find(&entry.key) else {
            let meant = meant(&entry.key, all().map(|it| it.key)).map(str::to_owned);
            self.mistakes.push(Mistake::Unknown {
                key: entry.key,
                origin: origin.to_string(),
                meant,
            });
            return;
        };
        match (entry.value, setting.kind) {
            (Written::Text(value), _) | (Written::Number(value), Kind::Number) => {
                self.set(setting.key, value, origin);
            }
            (Written::List(items), Kind::List) => self.set(setting.key, items.join(","), origin),
            _ => self.mistakes.push(Mistake::Value {
                key: entry.key,
                origin: origin.to_string(),
                got: entry.got,
                takes: setting.takes,
            }),
        }
    }

    /// A variable that is no setting is a mistake only when it looks like a slip: others may use the prefix too.
    pub(super) fn add_environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment {
            let key = name.trim_start_matches(ENVIRONMENT).to_lowercase();
            match all().find(|setting| variable(setting.key) == key) {
                Some(setting) => {
                    self.set(
                        setting.key,
                        value.clone(),
                        Origin::Environment(name.clone()),
                    );
                }
                None if key == "config" => {}
                None => {
                    let names: Vec<String> = all().map(|it| variable(it.key)).collect();
                    if let Some(meant) = meant(&key, names.iter().map(String::as_str)) {
                        self.mistakes.push(Mistake::Unknown {
                            key: key.clone(),
                            origin: name.clone(),
                            meant: Some(format!("{ENVIRONMENT}{}", meant.to_uppercase())),
                        });
                    }
                }
            }
        }
    }

    /// Reads the values; every one that cannot be read is a mistake.
    pub(super) fn finish(mut self) -> Result<Config, Mistakes> {
        let data = self
            .read("data", directory)
            .unwrap_or_else(|| PathBuf::from("data"));
        let database = self
            .read("database", |text| {
                text.parse::<DatabaseUrl>()
                    .map_err(|error| error.to_string())
            })
            .unwrap_or_else(|| DatabaseUrl::Sqlite(data.join("watersmeet.sqlite")));
        let listen = self
            .read("listen", address)
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8090)));
        let public_url = self.read("public_url", public_url);
        let log = self
            .read("log", filter)
            .unwrap_or_else(|| "info".to_owned());
        let log_format = self
            .read("log_format", log_format)
            .unwrap_or(LogFormat::Text);
        let sync = sync::read(&mut self, &database);
        if !self.mistakes.is_empty() {
            return Err(Mistakes(self.mistakes));
        }
        let address = public_url
            .clone()
            .unwrap_or_else(|| format!("http://{listen}"));
        let shown = |key: &str| match key {
            "data" => data.display().to_string(),
            "database" => database.to_string(),
            "listen" => listen.to_string(),
            "public_url" => address.clone(),
            "log" => log.clone(),
            "log_format" => match log_format {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            },
            key => sync::shown(&sync, &address, key),
        };
        let effective = all()
            .map(|setting| Effective {
                key: setting.key,
                value: shown(setting.key),
                source: self
                    .values
                    .get(setting.key)
                    .map_or("default".to_owned(), |(_, origin)| origin.to_string()),
            })
            .collect();
        Ok(Config {
            data,
            database,
            listen,
            public_url,
            log,
            log_format,
            sync,
            effective,
        })
    }

    /// Notes that a value does not go with the others, if anybody has set it.
    pub(super) fn add_mistake(
        &mut self,
        key: &'static str,
        mistake: impl FnOnce(String, String) -> Mistake,
    ) {
        let origin = self.values.get(key).map(|(_, origin)| origin.to_string());
        self.mistakes
            .push(mistake(key.to_owned(), origin.unwrap_or_default()));
    }

    /// Reads one value, if anybody has set it; what cannot be read is a mistake.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (value, origin) = self.values.get(key)?;
        match parse(value) {
            Ok(value) => Some(value),
            Err(reason) => {
                let masked = if key == "database" {
                    masked(value)
                } else {
                    value.clone()
                };
                let because = if reason.is_empty() {
                    String::new()
                } else {
                    format!(" ({reason})")
                };
                self.mistakes.push(Mistake::Value {
                    key: key.to_owned(),
                    origin: origin.to_string(),
                    got: format!("`{masked}`{because}"),
                    takes: find(key).map_or("", |setting| setting.takes),
                });
                None
            }
        }
    }
}

fn find(key: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.key == key)
}

/// The name of a key in the environment, without what all begin with and in lower case.
fn variable(key: &str) -> String {
    key.replace('.', "_")
}

/// A database address that cannot be read may hold a password anywhere; only its beginning is shown.
fn masked(address: &str) -> String {
    match address.split_once(':') {
        Some((scheme, rest)) if rest.contains('@') => format!("{scheme}:***"),
        _ => address.to_owned(),
    }
}

fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err(String::new());
    }
    Ok(PathBuf::from(text))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text.strip_prefix("localhost:").ok_or_else(String::new)?;
    let port: u16 = port.parse().map_err(|_| String::new())?;
    ("127.0.0.1", port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(String::new)
}

fn public_url(text: &str) -> Result<String, String> {
    let address = text.trim_end_matches('/');
    let host = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .ok_or_else(String::new)?;
    let is_host = !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
    if is_host {
        Ok(address.to_owned())
    } else {
        Err(String::new())
    }
}

fn filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(String::new()),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(String::new()),
    }
}
