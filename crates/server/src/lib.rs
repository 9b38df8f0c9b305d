//! The program: command line, configuration, wiring, and nothing else.
//!
//! **What is here.** [`main`] reads the command line (`cli.rs`) and the configuration (`config/`), opens what the command needs
//! (`place.rs`), and runs the command (one file each in `commands/`). `commands/serve.rs` puts database, wiki and web together
//! and ends them again in the right order.
//!
//! **What is not here.** No rule of the wiki, no SQL, no page, no format. A command asks one crate one question and prints the
//! answer. This is the only crate that reads files of configuration, the environment, the clock, randomness and signals.
//!
//! **Invariants.**
//! * Exit codes: 0 done, 1 failed, 2 wrong usage (a wrong command line or a wrong configuration).
//! * Standard output carries the answer, and with `--json` exactly one object; everything else goes to standard error.
//! * Configuration: defaults, then `watersmeet.toml`, then `WATERSMEET_*`, then flags; the later one wins. All mistakes are
//!   reported at once.
//! * No secret is written to a log; `config show` masks them.
//! * Two servers never use one data directory.
//!
//! **Where to start.** `cli.rs` for what can be asked, `config/settings.rs` for every setting, `commands/serve.rs` for a running
//! server.

mod limits;

mod cli;
mod config;
mod logs;

mod environment;
mod outcome;
mod place;
mod progress;
mod sync_process;

mod commands;

use std::process::ExitCode;

use clap::Parser;

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output and is a success; a mistake goes to standard error and is wrong usage.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                outcome::WRONG_USAGE
            } else {
                0
            });
        }
    };
    let output = outcome::Output::new(arguments.place.json);
    match commands::run(arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}
