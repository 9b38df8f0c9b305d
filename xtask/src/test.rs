//! `cargo xtask test`: every check and test, in the order in which a mistake is cheapest to find.

use std::path::Path;
use std::time::Instant;

use crate::postgres;
use crate::process::{Program, cargo, command, root};
use crate::setup;
use crate::tally::Tally;
use crate::tidy;

/// Everything a step needs from the set-up.
struct World {
    postgres: postgres::Server,
    chromium: std::path::PathBuf,
}

type Step = (&'static str, fn(&World) -> Result<Tally, String>);

const STEPS: &[Step] = &[
    ("format", format),
    ("tidy", tidy_step),
    ("types", types),
    ("frontend", frontend),
    ("clippy", clippy),
    ("rust", rust),
    ("browser", browser),
];

/// Runs the named steps, or all of them, and prints the closing line.
pub(crate) fn run(names: &[String]) -> Result<(), String> {
    if let Some(unknown) = names
        .iter()
        .find(|name| STEPS.iter().all(|(step, _)| step != name))
    {
        let known: Vec<&str> = STEPS.iter().map(|(step, _)| *step).collect();
        return Err(format!(
            "there is no step `{unknown}`; the steps are {}",
            known.join(", ")
        ));
    }
    say_whether_the_corpus_is_here()?;
    setup::assets()?;
    setup::packages("e2e")?;
    let world = World {
        postgres: postgres::Server::start()?,
        chromium: setup::chromium()?,
    };
    let mut total = Tally::default();
    let mut broken = Vec::new();
    for (name, step) in STEPS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("\n== {name}");
        let started = Instant::now();
        let tally = step(&world).unwrap_or_else(|error| {
            eprintln!("xtask: {error}");
            Tally::check(false)
        });
        println!(
            "== {name}: {} passed, {} failed, {} s",
            tally.passed,
            tally.failed,
            started.elapsed().as_secs()
        );
        if tally.failed > 0 {
            broken.push(*name);
        }
        total.add(tally);
    }
    drop(world);
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if broken.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", broken.join(", ")))
    }
}

/// Tests over real Confluence documents need a folder that is not part of the project.
fn say_whether_the_corpus_is_here() -> Result<(), String> {
    match std::env::var_os("WATERSMEET_CORPUS") {
        Some(path) if Path::new(&path).is_dir() => Ok(()),
        Some(path) => Err(format!("WATERSMEET_CORPUS is `{}`, which is no folder", path.to_string_lossy())),
        None if std::env::var_os("CI").is_some() => Err(
            "WATERSMEET_CORPUS is not set; in CI it must name the folder of recorded Confluence documents"
                .into(),
        ),
        None => {
            println!(
                "xtask: WATERSMEET_CORPUS is not set: tests over recorded Confluence documents are skipped"
            );
            Ok(())
        }
    }
}

fn format(_: &World) -> Result<Tally, String> {
    cargo(&["fmt", "--all", "--check"])
        .watch(|_| ())
        .map(Tally::check)
}

fn tidy_step(_: &World) -> Result<Tally, String> {
    tidy::run()
}

fn clippy(_: &World) -> Result<Tally, String> {
    cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ])
    .watch(|_| ())
    .map(Tally::check)
}

fn rust(world: &World) -> Result<Tally, String> {
    counted(
        cargo(&["test", "--workspace", "--no-fail-fast"])
            .env("WATERSMEET_TEST_POSTGRES", &world.postgres.url)
            .env(
                "WATERSMEET_NODE_MODULES",
                root().join("frontend/node_modules"),
            ),
    )
}

fn types(_: &World) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for folder in ["frontend", "e2e"] {
        let run = command("npm")
            .args(["run", "--silent", "check"])
            .directory(root().join(folder));
        tally.add(run.watch(|_| ()).map(Tally::check)?);
    }
    Ok(tally)
}

fn frontend(_: &World) -> Result<Tally, String> {
    counted(
        command("npm")
            .args(["run", "--silent", "test"])
            .directory(root().join("frontend")),
    )
}

fn browser(world: &World) -> Result<Tally, String> {
    cargo(&["build", "--package", "server"]).check()?;
    counted(
        command("npm")
            .args(["run", "--silent", "test"])
            .directory(root().join("e2e"))
            .env(
                "WATERSMEET_BINARY",
                setup::target_directory()?.join("debug/watersmeet"),
            )
            .env("WATERSMEET_TEST_POSTGRES", &world.postgres.url)
            .env("WATERSMEET_TEST_CHROMIUM", &world.chromium),
    )
}

/// Runs a test runner and counts; a runner that failed without a failed test is a failure of its own.
fn counted(program: Program) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let success = program.watch(|line| tally.see(line))?;
    if !success && tally.failed == 0 {
        tally.failed += 1;
    }
    if success && tally.passed == 0 {
        return Err("the runner ran no test".into());
    }
    Ok(tally)
}
