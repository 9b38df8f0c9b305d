//! Automation of the project: everything that a person or a CI machine does to it is a subcommand here.
//!
//! * `cargo xtask run [ARGS]` sets up what is missing, builds the release binary and serves it.
//! * `cargo xtask test` sets up what is missing and runs every check and test; its last line is `N passed, N failed`.
//! * `cargo xtask tidy` holds the tree against the house rules (who may depend on whom, sizes, links in the
//!   documents, rules of the specification without a test).
//! * `cargo xtask assets` installs the front end's packages and builds its files.
//!
//! What it must not do: know the product's inside. It starts programs and reads text.

mod postgres;
mod process;
mod setup;
mod tally;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  run [ARGS]      set up what is missing, build the release binary, serve the wiki (ARGS go to `watersmeet serve`)
  test [STEP...]  set up what is missing, run all checks and tests (or only the named steps)
  tidy            hold the tree against the house rules
  assets          install the front end's packages and build its files
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "run" => run(&rest),
        "test" => test::run(&rest),
        "tidy" => tidy::command(),
        "assets" => setup::assets(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Builds and serves the wiki; returns when the server ends.
fn run(arguments: &[String]) -> Result<(), String> {
    setup::assets()?;
    process::cargo(&["build", "--release", "--package", "server"]).check()?;
    let binary = setup::target_directory()?.join("release/watersmeet");
    process::command(&binary)
        .arg("serve")
        .args(arguments)
        .check()
}
