//! The configuration: four layers, one result, all mistakes at once.

mod file;
mod mistake;
mod settings;
mod sync;

use std::net::SocketAddr;
use std::path::PathBuf;

use storage::DatabaseUrl;
use web::SyncSettings;

use crate::cli::PlaceArgs;
use mistake::Mistake;
use settings::{Layered, Origin};

pub(crate) use settings::Effective;

/// What is in force.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) database: DatabaseUrl,
    pub(crate) listen: SocketAddr,
    /// Without a slash at the end; `None`: where it listens.
    pub(crate) public_url: Option<String>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) sync: SyncSettings,
    /// Every setting as people may see it, with where it comes from.
    pub(crate) effective: Vec<Effective>,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Flags of `serve` that are settings too.
#[derive(Debug, Default)]
pub(crate) struct ServeFlags {
    /// Key, and value if the flag was given.
    pub(crate) given: Vec<(&'static str, Option<String>)>,
}

/// All mistakes in a configuration.
#[derive(Debug)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Config {
    /// Reads all layers. `environment` are the variables of the process.
    pub(crate) fn load(
        place: &PlaceArgs,
        serve: &ServeFlags,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, Mistakes> {
        let environment: Vec<(String, String)> = environment
            .filter(|(name, _)| name.starts_with(settings::ENVIRONMENT))
            .collect();
        let mut layered = Layered::default();
        layered.add_file(place.config.as_deref(), &environment);
        layered.add_environment(&environment);
        let of_place = [("data", &place.data), ("database", &place.database)];
        let of_serve = serve.given.iter().map(|(key, value)| (*key, value));
        for (key, value) in of_place.into_iter().chain(of_serve) {
            if let Some(value) = value {
                let flag = format!("--{}", key.replace(['_', '.'], "-"));
                layered.set(key, value.clone(), Origin::Flag(flag));
            }
        }
        layered.finish()
    }

    /// Whether the database may hold something: a server address, or a file that exists.
    pub(crate) fn has_database(&self) -> bool {
        match &self.database {
            DatabaseUrl::Sqlite(path) => path.exists(),
            DatabaseUrl::Postgres(_) => true,
        }
    }
}

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 mistake in the configuration")?,
            count => write!(f, "{count} mistakes in the configuration")?,
        }
        for mistake in &self.0 {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl Mistakes {
    /// One line for each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests;
