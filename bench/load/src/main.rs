//! Load on a sync server, from one thread: `load SCENARIO name=value...`, JSON on standard output. `bench/sync.mjs` runs it.

mod client;
mod scenarios;
mod server;
mod socket;
mod tally;
mod typing;

use client::{Dialect, Target};
use scenarios::Run;
use server::Server;
use std::collections::HashMap;
use std::process::ExitCode;

const USAGE: &str = "usage: load saturate|steady|idle|joins|fill|big|loss|verify url=ws://... documents=a,b [protocol=native|y-websocket|hocuspocus]
    [token=...] [pid=N] [per=N] [seconds=N] [window=N] [rate=N] [presence=N] [count=N] [bytes=N] [file=PATH]";

/// Numbers that were given by name, or what is usual.
pub(crate) struct Options(HashMap<String, String>);

impl Options {
    /// A text, empty if it was not given.
    pub(crate) fn text(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A number.
    pub(crate) fn number(&self, name: &str, usual: f64) -> f64 {
        self.0
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let scenario = words.next().unwrap_or_default();
    let options = words.filter_map(|word| {
        word.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    });
    let options = Options(options.collect());
    let dialect = match options.text("protocol").as_str() {
        "y-websocket" => Dialect::YWebsocket,
        "hocuspocus" => Dialect::Hocuspocus,
        _ => Dialect::Native,
    };
    let run = Run {
        target: Target {
            url: options.text("url"),
            token: options.text("token"),
            dialect,
        },
        documents: options
            .text("documents")
            .split(',')
            .map(str::to_owned)
            .collect(),
        server: Server(options.number("pid", 0.0) as u32),
        per: options.number("per", 2.0) as usize,
        options,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(why) => return failed(&why),
    };
    match tokio::task::LocalSet::new().block_on(&runtime, run.scenario(&scenario)) {
        Some(Ok(json)) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Some(Err(why)) => failed(&why),
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn failed(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("load: {why}");
    ExitCode::FAILURE
}
