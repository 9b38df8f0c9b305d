//! One file for each noun of the command line.

mod archive;
mod config;
mod document;
mod import;
mod page;
mod password;
mod serve;
mod sync;
mod token;
mod user;

use std::future::Future;

use crate::cli::{Cli, Command, PlaceArgs, ServeArgs};
use crate::config::{Config, ServeFlags};
use crate::outcome::{Failure, Output};
use crate::place::{OpenWiki, Place};

/// Runs a command.
pub(crate) fn run(arguments: Cli, output: &Output) -> Result<(), Failure> {
    let Cli { place, command } = arguments;
    match command {
        Command::Serve(flags) => serve::run(load(&place, flags)?, output),
        Command::Import(command) => import::run(&load_plain(&place)?, command, output),
        Command::User(command) => user::run(&load_plain(&place)?, command, output),
        Command::Token(command) => token::run(&load_plain(&place)?, command, output),
        Command::Sync(command) => sync::run(&load_plain(&place)?, command, output),
        Command::Document(command) => document::run(command, output),
        Command::Page(command) => page::run(&load_plain(&place)?, command, output),
        Command::Backup { file } => archive::backup(&load_plain(&place)?, &file, output),
        Command::Restore { file } => archive::restore(&load_plain(&place)?, &file, output),
        Command::Check => archive::check(&load_plain(&place)?, output),
        Command::Config(command) => config::run(&place, &command, output),
    }
}

fn load_plain(place: &PlaceArgs) -> Result<Config, Failure> {
    load(place, ServeArgs::default())
}

fn load(place: &PlaceArgs, flags: ServeArgs) -> Result<Config, Failure> {
    let flags = ServeFlags {
        given: vec![
            ("listen", flags.listen),
            ("public_url", flags.public_url),
            ("role", flags.role),
            ("sync.port", flags.sync_port),
            ("sync.bind", flags.sync_bind),
            ("sync.service_url", flags.sync_service_url),
            ("sync.internal_url", flags.sync_internal_url),
            ("sync.proxy", flags.sync_proxy),
        ],
    };
    Config::load(place, &flags, environment()).map_err(Failure::wrong_usage)
}

/// The variables of the process that are text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Runs a short command on an open wiki.
fn with_wiki<F>(
    place: &Place,
    config: &Config,
    run: impl FnOnce(wiki::Wiki) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    crate::logs::start("warn", config.log_format);
    runtime()?.block_on(async {
        let open: OpenWiki = place.open_wiki(config).await?;
        let outcome = run(open.wiki.clone()).await;
        open.close().await;
        outcome
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))
}
